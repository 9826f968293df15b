/** Augmentation: more pictures out of those that there are. */

export { type AffineOptions, type AffineParameters, affine } from "./affine.js";
export {
  Augmentation,
  type AugmentationRules,
  type BatchAugmentation,
  type ChanceOptions,
  type Description,
  type LoaderAugmentation,
  type Picture,
  type PictureShape,
} from "./augmentation.js";
export { type ColorJitterOptions, type ColorJitterParameters, colorJitter } from "./colorJitter.js";
export { compose, type OneOfParameters, oneOf } from "./compose.js";
export { type ElasticOptions, type ElasticParameters, elastic } from "./elastic.js";
export { type CutoutOptions, cutout, type EraseOptions, type EraseParameters, erase } from "./erase.js";
export { type FlipParameters, flip, flipVertical } from "./flip.js";
export { type GaussianBlurOptions, type GaussianBlurParameters, gaussianBlur } from "./gaussianBlur.js";
export { grayscale } from "./grayscale.js";
export { cutmix, type MixOptions, mixPictures, mixup, pasteWindows } from "./mix.js";
export { gaussianNoise, laplacianNoise, type NoiseOptions, type NoiseParameters } from "./noise.js";
export type { Range } from "./options.js";
export { parse } from "./parse.js";
export { type PcaColorOptions, type PcaColorParameters, pcaColor } from "./pcaColor.js";
export { type PerspectiveOptions, type PerspectiveParameters, perspective } from "./perspective.js";
export {
  type RandAugmentKind,
  type RandAugmentOptions,
  type RandAugmentParameters,
  randAugment,
} from "./randAugment.js";
export { type CropParameters, type RandomCropOptions, randomCrop } from "./randomCrop.js";
export { type RandomResizedCropOptions, randomResizedCrop } from "./randomResizedCrop.js";
export { type AugmentationEntry, augmentationNames, findAugmentation, fromDescription } from "./registry.js";
export { type RotateOptions, rotate } from "./rotate.js";
export { type ScaleOptions, scale } from "./scale.js";
export { type ShearOptions, shear } from "./shear.js";
export {
  autocontrast,
  equalize,
  type PosterizeOptions,
  posterize,
  type SharpnessOptions,
  type SolarizeOptions,
  sharpness,
  solarize,
} from "./tones.js";
export { type TranslateOptions, type TranslateParameters, translate } from "./translate.js";
export { cropViews, flipViews, shiftViews, turnViews, type View } from "./views.js";
export type { FillOptions, Sampling, WarpOptions } from "./warp.js";
export type { PaddingMode, Window } from "./window.js";
export { inWorkers, type WorkerAugmentation } from "./workers.js";
