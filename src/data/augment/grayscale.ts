/** Pictures without colours. */

import { toByte } from "../pixels.js";
import { Augmentation, type ChanceOptions } from "./augmentation.js";
import { checkColors, luminance } from "./color.js";
import type { FlipParameters } from "./flip.js";
import { checkNames } from "./options.js";

/**
 * Makes all three channels equal, as bright as the colours looked.
 *
 * @param options probability: 0.1 unless told
 */
export function grayscale(options: ChanceOptions = {}): Augmentation<FlipParameters> {
  const name = "grayscale";
  checkNames(name, options, ["probability"]);
  return new Augmentation<FlipParameters>(
    {
      draw: () => ({}),
      apply(picture) {
        checkColors(name, picture.shape);
        if (picture.shape[0] === 1) return picture;
        const plane = picture.image.length / 3;
        const image = new Uint8Array(picture.image.length);
        for (let i = 0; i < plane; i++) {
          const grey = luminance(picture.image[i], picture.image[plane + i], picture.image[2 * plane + i]);
          image[i] = toByte(grey);
        }
        image.copyWithin(plane, 0, plane);
        image.copyWithin(2 * plane, 0, plane);
        return { ...picture, image };
      },
    },
    options.probability ?? 0.1,
    { name, options },
  );
}
