/** Another light, another camera: brightness, contrast, saturation and hue. */

import { Augmentation, type ChanceOptions } from "./augmentation.js";
import { withValues } from "./bytes.js";
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation, checkColors } from "./color.js";
import { checkNames, checkRange, drawFrom, type Range } from "./options.js";

/** Default 0 for each: as it is. Where none is given: 0.4 for brightness, contrast and saturation. */
export interface ColorJitterOptions extends ChanceOptions {
  /** Factors from … to; one number x for 1 − x … 1 + x. */
  readonly brightness?: Range;
  readonly contrast?: Range;
  readonly saturation?: Range;
  /** Rounds of the circle of colours, −0.5 … 0.5; one number for both directions. */
  readonly hue?: Range;
}

type Change = "brightness" | "contrast" | "saturation" | "hue";

export interface ColorJitterParameters extends Readonly<Record<Change, number>> {
  /** Which comes first matters, because values are kept within 0 … 255 after each. */
  readonly order: readonly Change[];
}

const changes: readonly Change[] = ["brightness", "contrast", "saturation", "hue"];

/**
 * Changes colours, in a random order. Grey pictures have no saturation and no hue to change.
 *
 * @example augment.colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 })
 */
export function colorJitter(options: ColorJitterOptions = {}): Augmentation<ColorJitterParameters> {
  const name = "jitter";
  checkNames(name, options, [...changes, "probability"]);
  const usual = changes.every((change) => options[change] === undefined) ? 0.4 : 0;
  const factors = (option: Exclude<Change, "hue">) =>
    checkRange(name, option, options[option] ?? usual, { around: 1, least: 0 });
  const [brightness, contrast, saturation] = [factors("brightness"), factors("contrast"), factors("saturation")];
  const hue = checkRange(name, "hue", options.hue ?? 0, { around: 0, least: -0.5, most: 0.5 });
  return new Augmentation<ColorJitterParameters>(
    {
      draw: (random) => ({
        order: Array.from(random.permutation(changes.length), (change) => changes[change]),
        brightness: drawFrom(random, brightness),
        contrast: drawFrom(random, contrast),
        saturation: drawFrom(random, saturation),
        hue: drawFrom(random, hue),
      }),
      apply(picture, parameters) {
        checkColors(name, picture.shape);
        const values = Float64Array.from(picture.image);
        const plane = picture.shape[1] * picture.shape[2];
        for (const change of parameters.order) {
          const amount = parameters[change];
          if (change === "hue") {
            if (amount !== 0) adjustHue(values, plane, amount);
          } else if (amount !== 1) {
            if (change === "brightness") adjustBrightness(values, amount);
            else if (change === "contrast") adjustContrast(values, plane, amount);
            else adjustSaturation(values, plane, amount);
          }
        }
        return withValues(picture, values);
      },
    },
    options.probability,
    { name, options },
  );
}
