/** Windows laid out in full, and convolution whose weights are not shared between places. */

import { ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { add } from "../elementwise/arithmetic.js";
import { matmul } from "../linear/matmul.js";
import { stack } from "../shape/concat.js";
import { pad } from "../shape/pad.js";
import { permute } from "../shape/permute.js";
import { reshape } from "../shape/reshape.js";
import { type Range, slice } from "../shape/slice.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { asPair, type NumberOrPair, type Padding, resolvePadding, windowCount } from "./geometry.js";

export interface UnfoldOptions {
  /** Steps between windows. Default 1. */
  readonly stride?: NumberOrPair;
  /** Zeros around the input. Default 0. */
  readonly padding?: Padding;
  /** Steps between the elements of a window. Default 1. */
  readonly dilation?: NumberOrPair;
}

/** N×C×(windows' rows · columns)×(positions down)×(positions across). */
export function windowsOf(op: string, input: TensorLike, kernelSize: NumberOrPair, options: UnfoldOptions): Tensor {
  const x: Tensor = asTensor<Shape, "float32">(op, input);
  if (x.rank !== 4) {
    throw new ShapeError(
      `${op}: the input is ${formatShape(x.shape)}. Expected N×C×H×W. Fix: unsqueeze() a missing axis.`,
    );
  }
  const kernel = asPair(op, "the kernel size", kernelSize, 1);
  const stride = asPair(op, "stride", options.stride ?? 1, 1);
  const dilation = asPair(op, "dilation", options.dilation ?? 1, 1);
  const [top, bottom, left, right] = resolvePadding(op, options.padding ?? 0, {
    size: x.shape.slice(2),
    kernel,
    stride,
    dilation,
  });
  const rows = windowCount(x.shape[2], kernel[0], stride[0], top + bottom, dilation[0]);
  const columns = windowCount(x.shape[3], kernel[1], stride[1], left + right, dilation[1]);
  if (rows < 1 || columns < 1) {
    throw new ShapeError(
      `${op}: a window of ${kernel.join("×")} does not fit into the padded input of ${x.shape[2] + top + bottom}×${x.shape[3] + left + right}. Fix: a smaller window, padding, or a larger input.`,
    );
  }
  const padded = pad(x, [
    [top, bottom],
    [left, right],
  ]);
  const range = (tap: number, count: number, axis: 0 | 1): Range => {
    const begin = tap * dilation[axis];
    return [begin, begin + (count - 1) * stride[axis] + 1, stride[axis]];
  };
  const taps: Tensor[] = [];
  for (let ky = 0; ky < kernel[0]; ky++) {
    for (let kx = 0; kx < kernel[1]; kx++) {
      taps.push(slice(padded, null, null, range(ky, rows, 0), range(kx, columns, 1)));
    }
  }
  return stack(taps, 2);
}

/**
 * Every window as a column, N×C×H×W → N×(C · rows · columns)×positions: what turns convolution into a matrix product
 * ("im2col"). PyTorch's `unfold`.
 *
 * @example matmul(reshape(weight, [O, -1]), unfold(images, 3)) // conv2d(images, weight), its places in one row
 */
export function unfold(input: TensorLike, kernelSize: NumberOrPair, options: UnfoldOptions = {}): Tensor {
  const windows = windowsOf("unfold", input, kernelSize, options);
  const [n, channels, taps, rows, columns] = windows.shape;
  return reshape(windows, [n, channels * taps, rows * columns]);
}

/**
 * Convolution with weights of its own at each place: for pictures whose parts differ everywhere alike, as portraits do.
 *
 * @param input N×C×H×W
 * @param weight P×O×(C · rows · columns): for each position of the window, row by row, what a convolution has once
 * @param bias P×O
 * @returns N×O×H×W, of P places
 */
export function locallyConnected2d(
  input: TensorLike,
  weight: TensorLike,
  bias: TensorLike | null | undefined,
  kernelSize: NumberOrPair,
  options: UnfoldOptions = {},
): Tensor {
  const op = "locallyConnected2d";
  const windows = windowsOf(op, input, kernelSize, options);
  const [n, channels, taps, rows, columns] = windows.shape;
  const places = rows * columns;
  const w: Tensor = asTensor<Shape, "float32">(op, weight);
  if (w.rank !== 3 || w.shape[0] !== places || w.shape[2] !== channels * taps) {
    throw new ShapeError(
      `${op}: the weight is ${formatShape(w.shape)}. Expected ${places}×O×${channels * taps}: ${rows}×${columns} places, and windows of ${channels * taps} elements.`,
    );
  }
  const columnsByPlace = permute(reshape(windows, [n, channels * taps, places]), [2, 1, 0]); // P×(C·taps)×N
  let result = matmul(w, columnsByPlace); // P×O×N
  if (bias !== undefined && bias !== null) {
    const b: Tensor = asTensor<Shape, "float32">(op, bias);
    if (b.rank !== 2 || b.shape[0] !== places || b.shape[1] !== w.shape[1])
      throw new ShapeError(`${op}: the bias is ${formatShape(b.shape)}. Expected ${places}×${w.shape[1]}.`);
    result = add(result, reshape(b, [places, w.shape[1], 1]));
  }
  return reshape(permute(result, [2, 1, 0]), [n, w.shape[1], rows, columns]);
}
