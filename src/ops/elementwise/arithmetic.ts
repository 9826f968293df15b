/** Sums, products and powers, element by element with NumPy's broadcasting. */

import type { DType } from "../../core/dtype.js";
import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { composite } from "../composites.js";
import { asFloats, asOperands, asTensor, type Broadcast, numberTensor, type TensorLike } from "../tensors.js";
import { withGradient } from "../withGradient.js";
import { noParams } from "./define.js";
import {
  addOp,
  divideOp,
  equalOp,
  maximumOp,
  minimumOp,
  multiplyOp,
  powerOp,
  quotientOp,
  subtractOp,
  whereOp,
} from "./operations.js";

/** An operand of arithmetic: a tensor, a state such as a parameter, or a number. */
export type Operand<D extends DType = "float32"> = TensorLike<Shape, D> | number;

type Numeric = Operand<"float32" | "int32">;
/** The shape of an operand; a number has none. */
export type ShapeOf<T> = T extends { readonly shape: infer S extends Shape } ? S : readonly [];
type TypeOf<A, B> = A extends { readonly dtype: infer D extends DType }
  ? D
  : B extends { readonly dtype: infer D extends DType }
    ? D
    : "float32";

/** What an elementwise op of two operands gives: the broadcast shape, and the type of whichever is not a number. */
export type Combined<A, B> = Tensor<Broadcast<ShapeOf<A>, ShapeOf<B>>, TypeOf<A, B>>;

/** Nothing to object to, or a message in place of the second operand's type. */
type SameType<A, B> = A extends { readonly dtype: infer D extends DType }
  ? B extends { readonly dtype: infer E extends DType }
    ? [E] extends [D]
      ? unknown
      : `the operands are ${D} and ${E}: convert one with .to("${D}")`
    : unknown
  : unknown;

/** a + b, broadcast. @example add(tensor([1, 2]), 10) // [11, 12] */
export function add<A extends Numeric, B extends Numeric>(a: A, b: B & SameType<A, B>): Combined<A, B> {
  const [left, right] = asOperands("add", [a, b]);
  return addOp({ a: left, b: right }, noParams) as Combined<A, B>;
}

/** a − b, broadcast. */
export function sub<A extends Numeric, B extends Numeric>(a: A, b: B & SameType<A, B>): Combined<A, B> {
  const [left, right] = asOperands("sub", [a, b]);
  return subtractOp({ a: left, b: right }, noParams) as Combined<A, B>;
}

/** a · b element by element, broadcast. The product of matrices is `matmul`. */
export function mul<A extends Numeric, B extends Numeric>(a: A, b: B & SameType<A, B>): Combined<A, B> {
  const [left, right] = asOperands("mul", [a, b]);
  return multiplyOp({ a: left, b: right }, noParams) as Combined<A, B>;
}

/** a / b, broadcast; float32. */
export function div<A extends Operand, B extends Operand>(a: A, b: B): Combined<A, B> {
  const [left, right] = asOperands("div", [a, b]);
  return divideOp({ a: left, b: right }, noParams) as Combined<A, B>;
}

/** a / b of integers, rounded towards 0; int32. A quotient by 0 is 0. @example quotient(tensor([-7], { dtype: "int32" }), 2) // [-3] */
export function quotient<A extends Operand<"int32">, B extends Operand<"int32">>(a: A, b: B): Combined<A, B> {
  const [left, right] = asOperands("quotient", [a, b]);
  return quotientOp({ a: left, b: right }, noParams) as Combined<A, B>;
}

/** a to the power of b, broadcast; float32. A negative base needs a whole exponent, else the result is NaN. */
export function pow<A extends Operand, B extends Operand>(a: A, b: B): Combined<A, B> {
  const [left, right] = asOperands("pow", [a, b]);
  if (typeof a !== "number" && (b === 2 || b === 3 || b === 4))
    return wholePower(asFloats("pow", left as Tensor), b) as Combined<A, B>;
  return powerOp({ a: left, b: right }, noParams) as Combined<A, B>;
}

/** By multiplication: many times faster than logarithm and exponential, and more accurate. */
function wholePower(x: Tensor, exponent: 2 | 3 | 4): Tensor {
  const square = mul(x, x) as Tensor;
  const result = exponent === 2 ? square : (mul(square, exponent === 3 ? x : square) as Tensor);
  return withGradient(result, x, (upstream) => {
    // Of x alone: nothing else has to be kept for it.
    let slope = mul(x, exponent) as Tensor;
    for (let i = 2; i < exponent; i++) slope = mul(slope, x);
    return mul(upstream, slope) as Tensor;
  });
}

/** The larger of a and b; NaN if either is. */
export function maximum<A extends Numeric, B extends Numeric>(a: A, b: B & SameType<A, B>): Combined<A, B> {
  const [left, right] = asOperands("maximum", [a, b]);
  return maximumOp({ a: left, b: right }, noParams) as Combined<A, B>;
}

/** The smaller of a and b; NaN if either is. */
export function minimum<A extends Numeric, B extends Numeric>(a: A, b: B & SameType<A, B>): Combined<A, B> {
  const [left, right] = asOperands("minimum", [a, b]);
  return minimumOp({ a: left, b: right }, noParams) as Combined<A, B>;
}

/** x limited to low … high. Where it was at a bound already, its gradient is 1, as in PyTorch. */
export function clip<T extends TensorLike>(x: T, low: number, high: number): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("clip", x);
  const limited = maximum(minimum(input, high), low) as Tensor<T["shape"]>;
  const result = withGradient(limited, input, (upstream) => {
    const isInside = equalOp({ a: limited, b: input }, noParams);
    return whereOp(
      { condition: isInside, a: upstream, b: numberTensor(0, "float32", input.device) },
      noParams,
    ) as Tensor;
  });
  return composite({ name: "clip", inputs: [input], params: { low, high } }, result);
}
