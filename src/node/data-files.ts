/** What loaders of published data sets share: looking for files, and downloading them into the cache. */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { FileError } from "../core/errors.js";
import type { PublishedFile } from "../data/mnist.js";
import type { ByteChunks } from "../formats/array.js";
import { type DownloadOptions, download } from "./download.js";
import { makeFolder, openFile } from "./files.js";

export interface DataFilesOptions extends DownloadOptions {
  /** The folder with the files; nothing is downloaded then. Otherwise the cache folder is used. */
  readonly dataDir?: string;
  /** Whether files that the cache lacks may be downloaded; true unless told. */
  readonly download?: boolean;
  /** Places to download from, instead of the usual ones. */
  readonly mirrors?: readonly string[];
}

/** A file as readers of formats take it. */
export async function sourceOf(
  path: string,
  signal?: AbortSignal,
): Promise<{ readonly name: string; readonly bytes: ByteChunks; readonly size: number }> {
  const file = await openFile(path);
  return { name: path, bytes: file.chunks(signal), size: file.size };
}

export interface Missing {
  readonly title: string;
  readonly file: PublishedFile;
  readonly folder: string;
  /** Folders on the web. */
  readonly places: readonly string[];
  /** How to get on without a download: the end of the error's message. */
  readonly mend: string;
}

/** Downloads a file into a folder, and returns its path. @throws FileError that says where to put it by hand */
export async function fetchMissing(
  { title, file, folder, places, mend }: Missing,
  options: DataFilesOptions,
): Promise<string> {
  const path = join(folder, file.name);
  if (options.download === false) {
    throw new FileError(`${title}: ${path} is not there and downloading is switched off. ${mend}`);
  }
  const urls = places.map((place) => new URL(file.name, place.endsWith("/") ? place : `${place}/`).href);
  await makeFolder(folder);
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

export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
