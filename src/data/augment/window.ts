/** A window of a picture, which may reach over its borders. */

import type { Picture } from "./augmentation.js";
import { reflected } from "./smooth.js";
import { type Fill, fillOf } from "./warp.js";

/** What lies beyond the borders: one value, the nearest pixel, or the picture mirrored in its outermost pixels. */
export type PaddingMode = "constant" | "edge" | "reflect";

export interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

const noFill: Fill = { fill: [0], maskFill: 0 };

/** The part of the picture, and of its mask, that the window shows. */
export function cutWindow(picture: Picture, window: Window, mode: PaddingMode = "constant", fill = noFill): Picture {
  const { shape, image, mask } = picture;
  const [channels, height, width] = shape;
  const [from, to] = [height * width, window.height * window.width];
  const rows = positions(window.top, window.height, height, mode);
  const columns = positions(window.left, window.width, width, mode);
  const cut = new Uint8Array(channels * to);
  for (let channel = 0; channel < channels; channel++) {
    const source = image.subarray(channel * from, (channel + 1) * from);
    cutPlane(source, width, rows, columns, fillOf(fill, channel, channels), cut.subarray(channel * to));
  }
  const result: Picture = { shape: [channels, window.height, window.width], image: cut };
  if (mask === undefined) return result;
  const moved = new Uint8Array(to);
  cutPlane(mask, width, rows, columns, fill.maskFill, moved);
  return { ...result, mask: moved };
}

/** @param to zeros */
function cutPlane(
  from: Uint8Array,
  width: number,
  rows: Int32Array,
  columns: Int32Array,
  fill: number,
  to: Uint8Array,
): void {
  const count = columns.length;
  // The columns from `first` to before `end` lie within the picture.
  let first = 0;
  while (first < count && columns[first] < 0) first++;
  let end = count;
  while (end > first && columns[end - 1] < 0) end--;
  if (fill !== 0) to.fill(fill, 0, rows.length * count);
  for (let y = 0; y < rows.length; y++) {
    if (rows[y] < 0) continue;
    const row = rows[y] * width;
    const at = y * count;
    for (let x = first; x < end; x++) to[at + x] = from[row + columns[x]];
  }
}

/** Which rows or columns `count` ones from `first` on show; −1 is none. */
function positions(first: number, count: number, length: number, mode: PaddingMode): Int32Array {
  const result = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const at = first + i;
    if (at >= 0 && at < length) result[i] = at;
    else if (mode === "constant") result[i] = -1;
    else if (mode === "edge") result[i] = at < 0 ? 0 : length - 1;
    else result[i] = reflected(at, length);
  }
  return result;
}
