/**
 * Values that are known while a graph is recorded: constants, shapes, and what small computations make of them. They are
 * computed by the ops' definitions, in float64, which also holds the 64-bit integers that shapes are made of.
 */

import { allocate } from "../../core/dtype.js";
import { DataError } from "../../core/errors.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import type { ReferenceArray } from "../../graph/op.js";
import { inputNames } from "../../graph/operation.js";
import type { AnyTensor } from "../../graph/tensor.js";
import { tensorOver } from "../../ops/create.js";
import { dtypeOf, type ElementType, isFloat } from "./elementTypes.js";
import type { HostArray } from "./tensorProto.js";

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
  return constantFrom(type, shape, Float64Array.from(data, Number));
}

function remember(tensor: AnyTensor): AnyTensor {
  known.set(tensor, "its data");
  return tensor;
}

/** A tensor for values computed in float64. Integers beyond int32 are kept beside it, for shapes to be computed from. */
export function constantFrom(type: ElementType, shape: Shape, values: Values): AnyTensor {
  const dtype = dtypeOf(type);
  const data = allocate(dtype, values.length);
  let wrong = -1;
  for (let i = 0; i < values.length; i++) {
    if (dtype === "int32") data[i] = Math.min(Math.max(values[i], -(2 ** 31)), 2 ** 31 - 1);
    else data[i] = values[i];
    if (data[i] !== values[i] && dtype !== "float32") wrong = i;
  }
  const tensor = tensorOver(data, shape, dtype);
  if (wrong < 0) return remember(tensor);
  known.set(tensor, values);
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
  if (known.has(tensor) || constant.has(tensor)) return true;
  if (variable.has(tensor)) return false;
  const { origin } = tensor;
  const fixed = origin.kind === "number" || (origin.kind === "computed" && origin.inputs.every(isConstant));
  const result = fixed && tensor.size <= maxInputSize;
  (result ? constant : variable).add(tensor);
  return result;
}

/** The values of a tensor that only constants determine; undefined for others, and for large ones. */
export function constantValues(tensor: AnyTensor): Values | undefined {
  if (!isConstant(tensor)) return undefined;
  return evaluate(tensor);
}

function evaluate(tensor: AnyTensor): Values {
  const values = known.get(tensor);
  if (values !== undefined && values !== "its data") return values;
  const { origin } = tensor;
  if (origin.kind === "data") return Float64Array.from(origin.data);
  if (origin.kind === "number") return Float64Array.of(origin.read());
  if (origin.kind !== "computed") throw new DataError("the values of a constant were disposed of");
  const { op, inputs, params } = origin;
  const arrays: Record<string, ReferenceArray> = {};
  for (const [i, name] of inputNames(op, inputs.length).entries()) {
    const { shape, dtype } = inputs[i];
    arrays[name] = { shape, dtype, data: evaluate(inputs[i]) };
  }
  const output = new Float64Array(sizeOf(tensor.shape));
  op.reference(arrays, params, { shape: tensor.shape, dtype: tensor.dtype, data: output });
  known.set(tensor, output);
  return output;
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
        `the ${wrong.type} value ${wrong.value} is beyond int32, in which Fovea computes integers. Fix: export the model with smaller integers.`,
      );
    }
    if (tensor.origin.kind === "computed") stack.push(...tensor.origin.inputs);
  }
}
