/** Runs LLVM on the kernels, in a worker thread of its own (build-wasm.ts). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { commands, type OutputStream, runLLVM, type Tree } from "@yowasp/clang";
import { root } from "./build-step.js";

export interface CompileJob {
  /** The C files, relative to the repository. */
  readonly files: readonly string[];
  readonly compileFlags: readonly string[];
  /** Flags of each link of the one object file, by a name for the result. */
  readonly links: Readonly<Record<string, readonly string[]>>;
}

export interface CompileResult {
  /** The modules by their link's name; undefined where the compiler gave up. */
  readonly modules: Readonly<Record<string, Uint8Array>> | undefined;
  readonly warnings: string;
}

let warnings = "";
const decoder = new TextDecoder();
const print: OutputStream = (bytes) => {
  if (bytes !== null) warnings += decoder.decode(bytes, { stream: true });
};
const options = { stdout: print, stderr: print, decodeASCII: false, fetchProgress() {} };

/** One command of LLVM over the files, which are put in and taken out. */
async function run(command: string, args: string[], files: Tree, output: string): Promise<Uint8Array | undefined> {
  try {
    const result = await commands[command as keyof typeof commands](args, files, options);
    const made = result?.[output];
    return made instanceof Uint8Array ? made : undefined;
  } catch (error) {
    // The compiler has said what is wrong by now.
    if (warnings === "") warnings = String(error);
    return undefined;
  }
}

/** Paths as the nested objects that the compiler takes for folders. */
function treeOf(paths: readonly string[]): Tree {
  const tree: Tree = {};
  for (const path of paths) {
    const parts = path.split("/");
    const name = parts.pop() ?? path;
    let folder = tree;
    for (const part of parts) {
      const inner = folder[part];
      const next: Tree = typeof inner === "object" && !(inner instanceof Uint8Array) ? inner : {};
      folder[part] = next;
      folder = next;
    }
    folder[name] = readFileSync(join(root, path));
  }
  return tree;
}

async function compile({ files, compileFlags, links }: CompileJob): Promise<CompileResult> {
  // Loads the compiler, which would otherwise tell the terminal about it.
  await runLLVM(undefined, undefined, options);
  const object = await run("clang", [...compileFlags, "-c", "kernels/all.c", "-o", "all.o"], treeOf(files), "all.o");
  if (object === undefined) return { modules: undefined, warnings };
  const modules: Record<string, Uint8Array> = {};
  for (const [name, flags] of Object.entries(links)) {
    const wasm = await run("wasm-ld", [...flags, "all.o", "-o", "all.wasm"], { "all.o": object }, "all.wasm");
    if (wasm === undefined) return { modules: undefined, warnings };
    modules[name] = wasm;
  }
  return { modules, warnings };
}

const job: CompileJob = workerData;
parentPort?.postMessage(await compile(job));
