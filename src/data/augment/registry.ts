/** Augmentations by name: for text, and for making them anew on other threads. */

import { ArgumentError } from "../../core/errors.js";
import { closestName } from "../../core/suggest.js";
import { affine } from "./affine.js";
import { Augmentation, type BatchAugmentation, type Description } from "./augmentation.js";
import { colorJitter } from "./colorJitter.js";
import { compose, oneOf } from "./compose.js";
import { elastic } from "./elastic.js";
import { cutout, erase } from "./erase.js";
import { flip, flipVertical } from "./flip.js";
import { gaussianBlur } from "./gaussianBlur.js";
import { grayscale } from "./grayscale.js";
import { cutmix, mixup } from "./mix.js";
import { gaussianNoise, laplacianNoise } from "./noise.js";
import { pcaColor } from "./pcaColor.js";
import { perspective } from "./perspective.js";
import { randAugment } from "./randAugment.js";
import { randomCrop } from "./randomCrop.js";
import { randomResizedCrop } from "./randomResizedCrop.js";
import { rotate } from "./rotate.js";
import { scale } from "./scale.js";
import { shear } from "./shear.js";
import { autocontrast, equalize, posterize, sharpness, solarize } from "./tones.js";
import { translate } from "./translate.js";

export interface AugmentationEntry {
  /** What it is, in a few words. */
  readonly title: string;
  /** The option that a value without a name is for. */
  readonly main?: string;
  /** Makes it; options are checked. */
  create(options: object): BatchAugmentation;
}

export const registry: Readonly<Record<string, AugmentationEntry>> = {
  crop: { title: "a window of the padded picture", main: "padding", create: randomCrop },
  "resized-crop": { title: "a window, resized", main: "size", create: randomResizedCrop },
  flip: { title: "left and right exchanged", main: "probability", create: flip },
  "flip-vertical": { title: "top and bottom exchanged", main: "probability", create: flipVertical },
  rotate: { title: "turned", main: "degrees", create: rotate },
  translate: { title: "moved by whole pixels", main: "pixels", create: translate },
  scale: { title: "larger or smaller", main: "by", create: scale },
  shear: { title: "slanted", main: "degrees", create: shear },
  affine: { title: "turned, moved, scaled, slanted at once", create: affine },
  perspective: { title: "seen from aside", main: "distortion", create: perspective },
  elastic: { title: "drawn on rubber", main: "alpha", create: elastic },
  jitter: { title: "brightness, contrast, saturation, hue", create: colorJitter },
  grayscale: { title: "without colours", main: "probability", create: grayscale },
  "pca-color": { title: "AlexNet's change of light", main: "deviation", create: pcaColor },
  blur: { title: "out of focus", main: "sigma", create: gaussianBlur },
  sharpness: { title: "sharper or softer edges", main: "factor", create: sharpness },
  noise: { title: "Gaussian noise", main: "deviation", create: gaussianNoise },
  "laplacian-noise": { title: "Laplacian noise", main: "deviation", create: laplacianNoise },
  posterize: { title: "fewer tones", main: "bits", create: posterize },
  solarize: { title: "bright tones inverted", main: "threshold", create: solarize },
  autocontrast: { title: "contrast stretched", main: "probability", create: autocontrast },
  equalize: { title: "tones spread evenly", main: "probability", create: equalize },
  erase: { title: "a rectangle hidden", main: "probability", create: erase },
  cutout: { title: "a square hidden", main: "size", create: cutout },
  randaugment: { title: "some of fourteen changes", main: "magnitude", create: randAugment },
  mixup: { title: "each picture and the next blended", main: "alpha", create: mixup },
  cutmix: { title: "a rectangle of the next picture", main: "alpha", create: cutmix },
};

export const augmentationNames: readonly string[] = Object.keys(registry);

/** The entry of that name. @throws ArgumentError naming what there is */
export function findAugmentation(name: string): AugmentationEntry {
  if (Object.hasOwn(registry, name)) return registry[name];
  const meant = closestName(name, augmentationNames);
  throw new ArgumentError(
    `there is no augmentation ${JSON.stringify(name)}. ${meant === undefined ? "" : `Did you mean ${meant}? `}Expected ${augmentationNames.join(", ")}.`,
  );
}

/** What a description describes. */
export function fromDescription({ name, options, of }: Description): BatchAugmentation {
  if (of === undefined) return findAugmentation(name).create(options);
  const parts = of.map(fromDescription);
  const pictures = parts.filter((part) => part instanceof Augmentation);
  if (name === "oneOf") return oneOf(pictures, options);
  return pictures.length === parts.length ? compose(pictures, options) : compose(parts);
}
