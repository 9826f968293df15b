/** What a device that passes calls on has in common with the one behind it. */

import type { Device } from "../../src/backends/backend.js";

export function factsOf({ name, variant, threads, memoryLimit, compiler, keepsArena, ready }: Device) {
  return { name, variant, threads, memoryLimit, compiler, keepsArena, ready };
}
