/**
 * Values that are known while a graph is recorded: constants, shapes, and what small computations make of them. They are
 * computed by the ops' definitions, in float64, which also holds the 64-bit integers that shapes are made of.
 */

import { allocate, type DType } from "../../core/dtype.js";
import { DataError } from "../../core/errors.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import type { ReferenceArray } from "../../graph/op.js";
import { inputNames } from "../../graph/operation.js";
import type { AnyTensor } from "../../graph/tensor.js";
import { tensorOver } from "../../ops/create.js";
import { dtypeOf, type ElementType, isFloat, ranges } from "./elementTypes.js";
import type { HostArray } from "./tensorProto.js";
import type { Value } from "./value.js";

type Values = Float64Array<ArrayBuffer>;

/** Tensors whose values are known, and exactly so where the tensor itself cannot hold them. */
const known = new WeakMap<AnyTensor, Values | "its data">();

/** Constants that do not fit their tensor: good for computing shapes, but not on a device. */
const unfit = new WeakMap<AnyTensor, { readonly type: ElementType; readonly value: number | bigint }>();

/** A tensor for values that never change. */
export function constantTensor({ type, shape, data }: HostArray): AnyTensor {
  const dtype = dtypeOf(type);
  if (dtype === "float32" && data instanceof Float32Array) return remember(tensorOver(data, shape, "float32"));
  if (dtype === "int32" && data instanceof Int32Array) return remember(tensorOver(data, shape, "int32"));
  if (data instanceof Uint8Array && (dtype === "uint8" || dtype === "bool"))
    return remember(tensorOver(data, shape, dtype));
  return constantFrom(type, shape, data);
}

function remember(tensor: AnyTensor): AnyTensor {
  known.set(tensor, "its data");
  return tensor;
}

const [least, greatest] = ranges.int32;

/** A tensor for computed values. Integers beyond int32 are kept beside it in float64, for shapes to be computed from. */
export function constantFrom(
  type: ElementType,
  shape: Shape,
  values: ArrayLike<number> | ArrayLike<bigint>,
): AnyTensor {
  const dtype = dtypeOf(type);
  const data = allocate(dtype, values.length);
  let wrong = -1;
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]);
    data[i] = dtype === "int32" ? Math.min(Math.max(value, least), greatest) : value;
    if (dtype !== "float32" && data[i] !== value) wrong = i;
  }
  const tensor = tensorOver<Shape, DType>(data, shape, dtype);
  if (wrong < 0) return remember(tensor);
  known.set(
    tensor,
    Float64Array.from({ length: values.length }, (_, i) => Number(values[i])),
  );
  unfit.set(tensor, { type, value: values[wrong] });
  return tensor;
}

/** More values than this are not computed here: the device does that better. */
const maxSize = 4096;
/** Of what they are computed from. */
const maxInputSize = 2 ** 20;

const constant = new WeakSet<AnyTensor>();
const variable = new WeakSet<AnyTensor>();

/** Says that a tensor is an input, whatever it is made of. */
export function markInput(tensor: AnyTensor): void {
  variable.add(tensor);
}

/** Whether nothing but constants determines a tensor, and it is not too large to be computed here. */
function isConstant(tensor: AnyTensor): boolean {
  const decided = (each: AnyTensor) => known.has(each) || constant.has(each) || variable.has(each);
  // Not by recursion: graphs may be deeper than the stack.
  const stack = [tensor];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const { origin } = top;
    const open = origin.kind === "computed" ? origin.inputs.filter((input) => !decided(input)) : [];
    if (decided(top)) {
      stack.pop();
    } else if (open.length > 0) {
      stack.push(...open);
    } else {
      const fixed = origin.kind === "number" || (origin.kind === "computed" && !origin.inputs.some(isVariable));
      (fixed && top.size <= maxInputSize ? constant : variable).add(top);
      stack.pop();
    }
  }
  return !variable.has(tensor);
}

const isVariable = (tensor: AnyTensor): boolean => variable.has(tensor);

/** The values of a tensor that only constants determine; undefined for others, and for large ones. */
export function constantValues(tensor: AnyTensor): Values | undefined {
  return isConstant(tensor) ? evaluate(tensor) : undefined;
}

/** The values of a constant tensor, after those of all that it is computed from. */
function evaluate(tensor: AnyTensor): Values {
  const pending = new Set([tensor]);
  for (const each of pending) {
    if (each.origin.kind === "computed" && !known.has(each)) for (const input of each.origin.inputs) pending.add(input);
  }
  for (const each of [...pending].sort((a, b) => a.order - b.order))
    if (!known.has(each)) known.set(each, compute(each));
  return valuesOf(tensor);
}

function valuesOf(tensor: AnyTensor): Values {
  const values = known.get(tensor);
  if (values !== undefined && values !== "its data") return values;
  if (tensor.origin.kind !== "data") throw new DataError("the values of a constant are gone.");
  return Float64Array.from(tensor.origin.data);
}

function compute({ shape, dtype, origin }: AnyTensor): Values {
  if (origin.kind === "number") return Float64Array.of(origin.read());
  if (origin.kind !== "computed") throw new DataError("the values of a constant are gone.");
  const { op, inputs, params } = origin;
  const arrays: Record<string, ReferenceArray> = {};
  for (const [i, name] of inputNames(op, inputs.length).entries())
    arrays[name] = { shape: inputs[i].shape, dtype: inputs[i].dtype, data: valuesOf(inputs[i]) };
  const data = new Float64Array(sizeOf(shape));
  op.reference(arrays, params, { shape, dtype, data });
  return data;
}

/**
 * A small tensor that only constants determine as a constant; any other as it is. So is one that merely repeats another:
 * how often may depend on the number of samples, of which an exported graph must not know.
 */
export function settle(type: ElementType, tensor: AnyTensor): AnyTensor {
  if (known.has(tensor) || !isConstant(tensor) || tensor.size > maxSize) return tensor;
  if (isFloat(type) && tensor.origin.kind === "computed" && tensor.origin.op.kind === "stretch") return tensor;
  const values = evaluate(tensor);
  // As the device would compute them: rounded, or wrapped around.
  if (isFloat(type)) return constantFrom(type, tensor.shape, values.map(Math.fround));
  return constantFrom(type, tensor.shape, type === "int32" ? values.map((value) => value | 0) : values);
}

/** Whether a tensor holds all that its constant says. */
export function fits(tensor: AnyTensor): boolean {
  return !unfit.has(tensor);
}

/** The first node that computes on a device with a constant that does not fit. */
const usedBy = new WeakMap<AnyTensor, string>();

/** Remembers which node makes `outputs` of `inputs`, for the error of `checkFits`. */
export function blame(
  inputs: readonly (Value | undefined)[],
  outputs: readonly (Value | undefined)[],
  node: string,
): void {
  for (const input of inputs) {
    if (input?.kind !== "tensor" || fits(input.tensor) || usedBy.has(input.tensor)) continue;
    if (outputs.some((output) => output?.kind === "tensor" && !known.has(output.tensor)))
      usedBy.set(input.tensor, node);
  }
}

/** Throws if a value that a device is to compute depends on a constant that tensors cannot hold. */
export function checkFits(outputs: readonly AnyTensor[]): void {
  const seen = new Set<AnyTensor>();
  const stack = [...outputs];
  for (let tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    const wrong = unfit.get(tensor);
    if (wrong !== undefined) {
      throw new DataError(
        `${usedBy.get(tensor) ?? "an output"}: the ${wrong.type} value ${wrong.value} is beyond int32, in which Fovea computes integers. Fix: export the model with smaller integers.`,
      );
    }
    if (tensor.origin.kind === "computed") stack.push(...tensor.origin.inputs);
  }
}
