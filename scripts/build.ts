/**
 * Everything that TypeScript's compiler does not make: the C structures of the schema, the worker's script, the kernels
 * in WebAssembly, the native addon. Each is skipped while what it is made from stays the same.
 *
 *   node dist/scripts/build.js
 */

import { schemaHeader } from "../src/backends/cpu/header.js";
import { addonStep } from "./build-addon.js";
import { type BuildStep, runStep, schemaPath, writeOutput } from "./build-step.js";
import { wasmSteps } from "./build-wasm.js";
import { workerStep } from "./build-worker.js";

const schemaStep: BuildStep = {
  name: "schema.h",
  outputs: [schemaPath],
  inputs: schemaHeader,
  run() {
    writeOutput(schemaPath, schemaHeader());
    return "written";
  },
};

try {
  await runStep(schemaStep);
  await runStep(workerStep());
  await Promise.all(wasmSteps().map(runStep));
  await runStep(addonStep());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
