/** What needs files and Node: data sets on disk or from the network, pictures, the native device. */

// Tensors that come from here have a device and methods, whatever else is imported.
import "./device.js";
import "./ops/methods.js";

export { createNativeDevice, type NativeDeviceOptions } from "./backends/native/device.js";
export { type CachedFeaturesOptions, cachedFeatures } from "./features.js";
export { type ImageArraysOptions, imageArrays } from "./node/arrays.js";
export { cacheFolder } from "./node/cache.js";
export { type Cifar100Options, type CifarOptions, cifar10, cifar100 } from "./node/cifar.js";
export type { DataFilesOptions } from "./node/data-files.js";
export type { DownloadOptions, DownloadProgress } from "./node/download.js";
export { EventWriter, type EventWriterOptions } from "./node/event-writer.js";
export { readFile, writeFile } from "./node/files.js";
export { type ReadImageOptions, readPixels, writePng } from "./node/image.js";
export { fashionMnist, type MnistOptions, mnist } from "./node/mnist.js";
export {
  type Attribute,
  type ClassFoldersOptions,
  type ImageMasksOptions,
  type ImageParquetOptions,
  type ImageTableOptions,
  imageFolder,
  imageMasks,
  imageParquet,
  imageTable,
  imageZip,
  type MaskColour,
  type Masks,
  PictureDataset,
  PictureMemory,
  type PictureSetOptions,
  type PictureSplit,
  type SkippedFile,
} from "./node/picture-sets/index.js";
export { readImage, readPicture } from "./node/pictures.js";
export {
  isPretrainedName,
  listPretrained,
  type PretrainedOptions,
  type PretrainedWeights,
  pretrainedWeights,
} from "./node/pretrained.js";
export type { TorchvisionWeights } from "./node/torchvision-weights.js";
