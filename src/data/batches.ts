/** Batches: what a loader yields, and how any data set can give them. */

import { DataError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import type { Dataset, ImageSample } from "./dataset.js";

/** What a batch may depend on besides its samples: random augmentation draws from (seed, epoch, sample). */
export interface BatchContext {
  readonly seed: number;
  readonly epoch: number;
  /** How often each of the batch's samples came earlier in the epoch, where samples are drawn with repetitions. */
  readonly occurrences?: Uint32Array<ArrayBuffer> | undefined;
  /** Aborts when nobody wants the batch any more. */
  readonly signal: AbortSignal;
}

/** Gives the samples of any list of indices as one batch, at once or later. */
export interface BatchSource<Batch> {
  readonly size: number;
  batch(indices: Uint32Array<ArrayBuffer>, context: BatchContext): Batch | Promise<Batch>;
}

/** Images as bytes in B×C×H×W order with their classes, and where in the data set they are. */
export interface ImageBatch {
  readonly images: Uint8Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  readonly indices: Uint32Array<ArrayBuffer>;
  /** B, C, H, W. */
  readonly shape: readonly [number, number, number, number];
  /** B. */
  readonly size: number;
  /** A class number for each pixel, B×H×W, where the data set has them. */
  readonly masks?: Uint8Array<ArrayBuffer> | undefined;
  /** The pictures without noise, B×C×H×W, where the data set has them. */
  readonly clean?: Uint8Array<ArrayBuffer> | undefined;
  /** Where each picture has been mixed with another one of the batch: `mixup` and `cutmix` do it. */
  readonly mixed?: MixedLabels | undefined;
}

/** The classes of what pictures were mixed with. The loss is `share` of that with `labels` of the batch, and 1 − `share` of that with these. */
export interface MixedLabels {
  readonly labels: Int32Array<ArrayBuffer>;
  /** 0 … 1, of the whole batch. */
  readonly share: number;
}

/** An image batch with room for the samples at `indices`. */
export function newImageBatch(
  indices: Uint32Array<ArrayBuffer>,
  [channels, height, width]: readonly [number, number, number],
): ImageBatch {
  const size = indices.length;
  return {
    images: new Uint8Array(size * channels * height * width),
    labels: new Int32Array(size),
    indices,
    shape: [size, channels, height, width],
    size,
  };
}

/**
 * Batches of a data set whose samples `collate` puts together. The samples of a batch are asked for all at once; when
 * none of them is a promise, neither is the batch.
 */
export function collated<Sample, Batch>(
  dataset: Dataset<Sample>,
  collate: (samples: readonly Sample[], indices: Uint32Array<ArrayBuffer>) => Batch,
): BatchSource<Batch> {
  return {
    get size() {
      return dataset.size;
    },
    batch(indices, { signal }) {
      const answers = Array.from(indices, (index) => dataset.get(index, signal));
      const samples: Sample[] = [];
      for (const answer of answers) {
        if (answer instanceof Promise) return Promise.all(answers).then((all) => collate(all, indices));
        samples.push(answer);
      }
      return collate(samples, indices);
    },
  };
}

/** Batches of a data set of your own that gives out images of one shape: channels, height and width. */
export function imageBatches(
  dataset: Dataset<ImageSample>,
  shape: readonly [number, number, number],
): BatchSource<ImageBatch> {
  const length = sizeOf(shape);
  return collated(dataset, (samples, indices) => {
    const batch = newImageBatch(indices, shape);
    for (const [i, { image, label }] of samples.entries()) {
      if (image.length !== length || !Number.isInteger(label)) {
        throw new DataError(
          `sample ${indices[i]} has ${image.length} bytes and the label ${label}. ` +
            `Expected ${length} bytes, for ${formatShape(shape)}, and an integer. Fix: resize the image, or check get().`,
        );
      }
      batch.images.set(image, i * length);
      batch.labels[i] = label;
    }
    return batch;
  });
}
