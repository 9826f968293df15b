/** How results may differ from those of the definitions, beyond the rounding of float32. */

import { ArgumentError } from "./errors.js";

/**
 * `fast`: algorithms may reorder arithmetic where that is faster and errors stay small, as Winograd's for 3×3
 * convolutions, which is within 1e-5 of the largest result. `exact`: every result is the sum of the products that its
 * definition names.
 */
export type Precision = "fast" | "exact";

let chosen: Precision = "fast";

/**
 * Chooses the algorithms of all programs from now on; those that have been compiled with another choice are compiled
 * anew. Default `fast`.
 *
 * @example setPrecision("exact"); // no Winograd
 */
export function setPrecision(precision: Precision): void {
  if (precision !== "fast" && precision !== "exact") {
    throw new ArgumentError(`setPrecision: got ${JSON.stringify(precision)}. Expected "fast" or "exact".`);
  }
  chosen = precision;
}

export function currentPrecision(): Precision {
  return chosen;
}
