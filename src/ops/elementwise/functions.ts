/** Functions of one number, applied to every element. */

import type { Shape } from "../../core/shape.js";
import type { Op } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { asTensor, type TensorLike } from "../tensors.js";
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

function apply<S extends Shape, D extends Numeric>(op: Op<string, "x", NoParams>, x: TensorLike<S, D>): Tensor<S, D> {
  return op({ x: asTensor(op.spec.name, x) }, noParams) as Tensor<S, D>;
}

/** −x. */
export const neg = <S extends Shape, D extends Numeric = "float32">(x: TensorLike<S, D>): Tensor<S, D> =>
  apply(negateOp, x);

/** |x|. */
export const abs = <S extends Shape, D extends Numeric = "float32">(x: TensorLike<S, D>): Tensor<S, D> =>
  apply(absoluteOp, x);

/** −1, 0 or 1. Its gradient is 0. */
export const sign = <S extends Shape, D extends Numeric = "float32">(x: TensorLike<S, D>): Tensor<S, D> =>
  apply(signOp, x);

/** The largest whole number that is not above x. Its gradient is 0. */
export const floor = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(floorOp, x);

/** e to the power of x. */
export const exp = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(expOp, x);

/** The natural logarithm; −Infinity at 0, NaN below. */
export const log = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(logOp, x);

/** eˣ − 1, accurate also where x is close to 0. */
export const expm1 = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(expm1Op, x);

/** log(1 + x), accurate also where x is close to 0. */
export const log1p = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(log1pOp, x);

/** The error function 2/√π ∫₀ˣ exp(−t²) dt. */
export const erf = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(erfOp, x);

/** The square root; NaN below 0. */
export const sqrt = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(sqrtOp, x);

/** The sine of x radians. */
export const sin = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(sinOp, x);

/** The cosine of x radians. */
export const cos = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(cosOp, x);

/** The hyperbolic tangent, LeNet-5's activation: −1 … 1. */
export const tanh = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(tanhOp, x);

/** The logistic sigmoid 1 / (1 + e⁻ˣ): 0 … 1. */
export const sigmoid = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(sigmoidOp, x);

/** max(x, 0) (Nair & Hinton 2010). Its derivative at 0 is taken as 0. */
export const relu = <S extends Shape>(x: TensorLike<S>): Tensor<S> => apply(reluOp, x);
