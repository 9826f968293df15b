/** Means, deviations, ranges and covariances of samples that come in batches, none of which is kept. */

import { NotFiniteError } from "../../core/errors.js";

/** Values of B samples, one sample after the other. */
export type Values = Uint8Array | Int32Array | Float32Array | Float64Array;

/** Statistics of groups of values: those of one feature, of one channel, or all. */
export class GroupStatistics {
  readonly least: Float64Array<ArrayBuffer>;
  readonly most: Float64Array<ArrayBuffer>;
  count = 0;
  /** What is subtracted before squaring, so that little is lost where values are large and alike. */
  readonly #origin: Float64Array;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;

  /** @param length consecutive values of a sample that belong to one group */
  constructor(
    readonly groups: number,
    readonly length: number,
  ) {
    this.least = new Float64Array(groups).fill(Number.POSITIVE_INFINITY);
    this.most = new Float64Array(groups).fill(Number.NEGATIVE_INFINITY);
    this.#origin = new Float64Array(groups);
    this.#sums = new Float64Array(groups);
    this.#squares = new Float64Array(groups);
  }

  add(values: Values, samples: number): void {
    const { groups, length } = this;
    if (this.count === 0) for (let group = 0; group < groups; group++) this.#origin[group] = values[group * length];
    for (let sample = 0; sample < samples; sample++) {
      for (let group = 0; group < groups; group++) {
        const start = (sample * groups + group) * length;
        const origin = this.#origin[group];
        let [least, most, sum, squares] = [this.least[group], this.most[group], 0, 0];
        for (let i = start; i < start + length; i++) {
          const value = values[i];
          const off = value - origin;
          sum += off;
          squares += off * off;
          if (value < least) least = value;
          if (value > most) most = value;
        }
        if (!Number.isFinite(sum)) throw notFinite(values, start, length, this.count + sample);
        this.least[group] = least;
        this.most[group] = most;
        this.#sums[group] += sum;
        this.#squares[group] += squares;
      }
    }
    this.count += samples;
  }

  get mean(): Float64Array<ArrayBuffer> {
    return Float64Array.from(this.#sums, (sum, group) => this.#origin[group] + sum / (this.count * this.length));
  }

  /** Root mean squared distances from the means; 0 exactly for values that are all the same. */
  get deviation(): Float64Array<ArrayBuffer> {
    const count = this.count * this.length;
    return Float64Array.from(this.#sums, (sum, group) => {
      if (this.least[group] === this.most[group]) return 0;
      return Math.sqrt(Math.max(0, this.#squares[group] / count - (sum / count) ** 2));
    });
  }
}

/** Samples whose products are summed up together, so that the sums are fetched from memory less often. */
const TOGETHER = 64;

/** Means and covariances of all pairs of features. */
export class Covariance {
  count = 0;
  #origin: Float64Array | undefined;
  readonly #sums: Float64Array;
  /** The lower triangle, row by row, in a full matrix. */
  readonly #products: Float64Array<ArrayBuffer>;
  /** Features × samples. */
  readonly #columns: Float64Array;

  constructor(readonly features: number) {
    this.#sums = new Float64Array(features);
    this.#products = new Float64Array(features * features);
    this.#columns = new Float64Array(features * TOGETHER);
  }

  add(values: Values, samples: number): void {
    const { features } = this;
    this.#origin ??= Float64Array.from(values.subarray(0, features));
    for (let start = 0; start < samples; start += TOGETHER) {
      this.#addSome(values.subarray(start * features), Math.min(TOGETHER, samples - start), this.#origin);
    }
  }

  #addSome(values: Values, samples: number, origin: Float64Array): void {
    const { features } = this;
    const columns = this.#columns;
    for (let feature = 0; feature < features; feature++) {
      let sum = 0;
      for (let sample = 0; sample < samples; sample++) {
        const off = values[sample * features + feature] - origin[feature];
        columns[feature * TOGETHER + sample] = off;
        sum += off;
      }
      if (!Number.isFinite(sum)) {
        const wrong = Array.from({ length: samples }, (_, i) => values[i * features + feature]);
        throw notFinite(Float64Array.from(wrong), 0, samples, this.count, 1);
      }
      this.#sums[feature] += sum;
    }
    for (let i = 0; i < features; i++) {
      const left = i * TOGETHER;
      for (let j = 0; j <= i; j++) {
        const right = j * TOGETHER;
        let sum = 0;
        for (let sample = 0; sample < samples; sample++) sum += columns[left + sample] * columns[right + sample];
        this.#products[i * features + j] += sum;
      }
    }
    this.count += samples;
  }

  get mean(): Float64Array<ArrayBuffer> {
    return Float64Array.from(this.#sums, (sum, feature) => (this.#origin?.[feature] ?? 0) + sum / this.count);
  }

  /** The covariances, divided by one less than the number of samples. Uses the sums up. */
  takeMatrix(): Float64Array<ArrayBuffer> {
    const { features, count } = this;
    const matrix = this.#products;
    for (let i = 0; i < features; i++) {
      for (let j = 0; j <= i; j++) {
        const value = (matrix[i * features + j] - (this.#sums[i] * this.#sums[j]) / count) / (count - 1);
        matrix[i * features + j] = value;
        matrix[j * features + i] = value;
      }
    }
    return matrix;
  }
}

/** @param samplesPerValue how many samples further the next value is: 0 where all are of sample `first` */
function notFinite(values: Values, start: number, length: number, first: number, samplesPerValue = 0): NotFiniteError {
  const at = values.subarray(start, start + length).findIndex((value) => !Number.isFinite(value));
  return new NotFiniteError(
    `fitNormalization: sample ${first + at * samplesPerValue} has the value ${values[start + at]}. Expected finite numbers. Fix: leave out or mend such samples.`,
  );
}
