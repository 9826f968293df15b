/** Functions of one number that are made of others. */

import type { DType } from "../../core/dtype.js";
import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { asFloats, asTensor, type TensorLike } from "../tensors.js";
import { add, div, mul, sub } from "./arithmetic.js";
import { equal, less, notEqual } from "./comparison.js";
import { abs, cos, floor, neg, sin, sqrt } from "./functions.js";
import { where } from "./select.js";

/** x². */
export function square<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("square", x);
  return mul(input, input) as Tensor<T["shape"]>;
}

/** 1 / √x; infinite at 0. */
export function rsqrt<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  return div(1, sqrt(asTensor("rsqrt", x))) as Tensor<T["shape"]>;
}

/** The tangent of x radians. */
export function tan<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("tan", x);
  return div(sin(input), cos(input)) as Tensor<T["shape"]>;
}

/** The smallest whole number that is not below x. Its gradient is 0. */
export function ceil<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  return neg(floor(neg(asFloats<T["shape"]>("ceil", x))));
}

/** The nearest whole number; of two, the even one, as in PyTorch and NumPy. Its gradient is 0. */
export function round<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("round", x);
  const lower = floor(input);
  const rest = sub(input, lower);
  const half = mul(lower, 0.5);
  const up = add(lower, 1);
  const even = where(equal(floor(half as Tensor), half), lower, up);
  return where(less(rest, 0.5), lower, where(equal(rest, 0.5), even, up)) as Tensor<T["shape"]>;
}

/** Whether x is not a number. @example any(isnan(loss)) */
export function isnan<S extends Shape>(x: TensorLike<S, DType>): Tensor<S, "bool"> {
  const input: Tensor<S, DType> = asTensor("isnan", x);
  return notEqual(input, input) as Tensor<S, "bool">;
}

/** Whether x is a number and not infinite. */
export function isfinite<S extends Shape>(x: TensorLike<S>): Tensor<S, "bool"> {
  return less(abs(asTensor("isfinite", x)), Number.POSITIVE_INFINITY) as Tensor<S, "bool">;
}
