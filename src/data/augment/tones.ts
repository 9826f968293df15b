/** Changes of tones that leave nothing to chance but whether they happen. */

import { Augmentation, type ChanceOptions, type Picture } from "./augmentation.js";
import { mapBytes, withValues } from "./bytes.js";
import type { FlipParameters } from "./flip.js";
import { checkInteger, checkNames, checkNumber } from "./options.js";

export interface PosterizeOptions extends ChanceOptions {
  /** Leading bits of each value that are kept, 0 … 8. Default 4. */
  readonly bits?: number;
}

export interface SolarizeOptions extends ChanceOptions {
  /** Values from here on are turned into their negative. Default 128. */
  readonly threshold?: number;
}

export interface SharpnessOptions extends ChanceOptions {
  /** 0 blurs, 1 changes nothing, 2 sharpens. Default 2. */
  readonly factor?: number;
}

/** Fewer tones. @param options probability: 0.5 unless told */
export function posterize(options: PosterizeOptions = {}): Augmentation<FlipParameters> {
  const bits = checkInteger("posterize", "bits", options.bits ?? 4, 0, 8);
  return make("posterize", options, "bits", (picture) => reduceBits(picture, bits));
}

/** The negative of all that is bright. @param options probability: 0.5 unless told */
export function solarize(options: SolarizeOptions = {}): Augmentation<FlipParameters> {
  const threshold = checkNumber("solarize", "threshold", options.threshold ?? 128, 0, 256);
  return make("solarize", options, "threshold", (picture) => invertFrom(picture, threshold));
}

/** Each channel stretched over 0 … 255. @param options probability: 0.5 unless told */
export function autocontrast(options: ChanceOptions = {}): Augmentation<FlipParameters> {
  return make("autocontrast", options, undefined, stretchContrast);
}

/** Tones spread so that each channel has as many pixels of all. @param options probability: 0.5 unless told */
export function equalize(options: ChanceOptions = {}): Augmentation<FlipParameters> {
  return make("equalize", options, undefined, equalizeTones);
}

/** Sharper or softer edges. @param options probability: 0.5 unless told */
export function sharpness(options: SharpnessOptions = {}): Augmentation<FlipParameters> {
  const factor = checkNumber("sharpness", "factor", options.factor ?? 2, 0, 100);
  return make("sharpness", options, "factor", (picture) => adjustSharpness(picture, factor));
}

function make(name: string, options: ChanceOptions, own: string | undefined, apply: (picture: Picture) => Picture) {
  checkNames(name, options, [...(own === undefined ? [] : [own]), "probability"]);
  const { probability = 0.5 } = options;
  return new Augmentation<FlipParameters>({ draw: () => ({}), apply }, probability, { name, options });
}

export function reduceBits(picture: Picture, bits: number): Picture {
  const kept = 256 - 2 ** (8 - bits);
  return mapBytes(picture, (value) => value & kept);
}

export function invertFrom(picture: Picture, threshold: number): Picture {
  return mapBytes(picture, (value) => (value >= threshold ? 255 - value : value));
}

/** Applies `change` to each channel; masks stay. */
function eachChannel(picture: Picture, change: (channel: Picture) => Picture): Picture {
  const [channels, height, width] = picture.shape;
  const plane = height * width;
  const image = new Uint8Array(picture.image.length);
  for (let at = 0; at < channels * plane; at += plane) {
    const channel: Picture = { shape: [1, height, width], image: picture.image.subarray(at, at + plane) };
    image.set(change(channel).image, at);
  }
  return { ...picture, image };
}

export function stretchContrast(picture: Picture): Picture {
  return eachChannel(picture, (channel) => {
    let [least, most] = [255, 0];
    for (const value of channel.image) {
      if (value < least) least = value;
      if (value > most) most = value;
    }
    return least >= most ? channel : mapBytes(channel, (value) => ((value - least) * 255) / (most - least));
  });
}

/** As in Pillow: the brightest tone does not count for the size of steps. */
export function equalizeTones(picture: Picture): Picture {
  return eachChannel(picture, (channel) => {
    const counts = new Int32Array(256);
    for (const value of channel.image) counts[value]++;
    const brightest = counts.findLastIndex((count) => count > 0);
    const step = Math.floor((channel.image.length - counts[brightest]) / 255);
    if (step === 0) return channel;
    const below = new Int32Array(256);
    for (let value = 1; value < 256; value++) below[value] = below[value - 1] + counts[value - 1];
    return mapBytes(channel, (value) => Math.floor((below[value] + Math.floor(step / 2)) / step));
  });
}

/** Away from, or towards, the mean of the 3×3 pixels around, in which the middle counts five times; borders stay. */
export function adjustSharpness(picture: Picture, factor: number): Picture {
  const [channels, height, width] = picture.shape;
  const { image } = picture;
  const values = Float64Array.from(image);
  for (let row = 0; row < channels * height; row++) {
    const y = row % height;
    if (y === 0 || y === height - 1) continue;
    for (let x = 1; x < width - 1; x++) {
      const at = row * width + x;
      let sum = 4 * image[at];
      for (let line = at - width; line <= at + width; line += width)
        sum += image[line - 1] + image[line] + image[line + 1];
      values[at] = factor * image[at] + (1 - factor) * (sum / 13);
    }
  }
  return withValues(picture, values);
}
