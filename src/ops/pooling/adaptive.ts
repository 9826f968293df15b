/** Pooling to a given size, down to one number for each channel. */

import { ShapeError } from "../../core/errors.js";
import type { Resampling } from "../../core/resampling.js";
import { formatShape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { perAxis } from "../convolution/geometry.js";
import { max } from "../reduce/extreme.js";
import { mean } from "../reduce/mean.js";
import { resampleOp } from "../resampling.js";
import { reshape } from "../shape/reshape.js";
import { asFloats, type TensorLike } from "../tensors.js";
import { adaptiveMaxPool2dOp } from "./adaptiveMaxPool2d.js";
import { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d } from "./pool.js";

type OutputSize = number | readonly number[];
/** Planes, N×C×H×W, reduced to so many rows and columns. */
type Reduce = (planes: Tensor, rows: number, columns: number) => Tensor;

const even = {
  average: [avgPool1d, avgPool2d, avgPool3d],
  max: [maxPool1d, maxPool2d, maxPool3d],
} as const;

const uneven: Readonly<Record<keyof typeof even, Reduce>> = {
  average(input, rows, columns) {
    const [, , height, width] = input.shape;
    const parts = (before: number, after: number): Resampling | null =>
      before === after ? null : { kind: "mean", before, after };
    const params = { rows: parts(height, rows), columns: parts(width, columns), transposed: false };
    return resampleOp({ input }, params) as Tensor;
  },
  max: (input, rows, columns) => adaptiveMaxPool2dOp({ input }, { size: [rows, columns] }) as Tensor,
};

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
  const x: Tensor = asFloats(op, input);
  const counts = perAxis(op, "the size of the result", outputSize, axes, 1);
  const [n, channels, ...size] = x.shape;
  if (x.rank !== axes + 2 || size.some((length) => length < 1))
    throw new ShapeError(
      `${op}: the input is ${formatShape(x.shape)}. Expected N×C and ${axes} axes more that are not empty.`,
    );
  if (size.every((length, axis) => length % counts[axis] === 0))
    return even[kind][axes - 1](
      x,
      size.map((length, axis) => length / counts[axis]),
    );
  const reduce = uneven[kind];
  if (axes === 2) return reduce(x, counts[0], counts[1]);
  if (axes === 1) return reshape(reduce(reshape(x, [n, channels, 1, size[0]]), 1, counts[0]), [n, channels, counts[0]]);
  // First in height and width, then in depth: maxima of maxima, and means of means of equally many.
  const [depth, rows, columns] = counts;
  const flat = reduce(reshape(x, [n, channels * size[0], size[1], size[2]]), rows, columns);
  const deep = reduce(reshape(flat, [n, channels, size[0], rows * columns]), depth, rows * columns);
  return reshape(deep, [n, channels, depth, rows, columns]);
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
