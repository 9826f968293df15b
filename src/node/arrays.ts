/** Data sets in NumPy's .npz files: an array of pictures and one of labels for each part. */

import { basename } from "node:path";
import { ArgumentError, DataError, FormatError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { ImageDataset } from "../data/images.js";
import { toPlanar } from "../data/pixels.js";
import type { StoredArray } from "../formats/array.js";
import { convertArray, isFloating } from "../formats/convert.js";
import { isNpz, type OtherArray, openNpz } from "../formats/npz.js";
import { unknownFormat } from "../formats/open.js";
import { readRange } from "../formats/source.js";
import { allowance, readTensor, type StoredTensor, type TensorFile } from "../formats/tensor-file.js";
import { isZip, openZip } from "../formats/zip.js";
import { openFileSource } from "./file-source.js";
import type { PictureSplit } from "./picture-sets/index.js";
import { warnOfAlike } from "./picture-sets/layout.js";

export interface ImageArraysOptions {
  /** Which part, of a file that has several. */
  readonly split?: PictureSplit | undefined;
  /** The array with the pictures; unless told, the one that is named as usual. */
  readonly images?: string | undefined;
  /** The array with their labels; unless told, the one that is named as usual. */
  readonly labels?: string | undefined;
  /**
   * Unless told, those in the array `class_names`, `classes` or `label_names`, if `labels` is not told either; without one the
   * classes are named by their numbers, from 0 to the highest label of all parts.
   */
  readonly classNames?: readonly string[] | undefined;
  /** Where the channels are: N×H×W×C (`last`) or N×C×H×W (`first`). Unless told, the axis of length 1 or 3. */
  readonly channels?: "first" | "last" | undefined;
  /** Bytes that the pictures may unpack to. Default 1 GiB, or twice the size of the file if that is more. */
  readonly maxBytes?: number | undefined;
}

/**
 * The pictures and labels in a .npz file, as `numpy.savez` and `numpy.savez_compressed` write them: `x_train` and `y_train`,
 * `x_test` … as data sets of Keras are; `train_images` and `train_labels`, `val_images` …, `test_images` … as those of MedMNIST;
 * or one pair without parts, `images` (`x`, `data`) and `labels` (`y`). Pictures are uint8: N×H×W, N×H×W×C or N×C×H×W with one
 * or three channels. Labels are whole numbers from 0: N or N×1. Other arrays may lie beside them; texts in `class_names`
 * (`classes`, `label_names`) name the classes.
 *
 * @throws DataError for arrays that are missing, of another type or shape, or do not belong together, naming those there are;
 *   FormatError for damaged files; FileError for those that cannot be read
 * @example
 * const train = await imageArrays("pathmnist.npz", { split: "train" });
 * const own = await imageArrays("cells.npz", { images: "cells", labels: "kind", classNames: ["healthy", "ill"] });
 */
export async function imageArrays(path: string, options: ImageArraysOptions = {}): Promise<ImageDataset> {
  const { split } = options;
  if (split !== undefined && !Object.hasOwn(spellings, split)) {
    throw new ArgumentError(
      `imageArrays: there is no split ${JSON.stringify(split)}. Expected ${Object.keys(spellings).join(", ")}.`,
    );
  }
  const file = await openArrays(path);
  try {
    return await readPart(file, options);
  } finally {
    await file.close();
  }
}

/** The parts that a .npz file has, with the names of their pictures; none where there is one pair of arrays. */
export async function arraySplits(path: string): Promise<ReadonlyMap<PictureSplit, string>> {
  const file = await openArrays(path);
  await file.close();
  return findParts(file);
}

interface ArrayFile extends TensorFile {
  /** Texts and whatever else tensors cannot hold. */
  readonly others: ReadonlyMap<string, OtherArray>;
}

const expected = {
  what: ".npz file of pictures and labels",
  expected: "a zip archive of arrays, as numpy.savez writes it",
};

async function openArrays(path: string): Promise<ArrayFile> {
  const source = await openFileSource(path);
  try {
    const head = await readRange(source, 0, Math.min(16, source.size));
    if (!isZip(head)) throw unknownFormat(path, head, expected);
    const entries = await openZip(source);
    if (!isNpz(entries)) {
      const held = [...entries.keys()].slice(0, 3).join(", ") || "nothing";
      throw new FormatError(
        `${path} is a zip archive without arrays: it holds ${held}. Expected .npy files in it, as numpy.savez writes them. Fix: numpy.savez(path, images=…, labels=…).`,
      );
    }
    const others = new Map<string, OtherArray>();
    return { ...(await openNpz(source, entries, others)), others };
  } catch (error) {
    await source.close();
    throw error;
  }
}

const spellings: Readonly<Record<PictureSplit, readonly string[]>> = {
  train: ["train", "training"],
  validation: ["val", "valid", "validation"],
  test: ["test", "testing"],
};
const usual = { images: ["x", "images", "data"], labels: ["y", "labels"] } as const;
const splits = ["train", "validation", "test"] as const satisfies readonly PictureSplit[];

/** The array that is named as usual, in capitals or not. */
function find({ tensors, others }: ArrayFile, kind: keyof typeof usual, split?: PictureSplit): string | undefined {
  const wanted = usual[kind].flatMap((name): readonly string[] =>
    split === undefined ? [name] : spellings[split].flatMap((part) => [`${name}_${part}`, `${part}_${name}`]),
  );
  return [...tensors.keys(), ...others.keys()].find((name) => wanted.includes(name.toLowerCase()));
}

function findParts(file: ArrayFile): ReadonlyMap<PictureSplit, string> {
  const parts = new Map<PictureSplit, string>();
  for (const split of splits) {
    const images = find(file, "images", split);
    if (images !== undefined) parts.set(split, images);
  }
  return parts;
}

async function readPart(file: ArrayFile, options: ImageArraysOptions): Promise<ImageDataset> {
  const { split, channels, maxBytes = Math.max(2 ** 30, allowance(file.size)) } = options;
  const imagesName = options.images ?? find(file, "images", split);
  const labelsName = options.labels ?? find(file, "labels", split);
  if (imagesName === undefined) throw missing(file, "images", split);
  if (labelsName === undefined) throw missing(file, "labels", split);
  const pictures = describe(file, imagesName, "images");
  const order = checkPictures(file, imagesName, pictures, channels);
  // Labels first: they are small, and a mix-up shows before the pictures are unpacked.
  const labels = await readLabels(file, labelsName);
  const [count] = pictures.shape;
  if (count !== labels.length) {
    throw new DataError(
      `${file.name}: ${imagesName} has ${count} pictures, but ${labelsName} has ${labels.length} labels. Expected one label for each picture. Fix: name arrays that belong together.`,
    );
  }
  const alone = options.labels !== undefined;
  const classNames =
    options.classNames ??
    (alone ? undefined : await readClassNames(file)) ??
    (await numberClasses(file, labels, alone));
  const wrong = labels.findIndex((label) => label >= classNames.length);
  if (wrong !== -1) {
    throw new DataError(
      `${file.name}: the label ${labels[wrong]} at index ${wrong} of ${labelsName} names no class. Expected 0 to ${classNames.length - 1}. Fix: number the classes from 0, or name all of them.`,
    );
  }
  const { data } = await readTensor(file, imagesName, maxBytes);
  if (!(data instanceof Uint8Array)) throw new TypeError(`${imagesName} was uint8`);
  const { shape } = order;
  const images = order.channels === "last" ? channelsFirst(data, shape) : data;
  return new ImageDataset({ name: basename(file.name), split: split ?? "all", images, labels, shape, classNames });
}

function missing(file: ArrayFile, kind: keyof typeof usual, split: PictureSplit | undefined): DataError {
  const parts = findParts(file);
  const what = split === undefined ? kind : `${kind} of the split ${split}`;
  const expected =
    split === undefined ? usual[kind].join(" or ") : usual[kind].map((name) => `${name}_${split}`).join(" or ");
  const one = split === undefined && parts.size > 0 ? `split: ${JSON.stringify([...parts.keys()][0])}, or ` : "";
  return new DataError(
    `${file.name} has no ${what}: its arrays are ${listArrays(file)}. Expected ${expected}. Fix: ${one}name the array with the option ${kind}.`,
  );
}

function listArrays({ tensors, others }: ArrayFile): string {
  const all = [
    ...[...tensors].map(([name, { dtype, shape }]) => `${name} (${formatShape(shape)} ${dtype})`),
    ...[...others].map(([name, { type, shape }]) => `${name} (${formatShape(shape)} ${type})`),
  ];
  const listed = all.slice(0, 12).join(", ");
  return all.length > 12 ? `${listed} and ${all.length - 12} more` : listed;
}

const wanted = { images: "pictures of uint8, 0 … 255", labels: "whole numbers" } as const;

function describe(file: ArrayFile, name: string, kind: keyof typeof usual): StoredTensor {
  const tensor = file.tensors.get(name);
  if (tensor !== undefined) return tensor;
  const other = file.others.get(name);
  if (other !== undefined) {
    const { type, shape, texts } = other;
    const mend =
      kind === "images"
        ? `save numpy.stack(${name}).astype("uint8"), with pictures of one size`
        : texts === undefined
          ? `save ${name}.astype("int64")`
          : `class_names, ${name} = numpy.unique(${name}, return_inverse=True), and save both`;
    throw new DataError(
      `${file.name}: ${name} is ${formatShape(shape)} of NumPy's type ${type}. Expected ${wanted[kind]}. Fix: ${mend}, or name another array.`,
    );
  }
  throw new DataError(`${file.name} has no array ${JSON.stringify(name)}. Expected one of ${listArrays(file)}.`);
}

/** How pictures lie in their array: the shape of one, as [channels, height, width]. */
interface Order {
  readonly channels: "first" | "last";
  readonly shape: readonly [1 | 3, number, number];
}

function checkPictures(
  file: ArrayFile,
  name: string,
  { dtype, shape }: StoredTensor,
  channels: "first" | "last" | undefined,
): Order {
  const what = `${file.name}: ${name} is ${formatShape(shape)} ${dtype}`;
  if (dtype !== "uint8") {
    const mend = isFloating(dtype)
      ? `(${name} * 255).round().astype("uint8") where values are 0 … 1, ${name}.round().astype("uint8") where they are 0 … 255`
      : `${name}.astype("uint8")${dtype === "bool" ? " * 255" : ", where values are 0 … 255"}`;
    throw new DataError(`${what}. Expected pictures of uint8, 0 … 255. Fix: save ${mend}.`);
  }
  const [count, ...rest] = shape;
  if (rest.length !== 2 && rest.length !== 3)
    throw new DataError(`${what}. Expected N×H×W, N×H×W×C or N×C×H×W. Fix: reshape it, or name another array.`);
  if (count === 0 || sizeOf(rest) === 0) throw new DataError(`${what}: there are no pictures. Expected at least one.`);
  if (rest.length === 2) return { channels: "first", shape: [1, rest[0], rest[1]] };
  const [first, middle, last] = rest;
  const mayBeFirst = isColour(first) && channels !== "last";
  const mayBeLast = isColour(last) && channels !== "first";
  if (mayBeFirst && mayBeLast) {
    throw new DataError(
      `${what}: the channels may be the second axis or the last. Fix: tell with channels: "first" or "last".`,
    );
  }
  if (isColour(first) && mayBeFirst) return { channels: "first", shape: [first, middle, last] };
  if (isColour(last) && mayBeLast) return { channels: "last", shape: [last, first, middle] };
  throw new DataError(`${what}. Expected N×H×W×C or N×C×H×W with 1 or 3 channels. Fix: leave out other channels.`);
}

function isColour(channels: number): channels is 1 | 3 {
  return channels === 1 || channels === 3;
}

function channelsFirst(data: Uint8Array<ArrayBuffer>, shape: Order["shape"]): Uint8Array<ArrayBuffer> {
  const [channels, height, width] = shape;
  if (channels === 1) return data;
  const length = sizeOf(shape);
  const images = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += length) {
    images.set(toPlanar({ width, height, channels, data: data.subarray(at, at + length) }), at);
  }
  return images;
}

/** More classes than anybody has; a name is made for each. */
const mostClasses = 2 ** 16;

async function readLabels(file: ArrayFile, name: string): Promise<Int32Array<ArrayBuffer>> {
  const { dtype, shape } = describe(file, name, "labels");
  const what = `${file.name}: ${name}`;
  if (shape.length !== 1 && (shape.length !== 2 || shape[1] !== 1)) {
    const mend = shape.length === 2 ? `${name}.argmax(1), if each row has a 1 for its class` : "another array";
    throw new DataError(`${what} is ${formatShape(shape)} ${dtype}. Expected labels: N or N×1. Fix: pass ${mend}.`);
  }
  const values: StoredArray["data"] = convertArray(await readTensor(file, name), what).data;
  const wrong = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < mostClasses));
  if (wrong !== -1) {
    throw new DataError(
      `${what} has the label ${values[wrong]} at index ${wrong}. Expected whole numbers from 0 to ${mostClasses - 1}. Fix: number the classes from 0.`,
    );
  }
  return Int32Array.from(values);
}

/** The classes' names in the file, where it has them: texts that are all different. */
async function readClassNames(file: ArrayFile): Promise<readonly string[] | undefined> {
  for (const [name, { shape, texts }] of file.others) {
    if (!["class_names", "classes", "label_names"].includes(name.toLowerCase())) continue;
    if (texts === undefined || shape.length !== 1 || shape[0] > mostClasses) continue;
    const names = await texts(allowance(file.size));
    if (new Set(names).size !== names.length) continue;
    warnOfAlike(file.name, names);
    return names;
  }
  return undefined;
}

/** Names from 0 to the highest label, of all parts unless these labels stand alone: networks for one part suit the others. */
async function numberClasses(file: ArrayFile, labels: Int32Array, alone: boolean): Promise<string[]> {
  const highest = (values: Int32Array) => values.reduce((most, label) => Math.max(most, label), 0);
  let most = highest(labels);
  for (const split of alone ? [] : splits) {
    const name = find(file, "labels", split);
    if (name !== undefined) most = Math.max(most, highest(await readLabels(file, name)));
  }
  return Array.from({ length: most + 1 }, (_, label) => String(label));
}
