/** What may lie in memory for the sake of speed. */

import { ArgumentError } from "./errors.js";

/**
 * `fast`: weights that a program leaves alone are kept a second time, in the form that its kernels want: of 3×3 convolutions
 * up to four times as many numbers. `low`: each run makes that form anew, a slice at a time.
 */
export type MemoryMode = "fast" | "low";

let chosen: MemoryMode = "fast";

/**
 * Chooses what all programs from now on keep in memory; those that have been compiled with another choice are compiled
 * anew. Results have the same bits. With `low`, copies of weights that are there already are given back by the next
 * program that uses the weights. Steps of training keep no copies either way. Default `fast`.
 *
 * @throws ArgumentError for anything else
 * @example
 * setMemory("low"); // predictions with VGG-16 take 235 MB less
 */
export function setMemory(memory: MemoryMode): void {
  if (memory !== "fast" && memory !== "low") {
    throw new ArgumentError(`setMemory: got ${JSON.stringify(memory)}. Expected "fast" or "low".`);
  }
  chosen = memory;
}

export function currentMemory(): MemoryMode {
  return chosen;
}
