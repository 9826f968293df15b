/**
 * Pooling in one, two and three dimensions, from the two-dimensional ops. N batch, C channels; L, or D, H and W, the
 * lengths of the axes that windows slide along.
 */

import { ArgumentError } from "../../core/errors.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { mul, pow } from "../elementwise/arithmetic.js";
import { neg, relu } from "../elementwise/functions.js";
import { reshape } from "../shape/reshape.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { averagePool2dOp } from "./averagePool2d.js";
import {
  type AvgPoolOptions,
  type MaxPoolOptions,
  type Pool2dParams,
  type PoolOptions,
  type PoolSettings,
  poolSettings,
} from "./geometry.js";
import { maxPool2dIndicesOp, maxPool2dOp } from "./maxPool2d.js";
import { scatterPlane } from "./planes.js";

type KernelSize = number | readonly number[];

/** The settings of some axes as the kernels see them. */
function params2d(settings: PoolSettings, rows: number | undefined, columns: number | undefined): Pool2dParams {
  const { kernel, stride, padding, dilation, ceil } = settings;
  const at = (list: readonly number[], axis: number | undefined, none: number) =>
    axis === undefined ? none : list[axis];
  return {
    kernel: [at(kernel, rows, 1), at(kernel, columns, 1)],
    stride: [at(stride, rows, 1), at(stride, columns, 1)],
    dilation: [at(dilation, rows, 1), at(dilation, columns, 1)],
    padding: [
      at(padding, rows === undefined ? undefined : 2 * rows, 0),
      at(padding, rows === undefined ? undefined : 2 * rows + 1, 0),
      at(padding, columns === undefined ? undefined : 2 * columns, 0),
      at(padding, columns === undefined ? undefined : 2 * columns + 1, 0),
    ],
    ceil,
  };
}

/**
 * Pools `x` along its last axes: one axis as a picture of one row; three first in height and width, then in depth, which
 * comes to the same for maxima and for means.
 */
function along(x: Tensor, settings: PoolSettings, pool: (x: Tensor, params: Pool2dParams) => Tensor): Tensor {
  const [n, channels, ...size] = x.shape;
  if (size.length === 2) return pool(x, params2d(settings, 0, 1));
  if (size.length === 1) {
    const result = pool(reshape(x, [n, channels, 1, size[0]]), params2d(settings, undefined, 0));
    return reshape(result, [n, channels, result.shape[3]]);
  }
  const flat = pool(reshape(x, [n, channels * size[0], size[1], size[2]]), params2d(settings, 1, 2));
  const [, , rows, columns] = flat.shape;
  const deep = pool(reshape(flat, [n, channels, size[0], rows * columns]), params2d(settings, 0, undefined));
  return reshape(deep, [n, channels, deep.shape[2], rows, columns]);
}

function maxPool(op: string, axes: number, input: TensorLike, kernelSize: KernelSize, options: MaxPoolOptions): Tensor {
  const x: Tensor = asTensor<Shape, "float32">(op, input);
  const settings = poolSettings(op, axes, x.shape, kernelSize, options);
  return along(x, settings, (picture, params) => maxPool2dOp({ input: picture }, params) as Tensor);
}

/** The largest element of each window, N×C×L → N×C×L′; padding never wins. */
export function maxPool1d(input: TensorLike, kernelSize: KernelSize, options: MaxPoolOptions = {}): Tensor {
  return maxPool("maxPool1d", 1, input, kernelSize, options);
}

/**
 * The largest element of each window; padding never wins.
 *
 * @param input N×C×H×W
 * @param kernelSize of the window: a number, or [height, width]
 * @example maxPool2d(x, 2) // halves height and width
 */
export function maxPool2d(input: TensorLike, kernelSize: KernelSize, options: MaxPoolOptions = {}): Tensor {
  return maxPool("maxPool2d", 2, input, kernelSize, options);
}

/** The largest element of each window, N×C×D×H×W; padding never wins. */
export function maxPool3d(input: TensorLike, kernelSize: KernelSize, options: MaxPoolOptions = {}): Tensor {
  return maxPool("maxPool3d", 3, input, kernelSize, options);
}

/** Like `maxPool2d`, with the winners' positions in their plane (row · width + column), for `maxUnpool2d`. */
export function maxPool2dWithIndices(
  input: TensorLike,
  kernelSize: KernelSize,
  options: MaxPoolOptions = {},
): { readonly values: Tensor; readonly indices: Tensor<Shape, "int32"> } {
  const x: Tensor = asTensor<Shape, "float32">("maxPool2d", input);
  const params = params2d(poolSettings("maxPool2d", 2, x.shape, kernelSize, options), 0, 1);
  return {
    values: maxPool2dOp({ input: x }, params) as Tensor,
    indices: maxPool2dIndicesOp({ input: x }, params) as Tensor<Shape, "int32">,
  };
}

/** Puts pooled values back where they came from; zeros elsewhere. Values that share a position are added. */
export function maxUnpool2d(
  input: TensorLike,
  indices: TensorLike<Shape, "int32">,
  outputSize: readonly [number, number],
): Tensor {
  return scatterPlane(asTensor("maxUnpool2d", input), asTensor("maxUnpool2d", indices), outputSize);
}

/** The smallest element of each window; padding never wins. @param input N×C×H×W */
export function minPool2d(input: TensorLike, kernelSize: KernelSize, options: MaxPoolOptions = {}): Tensor {
  return neg(maxPool("minPool2d", 2, neg(asTensor<Shape, "float32">("minPool2d", input)), kernelSize, options));
}

function averagePool(
  op: string,
  axes: number,
  input: TensorLike,
  kernelSize: KernelSize,
  options: AvgPoolOptions,
): Tensor {
  const x: Tensor = asTensor<Shape, "float32">(op, input);
  const settings = poolSettings(op, axes, x.shape, kernelSize, options);
  const countPadding = options.countIncludePad ?? true;
  return along(x, settings, (picture, params) => {
    return averagePool2dOp({ input: picture }, { ...params, countPadding }) as Tensor;
  });
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

export interface LpPoolOptions extends Pick<PoolOptions, "stride" | "ceilMode"> {
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
  const x: Tensor = asTensor<Shape, "float32">(op, input);
  if (!(p > 0)) throw new ArgumentError(`${op}: p is ${p}. Expected a number above 0.`);
  const powers = p === 2 ? mul(x, x) : pow(x, p);
  const means = averagePool(op, axes, powers, kernelSize, options);
  const count = typeof kernelSize === "number" ? kernelSize ** axes : sizeOf(kernelSize);
  // As in PyTorch: what odd powers of negative numbers make negative has no root, and counts as 0.
  return pow(relu(mul(means, count)), 1 / p);
}

/** The norm of each window, N×C×L → N×C×L′: see `lpPool2d`. */
export function lpPool1d(input: TensorLike, kernelSize: KernelSize, options: LpPoolOptions = {}): Tensor {
  return lpPool("lpPool1d", 1, input, kernelSize, options);
}

/** The norm (Σ xᵖ)^(1/p) of each window, by default the root of the sum of squares. @param input N×C×H×W */
export function lpPool2d(input: TensorLike, kernelSize: KernelSize, options: LpPoolOptions = {}): Tensor {
  return lpPool("lpPool2d", 2, input, kernelSize, options);
}
