/** Windows of a picture at random places. */

import { ArgumentError } from "../../core/errors.js";
import { Augmentation, type PictureShape } from "./augmentation.js";
import { checkChoice, checkInteger, checkNames } from "./options.js";
import { checkFill, type FillOptions, fillNames } from "./warp.js";
import { cutWindow, type PaddingMode } from "./window.js";

export interface RandomCropOptions extends FillOptions {
  /** Of the results, in pixels: one number for squares, or [height, width]. Default: that of the pictures. */
  readonly size?: number | readonly [height: number, width: number];
  /** Pixels to add on each side first. Default 4 without a size, else 0. */
  readonly padding?: number;
  /** What they show. Default `constant`: `fill`. */
  readonly paddingMode?: PaddingMode;
}

/** The first row and column of the window; negative in the padding. */
export interface CropParameters {
  readonly top: number;
  readonly left: number;
}

/**
 * Cuts a window out of the padded picture: padding of 4 and a flip are what CIFAR is trained with (He et al., "Deep residual
 * learning for image recognition", 2015).
 *
 * @example augment.randomCrop({ padding: 4 })
 */
export function randomCrop(options: RandomCropOptions = {}): Augmentation<CropParameters> {
  const name = "crop";
  checkNames(name, options, ["size", "padding", "paddingMode", ...fillNames]);
  const { size, padding = size === undefined ? 4 : 0, paddingMode = "constant" } = options;
  checkInteger(name, "padding", padding, 0, 16384);
  checkChoice(name, "paddingMode", paddingMode, ["constant", "edge", "reflect"]);
  const fill = checkFill(name, options);
  const sides = typeof size === "number" ? [size, size] : size;
  for (const side of sides ?? []) checkInteger(name, "size", side, 1, 16384);
  const outputShape = (shape: PictureShape): PictureShape => {
    const [channels, height, width] = shape;
    const [rows, columns] = sides ?? [height, width];
    if (rows > height + 2 * padding || columns > width + 2 * padding) {
      throw new ArgumentError(
        `augment crop: a window of ${rows}×${columns} does not fit into a picture of ${height}×${width} with ${padding} pixels of padding. Fix: a smaller size, or more padding.`,
      );
    }
    return [channels, rows, columns];
  };
  return new Augmentation<CropParameters>(
    {
      outputShape,
      draw(random, shape) {
        const [, rows, columns] = outputShape(shape);
        return {
          top: random.integer(shape[1] + 2 * padding - rows + 1) - padding,
          left: random.integer(shape[2] + 2 * padding - columns + 1) - padding,
        };
      },
      apply(picture, { top, left }) {
        const [, height, width] = outputShape(picture.shape);
        return cutWindow(picture, { top, left, height, width }, paddingMode, fill);
      },
    },
    1,
    { name, options },
  );
}
