/** Cases in the layout of the ONNX project's backend tests: a model, its inputs, and the outputs that it must give. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DType } from "../../src/core/dtype.js";
import { DataError } from "../../src/core/errors.js";
import { sizeOf } from "../../src/core/shape.js";
import { readMessage } from "../../src/formats/protobuf.js";
import type { AnyTensor } from "../../src/graph/tensor.js";
import { tensor } from "../../src/index.js";
import { describeDataType, dtypeOf, elementTypeFrom } from "../../src/interop/onnx/elementTypes.js";
import { load } from "../../src/interop/onnx/load.js";
import { ModelProto, TensorProto } from "../../src/interop/onnx/proto.js";
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

/** Why a case has values that no tensor can hold: text, say, or numbers beyond float32. Undefined where it has none. */
export function outOfScope(folder: string): string | undefined {
  const { graph } = readMessage(ModelProto, bytesOf(join(folder, "model.onnx")), folder);
  for (const { name, type } of [...(graph?.input ?? []), ...(graph?.output ?? [])]) {
    const element = type?.tensorType?.elemType;
    if (element === undefined) return `${name} is no tensor`;
    if (elementTypeFrom(element) === undefined) return `${name} is of type ${describeDataType(element)}`;
  }
  try {
    for (const set of dataSets(folder)) for (const kind of ["input", "output"] as const) readArrays(set, kind);
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
  return undefined;
}

function dataSets(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.startsWith("test_data_set_"));
  return names.map((name) => join(folder, name));
}

/**
 * Runs a case; throws unless the outputs are those expected.
 *
 * @param rtol the ONNX project's own tolerance unless given
 */
export async function runCase(folder: string, rtol = 1e-3, atol = 1e-7): Promise<void> {
  const model = await load(join(folder, "model.onnx"));
  for (const set of dataSets(folder)) {
    const arrays = readArrays(set, "input");
    const inputs = Object.fromEntries(model.inputs.map(({ name }, i) => [name, tensorOf(arrays[i])]));
    const outputs = await model.run(inputs);
    for (const [i, expected] of readArrays(set, "output").entries()) {
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
