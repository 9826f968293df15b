/** What ops accept as tensors, and the types of what they return. */

import type { Device } from "../backends/backend.js";
import { kindOf } from "../core/check.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError, DTypeError } from "../core/errors.js";
import type { Shape } from "../core/shape.js";
import { currentTrace } from "../graph/context.js";
import { defaultDevice } from "../graph/device.js";
import { isPromise } from "../graph/reading.js";
import { State } from "../graph/state.js";
import { type AnyTensor, Tensor } from "../graph/tensor.js";

/** A tensor, or a state (such as a parameter) standing for the tensor that it holds. */
export type TensorLike<S extends Shape = Shape, D extends DType = "float32"> = Tensor<S, D> | State<S, D>;

/** A tensor or a state of any element type. */
export type AnyTensorLike = TensorLike<Shape, DType>;

/** The shape that two shapes broadcast to, as far as types can tell. */
export type Broadcast<A extends Shape, B extends Shape> = B extends readonly []
  ? A
  : A extends readonly []
    ? B
    : [A, B] extends [B, A]
      ? A
      : Shape;

/** The tensor that an argument of `op` stands for. */
export function asTensor<T extends AnyTensorLike>(op: string, value: T): Tensor<T["shape"], T["dtype"]>;
export function asTensor<S extends Shape, D extends DType>(op: string, value: TensorLike<S, D>): Tensor<S, D>;
export function asTensor<S extends Shape, D extends DType>(op: string, value: TensorLike<S, D>): Tensor<S, D> {
  if (value instanceof Tensor) return value;
  if (value instanceof State) return value.value;
  if (isPromise(value)) {
    throw new ArgumentError(`${op}: got a promise where a tensor belongs. Fix: await it first.`);
  }
  throw new ArgumentError(`${op}: got ${kindOf(value)} where a tensor belongs. Fix: make one with tensor(…).`);
}

/** The same, and of floating point: throws for other types in the name of `op`, whatever it is made of. */
export function asFloats<S extends Shape>(op: string, value: TensorLike<S>): Tensor<S> {
  const tensor = asTensor(op, value);
  // In JavaScript it may be anything.
  const dtype: DType = tensor.dtype;
  if (dtype !== "float32") throw new DTypeError(`${op}: takes float32, not ${dtype}. Fix: .to("float32").`);
  return tensor;
}

/** A number as a tensor without axes. It travels with each run of a program instead of being part of it. */
export function numberTensor<D extends DType>(
  value: number,
  dtype: D,
  device: Device = defaultDevice(),
): Tensor<[], D> {
  if (dtype !== "float32" && !Number.isInteger(value)) {
    throw new ArgumentError(
      `${value} is not an integer, and the tensor that it is combined with holds ${dtype}. Fix: .to("float32").`,
    );
  }
  // Outside compile() a program serves every graph of the same structure, whatever the numbers in it.
  const constant = currentTrace() !== null;
  return new Tensor<[], D>([], dtype, device, { kind: "number", read: () => value, constant });
}

/** The operands of an elementwise op: a number takes the other's type and device. */
export function asOperands(op: string, values: readonly (AnyTensorLike | number)[]): AnyTensor[] {
  const tensors = values.map((value) => (typeof value === "number" ? value : asTensor(op, value)));
  const other = tensors.find((value) => typeof value !== "number");
  return tensors.map((value) => {
    if (typeof value !== "number") return value;
    return typeof other === "object" ? numberTensor(value, other.dtype, other.device) : numberTensor(value, "float32");
  });
}

/**
 * A number that may be different each time a compiled function runs, such as a learning rate: `read` is called at each
 * run, in the order of recording. Outside `compile` it is called once, now.
 */
export function varyingNumber(read: () => number, device: Device = defaultDevice()): Tensor<[]> {
  if (currentTrace() !== null)
    return new Tensor<[], "float32">([], "float32", device, { kind: "number", read, constant: false });
  const value = read();
  return new Tensor<[], "float32">([], "float32", device, { kind: "number", read: () => value, constant: false });
}
