/** Several steps as one that goes through memory a few rows at a time (blocking.ts, kernels/blocked.c). */

import { i32, list, scratch, stepsField } from "../fields.js";

export const blockedSteps = {
  /**
   * Elementwise and reduce steps, each on the same `together` of its `rows` rows before the next ones. What only they
   * need lies in this thread's `scratchBytes`.
   */
  blocked: { rows: i32, together: i32, scratch, scratchBytes: i32, locals: list("localBuffer"), steps: stepsField },
} as const;
