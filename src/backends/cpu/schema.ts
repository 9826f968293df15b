/**
 * All steps that the CPU kernels understand. TypeScript encodes programs from this table (encode.ts) and the build
 * writes the C structures from it (kernels/generated/schema.h, by scripts/build.ts); `schemaHash` is compiled into
 * the kernels and compared when they load.
 */

import type { Fields, ValuesOf } from "./fields.js";
import { blockedSteps } from "./kernels/blocked.js";
import { convolutionSteps } from "./kernels/convolution.js";
import { elementwiseSteps } from "./kernels/elementwise.js";
import { indexingSteps } from "./kernels/indexing.js";
import { matmulSteps } from "./kernels/matmul.js";
import { movementSteps } from "./kernels/movement.js";
import { poolingSteps } from "./kernels/pooling.js";
import { randomSteps } from "./kernels/random.js";
import { reduceSteps } from "./kernels/reduce.js";
import { resamplingSteps } from "./kernels/resampling.js";
import { instructions, operandModes, records } from "./records.js";

export const steps = {
  ...elementwiseSteps,
  ...convolutionSteps,
  ...matmulSteps,
  ...poolingSteps,
  ...resamplingSteps,
  ...reduceSteps,
  ...blockedSteps,
  ...movementSteps,
  ...indexingSteps,
  ...randomSteps,
} as const satisfies Record<string, Fields>;

export type StepName = keyof typeof steps;
export type StepFields<N extends StepName> = ValuesOf<(typeof steps)[N]>;

export const stepNames = Object.keys(steps) as StepName[];

/** FNV-1a over the whole schema. */
export const schemaHash: number = (() => {
  let hash = 0x811c9dc5;
  for (const character of JSON.stringify([steps, records, instructions, operandModes])) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return hash >>> 0;
})();
