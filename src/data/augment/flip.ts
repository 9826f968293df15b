/** Mirrored pictures. */

import { Augmentation, type ChanceOptions, type Picture } from "./augmentation.js";
import { checkNames } from "./options.js";

/** Nothing is left to chance once a picture is to be mirrored. */
export type FlipParameters = Readonly<Record<string, never>>;

/**
 * Exchanges left and right. Not for digits and letters.
 *
 * @param options probability: 0.5 unless told
 * @example augment.flip()
 */
export function flip(options: ChanceOptions = {}): Augmentation<FlipParameters> {
  return make("flip", options, (picture) => mirror(picture, true));
}

/**
 * Exchanges top and bottom: for pictures from above, or through a microscope.
 *
 * @param options probability: 0.5 unless told
 */
export function flipVertical(options: ChanceOptions = {}): Augmentation<FlipParameters> {
  return make("flip-vertical", options, (picture) => mirror(picture, false));
}

function make(name: string, options: ChanceOptions, apply: (picture: Picture) => Picture) {
  checkNames(name, options, ["probability"]);
  const { probability = 0.5 } = options;
  return new Augmentation<FlipParameters>({ draw: () => ({}), apply }, probability, { name, options });
}

/** The picture with left and right, or else top and bottom, exchanged. */
export function mirror({ shape, image, mask }: Picture, horizontal: boolean): Picture {
  const [, height, width] = shape;
  const turn = (from: Uint8Array): Uint8Array<ArrayBuffer> => {
    const to = new Uint8Array(from.length);
    for (let row = 0, rows = from.length / width; row < rows; row++) {
      const at = row * width;
      if (horizontal) {
        for (let x = 0; x < width; x++) to[at + x] = from[at + width - 1 - x];
      } else {
        const within = row % height;
        const opposite = (row - within + height - 1 - within) * width;
        to.set(from.subarray(opposite, opposite + width), at);
      }
    }
    return to;
  };
  return { shape, image: turn(image), ...(mask !== undefined && { mask: turn(mask) }) };
}
