/** MNIST and Fashion-MNIST from a folder, or downloaded once into the cache. */

import { join } from "node:path";
import { ArgumentError, FileError } from "../core/errors.js";
import type { ImageDataset } from "../data/images.js";
import { type MnistName, type MnistPart, type MnistSplit, mnistCollections, readMnist } from "../data/mnist.js";
import { cacheFolder } from "./cache.js";
import { type DataFilesOptions, fetchMissing, isFile, isFolder, sourceOf } from "./data-files.js";

export interface MnistOptions extends DataFilesOptions {
  readonly split: MnistSplit;
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
  return readMnist(collection, split, await sourceOf(images, options.signal), await sourceOf(labels, options.signal));
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
  return fetchMissing({ title, file, folder, places, mend }, options);
}

/** Where the file may lie: in the folder itself, in torchvision's layout, or in a folder of the collection's name. */
function candidatePaths(folder: string, collection: MnistName, name: string): string[] {
  const plain = name.replace(/\.gz$/, "");
  const dotted = plain.replace(/-idx(\d)-/, ".idx$1-");
  const torchvision = collection === "mnist" ? "MNIST" : "FashionMNIST";
  const folders = [folder, join(folder, torchvision, "raw"), join(folder, collection)];
  return folders.flatMap((each) => [plain, name, dotted, `${dotted}.gz`].map((spelling) => join(each, spelling)));
}
