/** What a network has made of pictures, in their place: heads are trained on it. */

import { ArgumentError, DataError } from "../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import type { BatchSource } from "./batches.js";
import { checkIndices } from "./dataset.js";
import { countClasses, type Labelled } from "./sampling.js";
import type { Divisible } from "./splits.js";

/** Features of some samples, with their classes, and where in the data set they are. */
export interface FeatureBatch {
  /** B×…, as `shape` says. */
  readonly features: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  readonly indices: Uint32Array<ArrayBuffer>;
  /** B, and the shape of one sample's features. */
  readonly shape: Shape;
  /** B. */
  readonly size: number;
  /** Features are never mixed. */
  readonly mixed?: undefined;
}

export interface FeatureDatasetParts {
  /** Of the data set that the features are of. */
  readonly name: string;
  readonly split: string;
  /** N×…, one sample after another. */
  readonly features: Float32Array<ArrayBuffer>;
  /** A class number for each sample. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** Of one sample's features: `[512]`, or `[512, 7, 7]` for maps. */
  readonly shape: Shape;
  readonly classNames: readonly string[];
}

/**
 * Features with their classes, as `extractFeatures` makes them: `fit` and `evaluateModel` take them in place of pictures, for
 * a head.
 *
 * @example
 * const features = await extractFeatures(network, photos);
 * await fit(head, features, { optimizer: new SGD(head.parameters(), { lr: 0.05 }), epochs: 20 });
 */
export class FeatureDataset implements BatchSource<FeatureBatch>, Labelled, Divisible<FeatureDataset> {
  readonly name: string;
  readonly split: string;
  readonly features: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  readonly shape: Shape;
  readonly classNames: readonly string[];

  /** @throws DataError unless there are features and a class for every sample */
  constructor({ name, split, features, labels, shape, classNames }: FeatureDatasetParts) {
    if (features.length !== labels.length * sizeOf(shape)) {
      throw new DataError(
        `${name} (${split}): ${features.length} values are no features of ${formatShape(shape)} for ${labels.length} samples. Expected ${labels.length * sizeOf(shape)}.`,
      );
    }
    const wrong = labels.findIndex((label) => label < 0 || label >= classNames.length);
    if (wrong !== -1) {
      throw new ArgumentError(
        `${name} (${split}): label ${labels[wrong]} at index ${wrong} names no class. Expected 0 to ${classNames.length - 1}.`,
      );
    }
    this.name = name;
    this.split = split;
    this.features = features;
    this.labels = labels;
    this.shape = shape;
    this.classNames = classNames;
  }

  get size(): number {
    return this.labels.length;
  }

  batch(indices: Uint32Array<ArrayBuffer>): FeatureBatch {
    const { features, labels } = this.#gather(indices);
    return { features, labels, indices, shape: [indices.length, ...this.shape], size: indices.length };
  }

  /** The samples at `indices`, in that order. */
  subset(indices: ArrayLike<number>): FeatureDataset {
    return new FeatureDataset({ ...this.#described, ...this.#gather(indices) });
  }

  /** Samples of each class. */
  classCounts(): number[] {
    return countClasses(this);
  }

  get #described() {
    const { name, split, shape, classNames } = this;
    return { name, split, shape, classNames };
  }

  #gather(indices: ArrayLike<number>) {
    checkIndices(`${this.name} (${this.split})`, indices, this.size);
    const length = sizeOf(this.shape);
    const features = new Float32Array(indices.length * length);
    const labels = Int32Array.from(indices, (index) => this.labels[index]);
    for (let i = 0; i < indices.length; i++) {
      features.set(this.features.subarray(indices[i] * length, (indices[i] + 1) * length), i * length);
    }
    return { features, labels };
  }
}
