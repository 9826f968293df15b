/** Cases in the layout of the ONNX project's backend tests: a model, its inputs, and the outputs that it must give. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DType } from "../../src/core/dtype.js";
import { sizeOf } from "../../src/core/shape.js";
import { readMessage } from "../../src/formats/protobuf.js";
import type { AnyTensor } from "../../src/graph/tensor.js";
import { tensor } from "../../src/index.js";
import { dtypeOf } from "../../src/interop/onnx/elementTypes.js";
import { load } from "../../src/interop/onnx/load.js";
import { dataTypes, ModelProto, TensorProto } from "../../src/interop/onnx/proto.js";
import { type HostArray, readTensor } from "../../src/interop/onnx/tensorProto.js";

/** The folders of cases in a folder. */
export function casesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name))
    .sort();
}

function bytesOf(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(path));
}

function readArrays(folder: string, kind: "input" | "output"): HostArray[] {
  const names = readdirSync(folder).filter((name) => name.startsWith(`${kind}_`));
  return names
    .sort((a, b) => numberIn(a) - numberIn(b))
    .map((name) => readTensor(readMessage(TensorProto, bytesOf(join(folder, name)), name), name));
}

function numberIn(name: string): number {
  return Number(/\d+/.exec(name)?.[0]);
}

/** An array as the tensor that a model takes in its place. */
export function tensorOf({ type, shape, data }: HostArray): AnyTensor {
  const dtype: DType = dtypeOf(type);
  return tensor(Float64Array.from(data, Number), shape, { dtype });
}

/** Why a case has no values that Fovea could compute: an input or output of text, say. Undefined where it has. */
export function outOfScope(folder: string): string | undefined {
  const { graph } = readMessage(ModelProto, bytesOf(join(folder, "model.onnx")), folder);
  const tensors = [...(graph?.input ?? []), ...(graph?.output ?? [])];
  for (const { name, type } of tensors) {
    const element = type?.tensorType?.elemType;
    if (element === undefined) return `${name} is no tensor`;
    if (element === dataTypes.string) return `${name} is text`;
    if (element > dataTypes.uint64 && element !== dataTypes.bfloat16)
      return `${name} is of ONNX's data type ${element}`;
  }
  return undefined;
}

/**
 * Runs a case; throws unless the outputs are those expected.
 *
 * @param rtol the ONNX project's own tolerance unless given
 */
export async function runCase(folder: string, rtol = 1e-3, atol = 1e-7): Promise<void> {
  const model = await load(join(folder, "model.onnx"));
  for (const set of readdirSync(folder).filter((name) => name.startsWith("test_data_set_"))) {
    const arrays = readArrays(join(folder, set), "input");
    const inputs = Object.fromEntries(model.inputs.map(({ name }, i) => [name, tensorOf(arrays[i])]));
    const outputs = await model.run(inputs);
    for (const [i, expected] of readArrays(join(folder, set), "output").entries()) {
      const { name, dtype } = model.outputs[i];
      await compare(name, outputs[name], dtype, expected, rtol, atol);
    }
  }
}

async function compare(
  name: string,
  found: AnyTensor,
  type: string,
  expected: HostArray,
  rtol: number,
  atol: number,
): Promise<void> {
  const fail = (message: string) => {
    throw new Error(`${name}: ${message}`);
  };
  if (type !== expected.type) fail(`is ${type}, expected ${expected.type}`);
  if (found.shape.join("×") !== expected.shape.join("×"))
    fail(`is ${found.shape.join("×")}, expected ${expected.shape.join("×")}`);
  const values = await found.data();
  for (let i = 0; i < sizeOf(expected.shape); i++) {
    const value = values[i];
    const wanted = Number(expected.data[i]);
    const same = Object.is(value, wanted) || value === wanted || (Number.isNaN(value) && Number.isNaN(wanted));
    if (!same && !(Math.abs(value - wanted) <= atol + rtol * Math.abs(wanted)))
      fail(`value ${i} is ${value}, expected ${wanted}`);
  }
}
