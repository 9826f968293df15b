/**
 * Pictures brought to another size as Pillow does it, to the last bit, so that networks see what they were trained on:
 * every pixel is a weighted mean of those under a kernel that grows with the reduction (antialiasing), first along rows,
 * then along columns, with 8 bits in between.
 */

import { ArgumentError } from "../core/errors.js";
import { checkPixels, type PixelImage } from "./pixels.js";

export type Interpolation = "bilinear" | "bicubic";

/** How pictures become a network's input; entries of `models` are such. */
export interface PictureInput {
  /** C×H×W. */
  readonly inputShape: readonly [channels: number, height: number, width: number];
  /** The short side to `resize`, then the middle `crop` × `crop`. Default: scaled to `inputShape`, whatever the proportions. */
  readonly resizing?:
    | { readonly resize: number; readonly crop: number; readonly interpolation: Interpolation }
    | undefined;
}

/** A kernel: its weight at a distance from its centre, and the distance beyond which it is 0. */
interface Kernel {
  readonly reach: number;
  weight(distance: number): number;
}

const kernels: Readonly<Record<Interpolation, Kernel>> = {
  bilinear: { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  // Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -0.5.
  bicubic: {
    reach: 2,
    weight(signed) {
      const x = Math.abs(signed);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
};

/**
 * The picture in another size.
 *
 * @param size pixels: [height, width]
 * @example resizePixels(photo, [224, 224])
 */
export function resizePixels(
  image: PixelImage,
  size: readonly [height: number, width: number],
  interpolation: Interpolation = "bilinear",
): PixelImage {
  checkPixels("resizePixels", image);
  const [height, width] = size;
  if (size.some((length) => !Number.isInteger(length) || length < 1 || length > 65_535)) {
    throw new ArgumentError(
      `resizePixels: the size is [${size.join(", ")}]. Expected [height, width], integers from 1 to 65535.`,
    );
  }
  return resizeHeight(resizeWidth(image, width, interpolation), height, interpolation);
}

/** The middle of a picture. @param size pixels: [height, width] */
export function cropCenter(image: PixelImage, size: readonly [height: number, width: number]): PixelImage {
  checkPixels("cropCenter", image);
  const [height, width] = size;
  const { channels } = image;
  if (size.some((length) => !Number.isInteger(length) || length < 1) || height > image.height || width > image.width) {
    throw new ArgumentError(
      `cropCenter: the size is [${size.join(", ")}]. Expected [height, width], integers from 1 to the picture's ${image.height} and ${image.width}.`,
    );
  }
  const top = roundHalfEven((image.height - height) / 2);
  const left = roundHalfEven((image.width - width) / 2);
  const data = new Uint8Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const at = ((top + y) * image.width + left) * channels;
    data.set(image.data.subarray(at, at + width * channels), y * width * channels);
  }
  return { width, height, channels, data };
}

/**
 * The picture as a network expects it: resized and cropped as its entry says.
 *
 * @example const pixels = fitPixels(photo, models.find("resnet18")); // 224×224
 * @throws ArgumentError unless the picture has the network's channels
 */
export function fitPixels(image: PixelImage, { inputShape, resizing }: PictureInput): PixelImage {
  const [channels, height, width] = inputShape;
  if (image.channels !== channels) {
    throw new ArgumentError(
      `fitPixels: the picture has ${image.channels} channels. Expected ${channels}, as the network takes.`,
    );
  }
  if (resizing === undefined) return resizePixels(image, [height, width]);
  const { resize, crop, interpolation } = resizing;
  const short = Math.min(image.height, image.width);
  const scaled = (side: number) => Math.floor((resize * side) / short);
  const larger = resizePixels(image, [scaled(image.height), scaled(image.width)], interpolation);
  return cropCenter(larger, [crop, crop]);
}

/** To the nearest integer, halves to the even one, as Python rounds. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

/** Weights are integers over 2^22: 8 bits of pixel, 22 of weight and 2 for sums fill 32. */
const WEIGHT_BITS = 22;

/** For each position of the output: where its pixels of the input begin, how many there are, and their weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `most` for each position. */
  readonly weights: Int32Array;
  readonly most: number;
}

function tapsOf(from: number, to: number, { reach, weight }: Kernel): Taps {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const most = Math.ceil(reach * stretch) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * most);
  const exact = new Float64Array(most);
  for (let position = 0; position < to; position++) {
    const center = (position + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(center - reach * stretch + 0.5));
    const end = Math.min(from, Math.trunc(center + reach * stretch + 0.5));
    let sum = 0;
    for (let i = begin; i < end; i++) {
      exact[i - begin] = weight((i - center + 0.5) / stretch);
      sum += exact[i - begin];
    }
    for (let i = 0; i < end - begin; i++) {
      const scaled = (exact[i] / sum) * 2 ** WEIGHT_BITS;
      weights[position * most + i] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
    first[position] = begin;
    count[position] = end - begin;
  }
  return { first, count, weights, most };
}

function resizeWidth(image: PixelImage, width: number, interpolation: Interpolation): PixelImage {
  if (width === image.width) return image;
  const { channels, height, data: input } = image;
  const { first, count, weights, most } = tapsOf(image.width, width, kernels[interpolation]);
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * image.width + first[x]) * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 1 << (WEIGHT_BITS - 1);
        for (let i = 0; i < count[x]; i++) sum += input[from + i * channels + channel] * weights[x * most + i];
        data[(y * width + x) * channels + channel] = toByte(sum);
      }
    }
  }
  return { width, height, channels, data };
}

function resizeHeight(image: PixelImage, height: number, interpolation: Interpolation): PixelImage {
  if (height === image.height) return image;
  const { channels, width, data: input } = image;
  const { first, count, weights, most } = tapsOf(image.height, height, kernels[interpolation]);
  const row = width * channels;
  const data = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < row; x++) {
      let sum = 1 << (WEIGHT_BITS - 1);
      for (let i = 0; i < count[y]; i++) sum += input[(first[y] + i) * row + x] * weights[y * most + i];
      data[y * row + x] = toByte(sum);
    }
  }
  return { width, height, channels, data };
}

function toByte(sum: number): number {
  return Math.max(0, Math.min(255, sum >> WEIGHT_BITS));
}
