/**
 * The kernels in WebAssembly, with SIMD or relaxed SIMD. The compiler is itself WebAssembly (@yowasp/clang), so no
 * system toolchain is needed; each build has a worker thread (compile-wasm.ts).
 */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { type BuildStep, hashFiles, kernelFiles, versionOf, writeStringModule } from "./build-step.js";
import type { CompileJob, CompileResult } from "./compile-wasm.js";

const variants = { simd: ["-msimd128"], relaxed: ["-msimd128", "-mrelaxed-simd"] };

const nativeFiles = ["native.c", "queue.c", "queue.h", "system.c"];

// Without loop strength reduction constant offsets stay inside the load instructions: much faster in V8.
const compileFlags = [
  ..."--target=wasm32-unknown-unknown -O2 -std=gnu11 -mbulk-memory -matomics -ffp-contract=off".split(" "),
  ..."-fno-math-errno -mllvm -disable-lsr -fvisibility=hidden -Wall -Wextra -Wno-unused-function".split(" "),
];

const linkFlags = [
  ..."--no-entry --import-memory --export=__stack_pointer --stack-first -z stack-size=262144".split(" "),
  ..."--gc-sections --strip-all".split(" "),
];

/**
 * Each is linked twice, for several threads and for one: what is compiled for shared memory runs without it as well,
 * since a single thread never waits.
 */
const links = {
  "": linkFlags,
  "-threads": [...linkFlags, "--shared-memory", "--max-memory=4294967296"],
};

export function wasmSteps(): BuildStep[] {
  const files = kernelFiles(nativeFiles);
  return Object.entries(variants).map(([variant, flags]): BuildStep => {
    const output = (suffix: string) => `dist/src/backends/wasm/variants/${variant}${suffix}.js`;
    const job: CompileJob = { files, compileFlags: [...compileFlags, ...flags], links };
    return {
      name: `wasm ${variant}`,
      outputs: Object.keys(links).map(output),
      inputs: () => versionOf("@yowasp/clang") + hashFiles(files) + JSON.stringify(job),
      async run() {
        const modules = await limited(() => compile(job));
        const sizes = Object.entries(modules).map(([suffix, wasm]) => {
          const packed = gzipSync(wasm, { level: 9 });
          writeStringModule(output(suffix), "kernels", packed.toString("base64"));
          return `${kilobytes(wasm.length)} (${kilobytes(packed.length)} compressed)`;
        });
        return sizes.join(", with threads ");
      },
    };
  });
}

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} KB`;

async function compile(job: CompileJob): Promise<Readonly<Record<string, Uint8Array>>> {
  const worker = new Worker(new URL("./compile-wasm.js", import.meta.url), { workerData: job });
  const result = await new Promise<CompileResult>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  void worker.terminate();
  if (result.warnings !== "") console.error(result.warnings);
  if (result.modules === undefined) throw new Error("the kernels do not compile to WebAssembly");
  return result.modules;
}

let running = 0;
const waiting: (() => void)[] = [];

/** As many at once as there are cores. */
async function limited<T>(work: () => Promise<T>): Promise<T> {
  if (running >= availableParallelism()) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    return await work();
  } finally {
    running--;
    waiting.shift()?.();
  }
}
