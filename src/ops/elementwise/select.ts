/** Choosing between values, and converting their type. */

import type { DType } from "../../core/dtype.js";
import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { asOperands, asTensor, type Broadcast, type TensorLike } from "../tensors.js";
import type { Combined, Operand } from "./arithmetic.js";
import { noParams } from "./define.js";
import { castOp, whereOp } from "./operations.js";

/**
 * `a` where the condition holds, else `b`; all three broadcast.
 *
 * @example where(greater(x, 0), x, 0) // relu
 */
export function where<C extends Shape, A extends Operand<DType>, B extends Operand<DType>>(
  condition: TensorLike<C, "bool">,
  a: A,
  b: B,
): Tensor<Broadcast<C, Combined<A, B>["shape"]>, Combined<A, B>["dtype"]> {
  const flags = asTensor("where", condition);
  const [left, right] = asOperands("where", [a, b]);
  return whereOp({ condition: flags, a: left, b: right }, noParams) as Tensor<
    Broadcast<C, Combined<A, B>["shape"]>,
    Combined<A, B>["dtype"]
  >;
}

/**
 * The same values as another type: towards zero and to the nearest that the type holds; NaN becomes 0, and everything
 * but 0 becomes true.
 */
export function cast<S extends Shape, D extends DType>(x: TensorLike<S, DType>, dtype: D): Tensor<S, D> {
  const tensor = asTensor("cast", x);
  return (tensor.dtype === dtype ? tensor : castOp({ x: tensor }, { to: dtype })) as Tensor<S, D>;
}
