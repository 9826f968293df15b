/** MNIST and Fashion-MNIST from a folder, or downloaded once into the cache. */

import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError, FileError } from "../core/errors.js";
import type { ImageDataset } from "../data/images.js";
import {
  type MnistName,
  type MnistPart,
  type MnistSource,
  type MnistSplit,
  mnistCollections,
  readMnist,
} from "../data/mnist.js";
import { cacheFolder } from "./cache.js";
import { type DownloadOptions, download } from "./download.js";
import { fileError, openFile } from "./files.js";

export interface MnistOptions extends DownloadOptions {
  readonly split: MnistSplit;
  /** The folder with the files; nothing is downloaded then. Otherwise the cache folder is used. */
  readonly dataDir?: string;
  /** Whether files that the cache lacks may be downloaded; true unless told. */
  readonly download?: boolean;
  /** Places to download from, instead of the usual ones. */
  readonly mirrors?: readonly string[];
}

/** The 60,000 (`train`) or 10,000 (`test`) handwritten digits of MNIST. */
export function mnist(options: MnistOptions): Promise<ImageDataset> {
  return load("mnist", options);
}

/** The 60,000 or 10,000 pieces of clothing of Fashion-MNIST. */
export function fashionMnist(options: MnistOptions): Promise<ImageDataset> {
  return load("fashion-mnist", options);
}

async function load(collection: MnistName, options: MnistOptions): Promise<ImageDataset> {
  const { split } = options;
  if (split !== "train" && split !== "test") {
    throw new ArgumentError(`${collection}: there is no split ${JSON.stringify(split)}. Expected "train" or "test".`);
  }
  const images = await locate(collection, split, "images", options);
  const labels = await locate(collection, split, "labels", options);
  return readMnist(collection, split, await source(images, options.signal), await source(labels, options.signal));
}

async function source(path: string, signal?: AbortSignal): Promise<MnistSource> {
  const file = await openFile(path);
  return { name: path, bytes: file.chunks(signal), size: file.size };
}

/** The path of one file, after downloading it when it is allowed and needed. */
async function locate(
  collection: MnistName,
  split: MnistSplit,
  part: MnistPart,
  options: MnistOptions,
): Promise<string> {
  const { title, mirrors, files } = mnistCollections[collection];
  const file = files[split][part];
  const folder = options.dataDir ?? join(cacheFolder(), collection);
  const candidates = candidatePaths(folder, collection, file.name);
  for (const path of candidates) if (await isFile(path)) return path;

  const places = options.mirrors ?? mirrors;
  const mend =
    `Fix: put ${file.name} (or the same without .gz) into ${folder}, from ${places[0]}, ` +
    `or pass dataDir: the folder that has it (--data-dir on the command line). The built-in digits() need no files.`;
  if (options.dataDir !== undefined) {
    if (!(await isFolder(folder))) {
      throw new FileError(`${title}: there is no folder ${folder}. Expected a folder with ${file.name}. ${mend}`);
    }
    const tried = candidates.map((path) => path.slice(folder.length + 1)).join(", ");
    throw new FileError(`${title}: the folder ${folder} has no ${split} ${part}. Looked for ${tried}. ${mend}`);
  }
  if (options.download === false) {
    throw new FileError(`${title}: ${candidates[0]} is not there and downloading is switched off. ${mend}`);
  }
  const urls = places.map((place) => new URL(file.name, place.endsWith("/") ? place : `${place}/`).href);
  const path = join(folder, file.name);
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw fileError("write", folder, error);
  });
  try {
    await download({ ...file, urls }, path, options);
  } catch (error) {
    if (error instanceof FileError && error.message.startsWith("cannot download")) {
      throw new FileError(`${title}: ${error.message}\n${mend}`, { cause: error });
    }
    throw error;
  }
  return path;
}

/** Where the file may lie: in the folder itself, in torchvision's layout, or in a folder of the collection's name. */
function candidatePaths(folder: string, collection: MnistName, name: string): string[] {
  const plain = name.replace(/\.gz$/, "");
  const dotted = plain.replace(/-idx(\d)-/, ".idx$1-");
  const torchvision = collection === "mnist" ? "MNIST" : "FashionMNIST";
  const folders = [folder, join(folder, torchvision, "raw"), join(folder, collection)];
  return folders.flatMap((each) => [plain, name, dotted, `${dotted}.gz`].map((spelling) => join(each, spelling)));
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
