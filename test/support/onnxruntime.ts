/** ONNX Runtime, an independent judge of ONNX models. It is large, so it is installed when a test first asks for it. */

import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { install, plainEnvironment, root } from "../package/npm.js";

const version = "1.30.0";

type Elements =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** A tensor of ONNX Runtime. */
export interface RuntimeTensor {
  readonly type: string;
  readonly data: Elements;
  readonly dims: readonly number[];
}

interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, RuntimeTensor>>): Promise<Readonly<Record<string, RuntimeTensor>>>;
}

export interface OnnxRuntime {
  readonly InferenceSession: { create(model: Uint8Array, options?: object): Promise<Session> };
  readonly Tensor: new (type: string, data: Elements, dims: readonly number[]) => RuntimeTensor;
}

/** ONNX Runtime, or why it cannot be had here. */
export async function loadOnnxRuntime(): Promise<OnnxRuntime | string> {
  const folder = join(root, "node_modules", ".cache", `onnxruntime-${version}`);
  const module = join(folder, "node_modules", "onnxruntime-node");
  if (!existsSync(module)) {
    const fresh = `${folder}-${process.pid}`;
    mkdirSync(fresh, { recursive: true });
    try {
      // Its own set-up would fetch libraries for graphics cards.
      const env = { ...plainEnvironment(), ONNXRUNTIME_NODE_INSTALL: "skip", ONNXRUNTIME_NODE_INSTALL_CUDA: "skip" };
      const missing = await install(fresh, [`onnxruntime-node@${version}`], env);
      if (missing !== undefined) return missing;
      if (!existsSync(folder)) renameSync(fresh, folder);
    } catch (error) {
      // Another test may have been faster.
      if (!existsSync(module)) throw error;
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  const loaded: OnnxRuntime = createRequire(import.meta.url)(module);
  return loaded;
}
