/** Pictures out of focus. */

import { toByte } from "../pixels.js";
import { Augmentation, type ChanceOptions } from "./augmentation.js";
import { checkNames, checkRange, drawFrom, type Range } from "./options.js";
import { smooth } from "./smooth.js";

export interface GaussianBlurOptions extends ChanceOptions {
  /** Standard deviation of the blur in pixels; of a pair each picture draws its own. Default [0.1, 2]. */
  readonly sigma?: Range;
}

export interface GaussianBlurParameters {
  readonly sigma: number;
}

/** @example augment.gaussianBlur({ sigma: [0.1, 1], probability: 0.5 }) */
export function gaussianBlur(options: GaussianBlurOptions = {}): Augmentation<GaussianBlurParameters> {
  const name = "blur";
  checkNames(name, options, ["sigma", "probability"]);
  const sigmas = checkRange(name, "sigma", options.sigma ?? [0.1, 2], { least: 0.01, most: 100 });
  return new Augmentation<GaussianBlurParameters>(
    {
      draw: (random) => ({ sigma: drawFrom(random, sigmas) }),
      apply(picture, { sigma }) {
        const [channels, height, width] = picture.shape;
        const plane = height * width;
        const image = new Uint8Array(picture.image.length);
        for (let at = 0; at < channels * plane; at += plane) {
          const blurred = smooth(picture.image.subarray(at, at + plane), height, width, sigma);
          for (let i = 0; i < plane; i++) image[at + i] = toByte(blurred[i]);
        }
        return { ...picture, image };
      },
    },
    options.probability,
    { name, options },
  );
}
