/** Numbers as the bytes of pictures. */

import { toByte } from "../pixels.js";
import type { Picture } from "./augmentation.js";

/** A picture of the same shape and mask, each byte of which is `change` of the old one. */
export function mapBytes(picture: Picture, change: (value: number) => number): Picture {
  const table = new Uint8Array(256);
  for (let value = 0; value < 256; value++) table[value] = toByte(change(value));
  const image = new Uint8Array(picture.image.length);
  for (let i = 0; i < image.length; i++) image[i] = table[picture.image[i]];
  return { ...picture, image };
}

/** A picture of the same shape and mask with these values, rounded. */
export function withValues(picture: Picture, values: ArrayLike<number>): Picture {
  const image = new Uint8Array(values.length);
  for (let i = 0; i < image.length; i++) image[i] = toByte(values[i]);
  return { ...picture, image };
}
