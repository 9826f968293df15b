/** What the tests know of the machine they run on. */

import { readdirSync } from "node:fs";
import { platform } from "#platform";

/** Whether this processor multiplies and adds with one rounding; undefined where nobody can tell. */
export function hasFusedMultiplyAdd(): boolean | undefined {
  try {
    const isas = platform.loadNativeAddon().isas();
    return isas.includes("avx2") || isas.includes("neon");
  } catch {
    return undefined;
  }
}

/** Threads of this process, as Linux lists them. */
export const countThreads = (): number => readdirSync("/proc/self/task").length;
