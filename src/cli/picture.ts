/** Pictures in a terminal: two pixels to a character. */

import { fromPlanar, type PixelImage } from "../data/pixels.js";
import type { Colours } from "./terminal.js";

/** Of grey, or of red, green and blue. */
export type Picture = PixelImage & { readonly channels: 1 | 3 };

const plainShades = " .:-=+*#%@";

/** The picture of an image in C×H×W order; of more than three channels, or of two, their mean. */
export function toPicture(
  image: Uint8Array,
  [channels, height, width]: readonly [channels: number, height: number, width: number],
): Picture {
  if (channels === 1 || channels === 3) return fromPlanar(image, [channels, height, width]);
  const plane = height * width;
  const data = Uint8Array.from({ length: plane }, (_, pixel) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += image[channel * plane + pixel];
    return sum / channels;
  });
  return { width, height, channels: 1, data };
}

/** How bright a pixel is: ITU-R BT.601. */
function brightness({ channels, data }: Picture, pixel: number): number {
  if (channels === 1) return data[pixel];
  return 0.299 * data[3 * pixel] + 0.587 * data[3 * pixel + 1] + 0.114 * data[3 * pixel + 2];
}

/** The mean over a picture of how bright its pixels are, 0 … 255. */
export function meanBrightness(picture: Picture): number {
  const pixels = picture.width * picture.height;
  let sum = 0;
  for (let pixel = 0; pixel < pixels; pixel++) sum += brightness(picture, pixel);
  return sum / pixels;
}

/** Lines of text: coloured half blocks where colours are possible, else characters of growing density. */
export function drawPicture(picture: Picture, colours: Colours): string[] {
  const { width, height } = picture;
  const lines: string[] = [];
  for (let y = 0; y < height; y += 2) {
    let line = "";
    for (let x = 0; x < width; x++) {
      const upper = y * width + x;
      // Below the last row all is black.
      const lower = y + 1 < height ? upper + width : undefined;
      if (colours === "none") {
        const both = brightness(picture, upper) + (lower === undefined ? 0 : brightness(picture, lower));
        line += plainShades[Math.floor((both / 511) * plainShades.length)];
      } else {
        line += `\x1b[38;${colourOf(picture, upper, colours)}m\x1b[48;${colourOf(picture, lower, colours)}m▀`;
      }
    }
    lines.push(colours === "none" ? line : `${line}\x1b[0m`);
  }
  return lines;
}

/** What follows 38 or 48 in a terminal's command to set the colour of characters, or of what is behind them. */
function colourOf({ channels, data }: Picture, pixel: number | undefined, colours: Exclude<Colours, "none">): string {
  const at = (pixel ?? 0) * channels;
  const [red, green, blue] =
    pixel === undefined ? [0, 0, 0] : channels === 1 ? [data[at], data[at], data[at]] : data.subarray(at, at + 3);
  if (colours === "true") return `2;${red};${green};${blue}`;
  return `5;${red === green && green === blue ? nearestGrey(red) : nearestColour(red, green, blue)}`;
}

/** The nearest of a terminal's 24 greys, black and white. */
function nearestGrey(value: number): number {
  const step = Math.round((value / 255) * 25);
  if (step === 0) return 16;
  return step === 25 ? 231 : 231 + step;
}

/** The nearest of the 6×6×6 colours between, whose levels are 0, 95, 135, 175, 215 and 255. */
function nearestColour(red: number, green: number, blue: number): number {
  const level = (value: number) => (value < 48 ? 0 : value < 115 ? 1 : Math.round((value - 55) / 40));
  return 16 + 36 * level(red) + 6 * level(green) + level(blue);
}

/** The picture without the black rows and columns around it. */
export function cropPicture(picture: Picture): Picture {
  const { width, height, channels, data } = picture;
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (brightness(picture, y * width + x) === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return picture;
  const size = { width: right - left + 1, height: bottom - top + 1 };
  const cropped = new Uint8Array(size.width * size.height * channels);
  for (let y = 0; y < size.height; y++) {
    const at = ((top + y) * width + left) * channels;
    cropped.set(data.subarray(at, at + size.width * channels), y * size.width * channels);
  }
  return { ...size, channels, data: cropped };
}

/** The picture made smaller, by averaging squares, until it is at most so wide. */
export function shrinkPicture(picture: Picture, mostWidth: number): Picture {
  const step = Math.ceil(picture.width / mostWidth);
  if (step <= 1) return picture;
  const { channels } = picture;
  const [width, height] = [Math.floor(picture.width / step), Math.max(1, Math.floor(picture.height / step))];
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    const [left, top] = [(pixel % width) * step, Math.floor(pixel / width) * step];
    const bottom = Math.min(top + step, picture.height);
    let sum = 0;
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < left + step; x++) sum += picture.data[(y * picture.width + x) * channels + (i % channels)];
    }
    return sum / ((bottom - top) * step);
  });
  return { width, height, channels, data };
}

/** Lines of text of one visible width. */
export interface Block {
  readonly width: number;
  readonly lines: readonly string[];
}

export const gap = 2;

/** Blocks next to one another, aligned at their tops. */
export function sideBySide(blocks: readonly Block[]): string[] {
  const height = Math.max(0, ...blocks.map(({ lines }) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    blocks
      .map(({ lines, width }) => lines[row] ?? " ".repeat(width))
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}
