/**
 * A run's folder: `config.json` (its settings), `metrics.jsonl` (a line for each epoch), `checkpoint.safetensors`
 * (weights and everything to go on from) and `best.safetensors` (the weights of the best epoch), each replaced by one rename.
 */

import { existsSync, readdirSync } from "node:fs";
import { mkdir, open, readdir, rm, stat, truncate } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ArgumentError, FileError, FormatError } from "../core/errors.js";
import { closestName } from "../core/suggest.js";
import { errorCode, fileError, makeFolder, readFile, writeFile } from "../node/files.js";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "../train/checkpoint.js";
import type { EpochRecord } from "../train/records.js";
import type { Scores } from "../train/sums.js";
import type { PixelScores } from "./score-texts.js";
import type { Settings } from "./settings.js";

const folderVersion = 1;
export const configName = "config.json";
const metricsName = "metrics.jsonl";
export const checkpointName = "checkpoint.safetensors";
export const bestName = "best.safetensors";

/** A line of metrics. */
export type EpochLine = {
  readonly event: "epoch";
  /** Of a borrowed network, whose new head is trained first. */
  readonly phase?: "head";
  readonly validation: (Scores & PixelScores) | undefined;
} & EpochRecord;

export class RunFolder {
  /** Bytes of metrics written so far. */
  metricsBytes = 0;

  #settings: Settings;

  private constructor(
    readonly path: string,
    settings: Settings,
  ) {
    this.#settings = settings;
  }

  get settings(): Settings {
    return this.#settings;
  }

  get checkpointPath(): string {
    return join(this.path, checkpointName);
  }

  get bestPath(): string {
    return join(this.path, bestName);
  }

  get #metricsPath(): string {
    return join(this.path, metricsName);
  }

  /** Throws when there is already a run in `path`, so that a new one is refused before its data are read. */
  static async checkFree(path: string): Promise<void> {
    const present = await readdir(path).catch((): string[] => []);
    if ([configName, checkpointName, bestName].some((name) => present.includes(name))) {
      throw new ArgumentError(
        `${path} already holds a run. Fix: --resume to go on with it, or another folder for --out.`,
      );
    }
  }

  /** Makes `path` the folder of a new run. @throws ArgumentError when there is already a run in it */
  static async create(path: string, settings: Settings): Promise<RunFolder> {
    await RunFolder.checkFree(path);
    await makeFolder(path);
    const folder = new RunFolder(path, settings);
    // The configuration last: with it, everything is there that a run needs.
    await writeFile(folder.#metricsPath, "");
    await folder.#writeSettings();
    return folder;
  }

  /** Makes a new folder for a run: `base`, or the first of `base-2`, `base-3` … that is free. */
  static async createNew(base: string, settings: Settings): Promise<RunFolder> {
    await makeFolder(dirname(base));
    for (let number = 1; ; number++) {
      const path = number === 1 ? base : `${base}-${number}`;
      try {
        await mkdir(path);
      } catch (error) {
        if (errorCode(error) === "EEXIST") continue;
        throw fileError("write", path, error);
      }
      return RunFolder.create(path, settings);
    }
  }

  /** Opens the folder of an earlier run. */
  static async open(path: string): Promise<RunFolder> {
    if (!existsSync(join(path, configName)))
      throw new FileError(
        `--resume: ${describeMissing(path)} Expected the folder of an earlier run. Fix: check --out.`,
      );
    const settings = await readSettings(path);
    await removeLeftovers(path);
    return new RunFolder(path, settings);
  }

  /** Keeps other settings, as when a run's data have moved. */
  async changeSettings(settings: Settings): Promise<void> {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    await this.#writeSettings();
  }

  async #writeSettings(): Promise<void> {
    const text = JSON.stringify({ version: folderVersion, ...this.#settings }, null, 2);
    await writeFile(join(this.path, configName), `${text}\n`);
  }

  /** The latest checkpoint; undefined when the run was stopped before its first. */
  async readCheckpoint(): Promise<Checkpoint | undefined> {
    const exists = await stat(this.checkpointPath).then(
      () => true,
      (error) => errorCode(error) !== "ENOENT",
    );
    return exists ? readCheckpoint(await readFile(this.checkpointPath), this.checkpointPath) : undefined;
  }

  async writeCheckpoint(checkpoint: Checkpoint): Promise<void> {
    await writeFile(this.checkpointPath, writeCheckpoint(checkpoint));
  }

  /** Keeps the weights of the best epoch, and of the rest only what tells what they are. */
  async writeBest({ info, state }: Checkpoint): Promise<void> {
    const optimizer = { slots: {}, numbers: {} };
    await writeFile(this.bestPath, writeCheckpoint({ info, state: { ...state, optimizer } }));
  }

  /** Adds a line of metrics, and waits until it is on the disk: a checkpoint that counts it may follow. */
  async appendMetrics(line: EpochLine): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    try {
      const file = await open(this.#metricsPath, "a");
      try {
        const { size } = await file.stat();
        if (size !== this.metricsBytes) {
          throw new FileError(
            `${this.#metricsPath} has ${size} bytes, but this run has written ${this.metricsBytes}. Fix: check whether another process trains in ${this.path}.`,
          );
        }
        await file.appendFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      throw fileError("write", this.#metricsPath, error);
    }
    this.metricsBytes += bytes.length;
  }

  /** Discards metrics written after the checkpoint that a run goes on from, and returns the rest. */
  async takeUpMetrics(bytes: number, epochs: number): Promise<EpochLine[]> {
    const path = this.#metricsPath;
    try {
      const { size } = await stat(path);
      if (size < bytes) {
        throw damagedMetrics(path, `it has ${size} bytes, but the checkpoint was written after ${bytes}`);
      }
      await truncate(path, bytes);
    } catch (error) {
      throw fileError("write", path, error);
    }
    this.metricsBytes = bytes;
    const lines = new TextDecoder().decode(await readFile(path)).split("\n");
    const records = lines.slice(0, -1).map((line, i) => parseEpoch(line, i, path));
    if (records.length !== epochs || lines.at(-1) !== "") {
      throw damagedMetrics(
        path,
        `it tells of ${records.length} epochs, but the checkpoint was written after ${epochs}`,
      );
    }
    return records;
  }
}

/** The settings of the run in `path`. @throws FileError where there is none; FormatError where they are damaged */
export async function readSettings(path: string): Promise<Settings> {
  const file = join(path, configName);
  if (!existsSync(file))
    throw new FileError(`${describeMissing(path)} Expected the folder of a run. Fix: check the path.`);
  return parseSettings(new TextDecoder().decode(await readFile(file, { maxBytes: 2 ** 20 })), file);
}

function describeMissing(path: string): string {
  if (existsSync(path)) return `${path} holds no run (no ${configName}).`;
  const meant = meantRun(path);
  return `there is no folder ${path}.${meant === undefined ? "" : ` Did you mean ${meant}?`}`;
}

/** Whether a folder holds a run. */
export function isRun(path: string): boolean {
  return existsSync(join(path, configName));
}

/** The folder of a run with a name like that, beside what was given or where runs are kept. */
export function meantRun(given: string): string | undefined {
  const folders = [...new Set([dirname(given), "runs"])];
  const runs = folders.flatMap((folder) =>
    namesIn(folder)
      .map((name) => join(folder, name))
      .filter(isRun),
  );
  const meant = closestName(
    basename(given),
    runs.map((path) => basename(path)),
  );
  return runs.find((path) => basename(path) === meant);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Only a suggestion would have come of it.
    return [];
  }
}

/** The epochs that the run in `path` has behind it; one that is just being written is left out. */
export async function readMetrics(path: string): Promise<EpochLine[]> {
  const file = join(path, metricsName);
  const lines = new TextDecoder().decode(await readFile(file)).split("\n");
  return lines.slice(0, -1).map((line, i) => parseEpoch(line, i, file));
}

function parseSettings(text: string, file: string): Settings {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${file} is damaged: it is not JSON. Fix: start a new run.`, { cause });
  }
  if (config === null || typeof config !== "object" || Array.isArray(config))
    throw new FormatError(`${file} is damaged: it holds no settings. Fix: start a new run.`);
  const { version, ...settings } = config as Settings;
  if (version !== folderVersion) {
    throw new FormatError(
      `${file} is of version ${version}; this Fovea reads version ${folderVersion}. Fix: use the Fovea that wrote it.`,
    );
  }
  return settings;
}

function parseEpoch(text: string, index: number, path: string): EpochLine {
  try {
    const line: EpochLine = JSON.parse(text);
    const scores = [line.train, line.validation].flatMap((part) => [
      part?.loss,
      // Where nothing is to be named, there is no share of right answers.
      ...(part?.tasks !== undefined && part.accuracy === null ? [] : [part?.accuracy]),
    ]);
    if ([...scores, line.seconds].every(Number.isFinite) && line.epoch === index + 1) return line;
  } catch {
    // Described below.
  }
  throw damagedMetrics(path, `line ${index + 1} does not describe epoch ${index + 1}`);
}

function damagedMetrics(path: string, what: string): FormatError {
  return new FormatError(
    `${path} is damaged: ${what}. Fix: start a new run (the weights in ${checkpointName} can still be used).`,
  );
}

/** Deletes half-written files that a killed process has left, under the names that `writeFile` gives them. */
async function removeLeftovers(path: string): Promise<void> {
  const written = [configName, metricsName, checkpointName, bestName].map((name) => name.replaceAll(".", "\\."));
  const leftover = new RegExp(`^\\.(?:${written.join("|")})\\.(\\d+)\\.[0-9a-f]+\\.tmp$`);
  for (const name of await readdir(path).catch(() => [])) {
    const writer = leftover.exec(name)?.[1];
    if (writer === undefined || isRunning(Number(writer))) continue;
    await rm(join(path, name), { force: true }).catch(() => undefined);
  }
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}
