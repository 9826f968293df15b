/** Writing what TensorBoard shows. */

import { type FileHandle, open, readdir, truncate } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { ArgumentError, NotFiniteError } from "../core/errors.js";
import type { PixelImage } from "../data/pixels.js";
import {
  type Event,
  endOfEvents,
  eventRecord,
  eventVersion,
  histogramOf,
  type SummaryValue,
  sessionStart,
} from "../formats/events.js";
import { encodePng } from "../formats/png.js";
import { fileError, makeFolder, readFile } from "./files.js";

const eventFile = /^events\.out\.tfevents\.\d+\./;

export interface EventWriterOptions {
  /**
   * For a run that goes on: the step that it goes on with. What the folder's files have from there on, or half-written, is cut off
   * before a new file is begun. Default: all stays.
   */
  readonly resumeAt?: number;
}

/**
 * Writes numbers, pictures and histograms to a folder that TensorBoard reads: `tensorboard --logdir logs` shows the folders in
 * `logs`, one a run, together. Each writer has a file of its own; what has been awaited is in it.
 *
 * @example
 * const events = await EventWriter.open("logs/first");
 * const onEpoch = async ({ epoch, validation }: EpochRecord) => {
 *   if (validation !== undefined) await events.scalar("accuracy/test", validation.accuracy, epoch);
 * };
 * await fit(model, train, { optimizer, epochs: 5, validation: test, callbacks: { onEpoch } });
 * await events.close();
 */
export class EventWriter {
  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** Makes the folder where need be, and begins a file in it. @throws FileError where it cannot be written */
  static async open(folder: string, { resumeAt }: EventWriterOptions = {}): Promise<EventWriter> {
    await makeFolder(folder);
    if (resumeAt !== undefined) await cutEvents(folder, resumeAt);
    const [path, file] = await createFile(folder);
    const writer = new EventWriter(path, file);
    await writer.#write({ wallTime: Date.now() / 1000, step: 0, fileVersion: eventVersion });
    if (resumeAt !== undefined) {
      const sessionLog = { status: sessionStart };
      // TensorBoard, which may have read what was cut off, forgets it.
      await writer.#write({ wallTime: Date.now() / 1000, step: resumeAt, sessionLog });
    }
    return writer;
  }

  /** Whether a folder holds events. */
  static async isIn(folder: string): Promise<boolean> {
    return (await readdir(folder).catch((): string[] => [])).some((name) => eventFile.test(name));
  }

  /** A number; names with the same beginning up to `/` are shown together. */
  scalar(tag: string, value: number, step: number): Promise<void> {
    return this.scalars({ [tag]: value }, step);
  }

  /** Several numbers by their names, of one step. */
  scalars(values: Readonly<Record<string, number>>, step: number): Promise<void> {
    return this.#add(
      step,
      Object.entries(values).map(([tag, simpleValue]) => ({ tag, simpleValue })),
    );
  }

  /** How values are distributed, in 30 buckets. @throws NotFiniteError where one is NaN or infinite; ArgumentError where there are none */
  async histogram(tag: string, values: ArrayLike<number>, step: number): Promise<void> {
    if (values.length === 0) throw new ArgumentError(`histogram: ${tag} has no values. Expected at least one.`);
    const histo = histogramOf(values);
    if (!Number.isFinite(histo.sumSquares)) {
      throw new NotFiniteError(
        `histogram: ${tag} has values that are NaN or infinite, or too large to be squared. Expected finite numbers.`,
      );
    }
    await this.#add(step, [{ tag, histo }]);
  }

  /**
   * A picture; several of one size make one with `contactSheet`.
   *
   * @param picture with 1 or 3 channels
   */
  async image(tag: string, { width, height, channels, data }: PixelImage, step: number): Promise<void> {
    if (channels !== 1 && channels !== 3)
      throw new ArgumentError(`image: ${tag} has ${channels} channels. Expected 1 (grey) or 3.`);
    const encodedImageString = await encodePng({ width, height, channels, data: Uint8Array.from(data) });
    await this.#add(step, [{ tag, image: { width, height, colorspace: channels, encodedImageString } }]);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  async #add(step: number, value: readonly SummaryValue[]): Promise<void> {
    if (!Number.isSafeInteger(step) || step < 0)
      throw new ArgumentError(`step is ${step}. Expected an integer of 0 or more.`);
    await this.#write({ wallTime: Date.now() / 1000, step, summary: { value } });
  }

  async #write(event: Event): Promise<void> {
    try {
      // In one piece: a process that is killed leaves whole records behind, or one that is recognised as cut.
      await this.file.appendFile(eventRecord(event));
    } catch (error) {
      throw fileError("write", this.path, error);
    }
  }
}

/** A file of a name that no other writer has. */
async function createFile(folder: string): Promise<[path: string, file: FileHandle]> {
  const host = hostname().replaceAll(/[^\w.-]/g, "-") || "host";
  for (let number = 0; ; number++) {
    const path = join(folder, `events.out.tfevents.${Math.floor(Date.now() / 1000)}.${host}.${process.pid}.${number}`);
    try {
      return [path, await open(path, "ax")];
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST"))
        throw fileError("write", path, error);
    }
  }
}

async function cutEvents(folder: string, step: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!eventFile.test(name)) continue;
    const path = join(folder, name);
    const bytes = await readFile(path);
    const end = endOfEvents(bytes, step, path);
    if (end === bytes.length) continue;
    await truncate(path, end).catch((error) => {
      throw fileError("write", path, error);
    });
  }
}
