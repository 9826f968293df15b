/** Convolution whose weights are not shared between places. */

import { ShapeError } from "../../core/errors.js";
import { formatShape, sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { add } from "../elementwise/arithmetic.js";
import { matmul } from "../linear/matmul.js";
import { permute } from "../shape/permute.js";
import { reshape } from "../shape/reshape.js";
import { asFloats, type TensorLike } from "../tensors.js";
import { type UnfoldOptions, windowsOf } from "./unfold.js";

function locallyConnected(
  op: string,
  axes: number,
  input: TensorLike,
  weight: TensorLike,
  bias: TensorLike | null | undefined,
  kernelSize: number | readonly number[],
  options: UnfoldOptions,
): Tensor {
  const windows = windowsOf(op, axes, input, kernelSize, options);
  const [n, channels, taps, ...counts] = windows.shape;
  const places = sizeOf(counts);
  const w: Tensor = asFloats(op, weight);
  if (w.rank !== 3 || w.shape[0] !== places || w.shape[2] !== channels * taps) {
    throw new ShapeError(
      `${op}: the weight is ${formatShape(w.shape)}. Expected ${places}×O×${channels * taps}: ${counts.join("×")} places, and windows of ${channels * taps} elements.`,
    );
  }
  const byPlace = permute(reshape(windows, [n, channels * taps, places]), [2, 1, 0]); // P×(C·taps)×N
  let result = matmul(w, byPlace); // P×O×N
  if (bias !== undefined && bias !== null) {
    const b: Tensor = asFloats(op, bias);
    if (b.rank !== 2 || b.shape[0] !== places || b.shape[1] !== w.shape[1])
      throw new ShapeError(`${op}: the bias is ${formatShape(b.shape)}. Expected ${places}×${w.shape[1]}.`);
    result = add(result, reshape(b, [places, w.shape[1], 1]));
  }
  return reshape(permute(result, [2, 1, 0]), [n, w.shape[1], ...counts]);
}

/** Convolution of N×C×L with weights of its own at each place: see `locallyConnected2d`. */
export function locallyConnected1d(
  input: TensorLike,
  weight: TensorLike,
  bias: TensorLike | null | undefined,
  kernelSize: number | readonly number[],
  options: UnfoldOptions = {},
): Tensor {
  return locallyConnected("locallyConnected1d", 1, input, weight, bias, kernelSize, options);
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
  kernelSize: number | readonly number[],
  options: UnfoldOptions = {},
): Tensor {
  return locallyConnected("locallyConnected2d", 2, input, weight, bias, kernelSize, options);
}

/** Convolution of N×C×D×H×W with weights of its own at each place: see `locallyConnected2d`. */
export function locallyConnected3d(
  input: TensorLike,
  weight: TensorLike,
  bias: TensorLike | null | undefined,
  kernelSize: number | readonly number[],
  options: UnfoldOptions = {},
): Tensor {
  return locallyConnected("locallyConnected3d", 3, input, weight, bias, kernelSize, options);
}
