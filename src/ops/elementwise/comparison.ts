/** Comparisons, which give `bool` tensors, and logic on those. */

import type { DType } from "../../core/dtype.js";
import type { Shape } from "../../core/shape.js";
import type { Op } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { asOperands, asTensor, type TensorLike } from "../tensors.js";
import type { Combined, Operand } from "./arithmetic.js";
import { type NoParams, noParams } from "./define.js";
import { andOp, equalOp, lessEqualOp, lessOp, notEqualOp, notOp, orOp } from "./operations.js";

type Any = Operand<DType>;
type Flags<A, B> = Tensor<Combined<A, B>["shape"], "bool">;

function compare<A, B>(name: string, op: Op<string, "a" | "b", NoParams>, a: Any, b: Any): Flags<A, B> {
  const [left, right] = asOperands(name, [a, b]);
  return op({ a: left, b: right }, noParams) as Flags<A, B>;
}

/** a = b, element by element. */
export const equal = <A extends Any, B extends Any>(a: A, b: B): Flags<A, B> => compare("equal", equalOp, a, b);

/** a ≠ b. */
export const notEqual = <A extends Any, B extends Any>(a: A, b: B): Flags<A, B> =>
  compare("notEqual", notEqualOp, a, b);

/** a < b. */
export const less = <A extends Any, B extends Any>(a: A, b: B): Flags<A, B> => compare("less", lessOp, a, b);

/** a ≤ b. */
export const lessEqual = <A extends Any, B extends Any>(a: A, b: B): Flags<A, B> =>
  compare("lessEqual", lessEqualOp, a, b);

/** a > b. */
export const greater = <A extends Any, B extends Any>(a: A, b: B): Flags<A, B> => compare("greater", lessOp, b, a);

/** a ≥ b. */
export const greaterEqual = <A extends Any, B extends Any>(a: A, b: B): Flags<A, B> =>
  compare("greaterEqual", lessEqualOp, b, a);

/** Both. */
export const logicalAnd = <A extends TensorLike<Shape, "bool">, B extends TensorLike<Shape, "bool">>(a: A, b: B) =>
  compare<A, B>("logicalAnd", andOp, a, b);

/** At least one. */
export const logicalOr = <A extends TensorLike<Shape, "bool">, B extends TensorLike<Shape, "bool">>(a: A, b: B) =>
  compare<A, B>("logicalOr", orOp, a, b);

/** The opposite. */
export const logicalNot = <S extends Shape>(x: TensorLike<S, "bool">): Tensor<S, "bool"> =>
  notOp({ x: asTensor("logicalNot", x) }, noParams) as Tensor<S, "bool">;
