/** Labelled images held in memory as the bytes they are; normalization happens inside the program that uses them. */

import { ArgumentError, DataError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { type BatchSource, type ImageBatch, newImageBatch } from "./batches.js";
import { checkIndex, checkIndices, type Dataset, type ImageSample, splitIndices } from "./dataset.js";
import { countClasses, type Labelled } from "./sampling.js";
import type { Divisible } from "./splits.js";

export interface ImageDatasetParts {
  /** Such as `MNIST`. */
  readonly name: string;
  /** Such as `train` or `test`. */
  readonly split: string;
  /** N×C×H×W bytes. */
  readonly images: Uint8Array<ArrayBuffer>;
  /** A class number for each image. */
  readonly labels: Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  /** Channels, height and width. */
  readonly shape: readonly [number, number, number];
  readonly classNames: readonly string[];
}

/** Labelled images of one shape, wherever they are: in memory, or in files that are read when they are needed. */
export interface LabelledImages
  extends Dataset<ImageSample>,
    BatchSource<ImageBatch>,
    Labelled,
    Divisible<LabelledImages> {
  readonly name: string;
  readonly split: string;
  readonly size: number;
  readonly labels: Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  /** Channels, height and width. */
  readonly shape: readonly [number, number, number];
}

/**
 * @example
 * const all = await digits({ split: "train" });
 * const [train, validation] = all.randomSplit([0.9, 0.1], 7);
 * const { image, label } = train.get(0);
 */
export class ImageDataset implements LabelledImages {
  readonly name: string;
  readonly split: string;
  readonly shape: readonly [number, number, number];
  readonly classNames: readonly string[];
  #images: Uint8Array<ArrayBuffer>;
  #labels: Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  /** Where sample i lies in the arrays; undefined when at i. Parts of a data set thereby share its memory. */
  #positions: Uint32Array<ArrayBuffer> | undefined;

  constructor(parts: ImageDatasetParts) {
    checkParts(parts);
    this.name = parts.name;
    this.split = parts.split;
    this.shape = parts.shape;
    this.classNames = parts.classNames;
    this.#images = parts.images;
    this.#labels = parts.labels;
  }

  get size(): number {
    return this.#positions?.length ?? this.#labels.length;
  }

  /** All images, N×C×H×W. For a subset of another data set the first use makes a copy in its order. */
  get images(): Uint8Array<ArrayBuffer> {
    this.#compact();
    return this.#images;
  }

  /** All labels, in the order of `images`. */
  get labels(): Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
    if (this.#positions === undefined) return this.#labels;
    return Int32Array.from(this.#positions, (position) => this.#labels[position]);
  }

  /** One image and its class; the bytes are the data set's own, not a copy. */
  get(index: number): { readonly image: Uint8Array<ArrayBuffer>; readonly label: number } {
    checkIndex(`${this.name} (${this.split})`, index, this.size);
    const length = sizeOf(this.shape);
    const position = this.#positions?.[index] ?? index;
    return {
      image: this.#images.subarray(position * length, (position + 1) * length),
      label: this.#labels[position],
    };
  }

  batch(indices: Uint32Array<ArrayBuffer>): ImageBatch {
    const batch = newImageBatch(indices, this.shape);
    const length = sizeOf(this.shape);
    for (let i = 0; i < indices.length; i++) {
      const { image, label } = this.get(indices[i]);
      batch.images.set(image, i * length);
      batch.labels[i] = label;
    }
    return batch;
  }

  /** The samples at `indices`, in that order. Shares memory with this data set. */
  subset(indices: ArrayLike<number>): ImageDataset {
    checkIndices(`${this.name} (${this.split})`, indices, this.size);
    return this.#share(Uint32Array.from(indices, (index) => this.#positions?.[index] ?? index));
  }

  /** The first `count` samples, or all when there are fewer. */
  take(count: number): ImageDataset {
    if (!Number.isInteger(count) || count < 0) {
      throw new ArgumentError(`take: ${count} is not a number of samples. Expected an integer of 0 or more.`);
    }
    return this.subset(Array.from({ length: Math.min(count, this.size) }, (_, index) => index));
  }

  /** Deals the samples at random into parts; fractions that add up to 1 leave nothing out. */
  randomSplit(fractions: readonly number[], seed = 0): ImageDataset[] {
    return splitIndices(this.size, fractions, seed).map((indices) => this.subset(indices));
  }

  /** Samples of each class. */
  classCounts(): number[] {
    return countClasses(this);
  }

  #share(positions: Uint32Array<ArrayBuffer>): ImageDataset {
    const { name, split, shape, classNames } = this;
    const part = new ImageDataset({ name, split, shape, classNames, images: noBytes, labels: noBytes });
    part.#images = this.#images;
    part.#labels = this.#labels;
    part.#positions = positions;
    return part;
  }

  #compact(): void {
    if (this.#positions === undefined) return;
    const { images, labels } = this.batch(Uint32Array.from({ length: this.size }, (_, index) => index));
    this.#images = images;
    this.#labels = labels;
    this.#positions = undefined;
  }
}

const noBytes = new Uint8Array(0);

function checkParts({ name, split, images, labels, shape, classNames }: ImageDatasetParts): void {
  const what = `${name} (${split})`;
  if (shape.length !== 3 || shape.some((length) => !Number.isInteger(length) || length < 1)) {
    throw new ArgumentError(
      `${what}: the shape of an image is [${shape.join(", ")}]. Expected [channels, height, width].`,
    );
  }
  const count = images.length / sizeOf(shape);
  if (!Number.isInteger(count)) {
    throw new DataError(
      `${what}: ${images.length} bytes are not a whole number of ${formatShape(shape)} images. ` +
        `Expected a multiple of ${sizeOf(shape)}. Fix: check the shape, or the file that the bytes came from.`,
    );
  }
  if (count !== labels.length) {
    throw new DataError(
      `${what}: there are ${count} images but ${labels.length} labels. Expected one label for each image. ` +
        "Fix: use the two files that belong together.",
    );
  }
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index];
    if (label < 0 || label >= classNames.length) {
      throw new DataError(
        `${what}: label ${label} at index ${index} names no class. Expected 0 to ${classNames.length - 1}, ` +
          `for ${classNames.length} classes. Fix: number the classes from 0, or name all of them in classNames.`,
      );
    }
  }
}
