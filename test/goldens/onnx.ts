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
for (const [number, each] of onnxCases.entries()) {
  const session = await InferenceSession.create(modelOf(each), { logSeverityLevel: 4 });
  const feeds: Record<string, RuntimeTensor> = {};
  for (const [i, input] of each.inputs.entries())
    if (input !== undefined && !("constant" in input)) feeds[`x${i}`] = new Tensor(input.type, input.data, input.shape);
  const outputs = await session.run(feeds);
  for (const [name, output] of Object.entries(outputs)) tensors.push([`${number}.${name}`, stored(output)]);
}
const path = fileURLToPath(new URL("../../../test/goldens/onnx.safetensors", import.meta.url));
const bytes = await writeSafetensors(tensors, { cases: JSON.stringify(onnxCases.map(({ name }) => name)) });
await writeFile(path, bytes);
console.log(`${onnxCases.length} cases, ${bytes.length} bytes`);
