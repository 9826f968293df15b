/**
 * Everything that TypeScript's compiler does not make: the C structures of the schema, the worker's script, the kernels
 * in WebAssembly, the native addon. Each is skipped while what it is made from stays the same.
 *
 *   node dist/scripts/build.js [filter…]   all steps, or those whose name contains a filter ("addon", "wasm simd")
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

const filters = process.argv.slice(2);
const wanted = ({ name }: BuildStep) => filters.length === 0 || filters.some((filter) => name.includes(filter));
const inTurn: readonly (() => readonly BuildStep[])[] = [
  () => [schemaStep],
  () => [workerStep()],
  wasmSteps,
  () => [addonStep()],
];

try {
  for (const steps of inTurn) await Promise.all(steps().filter(wanted).map(runStep));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
