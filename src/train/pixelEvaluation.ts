/** How good a model is at the pixels of a data set. */

import { DataError } from "../core/errors.js";
import { sizeOf } from "../core/shape.js";
import type { BatchSource, ImageBatch } from "../data/batches.js";
import type { Layer } from "../nn/layers/container.js";
import { psnr, ssim } from "./metrics/pictures.js";
import { PixelCounts, type PixelCountsOptions, type SegmentationReport } from "./metrics/segmentation.js";
import {
  type DenoisedPicture,
  denoisePictures,
  type PixelPredictOptions,
  type SegmentedPicture,
  segmentPictures,
} from "./pixelPrediction.js";

export interface PixelEvaluateOptions extends PixelPredictOptions {
  /** Called after each picture. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What was found in a picture, beside the picture and what is true of it. */
export interface SegmentedSample extends SegmentedPicture {
  /** C×H×W bytes. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** The true class of each pixel, H×W. */
  readonly truth: Uint8Array<ArrayBuffer>;
}

export interface SegmentationEvaluateOptions extends PixelEvaluateOptions, PixelCountsOptions {
  /** Given each picture as it is scored: to find those with the most mistakes, say. */
  readonly onPicture?: ((sample: SegmentedSample) => void) | undefined;
}

/** What a picture was made into, beside the picture with noise and the one without. */
export interface DenoisedSample extends DenoisedPicture {
  /** With noise: C×H×W bytes. */
  readonly image: Uint8Array<ArrayBuffer>;
  readonly clean: Uint8Array<ArrayBuffer>;
}

export interface DenoisingEvaluateOptions extends PixelEvaluateOptions {
  /** Given each picture as it is scored. */
  readonly onPicture?: ((sample: DenoisedSample) => void) | undefined;
}

/**
 * Intersection over union, Dice and accuracy of a model's masks on a data set: of all its pixels together.
 *
 * @param data with `masks`
 * @example const { meanIou, classes } = await evaluateSegmentation(model, test, { classNames: ["cell", "membrane"] });
 */
export async function evaluateSegmentation(
  model: Layer,
  data: BatchSource<ImageBatch>,
  { ignoreIndex, classNames, onProgress, onPicture, ...options }: SegmentationEvaluateOptions = {},
): Promise<SegmentationReport> {
  let counts: PixelCounts | undefined;
  let done = 0;
  for await (const found of segmentPictures(model, data, options)) {
    const { index, mask, probabilities } = found;
    const { images, masks } = await one(data, index, options.signal);
    if (masks === undefined)
      throw new DataError("evaluateSegmentation: the data set has no masks. Expected a class for each pixel.");
    counts ??= new PixelCounts(probabilities.length / mask.length, {
      ...(ignoreIndex !== undefined && { ignoreIndex }),
      ...(classNames && { classNames }),
    });
    counts.add(mask, masks);
    onPicture?.({ ...found, image: images, truth: masks });
    done++;
    onProgress?.(done, data.size);
  }
  if (counts === undefined) throw empty("evaluateSegmentation");
  return counts.report();
}

/** Means over pictures. */
export interface PictureQuality {
  /** Peak signal-to-noise ratio in decibels. */
  readonly psnr: number;
  /** Structural similarity; undefined for pictures with sides below 11 pixels. */
  readonly ssim: number | undefined;
}

export interface DenoisingReport {
  readonly count: number;
  /** Of the pictures with noise. */
  readonly before: PictureQuality;
  /** Of what the model makes of them. */
  readonly after: PictureQuality;
  /** Decibels: what `after` has more than `before`. */
  readonly gain: number;
}

/** Adds up how near pictures are to the true ones. */
export class QualityMean {
  #psnr = 0;
  #ssim = 0;
  #similar = true;
  #count = 0;

  add(picture: ArrayLike<number>, truth: ArrayLike<number>, shape: readonly [number, number, number]): void {
    this.#psnr += decibels(picture, truth);
    this.#similar &&= Math.min(shape[1], shape[2]) >= 11;
    if (this.#similar) this.#ssim += ssim(picture, truth, shape);
    this.#count++;
  }

  get mean(): PictureQuality {
    return { psnr: this.#psnr / this.#count, ssim: this.#similar ? this.#ssim / this.#count : undefined };
  }
}

/** Of pictures that differ by no more than rounding to bytes does: 20 · log10(255 · √12). */
const mostDecibels = 20 * Math.log10(255 * Math.sqrt(12));

/** Peak signal-to-noise ratio. Equal pictures would make means infinite: bytes that are equal may differ by rounding. */
export function decibels(picture: ArrayLike<number>, truth: ArrayLike<number>): number {
  return Math.min(psnr(picture, truth), mostDecibels);
}

/**
 * How much nearer a model brings pictures to those without noise: decibels and structural similarity, before and after.
 *
 * @param data with `clean`
 * @example const { before, after, gain } = await evaluateDenoising(model, await noisy({ split: "test" }));
 */
export async function evaluateDenoising(
  model: Layer,
  data: BatchSource<ImageBatch>,
  { onProgress, onPicture, ...options }: DenoisingEvaluateOptions = {},
): Promise<DenoisingReport> {
  const [before, after] = [new QualityMean(), new QualityMean()];
  let count = 0;
  for await (const found of denoisePictures(model, data, options)) {
    const { index, picture, shape } = found;
    const { images, clean } = await one(data, index, options.signal);
    if (clean === undefined || clean.length !== sizeOf(shape))
      throw new DataError("evaluateDenoising: the data set has no pictures without noise. Expected `clean`.");
    before.add(images, clean, shape);
    after.add(picture, clean, shape);
    onPicture?.({ ...found, image: images, clean });
    count++;
    onProgress?.(count, data.size);
  }
  if (count === 0) throw empty("evaluateDenoising");
  const [noisy, denoised] = [before.mean, after.mean];
  return { count, before: noisy, after: denoised, gain: denoised.psnr - noisy.psnr };
}

function one(data: BatchSource<ImageBatch>, index: number, signal = new AbortController().signal) {
  return data.batch(Uint32Array.of(index), { seed: 0, epoch: 0, signal });
}

function empty(what: string): DataError {
  return new DataError(`${what}: the data set is empty. Expected at least one picture.`);
}
