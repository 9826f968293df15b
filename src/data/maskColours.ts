/** Masks as pictures to look at. */

import { ArgumentError } from "../core/errors.js";
import type { PixelImage } from "./pixels.js";

/** Easily told apart, also by the colour-blind: Okabe & Ito 2008. */
const classColours = [0xe69f00, 0x56b4e9, 0x009e73, 0xf0e442, 0x0072b2, 0xd55e00, 0xcc79a7];

/** The colour that `colourMask` gives a class, 0xRRGGBB: black for 0, grey for pixels that do not count (255). */
export function classColour(kind: number): number {
  if (kind === 0) return 0;
  return kind === 255 ? 0x808080 : classColours[(kind - 1) % classColours.length];
}

/**
 * A mask in a colour for each class: black for 0, grey for pixels that do not count (255).
 *
 * @param mask height × width class numbers
 * @example await writePng("mask.png", colourMask(mask, 64, 64))
 */
export function colourMask(mask: Uint8Array, height: number, width: number): PixelImage & { readonly channels: 3 } {
  if (mask.length !== height * width)
    throw new ArgumentError(`colourMask: the mask has ${mask.length} pixels. Expected ${height}×${width}.`);
  const data = new Uint8Array(3 * mask.length);
  for (const [i, kind] of mask.entries()) {
    const colour = classColour(kind);
    data.set([colour >> 16, (colour >> 8) & 255, colour & 255], 3 * i);
  }
  return { width, height, channels: 3, data };
}
