/** Larger and smaller pictures, in the size that they had. */

import { type AffineParameters, makeAffine } from "./affine.js";
import type { Augmentation, ChanceOptions } from "./augmentation.js";
import { checkNames, checkRange, type Range } from "./options.js";
import { type WarpOptions, warpNames } from "./warp.js";

export interface ScaleOptions extends ChanceOptions, WarpOptions {
  /** Factors from … to; one number x for 1 − x … 1 + x. Default 0.2. */
  readonly by?: Range;
}

/** Scales about the middle. @example augment.scale({ by: [0.8, 1.25] }) */
export function scale(options: ScaleOptions = {}): Augmentation<AffineParameters> {
  checkNames("scale", options, ["by", "probability", ...warpNames]);
  const { by = 0.2, ...rest } = options;
  return makeAffine(
    { name: "scale", options },
    { ...rest, scale: checkRange("scale", "by", by, { around: 1, least: 1 / 64, most: 64 }) },
  );
}
