/** Data sets by the name that `--data` gives. */

import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { ArgumentError, DataError, FileError } from "../core/errors.js";
import { type DigitsSplit, digits } from "../data/digits/digits.js";
import { ImageDataset } from "../data/images.js";
import type { ModelEntry } from "../models/registry.js";
import type { DownloadProgress } from "../node/download.js";
import { fashionMnist, mnist } from "../node/mnist.js";
import type { DataFlags } from "./options.js";
import { clearProgress, showProgress } from "./progress.js";

const names = ["digits", "mnist", "fashion-mnist"] as const;
const expected = `Expected ${names.join(", ")}, or a folder of IDX files.`;

/** Whether `data` names a data set; otherwise it is a folder's path. */
export function isDataName(data: string): data is (typeof names)[number] {
  return names.some((name) => name === data);
}

/** Reads, downloads or draws one split of a data set, of pictures that `entry` takes. */
export async function loadData(
  entry: ModelEntry,
  flags: DataFlags,
  split: DigitsSplit,
  signal?: AbortSignal,
): Promise<ImageDataset> {
  let data: ImageDataset;
  try {
    data = await load(flags, split, signal);
  } finally {
    clearProgress();
  }
  if (data.size === 0) throw new DataError(`${data.name}: there are no ${split} pictures. Expected at least one.`);
  if (data.shape.join("×") !== entry.inputShape.join("×")) {
    throw new ArgumentError(
      `${entry.name} takes pictures of ${entry.inputShape.join("×")} (channels, height, width), but those of ${data.name} are ${data.shape.join("×")}. Fix: choose another model or data set.`,
    );
  }
  return data;
}

async function load(
  { data, dataDir }: DataFlags,
  split: DigitsSplit,
  signal: AbortSignal | undefined,
): Promise<ImageDataset> {
  const stop = signal && { signal };
  if (data === "mnist" || data === "fashion-mnist") {
    const read = data === "mnist" ? mnist : fashionMnist;
    const onProgress = ({ file, received, total }: DownloadProgress) =>
      showProgress(`downloading ${file}`, received, total);
    return await read({ split, onProgress, ...(dataDir !== undefined && { dataDir }), ...stop });
  }
  if (dataDir !== undefined) {
    throw new ArgumentError(
      `--data-dir is the folder of mnist or fashion-mnist, but --data is ${data}. Fix: leave out --data-dir.`,
    );
  }
  if (data === "digits") {
    const onProgress = (drawn: number, size: number) => showProgress(`drawing ${split} digits`, drawn, size);
    return await digits({ split, onProgress, ...stop });
  }
  const own = await mnist({ split, dataDir: checkFolder(data), ...stop });
  const { images, labels, shape, classNames } = own;
  return new ImageDataset({ name: basename(resolve(data)), split, images, labels, shape, classNames });
}

/** A folder of IDX files named as MNIST's, with labels 0 … 9. */
function checkFolder(path: string): string {
  if (!existsSync(path)) {
    const what = path === "" || /[\\/.]/.test(path) ? "folder" : "data set or folder";
    throw new ArgumentError(`--data: there is no ${what} ${JSON.stringify(path)}. ${expected}`);
  }
  if (!statSync(path).isDirectory()) throw new FileError(`--data: ${path} is a file. ${expected}`);
  return path;
}

/** Tells whether pictures and labels are the same as they were. */
export function fingerprint(...sets: readonly ImageDataset[]): string {
  const hash = createHash("sha256");
  for (const { images, labels, classNames } of sets) {
    hash
      .update(`${labels.length} ${JSON.stringify(classNames)}\n`)
      .update(images)
      .update(labels);
  }
  return hash.digest("hex").slice(0, 16);
}
