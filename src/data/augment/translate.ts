/** Moved pictures. */

import { Augmentation, type ChanceOptions } from "./augmentation.js";
import { checkInteger, checkNames } from "./options.js";
import { checkFill, type FillOptions, fillNames } from "./warp.js";
import { cutWindow } from "./window.js";

export interface TranslateOptions extends ChanceOptions, FillOptions {
  /** At most, in each direction; whole pixels, so that nothing is blurred. Default 2. */
  readonly pixels?: number | readonly [x: number, y: number];
}

/** Pixels to the right and down. */
export interface TranslateParameters {
  readonly x: number;
  readonly y: number;
}

/** @example augment.translate({ pixels: 2 }) // 25 positions, each as likely as the others */
export function translate(options: TranslateOptions = {}): Augmentation<TranslateParameters> {
  const name = "translate";
  checkNames(name, options, ["pixels", "probability", ...fillNames]);
  const { pixels = 2, probability } = options;
  const fill = checkFill(name, options);
  const [mostX, mostY] = (typeof pixels === "number" ? [pixels, pixels] : pixels).map((most) =>
    checkInteger(name, "pixels", most, 0),
  );
  return new Augmentation<TranslateParameters>(
    {
      draw: (random) => ({ x: random.integer(2 * mostX + 1) - mostX, y: random.integer(2 * mostY + 1) - mostY }),
      apply(picture, { x, y }) {
        const [, height, width] = picture.shape;
        return cutWindow(picture, { top: -y, left: -x, height, width }, "constant", fill);
      },
    },
    probability,
    { name, options },
  );
}
