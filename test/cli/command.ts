/** Running the command as a process of its own, as a user does. */

import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digits } from "../../src/data/digits/digits.js";
import type { ImageDataset } from "../../src/data/images.js";
import { listDevices } from "../../src/device.js";
import { writeIdx } from "../../src/formats/idx.js";
import { delayed } from "../support/devices.js";

/** The command reads no test mode: with delays it would only be tested a second time. */
export const skipCommand: string | false = delayed && "the command runs on devices of its own, without delays";

export const mainPath = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/** Devices that train, and why one cannot be had here. */
export const trainers = listDevices()
  .filter(({ name }) => name !== "reference")
  .map(({ name, reason }) => ({ name, missing: reason ?? (false as const) }));

export interface Result {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Options {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  /** Run instead of Node with the command; `$0` and `$@` are both. */
  readonly shell?: string;
}

/** A command that may still be running. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Result>;
  /** Resolves when the output has come, or rejects when the command has ended without it. */
  said(text: RegExp): Promise<void>;
}

/**
 * What the command sees of the tests' own surroundings. All else could change what it does: `CI`, `TMUX` or `COLORTERM` the
 * colours, `NODE_OPTIONS` everything.
 */
const inherited = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"];

export function surroundings(): Record<string, string> {
  const entries = inherited.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

export function start(args: readonly string[], { cwd, env, shell }: Options = {}): Running {
  const command = [process.execPath, mainPath, ...args];
  const [file, ...rest] = shell === undefined ? command : ["/bin/sh", "-c", shell, ...command];
  const child = spawn(file, rest, {
    cwd: cwd ?? tmpdir(),
    env: { ...surroundings(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  const killer = setTimeout(() => child.kill("SIGKILL"), 240_000);
  const finished = new Promise<Result>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(killer);
      resolve({ status, signal, ...output });
    });
  });
  const said = (text: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (text.test(output.stdout) || text.test(output.stderr)) resolve();
      };
      child.stdout.on("data", look);
      child.stderr.on("data", look);
      child.on("close", () => reject(new Error(`ended without saying ${text}:\n${output.stderr}`)));
      look();
    });
  return { child, finished, said };
}

export function run(args: readonly string[], options?: Options): Promise<Result> {
  return start(args, options).finished;
}

/** A folder that is deleted when this process ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fovea-cli-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a small data set as a folder of IDX files, and returns its path. */
export async function writeData(folder: string, sizes = { train: 1000, test: 200 }): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const split of ["train", "test"] as const) {
    await writeSplit(folder, await digits({ split, size: sizes[split], seed: 5 }));
  }
  return folder;
}

export const fileNames = {
  train: { images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte" },
  test: { images: "t10k-images-idx3-ubyte", labels: "t10k-labels-idx1-ubyte" },
} as const;

export async function writeSplit(folder: string, { split, images, labels, shape, size }: ImageDataset): Promise<void> {
  const names = fileNames[split === "train" ? "train" : "test"];
  const [, height, width] = shape;
  await writeFile(join(folder, names.images), writeIdx({ dtype: "uint8", shape: [size, height, width], data: images }));
  await writeFile(
    join(folder, names.labels),
    writeIdx({ dtype: "uint8", shape: [size], data: Uint8Array.from(labels) }),
  );
}

/** The JSON objects of standard output, one a line and nothing else. */
export function jsonLines<Line = Record<string, unknown>>({ stdout }: Result): Line[] {
  const lines = stdout.split("\n");
  if (lines.pop() !== "") throw new Error(`standard output does not end with a line: ${JSON.stringify(stdout)}`);
  return lines.map((line): Line => JSON.parse(line));
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
