/** Functions of one number, applied to every element. */

import type { DType } from "../../core/dtype.js";
import type { Shape } from "../../core/shape.js";
import type { Op } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { type AnyTensorLike, asTensor, type TensorLike } from "../tensors.js";
import { type NoParams, noParams } from "./define.js";
import {
  absoluteOp,
  cosOp,
  erfOp,
  expm1Op,
  expOp,
  floorOp,
  log1pOp,
  logOp,
  negateOp,
  reluOp,
  sigmoidOp,
  signOp,
  sinOp,
  sqrtOp,
  tanhOp,
} from "./operations.js";

type Numeric = "float32" | "int32";

// Named by the whole argument instead of its shape, a union of tensors, such as the layers of an array give, fits as well:
// TypeScript would infer only the first one's shape.

function apply<T extends AnyTensorLike>(op: Op<string, "x", NoParams>, x: T): Tensor<T["shape"], T["dtype"]> {
  return op({ x: asTensor<Shape, DType>(op.spec.name, x) }, noParams) as Tensor<T["shape"], T["dtype"]>;
}

/** −x. */
export const neg = <T extends TensorLike<Shape, Numeric>>(x: T): Tensor<T["shape"], T["dtype"]> => apply(negateOp, x);

/** |x|. */
export const abs = <T extends TensorLike<Shape, Numeric>>(x: T): Tensor<T["shape"], T["dtype"]> => apply(absoluteOp, x);

/** −1, 0 or 1. Its gradient is 0. */
export const sign = <T extends TensorLike<Shape, Numeric>>(x: T): Tensor<T["shape"], T["dtype"]> => apply(signOp, x);

/** The largest whole number that is not above x. Its gradient is 0. */
export const floor = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(floorOp, x);

/** e to the power of x. */
export const exp = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(expOp, x);

/** The natural logarithm; −Infinity at 0, NaN below. */
export const log = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(logOp, x);

/** eˣ − 1, accurate also where x is close to 0. */
export const expm1 = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(expm1Op, x);

/** log(1 + x), accurate also where x is close to 0. */
export const log1p = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(log1pOp, x);

/** The error function 2/√π ∫₀ˣ exp(−t²) dt. */
export const erf = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(erfOp, x);

/** The square root; NaN below 0. */
export const sqrt = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(sqrtOp, x);

/** The sine of x radians. */
export const sin = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(sinOp, x);

/** The cosine of x radians. */
export const cos = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(cosOp, x);

/** The hyperbolic tangent, LeNet-5's activation: −1 … 1. */
export const tanh = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(tanhOp, x);

/** The logistic sigmoid 1 / (1 + e⁻ˣ): 0 … 1. */
export const sigmoid = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(sigmoidOp, x);

/** max(x, 0) (Nair & Hinton 2010). Its derivative at 0 is taken as 0. */
export const relu = <T extends TensorLike>(x: T): Tensor<T["shape"], T["dtype"]> => apply(reluOp, x);
