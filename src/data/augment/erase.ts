/** Parts of pictures hidden, so that networks learn to look at more than one thing. */

import { RandomStream } from "../../core/philox.js";
import { Augmentation, type ChanceOptions, type Picture } from "./augmentation.js";
import { checkInteger, checkNames, checkNumber, checkRange } from "./options.js";
import { fillOf } from "./warp.js";
import type { Window } from "./window.js";

export interface EraseOptions extends ChanceOptions {
  /** Share of the picture's area. Default [0.02, 0.33]. */
  readonly scale?: readonly [least: number, most: number];
  /** Width over height. Default [0.3, 3.3]. */
  readonly ratio?: readonly [least: number, most: number];
  /** What hides it: a value from 0 to 255, one for each channel, or `noise`. Default 0. */
  readonly fill?: number | readonly number[] | "noise";
  /** Default 0.5. */
  readonly probability?: number;
}

export interface CutoutOptions extends ChanceOptions {
  /** Side of the square in pixels. Default 8. */
  readonly size?: number;
  /** What hides it: a value from 0 to 255, or one for each channel. Default 0. */
  readonly fill?: number | readonly number[];
}

/** The rectangle that is hidden, and what the noise is drawn from. */
export interface EraseParameters extends Window {
  readonly noiseSeed: number;
}

/**
 * Hides a rectangle (Zhong et al., "Random erasing data augmentation", 2017). Masks stay as they are.
 *
 * @example augment.erase({ probability: 0.25, fill: "noise" })
 */
export function erase(options: EraseOptions = {}): Augmentation<EraseParameters> {
  const name = "erase";
  checkNames(name, options, ["scale", "ratio", "fill", "probability"]);
  const { fill = 0, probability = 0.5 } = options;
  const scale = checkRange(name, "scale", options.scale ?? [0.02, 0.33], { least: 0, most: 1 });
  const ratio = checkRange(name, "ratio", options.ratio ?? [0.3, 3.3], { least: 1e-3, most: 1e3 });
  const hiding = fill === "noise" ? undefined : checkFills(name, fill);
  return new Augmentation<EraseParameters>(
    {
      draw(random, [, rows, columns]) {
        const area = rows * columns * random.uniform(...scale);
        const proportion = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
        const width = Math.min(columns, Math.round(Math.sqrt(area * proportion)));
        const height = Math.min(rows, Math.round(Math.sqrt(area / proportion)));
        const [top, left] = [random.integer(rows - height + 1), random.integer(columns - width + 1)];
        return { top, left, height, width, noiseSeed: random.bits() };
      },
      apply: (picture, parameters) => hide(picture, parameters, hiding),
    },
    probability,
    { name, options },
  );
}

/**
 * Hides a square whose middle is anywhere in the picture; of one at the border, part lies outside (DeVries & Taylor, "Improved
 * regularization of convolutional neural networks with cutout", 2017).
 *
 * @example augment.cutout({ size: 16 }) // the paper's, for CIFAR-10
 */
export function cutout(options: CutoutOptions = {}): Augmentation<EraseParameters> {
  const name = "cutout";
  checkNames(name, options, ["size", "fill", "probability"]);
  const { size = 8, fill = 0, probability } = options;
  checkInteger(name, "size", size, 1, 16384);
  const hiding = checkFills(name, fill);
  return new Augmentation<EraseParameters>(
    {
      draw(random, [, rows, columns]) {
        const half = Math.floor(size / 2);
        const [top, left] = [random.integer(rows) - half, random.integer(columns) - half];
        return { top, left, height: size, width: size, noiseSeed: 0 };
      },
      apply: (picture, parameters) => hide(picture, parameters, hiding),
    },
    probability,
    { name, options },
  );
}

function checkFills(name: string, fill: number | readonly number[]): readonly number[] {
  const list = typeof fill === "number" ? [fill] : fill;
  return list.map((value) => checkNumber(name, "fill", value, 0, 255));
}

function hide(picture: Picture, parameters: EraseParameters, fill: readonly number[] | undefined): Picture {
  const { top, left, height, width, noiseSeed } = parameters;
  const [channels, rows, columns] = picture.shape;
  const image = picture.image.slice();
  const random = new RandomStream(noiseSeed);
  const [firstRow, firstColumn] = [Math.max(0, top), Math.max(0, left)];
  const [endRow, endColumn] = [Math.min(rows, top + height), Math.min(columns, left + width)];
  for (let channel = 0; channel < channels; channel++) {
    const value = fill && fillOf({ fill, maskFill: 0 }, channel, channels);
    for (let y = firstRow; y < endRow; y++) {
      const row = (channel * rows + y) * columns;
      for (let at = row + firstColumn; at < row + endColumn; at++) image[at] = value ?? random.integer(256);
    }
  }
  return { ...picture, image };
}
