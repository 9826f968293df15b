/** Windows laid out in full. */

import { ShapeError } from "../../core/errors.js";
import { formatShape, sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { stack } from "../shape/concat.js";
import { pad } from "../shape/pad.js";
import { reshape } from "../shape/reshape.js";
import { type Range, slice } from "../shape/slice.js";
import { asFloats, type TensorLike } from "../tensors.js";
import { layoutName, type Padding, perAxis, resolveSides, type Windows, windowCount } from "./geometry.js";

export interface UnfoldOptions {
  /** Steps between windows. Default 1. */
  readonly stride?: number | readonly number[];
  /** Zeros around the input. Default 0. */
  readonly padding?: Padding;
  /** Steps between the elements of a window. Default 1. */
  readonly dilation?: number | readonly number[];
}

/** Windows along the axes of places, complete and checked. */
export interface WindowGrid extends Windows {
  /** [before, after] of each axis. */
  readonly padding: readonly number[];
  /** How many positions there are along each axis. */
  readonly counts: readonly number[];
}

/** The windows of `kernelSize` on places of the lengths `size`; throws where they do not fit. */
export function windowGrid(
  op: string,
  size: readonly number[],
  kernelSize: number | readonly number[],
  options: UnfoldOptions,
): WindowGrid {
  const axes = size.length;
  const kernel = perAxis(op, "the kernel size", kernelSize, axes, 1);
  const stride = perAxis(op, "stride", options.stride ?? 1, axes, 1);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, axes, 1);
  const windows = { size, kernel, stride, dilation };
  const padding = resolveSides(op, options.padding ?? 0, windows);
  const padded = size.map((length, axis) => length + padding[2 * axis] + padding[2 * axis + 1]);
  const counts = padded.map((length, axis) => windowCount(length, kernel[axis], stride[axis], 0, dilation[axis]));
  if (counts.some((count) => count < 1)) {
    throw new ShapeError(
      `${op}: a window of ${kernel.join("×")} does not fit into the padded input of ${padded.join("×")}. Fix: a smaller window, padding, or a larger input.`,
    );
  }
  return { ...windows, padding, counts };
}

/** N×C×(elements of a window)×(positions along each axis). */
export function windowsOf(
  op: string,
  axes: number,
  input: TensorLike,
  kernelSize: number | readonly number[],
  options: UnfoldOptions,
): Tensor {
  const x: Tensor = asFloats(op, input);
  if (x.rank !== axes + 2) {
    throw new ShapeError(
      `${op}: the input is ${formatShape(x.shape)}. Expected ${layoutName("NC", axes)}. Fix: unsqueeze() a missing axis.`,
    );
  }
  const { kernel, stride, dilation, padding, counts } = windowGrid(op, x.shape.slice(2), kernelSize, options);
  const padded = pad(
    x,
    kernel.map((_, axis) => [padding[2 * axis], padding[2 * axis + 1]] as const),
  );
  const taps = Array.from({ length: sizeOf(kernel) }, (_, tap) => {
    let rest = tap;
    const ranges = kernel.map((): Range => null);
    for (let axis = axes - 1; axis >= 0; axis--) {
      const begin = (rest % kernel[axis]) * dilation[axis];
      rest = Math.floor(rest / kernel[axis]);
      ranges[axis] = [begin, begin + (counts[axis] - 1) * stride[axis] + 1, stride[axis]];
    }
    return slice(padded, null, null, ...ranges);
  });
  return stack(taps, 2);
}

/**
 * Every window as a column, N×C×H×W → N×(C · rows · columns)×positions: what turns convolution into a matrix product
 * ("im2col"). PyTorch's `unfold`.
 *
 * @example matmul(reshape(weight, [O, -1]), unfold(images, 3)) // conv2d(images, weight), its places in one row
 */
export function unfold(input: TensorLike, kernelSize: number | readonly number[], options: UnfoldOptions = {}): Tensor {
  const windows = windowsOf("unfold", 2, input, kernelSize, options);
  const [n, channels, taps, rows, columns] = windows.shape;
  return reshape(windows, [n, channels * taps, rows * columns]);
}
