/**
 * Max pooling that remembers where its winners were, and the way back. Positions are counted within a channel: at row ·
 * width + column of a picture, (slice · height + row) · width + column of a film, as in PyTorch.
 */

import { ShapeError } from "../../core/errors.js";
import { formatShape, type Shape, sameShape, sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { layoutName, perAxis } from "../convolution/geometry.js";
import { add, mul } from "../elementwise/arithmetic.js";
import { takeAlongAxis } from "../indexing/alongAxis.js";
import { arange } from "../indexing/oneHot.js";
import { reshape } from "../shape/reshape.js";
import { asFloats, asTensor, type TensorLike } from "../tensors.js";
import { along, alongPicture, params2d } from "./along.js";
import { type Pool2dParams, type PoolOptions, type PoolSettings, poolSettings } from "./geometry.js";
import { maxPool2dIndicesOp, maxPool2dOp } from "./maxPool2d.js";
import { scatterPlane } from "./planes.js";

type KernelSize = number | readonly number[];
type Indices = Tensor<Shape, "int32">;

/** What pooling keeps, and where it was. */
export interface PooledWithIndices {
  readonly values: Tensor;
  /** Of each value its position within the channel that it comes from. */
  readonly indices: Tensor<Shape, "int32">;
}

const winners = (input: Tensor, params: Pool2dParams) => maxPool2dIndicesOp({ input }, params) as Indices;

function maxPoolWithIndices(
  op: string,
  axes: number,
  input: TensorLike,
  kernelSize: KernelSize,
  options: PoolOptions,
): PooledWithIndices {
  const x: Tensor = asFloats(op, input);
  const settings = poolSettings(op, axes, x.shape, kernelSize, options);
  const values = along(x, settings, (picture, params) => maxPool2dOp({ input: picture }, params) as Tensor);
  return { values, indices: axes === 3 ? indicesOfFilm(x, settings) : alongPicture(x, settings, winners) };
}

/** The winners of each slice's windows, of which the windows in depth then pick one. */
function indicesOfFilm(x: Tensor, settings: PoolSettings): Indices {
  const [n, channels, depth, height, width] = x.shape;
  const slices = reshape(x, [n, channels * depth, height, width]);
  const params = params2d(settings, 1, 2);
  const largest = maxPool2dOp({ input: slices }, params) as Tensor;
  const [rows, columns] = largest.shape.slice(2);
  const places = reshape(winners(slices, params), [n, channels, depth, rows * columns]);
  const begin = reshape(mul(arange(depth), height * width), [depth, 1]);
  const candidates = reshape(add(places, begin), [n, channels, depth * rows * columns]);
  const chosen = winners(reshape(largest, [n, channels, depth, rows * columns]), params2d(settings, 0, undefined));
  const [positions] = chosen.shape.slice(2);
  const picked = takeAlongAxis(candidates, reshape(chosen, [n, channels, positions * rows * columns]), 2);
  return reshape(picked, [n, channels, positions, rows, columns]);
}

/** Like `maxPool1d`, with the winners' positions along L, for `maxUnpool1d`. */
export function maxPool1dWithIndices(
  input: TensorLike,
  kernelSize: KernelSize,
  options: PoolOptions = {},
): PooledWithIndices {
  return maxPoolWithIndices("maxPool1dWithIndices", 1, input, kernelSize, options);
}

/**
 * Like `maxPool2d`, with the winners' positions in their plane (row · width + column), for `maxUnpool2d`.
 *
 * @example const { values, indices } = maxPool2dWithIndices(maps, 2);
 */
export function maxPool2dWithIndices(
  input: TensorLike,
  kernelSize: KernelSize,
  options: PoolOptions = {},
): PooledWithIndices {
  return maxPoolWithIndices("maxPool2dWithIndices", 2, input, kernelSize, options);
}

/** Like `maxPool3d`, with the winners' positions in their film, (slice · height + row) · width + column, for `maxUnpool3d`. */
export function maxPool3dWithIndices(
  input: TensorLike,
  kernelSize: KernelSize,
  options: PoolOptions = {},
): PooledWithIndices {
  return maxPoolWithIndices("maxPool3dWithIndices", 3, input, kernelSize, options);
}

function maxUnpool(
  op: string,
  axes: number,
  input: TensorLike,
  indices: TensorLike<Shape, "int32">,
  outputSize: number | readonly number[],
): Tensor {
  const values: Tensor = asFloats(op, input);
  const places: Indices = asTensor<Shape, "int32">(op, indices);
  if (values.rank !== axes + 2 || !sameShape(values.shape, places.shape)) {
    throw new ShapeError(
      `${op}: the values are ${formatShape(values.shape)} and the indices ${formatShape(places.shape)}. Expected ${layoutName("NC", axes)} twice. Fix: pass on both results of ${op.replace("Unpool", "Pool")}WithIndices.`,
    );
  }
  const size = perAxis(op, "the output size", outputSize, axes, 1);
  const [n, channels, ...pooled] = values.shape;
  const row = [n, channels, 1, sizeOf(pooled)];
  const whole = scatterPlane(reshape(values, row), reshape(places, row), [1, sizeOf(size)]);
  return reshape(whole, [n, channels, ...size]);
}

/** Puts pooled values back where they came from along L, zeros elsewhere: see `maxUnpool2d`. @param outputSize L */
export function maxUnpool1d(
  input: TensorLike,
  indices: TensorLike<Shape, "int32">,
  outputSize: number | readonly number[],
): Tensor {
  return maxUnpool("maxUnpool1d", 1, input, indices, outputSize);
}

/**
 * Puts pooled values back where they came from, zeros elsewhere (Zeiler & Fergus 2014). Values that share a position, as
 * overlapping windows give, are added; PyTorch keeps one of them.
 *
 * @param input values of `maxPool2dWithIndices`, N×C×H×W
 * @param indices their positions; each must lie within the result, which is checked while running
 * @param outputSize [H, W] of what was pooled, or one number for both
 * @example maxUnpool2d(values, indices, [28, 28])
 */
export function maxUnpool2d(
  input: TensorLike,
  indices: TensorLike<Shape, "int32">,
  outputSize: number | readonly number[],
): Tensor {
  return maxUnpool("maxUnpool2d", 2, input, indices, outputSize);
}

/** Puts pooled values back where they came from, zeros elsewhere: see `maxUnpool2d`. @param outputSize [D, H, W] */
export function maxUnpool3d(
  input: TensorLike,
  indices: TensorLike<Shape, "int32">,
  outputSize: number | readonly number[],
): Tensor {
  return maxUnpool("maxUnpool3d", 3, input, indices, outputSize);
}
