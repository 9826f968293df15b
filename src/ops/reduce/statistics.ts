/** Reductions that are made of others. */

import type { DType } from "../../core/dtype.js";
import { ArgumentError } from "../../core/errors.js";
import { normalizeAxes, type Shape, sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { ones } from "../create.js";
import { add, mul, pow, sub } from "../elementwise/arithmetic.js";
import { equal, greater, less, notEqual } from "../elementwise/comparison.js";
import { abs, exp, log, sqrt } from "../elementwise/functions.js";
import { cast, where } from "../elementwise/select.js";
import { concat } from "../shape/concat.js";
import { permute } from "../shape/permute.js";
import { detach, reshape } from "../shape/reshape.js";
import { slice } from "../shape/slice.js";
import { asFloats, asTensor, type TensorLike } from "../tensors.js";
import { reducedShape } from "./axes.js";
import { max } from "./extreme.js";
import { type VarianceOptions, variance } from "./mean.js";
import { type ReduceOptions, sum } from "./sum.js";

type Axes = number | readonly number[];

/** `root` of what is not 0, and 0 elsewhere, where the root's slope is infinite: the gradient is 0 there, as in PyTorch. */
function rootOf(x: Tensor, root: (x: Tensor) => Tensor): Tensor {
  const none = equal(x, 0);
  return where(none, 0, root(where(none, 1, x)));
}

/** The square root of the variance. Its gradient for equal values is taken to be 0, as in PyTorch. */
export function std(x: TensorLike, axis?: Axes, options: VarianceOptions = {}): Tensor {
  return rootOf(variance(x, axis, options), sqrt);
}

export interface NormOptions extends ReduceOptions {
  /** The exponent: 2 (the default) for the length, 1 for the sum of sizes, `Infinity` for the largest size. */
  readonly p?: number;
}

/**
 * (Σ |x|ᵖ)^(1/p) over some axes, or over all. Its gradient is taken to be 0 where it is 0.
 *
 * @example norm(weights, 1) // the length of each row
 */
export function norm(x: TensorLike, axis?: Axes, { p = 2, keepdim = false }: NormOptions = {}): Tensor {
  const input: Tensor = asFloats("norm", x);
  if (p === Number.POSITIVE_INFINITY) return max(abs(input), axis, { keepdim });
  if (p === 1) return sum(abs(input), axis, { keepdim });
  if (p === 2) return rootOf(sum(mul(input, input), axis, { keepdim }), sqrt);
  if (!(p > 0)) throw new ArgumentError(`norm: p is ${p}. Expected a number above 0, or Infinity.`);
  const powers = rootOf(abs(input), (sizes) => pow(sizes, p));
  return rootOf(sum(powers, axis, { keepdim }), (total) => pow(total, 1 / p));
}

/** The product over some axes, or over all; 1 of no elements. */
export function prod<D extends "float32" | "int32">(
  x: TensorLike<Shape, D>,
  axis?: Axes,
  { keepdim = false }: ReduceOptions = {},
): Tensor<Shape, D> {
  const input: Tensor<Shape, D> = asTensor("prod", x);
  const axes = normalizeAxes("prod", axis, input.rank);
  const kept = input.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const outer = sizeOf(kept.map((i) => input.shape[i]));
  let length = sizeOf(axes.map((i) => input.shape[i]));
  let rest: Tensor<Shape, D> = reshape(permute(input, [...kept, ...axes]), [outer, length]);
  if (length === 0) rest = ones<Shape, D>([outer, 1], { dtype: input.dtype, device: input.device });
  // In halves, each element of one times one of the other: no division, which zeros would not allow in the gradient.
  for (; length > 1; length = Math.ceil(length / 2)) {
    const half = Math.floor(length / 2);
    const pairs = mul(slice(rest, null, [0, half]), slice(rest, null, [half, 2 * half])) as Tensor<Shape, D>;
    rest = length % 2 === 0 ? pairs : concat([pairs, slice(rest, null, [2 * half, length])], 1);
  }
  return reshape(rest, reducedShape(input.shape, { axes, keepdim }));
}

/** log Σ eˣ over some axes, or over all, without the overflow of taking it step by step. */
export function logSumExp(x: TensorLike, axis?: Axes, { keepdim = false }: ReduceOptions = {}): Tensor {
  const input: Tensor = asFloats("logSumExp", x);
  const axes = normalizeAxes("logSumExp", axis, input.rank);
  const largest = detach(max(input, axes, { keepdim: true }));
  const shift = where(less(abs(largest), Number.POSITIVE_INFINITY), largest, 0);
  const result = add(log(sum(exp(sub(input, shift)), axes, { keepdim: true })), shift);
  return reshape(result, reducedShape(input.shape, { axes, keepdim }));
}

/** Whether any element is true, or other than 0, over some axes or over all. @example any(isnan(weights)) */
export function any(x: TensorLike<Shape, DType>, axis?: Axes, options: ReduceOptions = {}): Tensor<Shape, "bool"> {
  return greater(sum(cast(notEqual(asTensor("any", x), 0), "int32"), axis, options), 0);
}

/** Whether all elements are true, or other than 0, over some axes or over all. @example all(isfinite(weights)) */
export function all(x: TensorLike<Shape, DType>, axis?: Axes, options: ReduceOptions = {}): Tensor<Shape, "bool"> {
  return equal(sum(cast(equal(asTensor("all", x), 0), "int32"), axis, options), 0);
}
