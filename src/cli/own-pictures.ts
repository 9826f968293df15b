/** Pictures of one's own by the path that `--data` gives: a folder, a zip archive, a table or a file of arrays. */

import { readdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ArgumentError } from "../core/errors.js";
import type { ImageDataset, LabelledImages } from "../data/images.js";
import type { PictureInput } from "../data/resize.js";
import { type Divisible, splitDataset } from "../data/splits.js";
import type { ModelEntry } from "../models/registry.js";
import { arraySplits, imageArrays } from "../node/arrays.js";
import { isPictureName } from "../node/image.js";
import {
  findSplits,
  imageFolder,
  imageParquet,
  imageTable,
  imageZip,
  listFolder,
  listZip,
  type PictureDataset,
  PictureMemory,
  type PictureSetOptions,
  type PictureSplit,
  parquetColumns,
  readTable,
} from "../node/picture-sets/index.js";
import { clearProgress, showProgress } from "./progress.js";
import type { Settings } from "./settings.js";
import { parseTasks } from "./tasks.js";

export interface OwnPicturesFlags {
  readonly data: string;
  /** Pixels of a side. */
  readonly imageSize?: number;
  /** Columns of a table. */
  readonly labelColumn?: string;
  readonly fileColumn?: string;
  /** Further columns, to compare groups by. */
  readonly by?: readonly string[];
  /** Names of tasks, as `--tasks` has them: columns with labels, in place of one with classes. */
  readonly tasks?: string;
}

/** The share that is held out where nothing else is said. */
export const defaultValidation = 0.1;

const isArchive = (path: string) => /\.zip$/i.test(path);

/** Whether a path is that of a table of pictures. */
function isTable(path: string): boolean {
  return /\.(csv|tsv)$/i.test(path);
}

const isParquet = (path: string) => /\.parquet$/i.test(path);

/** Whether a path is that of arrays of pictures and labels. */
export const isArrays = (path: string) => /\.npz$/i.test(path);

/** Whether a path is that of a file whose columns have names: a table, or pictures with their labels. */
export function hasColumns(path: string): boolean {
  return isTable(path) || isParquet(path);
}

/** Folders and files of data sets in IDX files. */
export const idxName = /idx[13][-.]ubyte|^(MNIST|FashionMNIST|mnist|fashion-mnist)$/;

/** Whether `--data` means pictures rather than a folder of IDX files. */
export function isOwnPictures(path: string): boolean {
  if (isArchive(path) || hasColumns(path)) return true;
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return false;
  const entries = readdirSync(path, { withFileTypes: true });
  if (entries.some(({ name }) => idxName.test(name))) return false;
  return entries.some((entry) => !entry.name.startsWith(".") && (!entry.isFile() || isPictureName(entry.name)));
}

/** @throws ArgumentError unless a network names pictures as files have them */
export function checkTakesPictures(entry: ModelEntry): void {
  const { name, inputShape } = entry;
  const [channels] = inputShape;
  if (channels !== 1 && channels !== 3)
    throw new ArgumentError(`${name} takes pictures of ${channels} channels, and files have 1 or 3.`);
  checkNamesPictures(entry);
}

/** @throws ArgumentError for a network that gives a class to every pixel */
export function checkNamesPictures({ name, task }: ModelEntry): void {
  if (task !== "segmentation") return;
  throw new ArgumentError(
    `${name} gives a class to every pixel, not to a picture. Fix: use a model that classifies; this one is trained by fovea train ${name} --data shapes (or noisy, or a folder with images/ and masks/).`,
  );
}

/** How pictures are brought to a network: as its entry says, or to squares of `size` pixels. */
export function pictureInput(entry: ModelEntry, size: number | undefined): PictureInput {
  const { name, inputShape, minimumSize, resizing } = entry;
  const [channels, height, width] = inputShape;
  if (size === undefined || (size === height && size === width)) return { inputShape, resizing };
  if (minimumSize === undefined || size < minimumSize) {
    const others = minimumSize === undefined ? "" : `, or any from ${minimumSize} pixels on`;
    throw new ArgumentError(
      `${name} takes pictures of ${height}×${width} pixels${others}, but --image-size is ${size}. Fix: leave out --image-size, or choose another model.`,
    );
  }
  const interpolation = resizing?.interpolation ?? "bilinear";
  return { inputShape: [channels, size, size], resizing: { resize: size, crop: size, interpolation } };
}

/** What a run's training and its later evaluation have in common. */
export interface OwnPicturesRun extends OwnPicturesFlags {
  readonly validation?: number;
  readonly seed: number;
}

/** The pictures to learn from, and those that are held out. */
export async function loadTrainingPictures(
  entry: ModelEntry,
  run: OwnPicturesRun,
  signal?: AbortSignal,
): Promise<{ readonly train: PictureDataset; readonly test: PictureDataset }> {
  return trainingParts(await openSource(entry, run, signal), run);
}

/** The part of a source to learn from, and the one that is held out. */
export async function trainingParts<Images extends LabelledImages & Divisible<Images>>(
  source: Source<Images>,
  run: OwnPicturesRun,
): Promise<{ readonly train: Images; readonly test: Images }> {
  const { splits } = source;
  if (splits.size === 0) return divide(await source.open(undefined), run);
  if (!splits.has("train"))
    throw new ArgumentError(
      `${run.data} has ${[...splits.values()].join(" and ")}, but nothing named train. Expected it.`,
    );
  const own = splits.get("validation");
  if (own !== undefined && run.validation !== undefined) {
    throw new ArgumentError(
      `--validation is a share of the pictures, but ${run.data} has a part for that: ${own}. Fix: leave out --validation.`,
    );
  }
  const train = await source.open("train");
  const held =
    own !== undefined ? "validation" : run.validation === undefined && splits.has("test") ? "test" : undefined;
  if (held === undefined) return divide(train, run);
  return checkClasses({ train, test: await source.open(held, train.classNames) });
}

function divide<Images extends LabelledImages & Divisible<Images>>(
  all: Images,
  { validation = defaultValidation, seed, tasks }: OwnPicturesRun,
): { readonly train: Images; readonly test: Images } {
  const [train, test] = splitDataset(all, [1 - validation, validation], { seed });
  if (train.size === 0 || test.size === 0) {
    throw new ArgumentError(
      `--validation ${validation} of ${all.size} pictures leaves ${train.size} to learn from and ${test.size} to test with. Expected at least one of each. Fix: more pictures, or another share.`,
    );
  }
  return tasks === undefined ? checkClasses({ train, test }) : { train, test };
}

function checkClasses<Sets extends { readonly train: LabelledImages }>(sets: Sets): Sets {
  const { name, classNames } = sets.train;
  if (classNames.length < 2)
    throw new ArgumentError(`${name} has only the class ${classNames.join()}. Expected at least two to tell apart.`);
  return sets;
}

/** What a checkpoint says of the pictures that it was trained with. */
export interface TrainedWith {
  readonly classNames: readonly string[];
  readonly settings: Settings;
}

/**
 * The pictures to test a model with: the `test/` or `val/` there is; of what the run was trained with, the part that it held
 * out; otherwise all.
 */
export async function loadTestPictures(
  entry: ModelEntry,
  flags: OwnPicturesFlags,
  trained: TrainedWith,
  signal?: AbortSignal,
): Promise<PictureDataset> {
  return testPart(await openSource(entry, flags, signal), flags, trained);
}

/** The part of a source to test a model with. */
export async function testPart<Images extends LabelledImages & Divisible<Images>>(
  source: Source<Images>,
  flags: OwnPicturesFlags,
  { classNames, settings }: TrainedWith,
): Promise<Images> {
  const split = (["test", "validation", "train"] as const).find((name) => source.splits.has(name));
  const { data, validation, seed } = settings;
  const trainedWith = typeof data === "string" && resolve(data) === resolve(flags.data);
  const pictures = await source.open(split, classNames);
  // Of what it has learned from, only what was held out tells how good it is.
  if (!trainedWith || (split !== undefined && split !== "train")) return pictures;
  const share = typeof validation === "number" ? validation : undefined;
  return divide(pictures, { ...flags, validation: share, seed: Number(seed) }).test;
}

interface Source<Images> {
  readonly splits: ReadonlyMap<PictureSplit, string>;
  open(split: PictureSplit | undefined, classNames?: readonly string[]): Promise<Images>;
}

/** The parts of a file of arrays, each brought to a network by `fit`. */
export async function openArrays(
  path: string,
  fit: (set: ImageDataset) => ImageDataset,
): Promise<Source<ImageDataset>> {
  return {
    splits: await arraySplits(path),
    open: async (split, classNames) => fit(await imageArrays(path, { split, classNames })),
  };
}

/** Looks at what `--data` names; its sets share their memory. */
async function openSource(
  entry: ModelEntry,
  flags: OwnPicturesFlags,
  signal?: AbortSignal,
): Promise<Source<PictureDataset>> {
  checkTakesPictures(entry);
  const { data, labelColumn, fileColumn } = flags;
  const common: PictureSetOptions = {
    input: pictureInput(entry, flags.imageSize),
    memory: new PictureMemory(),
    signal,
    onProgress: (done, total) => showProgress("reading pictures", done, total),
  };
  const reading = <T>(work: Promise<T>) => work.finally(clearProgress);
  if (isTable(data)) {
    const { columns } = await readTable(data);
    const file = fileColumn ?? guess(data, columns, ["file", "path", "filename", "image"], "--file-column");
    if (flags.tasks !== undefined) {
      const attributes = [...parseTasks(flags.tasks).map(({ name }) => name), ...(flags.by ?? [])];
      return {
        splits: new Map(),
        open: () => reading(imageTable(data, { ...common, file, labels: [], attributes: [...new Set(attributes)] })),
      };
    }
    const labels = labelColumn ?? guess(data, columns, ["label", "class", "category"], "--label-column");
    // The classes first; what is not known of an attribute is a group of its own.
    const columnsRead = [...new Set([labels, ...(flags.by ?? [])])];
    const open: Source<PictureDataset>["open"] = (_, classNames) =>
      reading(imageTable(data, { ...common, file, labels: columnsRead, missing: "keep", classNames }));
    return { splits: new Map(), open };
  }
  if (isParquet(data)) {
    if (flags.tasks !== undefined)
      throw new ArgumentError(`--tasks are columns of a table (.csv), but --data is ${data}. Fix: leave out --tasks.`);
    const columns = await parquetColumns(data);
    const image = fileColumn ?? guess(data, columns, ["image", "img", "picture"], "--file-column");
    const label = labelColumn ?? guess(data, columns, ["label", "class", "category"], "--label-column");
    const columnsRead = [...new Set([label, ...(flags.by ?? [])])];
    const open: Source<PictureDataset>["open"] = (_, classNames) =>
      reading(imageParquet(data, { ...common, image, label: columnsRead, classNames }));
    return { splits: new Map(), open };
  }
  if (labelColumn !== undefined || fileColumn !== undefined) {
    throw new ArgumentError(
      `--label-column and --file-column are columns of a table (.csv, .parquet), but --data is ${data}. Fix: leave them out.`,
    );
  }
  const [list, openSet] = isArchive(data) ? ([listZip, imageZip] as const) : ([listFolder, imageFolder] as const);
  const splits = findSplits(await list(data));
  return { splits, open: (split, classNames) => reading(openSet(data, { ...common, split, classNames })) };
}

function guess(path: string, columns: readonly string[], usual: readonly string[], option: string): string {
  const found = columns.find((name) => usual.includes(name.toLowerCase()));
  if (found !== undefined) return found;
  throw new ArgumentError(
    `${path} has no column named ${usual.join(", ")}. Expected ${option} to say which of its columns it is: ${columns.join(", ")}.`,
  );
}
