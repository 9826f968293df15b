/** Many pictures on one sheet. */

import { ArgumentError } from "../core/errors.js";
import { checkPixels, type PixelImage } from "./pixels.js";

export interface ContactSheetOptions {
  /** Pictures in a row. Default 10. */
  readonly columns?: number;
  /** Black pixels between them, and around all. Default 2. */
  readonly gap?: number;
  /** Every pixel becomes a square of so many. Default 1. */
  readonly scale?: number;
}

/**
 * One picture of many: rows of them from left to right, on black.
 *
 * @param pictures of one size; grey ones become red, green and blue where any has colours
 * @throws ArgumentError where sizes differ, or there are none
 * @example contactSheet([fromPlanar(train.get(0).image, [1, 28, 28])], { scale: 2 })
 */
export function contactSheet(pictures: readonly PixelImage[], options: ContactSheetOptions = {}): PixelImage {
  const { columns = 10, gap = 2, scale = 1 } = options;
  const settings = { columns, gap, scale };
  for (const [name, value] of Object.entries(settings)) {
    if (Number.isInteger(value) && value >= (name === "gap" ? 0 : 1) && value <= 1000) continue;
    throw new ArgumentError(
      `contactSheet: ${name} is ${value}. Expected an integer of ${name === "gap" ? 0 : 1} to 1000.`,
    );
  }
  if (pictures.length === 0) throw new ArgumentError("contactSheet: there are no pictures. Expected at least one.");
  for (const picture of pictures) {
    checkPixels("contactSheet", picture);
    const { width, height, channels } = picture;
    if (width === pictures[0].width && height === pictures[0].height && channels !== 4) continue;
    throw new ArgumentError(
      `contactSheet: a picture is ${width}×${height} with ${channels} channels. Expected all as the first, ${pictures[0].width}×${pictures[0].height}, with 1 or 3 channels.`,
    );
  }
  const [width, height] = [scale * pictures[0].width, scale * pictures[0].height];
  const across = Math.min(columns, pictures.length);
  const sheetWidth = gap + across * (width + gap);
  const sheetHeight = gap + Math.ceil(pictures.length / across) * (height + gap);
  const channels = pictures.some((picture) => picture.channels === 3) ? 3 : 1;
  const data = new Uint8Array(sheetWidth * sheetHeight * channels);
  for (const [i, picture] of pictures.entries()) {
    const left = gap + (i % across) * (width + gap);
    const top = gap + Math.floor(i / across) * (height + gap);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const from = (Math.floor(y / scale) * picture.width + Math.floor(x / scale)) * picture.channels;
        const to = ((top + y) * sheetWidth + left + x) * channels;
        for (let channel = 0; channel < channels; channel++)
          data[to + channel] = picture.data[from + (picture.channels === 1 ? 0 : channel)];
      }
    }
  }
  return { width: sheetWidth, height: sheetHeight, channels, data };
}
