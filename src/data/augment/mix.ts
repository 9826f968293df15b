/** Pictures of a batch mixed with one another, and their labels with them. */

import { drawBeta } from "../../core/distributions.js";
import { ArgumentError } from "../../core/errors.js";
import type { RandomStream } from "../../core/philox.js";
import { sizeOf } from "../../core/shape.js";
import type { ImageBatch } from "../batches.js";
import { toByte } from "../pixels.js";
import { type BatchAugmentation, type ChanceOptions, sampleStreams } from "./augmentation.js";
import { checkNames, checkNumber } from "./options.js";
import type { Window } from "./window.js";

export interface MixOptions extends ChanceOptions {
  /** Shares are drawn from Beta(alpha, alpha): near 0 or 1 for small ones, all alike for 1. */
  readonly alpha?: number;
}

/** Keeps mixing apart from what happens to the first picture of the batch. */
const MIX_STREAM = 0x6d6978;

/**
 * Adds to each picture a share of the next one in the batch, the same for all; the loss is shared out between the two labels
 * (Zhang et al., "mixup: beyond empirical risk minimization", 2017).
 *
 * @param options alpha: 0.2 unless told; probability of a batch being mixed: 1
 * @example await fit(model, train, { optimizer, epochs: 20, augment: augment.mixup({ alpha: 0.2 }) });
 */
export function mixup(options: MixOptions = {}): BatchAugmentation {
  return make("mixup", options, 0.2, (batch, random, alpha) => mixPictures(batch, drawBeta(alpha, alpha, random)));
}

/**
 * Puts a rectangle of the next picture of the batch into each, at the same place; the loss is shared out by area (Yun et al.,
 * "CutMix: regularization strategy to train strong classifiers with localizable features", 2019).
 *
 * @param options alpha: 1 unless told; probability of a batch being mixed: 1
 */
export function cutmix(options: MixOptions = {}): BatchAugmentation {
  return make("cutmix", options, 1, (batch, random, alpha) => {
    const [, , rows, columns] = batch.shape;
    const side = Math.sqrt(1 - drawBeta(alpha, alpha, random));
    const [middleX, middleY] = [random.integer(columns), random.integer(rows)];
    const [halfX, halfY] = [Math.floor((columns * side) / 2), Math.floor((rows * side) / 2)];
    const [left, top] = [Math.max(0, middleX - halfX), Math.max(0, middleY - halfY)];
    const width = Math.min(columns, middleX + halfX) - left;
    const height = Math.min(rows, middleY + halfY) - top;
    return pasteWindows(batch, { top, left, height, width });
  });
}

function make(
  name: string,
  options: MixOptions,
  usual: number,
  mix: <Batch extends ImageBatch>(batch: Batch, random: RandomStream, alpha: number) => Batch,
): BatchAugmentation {
  checkNames(name, options, ["alpha", "probability"]);
  const alpha = checkNumber(name, "alpha", options.alpha ?? usual, 1e-3, 1e3);
  const probability = checkNumber(name, "probability", options.probability ?? 1, 0, 1);
  return {
    description: { name, options },
    augmentBatch(batch, context) {
      if (batch.masks !== undefined)
        throw new ArgumentError(`augment ${name}: the pictures have masks, which cannot be mixed. Fix: leave it out.`);
      // What is mixed already stays, so that mixup for some batches and cutmix for the others can be combined.
      if (batch.mixed !== undefined || batch.size === 0) return batch;
      // A sample is first of a batch only once in an epoch.
      const random = sampleStreams(context)(batch.indices[0], MIX_STREAM);
      return random.uniform() < probability ? mix(batch, random, alpha) : batch;
    },
  };
}

/** λ of each picture, and 1 − λ of the next one; after the last comes the first. */
export function mixPictures<Batch extends ImageBatch>(batch: Batch, share: number): Batch {
  const length = batch.images.length / batch.size;
  const images = new Uint8Array(batch.images.length);
  for (let i = 0; i < images.length; i++) {
    const other = (i + length) % images.length;
    images[i] = toByte(share * batch.images[i] + (1 - share) * batch.images[other]);
  }
  return { ...batch, images, mixed: { labels: nextLabels(batch), share } };
}

/** Each picture with a window of the next one; after the last comes the first. */
export function pasteWindows<Batch extends ImageBatch>(batch: Batch, { top, left, height, width }: Window): Batch {
  const [size, channels, rows, columns] = batch.shape;
  const images = batch.images.slice();
  const length = sizeOf([channels, rows, columns]);
  for (let plane = 0; plane < size * channels; plane++) {
    for (let y = top; y < top + height; y++) {
      const at = (plane * rows + y) * columns + left;
      const other = (at + length) % images.length;
      images.set(batch.images.subarray(other, other + width), at);
    }
  }
  const share = 1 - (height * width) / (rows * columns);
  return { ...batch, images, mixed: { labels: nextLabels(batch), share } };
}

function nextLabels({ labels, size }: ImageBatch): Int32Array<ArrayBuffer> {
  return Int32Array.from(labels, (_, i) => labels[(i + 1) % size]);
}
