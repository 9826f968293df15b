/** Weights that make up for classes of unequal size, and samples drawn by weight. */

import { ArgumentError, DataError } from "../core/errors.js";
import { RandomStream } from "../core/philox.js";

/** What is needed to count the samples of each class. */
export interface Labelled {
  readonly labels: ArrayLike<number>;
  readonly classNames: readonly string[];
}

/** Samples of each class. */
export function countClasses({ labels, classNames }: Labelled): number[] {
  const counts = new Array<number>(classNames.length).fill(0);
  for (let i = 0; i < labels.length; i++) counts[labels[i]]++;
  return counts;
}

/**
 * A weight for each class that gives all of them the same say in a loss: samples / (classes × samples of the class), as
 * in King & Zeng, "Logistic regression in rare events data", 2001. Their mean over the samples is 1.
 *
 * @throws DataError where a class has no samples
 * @example const loss = crossEntropy(logits, labels, { weight: tensor(classWeights(train)) });
 */
export function classWeights({ labels, classNames }: Labelled): Float32Array<ArrayBuffer> {
  const counts = countClasses({ labels, classNames });
  const missing = classNames.filter((_, k) => counts[k] === 0);
  if (missing.length > 0) {
    throw new DataError(
      `classWeights: there are no samples of ${missing.join(", ")}. Expected at least one of each class. ` +
        "Fix: add some, or split the data with stratify.",
    );
  }
  return Float32Array.from(counts, (count) => labels.length / (counts.length * count));
}

/**
 * A weight for each sample with which a `DataLoader` draws every class equally often.
 *
 * @example new DataLoader(train, { weights: balancedWeights(train), seed: 7 })
 */
export function balancedWeights(dataset: Labelled): Float32Array<ArrayBuffer> {
  const ofClass = classWeights(dataset);
  return Float32Array.from(dataset.labels, (label) => ofClass[label]);
}

/** Keeps the stream of weighted draws apart from other uses of the same seed. */
const DRAW_STREAM = 0x64726177;

/** Draws samples with probabilities in proportion to their weights, with replacement. */
export class WeightedSampler {
  /** The sum of the weights up to and including each sample's. */
  readonly #sums: Float64Array<ArrayBuffer>;

  /** @throws ArgumentError unless there is a finite weight of 0 or more for each of `size` samples, and one above 0 */
  constructor(weights: ArrayLike<number>, size: number) {
    if (weights.length !== size) {
      throw new ArgumentError(
        `weights: there are ${weights.length} for ${size} samples. Expected one for each sample. ` +
          "Fix: balancedWeights(dataset) makes them from the classes.",
      );
    }
    this.#sums = new Float64Array(size);
    let sum = 0;
    for (let i = 0; i < size; i++) {
      if (!(weights[i] >= 0 && weights[i] < Number.POSITIVE_INFINITY))
        throw new ArgumentError(
          `weights: that of sample ${i} is ${weights[i]}. Expected a finite number of 0 or more.`,
        );
      sum += weights[i];
      this.#sums[i] = sum;
    }
    if (size > 0 && sum === 0) throw new ArgumentError("weights: all are 0. Expected at least one above 0.");
  }

  /** `count` samples, a function of seed and epoch alone. */
  order(count: number, seed: number, epoch: number): Uint32Array<ArrayBuffer> {
    const random = new RandomStream(seed, DRAW_STREAM, epoch);
    const total = this.#sums[this.#sums.length - 1];
    // Two words: with one, weights of millions of samples would be rounded.
    return Uint32Array.from({ length: count }, () => {
      const position = (random.bits() * 2 ** 21 + (random.bits() >>> 11)) * 2 ** -53;
      return this.#find(position * total);
    });
  }

  /** The first sample whose sum is above `value`. */
  #find(value: number): number {
    let [low, high] = [0, this.#sums.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sums[middle] > value) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
