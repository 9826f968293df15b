/** The kernels in WebAssembly, where every buffer of a step lies between guards (test/support/guards.ts). */

import { root } from "../build-step.js";
import { runTests } from "./tests.js";

export function sanitizeWasm(tests: readonly string[]): Promise<string[]> {
  return runTests({ tests, folder: root, environment: { FOVEA_TEST_MODE: "guarded" }, device: "wasm" });
}
