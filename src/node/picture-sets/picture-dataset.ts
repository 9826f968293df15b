/** Labelled pictures in files, decoded when they are needed. */

import { createHash } from "node:crypto";
import { ArgumentError, DataError, FileError, FormatError } from "../../core/errors.js";
import { warnOnce } from "../../core/warnings.js";
import { type BatchContext, type ImageBatch, newImageBatch } from "../../data/batches.js";
import { checkIndex, checkIndices, type ImageSample } from "../../data/dataset.js";
import type { LabelledImages } from "../../data/images.js";
import type { PictureInput } from "../../data/resize.js";
import { countClasses } from "../../data/sampling.js";
import { PictureMemory } from "./memory.js";
import { inParallel, type PictureFile, PictureStore } from "./store.js";

/** How pictures are read, and what becomes of those that cannot be. */
export interface PictureSetOptions {
  /**
   * Pixels. A number: the short side is scaled to it and the middle square taken. `[height, width]`: scaled to exactly these,
   * whatever the proportions. Needed unless `input` is given.
   */
  readonly size?: number | readonly [height: number, width: number] | undefined;
  /** The network that the pictures are for, such as `models.find("resnet18")`: sizes and channels are as it takes them. */
  readonly input?: PictureInput | undefined;
  /** 1 for grey, 3 for red, green and blue. Default: those of `input`, or else 3. */
  readonly channels?: 1 | 3 | undefined;
  /** The classes in their order, as when a network has been trained already. Default: those that there are, sorted by name. */
  readonly classNames?: readonly string[] | undefined;
  /** Throws at the first picture that cannot be used, instead of leaving it out. Default false. */
  readonly strict?: boolean | undefined;
  /** Bytes of memory that the set may take, or an account that several sets share. Default: a quarter of the machine's. */
  readonly memory?: number | PictureMemory | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called while the pictures are looked through. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A file that was left out, and why. */
export interface SkippedFile {
  readonly file: string;
  readonly reason: string;
}

/** One more label of each picture, beside its class. */
export interface Attribute {
  readonly classNames: readonly string[];
  /** -1 where it is not known. */
  readonly labels: Int32Array<ArrayBuffer>;
}

/** A set of pictures before they have been looked at. */
export interface PictureSetParts {
  readonly name: string;
  readonly split: string;
  readonly files: readonly PictureFile[];
  readonly labels: Int32Array<ArrayBuffer>;
  readonly classNames: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly skipped: readonly SkippedFile[];
  /** Whether a class without pictures is an error; it is not where `classNames` were given. */
  readonly everyClass: boolean;
}

interface Contents {
  readonly name: string;
  readonly split: string;
  readonly shape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly skipped: readonly SkippedFile[];
  readonly memory: PictureMemory;
  readonly input: PictureInput;
}

/**
 * Pictures of a folder, an archive or a table, as `imageFolder`, `imageZip` and `imageTable` make them. Each is decoded when it
 * is needed, in other threads, and kept in memory as long as there is room.
 *
 * @example for await (const { images, labels } of new DataLoader(photos, { batchSize: 32, shuffle: true })) { … }
 */
export class PictureDataset implements LabelledImages {
  /** A class number for each picture. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** All label columns of a table, by name. */
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly #contents: Contents;
  readonly #store: PictureStore;
  /** Where the pictures are in the store. */
  readonly #positions: Uint32Array<ArrayBuffer>;

  /** @internal */
  constructor(
    contents: Contents,
    store: PictureStore,
    positions: Uint32Array<ArrayBuffer>,
    labels: Int32Array<ArrayBuffer>,
    attributes: Readonly<Record<string, Attribute>>,
  ) {
    this.#contents = contents;
    this.#store = store;
    this.#positions = positions;
    this.labels = labels;
    this.attributes = attributes;
  }

  get name(): string {
    return this.#contents.name;
  }

  get split(): string {
    return this.#contents.split;
  }

  /** Channels, height and width. */
  get shape(): readonly [number, number, number] {
    return this.#contents.shape;
  }

  get classNames(): readonly string[] {
    return this.#contents.classNames;
  }

  get size(): number {
    return this.#positions.length;
  }

  /** Files that were left out when the set was opened, and why. */
  get skipped(): readonly SkippedFile[] {
    return this.#contents.skipped;
  }

  /** What the pictures take of memory. */
  get memory(): PictureMemory {
    return this.#contents.memory;
  }

  /** The file of a picture. */
  file(index: number): string {
    checkIndex(`${this.name} (${this.split})`, index, this.size);
    return this.#store.name(this.#positions[index]);
  }

  /** One picture and its class: at once where it is in memory. The bytes are the data set's own, not a copy. */
  get(index: number): ImageSample | Promise<ImageSample> {
    checkIndex(`${this.name} (${this.split})`, index, this.size);
    const label = this.labels[index];
    const image = this.#store.get(this.#positions[index]);
    return image instanceof Promise ? image.then((image) => ({ image, label })) : { image, label };
  }

  /** Pictures as one batch: at once where all are in memory. */
  batch(
    indices: Uint32Array<ArrayBuffer>,
    { signal }: Partial<Pick<BatchContext, "signal">> = {},
  ): ImageBatch | Promise<ImageBatch> {
    checkIndices(`${this.name} (${this.split})`, indices, this.size);
    const batch = newImageBatch(indices, this.shape);
    const [channels, height, width] = this.shape;
    const put = (i: number, image: Uint8Array) => batch.images.set(image, i * channels * height * width);
    const missing: number[] = [];
    for (const [i, index] of indices.entries()) {
      batch.labels[i] = this.labels[index];
      const image = this.#store.kept(this.#positions[index]);
      if (image === undefined) missing.push(i);
      else put(i, image);
    }
    if (missing.length === 0) return batch;
    const load = async (k: number) => put(missing[k], await this.#store.get(this.#positions[indices[missing[k]]]));
    return inParallel(missing.length, load, signal).then(() => batch);
  }

  /** The samples at `indices`, in that order. Shares files and memory with this data set. */
  subset(indices: ArrayLike<number>): PictureDataset {
    checkIndices(`${this.name} (${this.split})`, indices, this.size);
    const at = <Values extends Int32Array<ArrayBuffer>>(values: Values) => Int32Array.from(indices, (i) => values[i]);
    return new PictureDataset(
      this.#contents,
      this.#store,
      Uint32Array.from(indices, (index) => this.#positions[index]),
      at(this.labels),
      Object.fromEntries(
        Object.entries(this.attributes).map(([name, { classNames, labels }]) => [
          name,
          { classNames, labels: at(labels) },
        ]),
      ),
    );
  }

  /** The value of each attribute for each picture, undefined where it is not known: what `groupBy` and reports take. */
  attributeValues(): Record<string, (string | undefined)[]> {
    return Object.fromEntries(
      Object.entries(this.attributes).map(([name, { classNames, labels }]) => [
        name,
        Array.from(labels, (label): string | undefined => classNames[label]),
      ]),
    );
  }

  /** Samples of each class. */
  classCounts(): number[] {
    return countClasses(this);
  }

  /** 16 hexadecimal digits that are the same for the same pictures, sizes and labels in the same order. */
  fingerprint(): string {
    const { input, classNames } = this.#contents;
    const hash = createHash("sha256").update(JSON.stringify([input.inputShape, input.resizing ?? null, classNames]));
    for (const position of this.#positions) hash.update(this.#store.digest(position));
    return hash.update(this.labels).digest("hex").slice(0, 16);
  }
}

/** Reads every picture once: what cannot be used is left out and listed, the rest kept as far as there is room. @internal */
export async function openPictures(
  options: PictureSetOptions,
  find: () => Promise<PictureSetParts>,
): Promise<PictureDataset> {
  const { strict = false, signal, onProgress, memory: given } = options;
  const input = inputOf(options);
  const memory = given instanceof PictureMemory ? given : new PictureMemory(given);
  const parts = await find();
  const { name, split, files, classNames, attributes = {} } = parts;
  const skipped = [...parts.skipped];
  const first = skipped[0];
  if (strict && first !== undefined) throw new DataError(`${name}: ${first.file}: ${first.reason}. Fix: remove it.`);
  const store = new PictureStore(files, input, memory);
  const reasons = new Map<number, string>();
  let done = 0;
  const look = async (position: number) => {
    try {
      await store.get(position);
    } catch (error) {
      const isFile = error instanceof FormatError || error instanceof FileError || error instanceof DataError;
      if (strict || !isFile) throw error;
      reasons.set(position, reasonOf(error, files[position].name));
    }
    onProgress?.(++done, files.length);
  };
  await inParallel(files.length, look, signal);
  for (const position of [...reasons.keys()].sort((a, b) => a - b)) {
    skipped.push({ file: files[position].name, reason: reasons.get(position) ?? "" });
  }
  const contents: Contents = { name, split, shape: input.inputShape, classNames, skipped, memory, input };
  const everything = Uint32Array.from(files, (_, position) => position);
  const all = new PictureDataset(contents, store, everything, parts.labels, attributes);
  const usable = reasons.size === 0 ? all : all.subset(everything.filter((position) => !reasons.has(position)));
  const what = describeSkipped(skipped, usable.size + skipped.length);
  if (usable.size === 0) {
    throw new DataError(
      `${name}: there are no pictures that can be used. ${what && `${what} `}Fix: mend the files, or their paths.`,
    );
  }
  if (parts.everyClass) {
    const empty = classNames.filter((_, k) => usable.classCounts()[k] === 0);
    if (empty.length > 0) {
      throw new DataError(
        `${name}: no picture of ${empty.join(", ")} can be used. ${what} Fix: mend the pictures, or remove the class.`,
      );
    }
  }
  if (skipped.length > 0) warnOnce(`${name}: ${what}`);
  return usable;
}

/** How many files are named in one message. */
const namedFiles = 5;

/** `3 of 120 files skipped: cat/a.txt (its name does not end …), …`; nothing where none was. */
function describeSkipped(skipped: readonly SkippedFile[], total: number): string {
  if (skipped.length === 0) return "";
  const named = skipped.slice(0, namedFiles).map(({ file, reason }) => `${file} (${reason})`);
  const rest = skipped.length > namedFiles ? `, and ${skipped.length - namedFiles} more` : "";
  return `${skipped.length} of ${total} files skipped: ${named.join(", ")}${rest}.`;
}

/** What is wrong with a file, without its name and the mends that hold for any. */
function reasonOf(error: Error, name: string): string {
  return error.message
    .replace(/^cannot (decode|read) /, "")
    .replace(`${name}: `, "")
    .replace(/\.? (Expected|Fix:).*$/s, "")
    .replace(/\.$/, "");
}

function inputOf({ size, input, channels }: PictureSetOptions): PictureInput {
  if ((size === undefined) === (input === undefined)) {
    throw new ArgumentError(
      `${size === undefined ? "neither size nor input is" : "size and input are both"} given. Expected one of them: ` +
        'size: 64 for squares of 64 pixels, or input: models.find("resnet18") for what a network takes.',
    );
  }
  const count = channels ?? input?.inputShape[0] ?? 3;
  if (count !== 1 && count !== 3) throw new ArgumentError(`channels is ${count}. Expected 1 (grey) or 3 (colour).`);
  if (input !== undefined) {
    const [, height, width] = input.inputShape;
    return { inputShape: [count, height, width], resizing: input.resizing };
  }
  const sides = typeof size === "number" ? [size, size] : (size ?? []);
  const [height, width] = sides;
  if (sides.length !== 2 || sides.some((side) => !Number.isInteger(side) || side < 1 || side > 16384)) {
    throw new ArgumentError(
      `size is ${JSON.stringify(size)}. Expected pixels from 1 to 16384: a number for squares, or [height, width].`,
    );
  }
  const resizing = { resize: height, crop: height, interpolation: "bilinear" } as const;
  return { inputShape: [count, height, width], ...(typeof size === "number" && { resizing }) };
}
