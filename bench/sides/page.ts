/** The sides of a comparison that run in a page of a browser: what browser.ts calls there. */

import { openFovea } from "./fovea-session.js";
import { type OnnxRuntime, openOnnxRuntime } from "./onnxruntime-session.js";
import type { Job, Session } from "./session.js";

let session: Session | undefined;

async function read(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}

export async function open(library: "fovea" | "onnxruntime", job: Job): Promise<string> {
  if (library === "fovea") {
    session = await openFovea("wasm", job, read);
  } else {
    const path = "/onnxruntime/ort.wasm.min.mjs";
    const runtime: OnnxRuntime = await import(path);
    runtime.env.wasm.wasmPaths = "/onnxruntime/";
    session = await openOnnxRuntime(runtime, "wasm", job, read);
  }
  return session.description;
}

export async function outputs(steps: number): Promise<number[]> {
  return Array.from((await session?.outputs(steps)) ?? []);
}

export async function time(runs: number): Promise<readonly number[]> {
  return (await session?.time(runs, "wall")) ?? [];
}
