/** How near a picture is to another. */

import { ArgumentError, DataError } from "../../core/errors.js";
import { formatShape, sizeOf } from "../../core/shape.js";

export interface PictureScoreOptions {
  /** Between black and white. Default 255. */
  readonly range?: number;
}

/**
 * The peak signal-to-noise ratio in decibels: 10 · log10(range² / mean squared difference). Infinite for equal pictures;
 * 6 dB more is half the error.
 *
 * @param picture values of any order; `truth` as many in the same order
 * @example metrics.psnr(denoised, clean) - metrics.psnr(noisy, clean) // what denoising gains
 */
export function psnr(
  picture: ArrayLike<number>,
  truth: ArrayLike<number>,
  { range = 255 }: PictureScoreOptions = {},
): number {
  checkPair("psnr", picture, truth, range);
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum += (picture[i] - truth[i]) ** 2;
  if (!Number.isFinite(sum)) throw new DataError("psnr: a picture holds values that are not finite numbers.");
  return 10 * Math.log10((range * range * truth.length) / sum);
}

/** Deviation of the window and pixels on each side of its middle, as in the paper. */
const [deviation, radius] = [1.5, 5];

/**
 * Structural similarity, 1 for equal pictures: brightness, contrast and structure of all windows of 11×11 pixels under a Gaussian
 * with a deviation of 1.5; the mean over windows that lie within the picture, and over channels (Wang, Bovik, Sheikh & Simoncelli,
 * "Image quality assessment: from error visibility to structural similarity", 2004).
 *
 * @param picture C×H×W values; `truth` as many
 * @param shape channels, height and width; sides of 11 pixels or more
 */
export function ssim(
  picture: ArrayLike<number>,
  truth: ArrayLike<number>,
  shape: readonly [channels: number, height: number, width: number],
  { range = 255 }: PictureScoreOptions = {},
): number {
  checkPair("ssim", picture, truth, range);
  const [channels, height, width] = shape;
  if (picture.length !== sizeOf(shape) || Math.min(height, width) < 2 * radius + 1) {
    throw new ArgumentError(
      `ssim: ${picture.length} values for a picture of ${formatShape(shape)}. Expected C×H×W values, with sides of ${2 * radius + 1} or more.`,
    );
  }
  const plane = height * width;
  let sum = 0;
  for (let channel = 0; channel < channels; channel++) {
    const a = Float64Array.from({ length: plane }, (_, i) => picture[channel * plane + i]);
    const b = Float64Array.from({ length: plane }, (_, i) => truth[channel * plane + i]);
    sum += similarity(a, b, height, width, range);
  }
  if (!Number.isFinite(sum)) throw new DataError("ssim: a picture holds values that are not finite numbers.");
  return sum / channels;
}

function similarity(a: Float64Array, b: Float64Array, height: number, width: number, range: number): number {
  const [c1, c2] = [(0.01 * range) ** 2, (0.03 * range) ** 2];
  const mean = (values: Float64Array) => windowMeans(values, height, width);
  const meanA = mean(a);
  const meanB = mean(b);
  const squaresA = mean(a.map((value) => value * value));
  const squaresB = mean(b.map((value) => value * value));
  const products = mean(a.map((value, i) => value * b[i]));
  let sum = 0;
  for (let i = 0; i < meanA.length; i++) {
    const [ma, mb] = [meanA[i], meanB[i]];
    const [varianceA, varianceB] = [squaresA[i] - ma * ma, squaresB[i] - mb * mb];
    const covariance = products[i] - ma * mb;
    sum += ((2 * ma * mb + c1) * (2 * covariance + c2)) / ((ma * ma + mb * mb + c1) * (varianceA + varianceB + c2));
  }
  return sum / meanA.length;
}

const gaussian = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
  Math.exp(-((i - radius) ** 2) / (2 * deviation ** 2)),
);
const total = gaussian.reduce((sum, value) => sum + value, 0);
const weights = gaussian.map((value) => value / total);

/** Weighted means over the windows that lie within the picture: rows first, then columns. */
function windowMeans(values: Float64Array, height: number, width: number): Float64Array {
  const [rows, columns] = [height - 2 * radius, width - 2 * radius];
  const across = new Float64Array(height * columns);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * values[y * width + x + k];
      across[y * columns + x] = sum;
    }
  }
  const means = new Float64Array(rows * columns);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * across[(y + k) * columns + x];
      means[y * columns + x] = sum;
    }
  }
  return means;
}

function checkPair(what: string, picture: ArrayLike<number>, truth: ArrayLike<number>, range: number): void {
  if (picture.length !== truth.length || truth.length === 0)
    throw new ArgumentError(
      `${what}: the picture has ${picture.length} values and the true one ${truth.length}. Expected as many, and at least one.`,
    );
  if (!(range > 0 && Number.isFinite(range)))
    throw new ArgumentError(`${what}: range is ${range}. Expected a number above 0.`);
}
