/** A digit on paper made into a picture as MNIST's are: bright on black, of one size, in the middle. */

import { checkCount } from "../../core/check.js";
import { ArgumentError, DataError } from "../../core/errors.js";
import { checkPixels, type PixelImage, toByte } from "../pixels.js";
import { resizePixels } from "../resize.js";
import { lessGround, type Plane } from "./ground.js";
import { type Box, otsuThreshold, strokesAbove } from "./strokes.js";

/** Which of the two is brighter, ink or paper. */
export type Polarity = "dark-on-light" | "light-on-dark";

export interface PrepareDigitOptions {
  /** Height and width of the result, at least 8. Default 28. */
  readonly size?: number;
  /** Default: what takes up less of the picture is the ink. */
  readonly polarity?: Polarity;
}

export interface PreparedDigit {
  /** `size` × `size`, grey: bright on black. */
  readonly image: PixelImage;
  /** How it was in the photograph. */
  readonly polarity: Polarity;
  /** Where the digit was in the photograph, in its pixels. */
  readonly box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}

/** Longest side of what is looked at: more pixels would only take longer, and show the grain of the paper. */
const lookedAt = 256;
/** Levels by which ink differs from paper at least. */
const leastContrast = 16;

/**
 * Finds the digit in a photograph or a scan, and prepares it as MNIST was: takes off uneven light, finds out whether the ink is
 * dark or bright, leaves out specks and what reaches in from the edges, scales the digit to 20 of 28 pixels with its proportions
 * kept, and puts its centre of mass in the middle (LeCun et al. 1998, section III.A).
 *
 * @param photo of a single digit, grey or in colours; what is transparent counts as white
 * @throws DataError where nothing stands out from the paper
 * @example
 * const { image } = prepareDigit(await readPixels("photo.jpg")); // 28×28, for a network that learnt MNIST
 */
export function prepareDigit(photo: PixelImage, { size = 28, polarity }: PrepareDigitOptions = {}): PreparedDigit {
  checkPixels("prepareDigit", photo);
  checkCount("prepareDigit", "size", size);
  if (size < 8) throw new ArgumentError(`prepareDigit: size is ${size}. Expected 8 pixels or more, to show a digit.`);
  const factor = Math.max(1, Math.max(photo.width, photo.height) / lookedAt);
  const [height, width] = [photo.height, photo.width].map((length) => Math.max(1, Math.round(length / factor)));
  const grey = toGrey(factor === 1 ? photo : resizePixels(photo, [height, width]));
  const { rest, noise } = lessGround({ width, height, values: grey });
  const [dark, bright] = [-1, 1].map((sign) =>
    rest.values.reduce((sum, value) => sum + Math.max(0, sign * value) ** 2, 0),
  );
  const found = polarity ?? (dark > bright ? "dark-on-light" : "light-on-dark");
  const sign = found === "dark-on-light" ? -1 : 1;
  const ink: Plane = { width, height, values: rest.values.map((value) => Math.max(0, sign * value)) };
  const threshold = otsuThreshold(ink.values);
  const strokes = threshold < Math.max(noise, leastContrast / 2) ? undefined : strokesAbove(ink, threshold);
  if (strokes === undefined) {
    throw new DataError(
      `prepareDigit: nothing stands out from the ground in the picture of ${photo.width}×${photo.height} pixels. Expected a digit, dark on light or light on dark. Fix: more contrast, or a closer photograph.`,
    );
  }
  const { left, top, right, bottom } = strokes.box;
  const x = (column: number) => Math.round((column * photo.width) / width);
  const y = (row: number) => Math.round((row * photo.height) / height);
  return {
    image: inTheMiddle(cut(ink, threshold, strokes), size),
    polarity: found,
    box: { left: x(left), top: y(top), width: x(right) - x(left), height: y(bottom) - y(top) },
  };
}

/** ITU-R BT.601. */
function toGrey({ channels, data, width, height }: PixelImage): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: width * height }, (_, pixel) => {
    const at = pixel * channels;
    if (channels === 1) return data[at];
    const grey = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
    return channels === 3 ? grey : 255 + (data[at + 3] / 255) * (grey - 255);
  });
}

/** What is in the box, and black where it is not of the digit: pixels next to its own belong to its soft edge. */
function cut(
  { width, height, values }: Plane,
  threshold: number,
  { box, mask }: { readonly box: Box; readonly mask: Uint8Array },
): PixelImage {
  const ofDigit = values.filter((_, pixel) => mask[pixel] === 1).sort();
  const full = ofDigit[Math.floor(0.75 * (ofDigit.length - 1))];
  const none = 0.5 * threshold;
  const left = Math.max(0, box.left - 1);
  const top = Math.max(0, box.top - 1);
  const size = { width: Math.min(width, box.right + 1) - left, height: Math.min(height, box.bottom + 1) - top };
  const isNear = (row: number, column: number) => {
    for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
      for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
        if (mask[y * width + x] === 1) return true;
      }
    }
    return false;
  };
  const data = Uint8Array.from({ length: size.width * size.height }, (_, pixel) => {
    const [row, column] = [top + Math.floor(pixel / size.width), left + (pixel % size.width)];
    if (!isNear(row, column)) return 0;
    return toByte((255 * (values[row * width + column] - none)) / (full - none));
  });
  return { ...size, channels: 1, data };
}

/** Scaled to 20 of 28 pixels, as bright as it can be, its centre of mass in the middle as far as it then fits. */
function inTheMiddle(digit: PixelImage, size: number): PixelImage {
  const longest = Math.round((size * 20) / 28);
  const scale = longest / Math.max(digit.width, digit.height);
  const [height, width] = [digit.height, digit.width].map((length) => Math.max(1, Math.round(length * scale)));
  const { data: small } = resizePixels(digit, [height, width]);
  let [sum, sumX, sumY, most] = [0, 0, 0, 1];
  small.forEach((value, pixel) => {
    sum += value;
    sumX += value * ((pixel % width) + 0.5);
    sumY += value * (Math.floor(pixel / width) + 0.5);
    most = Math.max(most, value);
  });
  const place = (weighted: number, length: number) =>
    Math.min(size - length, Math.max(0, Math.round(size / 2 - weighted / Math.max(1, sum))));
  const [left, top] = [place(sumX, width), place(sumY, height)];
  const data = new Uint8Array(size * size);
  small.forEach((value, pixel) => {
    data[(top + Math.floor(pixel / width)) * size + left + (pixel % width)] = toByte((255 * value) / most);
  });
  return { width: size, height: size, channels: 1, data };
}
