/**
 * Kernels from before networks learnt theirs, each H×W, for `applyKernel`. They are written for cross-correlation, which is what
 * `applyKernel` and `conv2d` compute: laid over the picture as printed here. Books that define convolution with the flip print
 * the odd ones (Sobel, Scharr, emboss) mirrored; `trueConvolution` with the book's kernel gives what these give.
 */

import { checkCount } from "../core/check.js";
import { ArgumentError } from "../core/errors.js";
import type { Tensor } from "../graph/tensor.js";
import { tensor } from "../ops/create.js";

/** A kernel of one plane, height × width. */
export type Kernel = Tensor<readonly [height: number, width: number]>;

function kernelOf(rows: readonly (readonly number[])[]): Kernel {
  const [height, width] = [rows.length, rows[0].length];
  return tensor(Float32Array.from(rows.flat()), [height, width]) as Kernel;
}

/** Evaluates `value` around the centre; for even sizes that lies between pixels. */
function sampled(size: number, value: (x: number, y: number) => number): number[][] {
  const centre = (size - 1) / 2;
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => value(column - centre, row - centre)),
  );
}

function total(rows: readonly (readonly number[])[]): number {
  return rows.flat().reduce((sum, value) => sum + value, 0);
}

function checkSigma(name: string, sigma: number): void {
  if (Number.isFinite(sigma) && sigma > 0) return;
  throw new ArgumentError(`${name}: sigma is ${sigma}. Expected a number of pixels above 0, such as 1.5.`);
}

/** Leaves a picture as it is: 1 in the middle. @param size odd */
export function identity(size = 3): Kernel {
  checkCount("identity", "size", size);
  if (size % 2 === 0) throw new ArgumentError(`identity: size is ${size}. Expected an odd number, to have a middle.`);
  return kernelOf(sampled(size, (x, y) => (x === 0 && y === 0 ? 1 : 0)));
}

/** Blurs: the mean of a square. The simplest low-pass filter. @example applyKernel(picture, box(5)) */
export function box(size = 3): Kernel {
  checkCount("box", "size", size);
  return kernelOf(sampled(size, () => 1 / (size * size)));
}

/**
 * Blurs without the corners of `box`: exp(−r² / 2σ²), scaled to sum to 1.
 *
 * @param sigma standard deviation in pixels; unless told OpenCV's choice for a size, 0.3 · ((size − 1) / 2 − 1) + 0.8
 * @example applyKernel(picture, gaussian(7, 1.5))
 */
export function gaussian(size = 5, sigma: number = 0.3 * ((size - 1) / 2 - 1) + 0.8): Kernel {
  checkCount("gaussian", "size", size);
  checkSigma("gaussian", sigma);
  const rows = sampled(size, (x, y) => Math.exp(-(x * x + y * y) / (2 * sigma * sigma)));
  const sum = total(rows);
  return kernelOf(rows.map((row) => row.map((value) => value / sum)));
}

/**
 * How much brighter it gets to the right, smoothed along the other axis: bright for vertical edges with the dark side left (Sobel
 * and Feldman 1968). A slope of 1 per pixel gives 8.
 */
export function sobelX(): Kernel {
  return kernelOf([
    [-1, 0, 1],
    [-2, 0, 2],
    [-1, 0, 1],
  ]);
}

/** How much brighter it gets downwards: bright for horizontal edges with the dark side above. */
export function sobelY(): Kernel {
  return kernelOf([
    [-1, -2, -1],
    [0, 0, 0],
    [1, 2, 1],
  ]);
}

/**
 * As `sobelX`, but the direction of a slanting edge comes out truer (Scharr, "Optimale Operatoren in der digitalen
 * Bildverarbeitung", 2000). A slope of 1 per pixel gives 32.
 */
export function scharrX(): Kernel {
  return kernelOf([
    [-3, 0, 3],
    [-10, 0, 10],
    [-3, 0, 3],
  ]);
}

/** As `sobelY`, truer for slanting edges. */
export function scharrY(): Kernel {
  return kernelOf([
    [-3, -10, -3],
    [0, 0, 0],
    [3, 10, 3],
  ]);
}

/**
 * The sum of the second derivatives: bright in dark dots, dark in bright ones, zero on slopes (Gonzalez and Woods, "Digital Image
 * Processing", chapter 3).
 *
 * @param options.diagonals counts all eight neighbours instead of four. Default false.
 */
export function laplacian({ diagonals = false }: { readonly diagonals?: boolean } = {}): Kernel {
  const corner = diagonals ? 1 : 0;
  return kernelOf([
    [corner, 1, corner],
    [1, diagonals ? -8 : -4, 1],
    [corner, 1, corner],
  ]);
}

/**
 * The Laplacian of a picture blurred by a Gaussian, in one kernel: finds blobs of radius √2 · σ, bright where they are dark (Marr
 * and Hildreth, "Theory of edge detection", 1980). Moved to sum to 0, so that it gives nothing on flat ground.
 *
 * @param size covers the kernel's rim from about 6σ on
 */
export function laplacianOfGaussian(size = 9, sigma = 1.4): Kernel {
  checkCount("laplacianOfGaussian", "size", size);
  checkSigma("laplacianOfGaussian", sigma);
  const bell = sampled(size, (x, y) => Math.exp(-(x * x + y * y) / (2 * sigma * sigma)));
  const sum = total(bell);
  const rows = sampled(size, (x, y) => {
    const square = x * x + y * y;
    return (((square - 2 * sigma * sigma) / sigma ** 4) * Math.exp(-square / (2 * sigma * sigma))) / sum;
  });
  const mean = total(rows) / (size * size);
  return kernelOf(rows.map((row) => row.map((value) => value - mean)));
}

/**
 * A Laplacian of a Gaussian in whole numbers, 9×9, from lectures: bright in the middle of dark blobs about five pixels wide, dark in
 * bright ones. It sums to 4, not to 0, so that flat ground gives four times its brightness.
 */
export function blobDetector(): Kernel {
  return kernelOf([
    [0, 0, 3, 2, 2, 2, 3, 0, 0],
    [0, 2, 3, 5, 5, 5, 3, 2, 0],
    [3, 3, 5, 3, 0, 3, 5, 3, 3],
    [2, 5, 3, -12, -23, -12, 3, 5, 2],
    [2, 5, 0, -23, -40, -23, 0, 5, 2],
    [2, 5, 3, -12, -23, -12, 3, 5, 2],
    [3, 3, 5, 3, 0, 3, 5, 3, 3],
    [0, 2, 3, 5, 5, 5, 3, 2, 0],
    [0, 0, 3, 2, 2, 2, 3, 0, 0],
  ]);
}

/**
 * Sharpens: the picture less `amount` times its Laplacian (Gonzalez and Woods). Sums to 1.
 *
 * @example applyKernel(picture, sharpen(0.5)).clip(0, 1)
 */
export function sharpen(amount = 1): Kernel {
  if (!Number.isFinite(amount)) throw new ArgumentError(`sharpen: amount is ${amount}. Expected a number, such as 1.`);
  return kernelOf([
    [0, -amount, 0],
    [-amount, 1 + 4 * amount, -amount],
    [0, -amount, 0],
  ]);
}

/** Makes a relief lit from the upper left out of brightness (the kernel of GIMP's manual). Sums to 1. */
export function emboss(): Kernel {
  return kernelOf([
    [-2, -1, 0],
    [-1, 1, 1],
    [0, 1, 2],
  ]);
}

export interface GaborOptions {
  /** Pixels from one crest of the wave to the next. Default 4. */
  readonly wavelength?: number;
  /** Degrees, clockwise, by which the direction that the wave runs in is turned from "to the right". Default 0: upright stripes. */
  readonly angle?: number;
  /** Standard deviation of the Gaussian along the wave, in pixels. Default 0.56 · `wavelength`, a band of one octave. */
  readonly sigma?: number;
  /** How much narrower the Gaussian is along the stripes: 1 for round, 0.5 for twice as long as wide. Default 1. */
  readonly aspect?: number;
  /** Degrees: 0 for a bright stripe in the middle, 90 for an edge there. Default 0. */
  readonly phase?: number;
}

/**
 * A wave under a Gaussian: finds stripes and edges of one width and direction, as cells of the visual cortex do (Gabor 1946;
 * Daugman 1985), and as first layers of networks learn to. The values of OpenCV's `getGaborKernel`: 1 where a crest is in the
 * middle; with phase 0 the sum is not 0.
 *
 * @param size covers the kernel's rim from about 6 · sigma on
 * @example applyKernel(picture, gabor(9, { wavelength: 5, angle: 45 }))
 */
export function gabor(size = 9, options: GaborOptions = {}): Kernel {
  const { wavelength = 4, angle = 0, sigma = 0.56 * wavelength, aspect = 1, phase = 0 } = options;
  checkCount("gabor", "size", size);
  checkSigma("gabor", sigma);
  for (const [name, value] of Object.entries({ wavelength, aspect })) {
    if (!(Number.isFinite(value) && value > 0))
      throw new ArgumentError(`gabor: ${name} is ${value}. Expected a number above 0.`);
  }
  for (const [name, value] of Object.entries({ angle, phase })) {
    if (!Number.isFinite(value)) throw new ArgumentError(`gabor: ${name} is ${value}. Expected degrees, such as 45.`);
  }
  const [turn, start] = [angle, phase].map((degrees) => (degrees * Math.PI) / 180);
  const rows = sampled(size, (x, y) => {
    const along = x * Math.cos(turn) + y * Math.sin(turn);
    const across = y * Math.cos(turn) - x * Math.sin(turn);
    const bell = Math.exp(-(along * along + aspect * aspect * across * across) / (2 * sigma * sigma));
    return bell * Math.cos((2 * Math.PI * along) / wavelength + start);
  });
  return kernelOf(rows);
}
