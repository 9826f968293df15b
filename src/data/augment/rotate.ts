/** Turned pictures. */

import { type AffineParameters, makeAffine } from "./affine.js";
import type { Augmentation, ChanceOptions } from "./augmentation.js";
import { checkNames, type Range } from "./options.js";
import { type WarpOptions, warpNames } from "./warp.js";

export interface RotateOptions extends ChanceOptions, WarpOptions {
  /** Clockwise, about the middle; one number for both directions. Default 15. */
  readonly degrees?: Range;
}

/** @example augment.rotate({ degrees: 30 }) // from −30 to 30 */
export function rotate(options: RotateOptions = {}): Augmentation<AffineParameters> {
  checkNames("rotate", options, ["degrees", "probability", ...warpNames]);
  return makeAffine({ name: "rotate", options }, { degrees: 15, ...options });
}
