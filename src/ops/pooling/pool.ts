/**
 * Pooling in one, two and three dimensions, from the two-dimensional ops. N batch, C channels; L, or D, H and W, the
 * lengths of the axes that windows slide along.
 */

import { ArgumentError } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { composite } from "../composites.js";
import { mul, pow } from "../elementwise/arithmetic.js";
import { neg, relu } from "../elementwise/functions.js";
import { asFloats, type TensorLike } from "../tensors.js";
import { along } from "./along.js";
import { averagePool2dOp } from "./averagePool2d.js";
import { type AvgPoolOptions, type PoolOptions, type PoolSettings, poolSettings, withoutOverhang } from "./geometry.js";
import { maxPool2dOp } from "./maxPool2d.js";

type KernelSize = number | readonly number[];

function maxPool(op: string, axes: number, input: TensorLike, kernelSize: KernelSize, options: PoolOptions): Tensor {
  const x: Tensor = asFloats(op, input);
  const settings = poolSettings(op, axes, x.shape, kernelSize, options);
  const result = along(x, settings, (picture, params) => maxPool2dOp({ input: picture }, params) as Tensor);
  return composite({ name: "maxPool", inputs: [x], params: settings }, result);
}

/** The largest element of each window, N×C×L → N×C×L′; padding never wins. */
export function maxPool1d(input: TensorLike, kernelSize: KernelSize, options: PoolOptions = {}): Tensor {
  return maxPool("maxPool1d", 1, input, kernelSize, options);
}

/**
 * The largest element of each window; padding never wins.
 *
 * @param input N×C×H×W
 * @param kernelSize of the window: a number, or [height, width]
 * @example maxPool2d(x, 2) // halves height and width
 */
export function maxPool2d(input: TensorLike, kernelSize: KernelSize, options: PoolOptions = {}): Tensor {
  return maxPool("maxPool2d", 2, input, kernelSize, options);
}

/** The largest element of each window, N×C×D×H×W; padding never wins. */
export function maxPool3d(input: TensorLike, kernelSize: KernelSize, options: PoolOptions = {}): Tensor {
  return maxPool("maxPool3d", 3, input, kernelSize, options);
}

function minPool(op: string, axes: number, input: TensorLike, kernelSize: KernelSize, options: PoolOptions): Tensor {
  return neg(maxPool(op, axes, neg(asFloats(op, input)), kernelSize, options));
}

/** The smallest element of each window, N×C×L → N×C×L′; padding never wins. */
export function minPool1d(input: TensorLike, kernelSize: KernelSize, options: PoolOptions = {}): Tensor {
  return minPool("minPool1d", 1, input, kernelSize, options);
}

/** The smallest element of each window; padding never wins. @param input N×C×H×W */
export function minPool2d(input: TensorLike, kernelSize: KernelSize, options: PoolOptions = {}): Tensor {
  return minPool("minPool2d", 2, input, kernelSize, options);
}

/** The smallest element of each window, N×C×D×H×W; padding never wins. */
export function minPool3d(input: TensorLike, kernelSize: KernelSize, options: PoolOptions = {}): Tensor {
  return minPool("minPool3d", 3, input, kernelSize, options);
}

function meansAlong(x: Tensor, settings: PoolSettings, countPadding: boolean): Tensor {
  const result = along(x, settings, (picture, params) => {
    return averagePool2dOp({ input: picture }, { ...params, countPadding }) as Tensor;
  });
  return composite({ name: "averagePool", inputs: [x], params: { ...settings, countPadding } }, result);
}

function averagePool(
  op: string,
  axes: number,
  input: TensorLike,
  kernelSize: KernelSize,
  options: AvgPoolOptions,
): Tensor {
  const x: Tensor = asFloats(op, input);
  const settings = poolSettings(op, axes, x.shape, kernelSize, options);
  return meansAlong(x, settings, options.countIncludePad ?? true);
}

/** The mean of each window, N×C×L → N×C×L′. */
export function avgPool1d(input: TensorLike, kernelSize: KernelSize, options: AvgPoolOptions = {}): Tensor {
  return averagePool("avgPool1d", 1, input, kernelSize, options);
}

/**
 * The mean of each window: LeNet-5's subsampling.
 *
 * @param input N×C×H×W
 * @param kernelSize of the window: a number, or [height, width]
 * @example avgPool2d(x, 2) // halves height and width
 */
export function avgPool2d(input: TensorLike, kernelSize: KernelSize, options: AvgPoolOptions = {}): Tensor {
  return averagePool("avgPool2d", 2, input, kernelSize, options);
}

/** The mean of each window, N×C×D×H×W. */
export function avgPool3d(input: TensorLike, kernelSize: KernelSize, options: AvgPoolOptions = {}): Tensor {
  return averagePool("avgPool3d", 3, input, kernelSize, options);
}

export interface LpPoolOptions extends PoolOptions {
  /** The norm's exponent. Default 2. */
  readonly p?: number;
}

/** (Σ xᵖ)^(1/p) over each window, the root of the sum of squares by default (Gulcehre et al. 2014). */
function lpPool(
  op: string,
  axes: number,
  input: TensorLike,
  kernelSize: KernelSize,
  { p = 2, ...options }: LpPoolOptions,
): Tensor {
  const x: Tensor = asFloats(op, input);
  if (!(p > 0 && p < Number.POSITIVE_INFINITY))
    throw new ArgumentError(
      `${op}: p is ${p}. Expected a number above 0. Fix: ${op.replace("lp", "max")} for infinity.`,
    );
  const settings = withoutOverhang(op, x.shape.slice(2), poolSettings(op, axes, x.shape, kernelSize, options));
  const sums = mul(meansAlong(pow(x, p), settings, true), sizeOf(settings.kernel));
  // As in PyTorch: what odd powers of negative numbers make negative has no root, and counts as 0.
  return pow(relu(sums), 1 / p);
}

/** The norm of each window, N×C×L → N×C×L′: see `lpPool2d`. */
export function lpPool1d(input: TensorLike, kernelSize: KernelSize, options: LpPoolOptions = {}): Tensor {
  return lpPool("lpPool1d", 1, input, kernelSize, options);
}

/**
 * The norm (Σ xᵖ)^(1/p) of each window, by default the root of the sum of squares. Padding counts as zeros, and so does
 * what a window lacks with `ceilMode` (PyTorch scales such windows up instead).
 *
 * @param input N×C×H×W
 */
export function lpPool2d(input: TensorLike, kernelSize: KernelSize, options: LpPoolOptions = {}): Tensor {
  return lpPool("lpPool2d", 2, input, kernelSize, options);
}

/** The norm of each window, N×C×D×H×W: see `lpPool2d`. */
export function lpPool3d(input: TensorLike, kernelSize: KernelSize, options: LpPoolOptions = {}): Tensor {
  return lpPool("lpPool3d", 3, input, kernelSize, options);
}
