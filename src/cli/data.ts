/** Data sets by the name that `--data` gives. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { ArgumentError, DataError, FileError } from "../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import type { DigitsSplit } from "../data/digits/digits.js";
import { ImageDataset, type LabelledImages } from "../data/images.js";
import { fromPlanar, toPlanar } from "../data/pixels.js";
import { resizePixels } from "../data/resize.js";
import type { ModelEntry } from "../models/registry.js";
import { cifar10, cifar100 } from "../node/cifar.js";
import { fashionMnist, mnist } from "../node/mnist.js";
import { PictureDataset, type SkippedFile } from "../node/picture-sets/index.js";
import type { Attributes } from "../train/metrics/index.js";
import { attributesOf, drawGenerated, generatedNames, isGenerated, picturesOf } from "./generated.js";
import type { DataFlags } from "./options.js";
import {
  checkNamesPictures,
  idxName,
  isArrays,
  isOwnPictures,
  loadTestPictures,
  loadTrainingPictures,
  type OwnPicturesRun,
  openArrays,
  type TrainedWith,
  testPart,
  trainingParts,
} from "./own-pictures.js";
import { clearProgress, showDownload } from "./progress.js";

/** Data sets that are files, downloaded unless --data-dir says where they are. */
const published = { mnist, "fashion-mnist": fashionMnist, cifar10, cifar100 } as const;
const names: readonly string[] = [...generatedNames, ...Object.keys(published)];
const publishedNames = Object.keys(published)
  .join(", ")
  .replace(/, (?=[^,]*$)/, " or ");
const expected = `Expected ${names.join(", ")}, or a folder of pictures (one folder a class) or of IDX files, a .zip, a .csv, a .parquet or an .npz.`;

function isPublished(data: string): data is keyof typeof published {
  return Object.hasOwn(published, data);
}

/** Whether `data` names a data set; otherwise it is a folder's path. */
export function isDataName(data: string): boolean {
  return names.includes(data);
}

export interface TrainingSets {
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** What is known of each picture besides its class. */
  readonly attributes: { readonly train: Attributes; readonly test: Attributes };
}

/** The pictures to learn from, and those to test with. */
export async function loadTraining(
  entry: ModelEntry,
  flags: DataFlags & OwnPicturesRun,
  signal?: AbortSignal,
): Promise<TrainingSets> {
  checkNamesPictures(entry);
  if (isPictures(flags)) {
    const { train, test } = await loadTrainingPictures(entry, flags, signal);
    return { train, test, attributes: { train: train.attributeValues(), test: test.attributeValues() } };
  }
  if (namesArrays(flags)) {
    const source = await openArrays(flags.data, (set) => fitTo(entry, set));
    return { ...(await trainingParts(source, flags)), attributes: { train: {}, test: {} } };
  }
  if (flags.validation !== undefined) throw onlyForPictures("--validation", flags);
  const train = await loadDescribed(entry, flags, "train", signal);
  const test = await loadDescribed(entry, flags, "test", signal);
  return { train: train.data, test: test.data, attributes: { train: train.attributes, test: test.attributes } };
}

/** Pictures, and what is known of each besides its class. */
export interface DescribedData<Data extends LabelledImages = LabelledImages> {
  readonly data: Data;
  readonly attributes: Attributes;
}

/** The pictures to test a trained model with, and their attributes. */
export async function loadTest(
  entry: ModelEntry,
  flags: DataFlags,
  trained: TrainedWith,
  signal?: AbortSignal,
): Promise<DescribedData> {
  checkNamesPictures(entry);
  if (!isPictures(flags)) {
    if (!namesArrays(flags)) return loadDescribed(entry, flags, "test", signal);
    const source = await openArrays(flags.data, (set) => fitTo(entry, set));
    return { data: await testPart(source, flags, trained), attributes: {} };
  }
  const data = await loadTestPictures(entry, flags, trained, signal);
  return { data, attributes: data.attributeValues() };
}

function isPictures(flags: DataFlags): boolean {
  const { data, dataDir, imageSize, labelColumn, fileColumn } = flags;
  if (!isDataName(data) && dataDir === undefined && isOwnPictures(data)) return true;
  const given = { "--image-size": imageSize, "--label-column": labelColumn, "--file-column": fileColumn };
  const [option] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (option !== undefined && (isDataName(data) || existsSync(data))) throw onlyForPictures(option, flags);
  return false;
}

/** Whether the pictures and labels are arrays in a file; --data-dir with them is refused as with other paths. */
function namesArrays({ data, dataDir }: DataFlags): boolean {
  return isArrays(data) && dataDir === undefined;
}

function onlyForPictures(option: string, { data }: DataFlags): ArgumentError {
  return new ArgumentError(
    `${option} is for pictures of your own, but --data is ${data}. Fix: leave out ${option}, or name a folder of pictures, a .zip, a .csv or a .parquet.`,
  );
}

/** Reads, downloads or draws one split of a data set, of pictures that `entry` takes. */
export async function loadData(
  entry: ModelEntry,
  flags: DataFlags,
  split: DigitsSplit,
  signal?: AbortSignal,
): Promise<ImageDataset> {
  return (await loadDescribed(entry, flags, split, signal)).data;
}

async function loadDescribed(
  entry: ModelEntry,
  flags: DataFlags,
  split: DigitsSplit,
  signal?: AbortSignal,
): Promise<DescribedData<ImageDataset>> {
  try {
    const { data, attributes } = await load(entry, flags, split, signal);
    return { data: fitTo(entry, data), attributes };
  } finally {
    clearProgress();
  }
}

/** The pictures as `entry` takes them. */
function fitTo(entry: ModelEntry, data: ImageDataset): ImageDataset {
  if (data.size === 0) throw new DataError(`${data.name}: there are no ${data.split} pictures. Expected at least one.`);
  const { name, inputShape, minimumSize } = entry;
  const [channels, ...sides] = data.shape;
  const resizable = minimumSize !== undefined && channels === inputShape[0] && Math.min(...sides) >= minimumSize;
  if (!resizable && data.shape.join() !== inputShape.join()) {
    if (minimumSize === undefined && areAlike(data.shape, inputShape)) return scale(data, entry);
    const others = minimumSize === undefined ? "" : `, or of other sizes from ${minimumSize} pixels on`;
    throw new ArgumentError(
      `${name} takes pictures of ${formatShape(inputShape)} (channels, height, width)${others}, but those of ${data.name} are ${formatShape(data.shape)}. Fix: choose another model or data set.`,
    );
  }
  return data;
}

/** Whether one is the other in another size. */
function areAlike([channels, height, width]: Shape, other: Shape): boolean {
  return channels === other[0] && height * other[2] === width * other[1];
}

/** More memory than pictures are scaled into. */
const mostBytes = 2 ** 30;

/** The pictures in the one size that the network takes, as `predict` scales those in files. */
function scale(data: ImageDataset, { name, inputShape }: ModelEntry): ImageDataset {
  const length = sizeOf(inputShape);
  if (data.size * length > mostBytes) {
    throw new ArgumentError(
      `${name} takes pictures of ${formatShape(inputShape)} only, and in that size the ${data.size} of ${data.name} would fill ${((data.size * length) / 1e9).toFixed(1)} GB. Expected at most 1 GB. Fix: choose a network for smaller pictures.`,
    );
  }
  const [channels, height, width] = inputShape;
  const images = new Uint8Array(data.size * length);
  for (let i = 0; i < data.size; i++) {
    const picture = fromPlanar(data.get(i).image, [channels === 1 ? 1 : 3, data.shape[1], data.shape[2]]);
    images.set(toPlanar(resizePixels(picture, [height, width])), i * length);
  }
  const { split, labels, classNames } = data;
  return new ImageDataset({ name: data.name, split, images, labels, shape: inputShape, classNames });
}

async function load(
  { inputShape }: ModelEntry,
  { data, dataDir }: DataFlags,
  split: DigitsSplit,
  signal: AbortSignal | undefined,
): Promise<DescribedData<ImageDataset>> {
  const stop = signal && { signal };
  if (isPublished(data)) {
    const pictures = await published[data]({
      split,
      onProgress: showDownload,
      ...(dataDir !== undefined && { dataDir }),
      ...stop,
    });
    return { data: pictures, attributes: {} };
  }
  if (dataDir !== undefined) {
    throw new ArgumentError(
      `--data-dir is the folder of ${publishedNames}, but --data is ${data}. Fix: leave out --data-dir.`,
    );
  }
  if (isGenerated(data)) {
    const set = await drawGenerated(data, { split, like: inputShape, ...stop });
    return { data: picturesOf(set), attributes: attributesOf(set) };
  }
  const own = await mnist({ split, dataDir: checkFolder(data), ...stop });
  const { images, labels, shape, classNames } = own;
  const pictures = new ImageDataset({ name: basename(resolve(data)), split, images, labels, shape, classNames });
  return { data: pictures, attributes: {} };
}

/** A folder of IDX files named as MNIST's, with labels 0 … 9. */
function checkFolder(path: string): string {
  if (!existsSync(path)) {
    const what = path === "" || /[\\/.]/.test(path) ? "folder" : "data set or folder";
    throw new ArgumentError(`--data: there is no ${what} ${JSON.stringify(path)}. ${expected}`);
  }
  if (!statSync(path).isDirectory()) throw new FileError(`--data: ${path} is a file. ${expected}`);
  const present = readdirSync(path);
  if (!present.some((name) => idxName.test(name))) {
    const what = present.length === 0 ? "is empty" : "has no pictures, and no IDX files";
    throw new FileError(`--data: the folder ${path} ${what}. ${expected}`);
  }
  return path;
}

/** Tells whether pictures and labels are the same as they were. */
export function fingerprint(...sets: readonly LabelledImages[]): string {
  const hash = createHash("sha256");
  for (const set of sets) {
    const { labels, classNames } = set;
    hash.update(`${labels.length} ${JSON.stringify(classNames)}\n`);
    if (set instanceof ImageDataset) hash.update(set.images).update(labels);
    else if (set instanceof PictureDataset) hash.update(set.fingerprint());
  }
  return hash.digest("hex").slice(0, 16);
}

/** The files of pictures that were left out, for programs; nothing where the data are none of one's own. */
export function skippedFiles(...sets: readonly LabelledImages[]): { readonly skipped?: readonly SkippedFile[] } {
  const own = sets.filter((set) => set instanceof PictureDataset);
  if (own.length === 0) return {};
  // Parts of one set have the same list.
  return { skipped: [...new Set(own.map((set) => set.skipped))].flat() };
}
