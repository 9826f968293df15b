/** Arithmetic in ONNX's element types: narrow integers are computed as int32, and wrap around as they would. */

import type { Shape } from "../../../core/shape.js";
import type { AnyTensor, Tensor } from "../../../graph/tensor.js";
import { add, mul, quotient, sub } from "../../../ops/elementwise/arithmetic.js";
import { equal, less, notEqual } from "../../../ops/elementwise/comparison.js";
import { cast, where } from "../../../ops/elementwise/select.js";
import { reshape } from "../../../ops/shape/reshape.js";
import type { Call } from "../call.js";
import { dtypeOf, type ElementType, isFloat, ranges } from "../elementTypes.js";
import { type TensorValue, tensorValue } from "../value.js";

export type Numeric = Tensor<Shape, "float32" | "int32">;
export type Int = Tensor<Shape, "int32">;
export type Flags = Tensor<Shape, "bool">;

/** A tensor as ops compute with it: bytes become int32. */
export function numeric(tensor: AnyTensor): Numeric {
  return tensor.dtype === "float32" ? (tensor as Tensor) : cast(tensor, "int32");
}

/** What was computed as the element type that it belongs to: integers that are too large for it wrap around. */
export function typed(type: ElementType, tensor: Numeric): TensorValue {
  if (isFloat(type)) return tensorValue(type, tensor);
  return tensorValue(type, cast(wrapped(type, tensor as Int), dtypeOf(type)));
}

/** What was computed as an element type that surely holds it. */
export function fitted(type: ElementType, tensor: AnyTensor): TensorValue {
  return tensorValue(type, cast(tensor, dtypeOf(type)));
}

const narrow: ReadonlySet<ElementType> = new Set(["int8", "int16", "uint8", "uint16"]);

function wrapped(type: ElementType, x: Int): Int {
  if (!narrow.has(type)) return x;
  const [low, high] = ranges[type as keyof typeof ranges];
  return add(floorModulo(sub(x, low), full(high - low + 1, x)), low) as Int;
}

function full(value: number, like: Int): Int {
  return add(mul(like, 0), value) as Int;
}

/** The rest of a division that rounds down: it has the divisor's sign, as Python's %. */
export function floorModulo(a: Int, b: Int): Int {
  const rest = remainder(a, b);
  const differ = notEqual(less(rest, 0), less(b, 0));
  const wrong = where(equal(rest, 0), cast(mul(b, 0), "bool"), differ) as Flags;
  return where(wrong, add(rest, b) as Int, rest) as Int;
}

/** The rest of a division that rounds towards zero: it has the dividend's sign, as C's %. */
export function remainder(a: Int, b: Int): Int {
  return sub(a, mul(quotient(a, b), b)) as Int;
}

/** Both inputs of a binary op, by NumPy's broadcasting, or as before opset 7: `axis` is where the second one's axes begin. */
export function operands(
  call: Call,
  { broadcast, axis }: { readonly broadcast: number; readonly axis: number | undefined },
): [a: TensorValue, b: TensorValue] {
  const a = call.any(0);
  const b = call.any(1);
  if (call.opset >= 7 || broadcast === 0 || axis === undefined) return [a, b];
  const first = call.axis(axis, a.tensor.rank);
  const behind = a.tensor.rank - first - b.tensor.rank;
  if (behind < 0) throw call.shapeError("the second input has too many axes to begin where `axis` says");
  const shape = [...b.tensor.shape, ...Array.from({ length: behind }, () => 1)];
  return [a, tensorValue(b.type, reshape(b.tensor, shape))];
}

/** The inputs' common type; ONNX converts nothing silently. */
export function commonType(call: Call, values: readonly TensorValue[]): ElementType {
  const [{ type }] = values;
  const other = values.findIndex((value) => value.type !== type);
  if (other > 0) throw call.typeError(other, values[other].type, `${type}, as input 0`);
  return type;
}
