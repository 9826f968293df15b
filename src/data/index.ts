/** Data sets and loaders. */

export type { CifarSource } from "../formats/cifar.js";
export { AnnotatedImages, type Annotation, type Annotations, annotate } from "./annotated.js";
export * as augment from "./augment/index.js";
export {
  type BatchContext,
  type BatchSource,
  collated,
  type ImageBatch,
  imageBatches,
  type MixedLabels,
} from "./batches.js";
export { type CifarLabelKind, type CifarName, type CifarSplit, readCifar } from "./cifar.js";
export { type ContactSheetOptions, contactSheet } from "./contactSheet.js";
export { type Dataset, type ImageSample, Subset, splitIndices } from "./dataset.js";
export { type DigitsOptions, type DigitsSplit, digits } from "./digits/digits.js";
export { type FeatureBatch, FeatureDataset, type FeatureDatasetParts } from "./features.js";
export type { GeneratedOptions, GeneratedSplit } from "./generated/drawing.js";
export {
  type FaceAnnotations,
  type FaceAttribute,
  type FacesJoint,
  type FacesOptions,
  faces,
} from "./generated/faces.js";
export { type Noise, type NoisyAnnotations, type NoisyOptions, noisy } from "./generated/noisy.js";
export {
  type EventKind,
  type SeriesBatch,
  SeriesDataset,
  type SeriesEvent,
  type SeriesOptions,
  type SeriesSample,
  series,
} from "./generated/series.js";
export { type ShapeAnnotations, type ShapeKind, type ShapesOptions, shapes } from "./generated/shapes.js";
export { ImageDataset, type ImageDatasetParts, type LabelledImages } from "./images.js";
export { DataLoader, type EpochOptions, type LoaderOptions } from "./loader.js";
export { colourMask } from "./maskColours.js";
export { type MnistName, type MnistSource, type MnistSplit, readMnist } from "./mnist.js";
export { applyNormalization } from "./normalization/apply.js";
export {
  type FitNormalizationOptions,
  type FittedNormalization,
  fitNormalization,
  type NormalizationGroup,
  type NormalizationMethod,
  type Samples,
} from "./normalization/fit.js";
export { normalizationFromJson, normalizationToJson } from "./normalization/json.js";
export {
  type Polarity,
  type PrepareDigitOptions,
  type PreparedDigit,
  prepareDigit,
} from "./photograph/prepareDigit.js";
export { fromPlanar, type PixelImage, toPlanar } from "./pixels.js";
export { cropCenter, fitPixels, type Interpolation, type PictureInput, resizePixels } from "./resize.js";
export { balancedWeights, classWeights, type Labelled } from "./sampling.js";
export { type Divisible, type SplitOptions, splitDataset, stratifiedIndices } from "./splits.js";
