/** Pooling to a given size, down to one number for each channel. */

import { ShapeError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { perAxis } from "../convolution/geometry.js";
import { max } from "../reduce/extreme.js";
import { mean } from "../reduce/mean.js";
import { concat } from "../shape/concat.js";
import { type Range, slice } from "../shape/slice.js";
import { asFloats, type TensorLike } from "../tensors.js";
import { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d } from "./pool.js";

type OutputSize = number | readonly number[];
type Reduce = (x: Tensor, axis: number) => Tensor;

const even = {
  average: [avgPool1d, avgPool2d, avgPool3d],
  max: [maxPool1d, maxPool2d, maxPool3d],
} as const;

/**
 * Splits each axis into `outputSize` windows, ⌊i · size / count⌋ … ⌈(i + 1) · size / count⌉, which overlap where they
 * cannot be equal.
 */
function adaptivePool(
  op: string,
  axes: number,
  input: TensorLike,
  outputSize: OutputSize,
  kind: keyof typeof even,
): Tensor {
  let x: Tensor = asFloats(op, input);
  const counts = perAxis(op, "the size of the result", outputSize, axes, 1);
  const size = x.shape.slice(2);
  if (x.rank !== axes + 2 || size.some((length) => length < 1))
    throw new ShapeError(
      `${op}: the input is ${formatShape(x.shape)}. Expected N×C and ${axes} axes more that are not empty.`,
    );
  if (size.every((length, axis) => length % counts[axis] === 0))
    return even[kind][axes - 1](
      x,
      size.map((length, axis) => length / counts[axis]),
    );
  const reduce: Reduce =
    kind === "max"
      ? (part, axis) => max(part, axis, { keepdim: true })
      : (part, axis) => mean(part, axis, { keepdim: true });
  for (const [axis, count] of counts.entries()) x = pieces(x, axis + 2, count, reduce);
  return x;
}

/** `count` windows of one axis, each reduced to one element. */
function pieces(x: Tensor, axis: number, count: number, reduce: Reduce): Tensor {
  const length = x.shape[axis];
  const parts = Array.from({ length: count }, (_, i) => {
    const window: Range = [Math.floor((i * length) / count), Math.ceil(((i + 1) * length) / count)];
    return reduce(slice(x, ...x.shape.map((__, each): Range => (each === axis ? window : null))), axis);
  });
  return concat(parts, axis);
}

/** The means of `outputSize` even parts of each channel, N×C×L. */
export function adaptiveAvgPool1d(input: TensorLike, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveAvgPool1d", 1, input, outputSize, "average");
}

/**
 * The means of `outputSize` even parts of each channel, whatever the picture's size.
 *
 * @param input N×C×H×W
 * @param outputSize a number, or [height, width]
 * @example adaptiveAvgPool2d(maps, 1) // N×C×1×1
 */
export function adaptiveAvgPool2d(input: TensorLike, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveAvgPool2d", 2, input, outputSize, "average");
}

/** The means of `outputSize` even parts of each channel, N×C×D×H×W. */
export function adaptiveAvgPool3d(input: TensorLike, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveAvgPool3d", 3, input, outputSize, "average");
}

/** The largest elements of `outputSize` even parts of each channel, N×C×L. */
export function adaptiveMaxPool1d(input: TensorLike, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveMaxPool1d", 1, input, outputSize, "max");
}

/** The largest elements of `outputSize` even parts of each channel, N×C×H×W. */
export function adaptiveMaxPool2d(input: TensorLike, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveMaxPool2d", 2, input, outputSize, "max");
}

/** The largest elements of `outputSize` even parts of each channel, N×C×D×H×W. */
export function adaptiveMaxPool3d(input: TensorLike, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveMaxPool3d", 3, input, outputSize, "max");
}

function overPlaces(op: string, input: TensorLike, reduce: (x: Tensor, axes: readonly number[]) => Tensor): Tensor {
  const x: Tensor = asFloats(op, input);
  if (x.rank < 3)
    throw new ShapeError(`${op}: the input is ${formatShape(x.shape)}. Expected N×C×…, channels of places.`);
  return reduce(
    x,
    x.shape.slice(2).map((_, axis) => axis + 2),
  );
}

/** The mean of each channel over all places: N×C×… → N×C (Lin et al. 2013). */
export function globalAvgPool(input: TensorLike): Tensor {
  return overPlaces("globalAvgPool", input, (x, axes) => mean(x, axes));
}

/** The largest element of each channel: N×C×… → N×C. */
export function globalMaxPool(input: TensorLike): Tensor {
  return overPlaces("globalMaxPool", input, (x, axes) => max(x, axes));
}
