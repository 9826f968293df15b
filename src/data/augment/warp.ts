/** Pictures bent: each pixel of the result is read at some place of the picture, between its pixels or beyond its borders. */

import { ArgumentError } from "../../core/errors.js";
import type { Picture } from "./augmentation.js";
import { checkChoice, checkNumber } from "./options.js";

export type Sampling = "bilinear" | "nearest";

export interface FillOptions {
  /** What lies beyond the borders, 0 … 255: one number, or one for each channel. Default 0. */
  readonly fill?: number | readonly number[];
  /** The class number that masks have there. Default 0. */
  readonly maskFill?: number;
}

export interface WarpOptions extends FillOptions {
  /** How pictures are read between pixels; masks always by nearest neighbour. Default `bilinear`. */
  readonly sampling?: Sampling;
}

export const fillNames: readonly string[] = ["fill", "maskFill"];
export const warpNames: readonly string[] = [...fillNames, "sampling"];

export interface Fill {
  readonly fill: readonly number[];
  readonly maskFill: number;
}

export interface WarpSettings extends Fill {
  readonly sampling: Sampling;
}

export function checkFill(name: string, { fill = 0, maskFill = 0 }: FillOptions): Fill {
  const list = typeof fill === "number" ? [fill] : [...fill];
  for (const value of list) checkNumber(name, "fill", value, 0, 255);
  return { fill: list, maskFill: checkNumber(name, "maskFill", maskFill, 0, 255) };
}

export function checkWarp(name: string, { sampling = "bilinear", ...options }: WarpOptions): WarpSettings {
  checkChoice(name, "sampling", sampling, ["bilinear", "nearest"]);
  return { ...checkFill(name, options), sampling };
}

/** The value beyond the borders of a channel. */
export function fillOf({ fill }: Fill, channel: number, channels: number): number {
  if (fill.length === 1) return fill[0];
  if (fill.length === channels) return fill[channel];
  throw new ArgumentError(
    `augmentation: fill has ${fill.length} values for pictures of ${channels} channels. Expected one, or one for each channel.`,
  );
}

/** For each pixel of a result, row by row, the place of the picture that it shows: (0, 0) is the middle of the first pixel. */
export interface Places {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Reads a picture at `places`, as many as it has pixels. */
export function warp(picture: Picture, places: Places, settings: WarpSettings): Picture {
  const { shape, image, mask } = picture;
  const [channels, height, width] = shape;
  const plane = height * width;
  const read = settings.sampling === "bilinear" ? readBilinear : readNearest;
  const result = new Uint8Array(image.length);
  for (let channel = 0; channel < channels; channel++) {
    const at = channel * plane;
    const fill = fillOf(settings, channel, channels);
    read(image.subarray(at, at + plane), height, width, places, fill, result.subarray(at, at + plane));
  }
  if (mask === undefined) return { shape, image: result };
  const moved = new Uint8Array(plane);
  readNearest(mask, height, width, places, settings.maskFill, moved);
  return { shape, image: result, mask: moved };
}

function readNearest(
  from: Uint8Array,
  height: number,
  width: number,
  places: Places,
  fill: number,
  to: Uint8Array,
): void {
  for (let i = 0; i < to.length; i++) {
    const x = Math.floor(places.x[i] + 0.5);
    const y = Math.floor(places.y[i] + 0.5);
    to[i] = x >= 0 && x < width && y >= 0 && y < height ? from[y * width + x] : fill;
  }
}

/** The mean of the four pixels around, weighted by nearness; beyond the borders lies `fill`. */
function readBilinear(
  from: Uint8Array,
  height: number,
  width: number,
  places: Places,
  fill: number,
  to: Uint8Array,
): void {
  for (let i = 0; i < to.length; i++) {
    const x = places.x[i];
    const y = places.y[i];
    if (!(x > -1 && x < width && y > -1 && y < height)) {
      to[i] = fill;
      continue;
    }
    const left = Math.floor(x);
    const top = Math.floor(y);
    const right = x - left;
    const lower = y - top;
    const at = top * width + left;
    const a = top >= 0 && left >= 0 ? from[at] : fill;
    const b = top >= 0 && left + 1 < width ? from[at + 1] : fill;
    const c = top + 1 < height && left >= 0 ? from[at + width] : fill;
    const d = top + 1 < height && left + 1 < width ? from[at + width + 1] : fill;
    const value = (a * (1 - right) + b * right) * (1 - lower) + (c * (1 - right) + d * right) * lower;
    // Between 0 and 255 already.
    to[i] = (value + 0.5) | 0;
  }
}

/** Room for the places of a picture's pixels. */
export function newPlaces(size: number): Places {
  return { x: new Float64Array(size), y: new Float64Array(size) };
}
