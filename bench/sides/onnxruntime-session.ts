/** ONNX Runtime's side of a comparison: node and web have the same interface. */

import { inference, type Job, picturesOf, type Session } from "./session.js";

interface RuntimeTensor {
  readonly data: ArrayLike<number>;
}

interface RuntimeSession {
  run(feeds: Readonly<Record<string, RuntimeTensor>>): Promise<Readonly<Record<string, RuntimeTensor>>>;
}

export interface OnnxRuntime {
  readonly env: { readonly wasm: { numThreads?: number; wasmPaths?: string } };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<RuntimeSession> };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => RuntimeTensor;
}

export async function openOnnxRuntime(
  runtime: OnnxRuntime,
  provider: "cpu" | "wasm",
  job: Job,
  read: (path: string) => Promise<ArrayBuffer>,
): Promise<Session> {
  const { work, threads, files } = job;
  if (files?.onnx === undefined) throw new Error("ONNX Runtime needs a model");
  if (provider === "wasm") runtime.env.wasm.numThreads = threads;
  const session = await runtime.InferenceSession.create(new Uint8Array(await read(files.onnx)), {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const pictures = await picturesOf(job, read);
  const shape = [work.batch, ...work.input];
  return inference(provider, async () => {
    const { output } = await session.run({ input: new runtime.Tensor("float32", pictures, shape) });
    return output.data;
  });
}
