/** CIFAR-10 and CIFAR-100 from a folder, or downloaded once into the cache. */

import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { ArgumentError, FileError, FormatError } from "../core/errors.js";
import { type CifarLabelKind, type CifarName, type CifarSplit, cifarCollections, readCifar } from "../data/cifar.js";
import type { ImageDataset } from "../data/images.js";
import type { CifarSource } from "../formats/cifar.js";
import { gunzip } from "../formats/gzip.js";
import { readTar } from "../formats/tar.js";
import { cacheFolder } from "./cache.js";
import { type DataFilesOptions, fetchMissing, isFile, isFolder, sourceOf } from "./data-files.js";

export interface CifarOptions extends DataFilesOptions {
  readonly split: CifarSplit;
}

export interface Cifar100Options extends CifarOptions {
  /** The 100 classes (`"fine"`, the default), or the 20 groups that they form (`"coarse"`). */
  readonly labels?: CifarLabelKind;
}

/**
 * The 50,000 (`train`) or 10,000 (`test`) colour pictures of CIFAR-10, 3×32×32.
 *
 * `dataDir` holds the official binary batches, itself or in `cifar-10-batches-bin/`, each compressed with gzip or not; or the
 * archive that they come in, `cifar-10-binary.tar.gz`; or else any files of the same layout with `train` or `test` in their
 * names, ending in `.bin` or `.bin.gz`. Without `dataDir` the archive is downloaded (170 MB).
 *
 * @throws FileError, FormatError where files are missing or damaged
 * @example
 * const train = await cifar10({ split: "train", dataDir: "data/cifar10" });
 */
export function cifar10(options: CifarOptions): Promise<ImageDataset> {
  return load("cifar10", options);
}

/**
 * The 50,000 or 10,000 colour pictures of CIFAR-100, 3×32×32, of 100 classes. Files are found as those of `cifar10`:
 * `train.bin` and `test.bin`, itself or in `cifar-100-binary/`, or `cifar-100-binary.tar.gz`.
 */
export function cifar100(options: Cifar100Options): Promise<ImageDataset> {
  return load("cifar100", options, options.labels);
}

async function load(collection: CifarName, options: CifarOptions, kind?: CifarLabelKind): Promise<ImageDataset> {
  const { split } = options;
  if (split !== "train" && split !== "test") {
    throw new ArgumentError(`${collection}: there is no split ${JSON.stringify(split)}. Expected "train" or "test".`);
  }
  const place = await locate(collection, split, options);
  const sources =
    "archive" in place
      ? archiveSources(collection, split, place.archive, options.signal)
      : fileSources(place.files, options.signal);
  return readCifar(collection, split, sources, kind);
}

/** The files that hold a split, or the archive that does. */
type Place = { readonly files: readonly string[] } | { readonly archive: string };

async function locate(collection: CifarName, split: CifarSplit, options: CifarOptions): Promise<Place> {
  const { title, mirrors, archive, folder: inner, files } = cifarCollections[collection];
  const folder = options.dataDir ?? join(cacheFolder(), collection);
  const names = files[split];
  for (const place of [folder, join(folder, inner)]) {
    const paths = await Promise.all(names.map((name) => plainOrCompressed(join(place, name))));
    const found = paths.filter((path) => path !== undefined);
    if (found.length === names.length) return { files: found };
    if (found.length > 0) {
      const missing = names.filter((_, i) => paths[i] === undefined);
      throw new FileError(
        `${title}: ${place} has ${basename(found[0])}, but not ${missing.join(", ")}. Expected all of ${names.join(", ")}. ` +
          "Fix: copy the missing files there too; or name those that are to be used alone something with train in it.",
      );
    }
  }
  const packed = join(folder, archive.name);
  if (await isFile(packed)) return { archive: packed };

  const places = options.mirrors ?? mirrors;
  const mend =
    `Fix: put ${archive.name} from ${places[0]}, or the files in it, into ${folder}, ` +
    "or pass dataDir: the folder that has them (--data-dir on the command line).";
  if (options.dataDir !== undefined) {
    if (!(await isFolder(folder))) {
      throw new FileError(`${title}: there is no folder ${folder}. Expected a folder with ${archive.name}. ${mend}`);
    }
    const own = await ownFiles(folder, split);
    if (own.length > 0) return { files: own };
    throw new FileError(
      `${title}: the folder ${folder} has no ${split} pictures. Looked for ${names.join(", ")} (each also with .gz, and in ${inner}/), ` +
        `${archive.name}, *${split}*.bin and *${split}*.bin.gz. ${mend}`,
    );
  }
  return { archive: await fetchMissing({ title, file: archive, folder, places, mend }, options) };
}

async function plainOrCompressed(path: string): Promise<string | undefined> {
  for (const each of [path, `${path}.gz`]) if (await isFile(each)) return each;
  return undefined;
}

/** Files of other names that tell which split they belong to; a compressed one only where it is not there plain too. */
async function ownFiles(folder: string, split: CifarSplit): Promise<string[]> {
  const other = split === "train" ? "test" : "train";
  const names = (await readdir(folder)).filter(
    (name) => /^[^.].*\.bin(\.gz)?$/.test(name) && name.includes(split) && !name.includes(other),
  );
  const wanted = names.filter((name) => !name.endsWith(".gz") || !names.includes(name.slice(0, -3)));
  return wanted.sort().map((name) => join(folder, name));
}

async function* fileSources(paths: readonly string[], signal?: AbortSignal): AsyncGenerator<CifarSource> {
  for (const path of paths) yield await sourceOf(path, signal);
}

/** The files of a split in an archive, in the order in which they lie there. */
async function* archiveSources(
  collection: CifarName,
  split: CifarSplit,
  archive: string,
  signal?: AbortSignal,
): AsyncGenerator<CifarSource> {
  const { files } = cifarCollections[collection];
  const missing = new Set(files[split]);
  const { bytes } = await sourceOf(archive, signal);
  for await (const { path, size, isFile: plain, contents } of readTar(gunzip(bytes, archive), archive)) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (!plain || !missing.delete(name)) continue;
    yield { name: `${archive}: ${path}`, bytes: contents, size };
    if (missing.size === 0) return;
  }
  throw new FormatError(
    `${archive}: the archive has no ${[...missing].join(", ")}. Expected the binary version of the data set. ` +
      "Fix: download it again; the versions for Python and Matlab are other archives.",
  );
}
