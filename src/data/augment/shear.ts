/** Slanted pictures. */

import { type AffineParameters, makeAffine } from "./affine.js";
import type { Augmentation, ChanceOptions } from "./augmentation.js";
import { checkNames, type Range } from "./options.js";
import { type WarpOptions, warpNames } from "./warp.js";

export interface ShearOptions extends ChanceOptions, WarpOptions {
  /** That upright lines lean by; one number for both directions. Default 10. */
  readonly degrees?: Range;
  /** That level lines lean by. Default 0. */
  readonly degreesY?: Range;
}

/** @example augment.shear({ degrees: 15 }) // handwriting leans this way and that */
export function shear(options: ShearOptions = {}): Augmentation<AffineParameters> {
  checkNames("shear", options, ["degrees", "degreesY", "probability", ...warpNames]);
  const { degrees = 10, degreesY = 0, ...rest } = options;
  return makeAffine({ name: "shear", options }, { ...rest, shear: degrees, shearY: degreesY });
}
