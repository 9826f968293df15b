/**
 * Writes test/goldens/onnx.safetensors: what ONNX Runtime makes of the calls in test/onnx/cases.
 *
 *   node dist/test/goldens/onnx.js
 */

import { fileURLToPath } from "node:url";
import { writeSafetensors } from "../../src/formats/safetensors-writer.js";
import type { StorageArray } from "../../src/formats/storage.js";
import { writeFile } from "../../src/node.js";
import { onnxCases } from "../onnx/cases/index.js";
import { modelOf } from "../support/onnxModels.js";
import { loadOnnxRuntime, type RuntimeTensor } from "../support/onnxruntime.js";

const runtime = await loadOnnxRuntime();
if (typeof runtime === "string") throw new Error(runtime);
const { InferenceSession, Tensor } = runtime;

function stored({ data, dims }: RuntimeTensor): StorageArray {
  const shape = [...dims];
  if (data instanceof Float32Array) return { dtype: "float32", shape, data: Float32Array.from(data) };
  if (data instanceof BigInt64Array) return { dtype: "int64", shape, data: BigInt64Array.from(data) };
  return { dtype: "int32", shape, data: Int32Array.from(data, Number) };
}

const tensors: [string, StorageArray][] = [];
const cases: string[] = [];
const refused: string[] = [];
for (const each of onnxCases) {
  try {
    const session = await InferenceSession.create(modelOf(each), { logSeverityLevel: 4 });
    const feeds: Record<string, RuntimeTensor> = {};
    for (const [i, input] of each.inputs.entries())
      if (input !== undefined && !("constant" in input))
        feeds[`x${i}`] = new Tensor(input.type, input.data, input.shape);
    const outputs = await session.run(feeds);
    for (const [name, output] of Object.entries(outputs)) tensors.push([`${cases.length}.${name}`, stored(output)]);
    cases.push(each.name);
  } catch (error) {
    refused.push(`${each.name}: ${error instanceof Error ? error.message : error}`);
  }
}
const path = fileURLToPath(new URL("../../../test/goldens/onnx.safetensors", import.meta.url));
const bytes = await writeSafetensors(tensors, { cases: JSON.stringify(cases) });
await writeFile(path, bytes);
console.log(`${cases.length} cases, ${bytes.length} bytes`);
for (const message of refused) console.log(`ONNX Runtime does not take ${message}`);
