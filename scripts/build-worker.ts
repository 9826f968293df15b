/** The script of the WebAssembly workers as a string, so that no bundler has to know of it. */

import { join } from "node:path";
import { build } from "esbuild";
import { type BuildStep, hashFiles, root, versionOf, writeStringModule } from "./build-step.js";

const entry = "dist/src/backends/wasm/worker.js";
const output = "dist/src/backends/wasm/worker-source.js";

export function workerStep(): BuildStep {
  return {
    name: "worker script",
    outputs: [output],
    inputs: () =>
      versionOf("esbuild") +
      hashFiles([
        entry,
        "dist/src/backends/wasm/engine.js",
        "dist/src/backends/cpu/outcome.js",
        "dist/scripts/build-worker.js",
      ]),
    async run() {
      const { outputFiles } = await build({
        entryPoints: [join(root, entry)],
        bundle: true,
        minify: true,
        write: false,
        format: "iife",
        target: "es2022",
        legalComments: "none",
      });
      const [{ text }] = outputFiles;
      writeStringModule(output, "workerSource", text);
      return `${text.length} bytes`;
    },
  };
}
