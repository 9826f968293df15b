/** Data sets: anything that has a size and gives out samples; and how to take parts of them. */

import { ArgumentError } from "../core/errors.js";
import { RandomStream } from "../core/philox.js";

/** Samples numbered 0 … size-1. `get` may answer at once or later, and should give up when `signal` aborts. */
export interface Dataset<Sample> {
  readonly size: number;
  get(index: number, signal?: AbortSignal): Sample | Promise<Sample>;
}

/** An image with its class. Bytes are in C×H×W order. */
export interface ImageSample {
  readonly image: Uint8Array;
  readonly label: number;
}

/** Some samples of another data set, in a given order. */
export class Subset<Sample> implements Dataset<Sample> {
  readonly #dataset: Dataset<Sample>;
  readonly #indices: ArrayLike<number>;

  constructor(dataset: Dataset<Sample>, indices: ArrayLike<number>) {
    checkIndices("Subset", indices, dataset.size);
    this.#dataset = dataset;
    this.#indices = indices;
  }

  get size(): number {
    return this.#indices.length;
  }

  get(index: number, signal?: AbortSignal): Sample | Promise<Sample> {
    checkIndex("Subset.get", index, this.size);
    return this.#dataset.get(this.#indices[index], signal);
  }
}

/** Keeps the stream that splits apart from those of other uses of the same seed. */
const SPLIT_STREAM = 0x73706c69;

/**
 * Deals the numbers 0 … size-1 at random into one list for each fraction; fractions that add up to 1 leave nothing
 * out. Equal seeds give equal lists.
 */
export function splitIndices(size: number, fractions: readonly number[], seed = 0): Uint32Array<ArrayBuffer>[] {
  checkFractions(fractions);
  const order = new RandomStream(seed, SPLIT_STREAM).permutation(size);
  let sum = 0;
  return fractions.map((fraction) => {
    const start = Math.round(sum * size);
    sum += fraction;
    return order.slice(start, Math.round(Math.min(1, sum) * size));
  });
}

/** @throws ArgumentError unless the fractions are 0 or more and add up to at most 1 */
export function checkFractions(fractions: readonly number[]): void {
  const total = fractions.reduce((sum, fraction) => sum + fraction, 0);
  if (fractions.some((fraction) => !(fraction >= 0)) || !(total <= 1 + 1e-9)) {
    throw new ArgumentError(
      `split: the fractions [${fractions.join(", ")}] add up to ${total}. ` +
        "Expected fractions of 0 or more that add up to at most 1, such as [0.9, 0.1].",
    );
  }
}

export function checkIndex(what: string, index: number, size: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= size) {
    throw new ArgumentError(
      `${what}: there is no sample ${index}. Expected an integer from 0 to ${size - 1}, for a data set of ${size} samples.`,
    );
  }
}

export function checkIndices(what: string, indices: ArrayLike<number>, size: number): void {
  for (let i = 0; i < indices.length; i++) checkIndex(what, indices[i], size);
}
