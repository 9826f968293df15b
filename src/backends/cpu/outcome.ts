/** How a command to the kernels can end: the numbers of kernels/engine.h and kernels/fovea.h. */

/** `code` 0 is success; what `detail` means depends on the code. */
export interface Outcome {
  readonly code: number;
  readonly detail: readonly number[];
}

export const outcomeCodes = {
  /** Detail: step, element, value, limit. */
  indexOutOfRange: 1,
  cancelled: -1,
  /** Detail of both: bytes asked for, bytes in use, bytes there may be. */
  outOfMemory: -2,
  noArena: -6,
  /** Detail: one of `refusals`. */
  programRefused: -3,
  undefinedContents: -4,
  badCall: -5,
} as const;
