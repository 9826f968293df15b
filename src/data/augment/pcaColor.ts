/** Colours moved in the directions in which those of photographs differ most. */

import { ArgumentError } from "../../core/errors.js";
import { toByte } from "../pixels.js";
import { Augmentation, type ChanceOptions } from "./augmentation.js";
import { checkNames, checkNumber } from "./options.js";

export interface PcaColorOptions extends ChanceOptions {
  /** Standard deviation of the three amounts. Default 0.1. */
  readonly deviation?: number;
}

/** How much of each direction is added. */
export interface PcaColorParameters {
  readonly amounts: readonly [number, number, number];
}

/** Of ImageNet's colours as shares of 255, most important first: how long, and red, green and blue; in wide use with ResNets. */
const components = [
  [0.2175, [-0.5675, -0.5808, -0.5836]],
  [0.0188, [0.7192, -0.0045, -0.6948]],
  [0.0045, [0.4009, -0.814, 0.4203]],
] as const;

/**
 * Adds multiples of the principal components of ImageNet's colours to all pixels alike: the light's intensity and colour change
 * (Krizhevsky, Sutskever & Hinton, "ImageNet classification with deep convolutional neural networks", 2012).
 *
 * @example augment.pcaColor()
 */
export function pcaColor(options: PcaColorOptions = {}): Augmentation<PcaColorParameters> {
  const name = "pca-color";
  checkNames(name, options, ["deviation", "probability"]);
  const deviation = checkNumber(name, "deviation", options.deviation ?? 0.1, 0, 10);
  return new Augmentation<PcaColorParameters>(
    {
      draw(random) {
        const one = () => random.normal(0, deviation);
        return { amounts: [one(), one(), one()] };
      },
      apply(picture, { amounts }) {
        const [channels, height, width] = picture.shape;
        if (channels !== 3) {
          throw new ArgumentError(
            `augment ${name}: the pictures have ${channels} channels. Expected red, green and blue.`,
          );
        }
        const image = new Uint8Array(picture.image.length);
        for (let channel = 0, i = 0; channel < 3; channel++) {
          let shift = 0;
          for (const [k, [length, direction]] of components.entries())
            shift += amounts[k] * length * direction[channel];
          for (const end = i + height * width; i < end; i++) image[i] = toByte(picture.image[i] + 255 * shift);
        }
        return { ...picture, image };
      },
    },
    options.probability,
    { name, options },
  );
}
