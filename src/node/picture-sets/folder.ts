/** Pictures in folders, one a class. */

import type { Dirent, Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { FileError } from "../../core/errors.js";
import { isFolder } from "../data-files.js";
import { fileError, readFile } from "../files.js";
import { MAX_FILE_BYTES } from "../image.js";
import { arrange, type ClassFoldersOptions, isHidden, type ListedFile, type Listing } from "./layout.js";
import { openPictures, type PictureDataset, type SkippedFile } from "./picture-dataset.js";

/**
 * Pictures of one's own: a folder that has a folder for each class, with JPEG, PNG, WebP, GIF, TIFF or AVIF files in it or in
 * folders within; classes are numbered by name. Where there are `train/`, `val/` and `test/` with such folders each, `split`
 * says which is meant.
 *
 * Each picture is turned as its EXIF orientation says, laid on white where it is transparent, made grey or coloured, and scaled.
 * Every file is read once at the beginning: those that cannot be used are left out, listed in `skipped` and warned of
 * (`onWarning`). Hidden files are passed over.
 *
 * @throws FileError where there is no such folder, and for symbolic links to folders; DataError for classes without pictures, or
 * that have the same name but for capitals
 * @example
 * const photos = await imageFolder("photos", { size: 64 });
 * const [train, test] = splitDataset(photos, [0.8, 0.2], { seed: 1 });
 */
export async function imageFolder(path: string, options: ClassFoldersOptions): Promise<PictureDataset> {
  return openPictures(options, async () => arrange(await listFolder(path), options));
}

/** More folders within one another than anybody needs. */
const deepest = 32;

/** All that a folder holds. */
export async function listFolder(path: string): Promise<Listing> {
  if (!(await isFolder(path)))
    throw new FileError(
      `there is no folder ${path}. Expected one with a folder of pictures for each class. Fix: check the path.`,
    );
  const root = await realpath(path);
  const files: ListedFile[] = [];
  const folders: (readonly string[])[] = [];
  const skipped: SkippedFile[] = [];
  const walk = async (parts: readonly string[]): Promise<void> => {
    if (parts.length > deepest)
      throw new FileError(
        `${join(path, ...parts)}: folders lie ${deepest} deep in one another. Fix: check the folder.`,
      );
    for (const entry of await entriesOf(join(path, ...parts))) {
      if (isHidden(entry.name)) continue;
      const inner = [...parts, entry.name];
      const full = join(path, ...inner);
      const problem = entry.isSymbolicLink() ? await checkLink(full, root) : undefined;
      if (problem !== undefined) skipped.push({ file: full, reason: problem });
      else if (entry.isDirectory()) {
        folders.push(inner);
        await walk(inner);
      } else if (entry.isFile() || entry.isSymbolicLink()) files.push({ ...fileAt(full), path: inner });
      else skipped.push({ file: full, reason: "it is not a regular file" });
    }
  };
  await walk([]);
  return { name: path, files, folders, skipped };
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw fileError("read", folder, error);
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What is wrong with a symbolic link, if anything. @throws FileError where it leads to a folder, with who knows how many pictures */
async function checkLink(link: string, root: string): Promise<string | undefined> {
  let target: string;
  let status: Stats;
  try {
    target = await realpath(link);
    status = await stat(target);
  } catch {
    return "it is a symbolic link that leads nowhere";
  }
  if (status.isDirectory()) {
    throw new FileError(
      `${link} is a symbolic link to the folder ${target}. Expected folders themselves. Fix: copy the folder, or name the one that has it.`,
    );
  }
  if (!isWithin(target, root)) return `it is a symbolic link out of the folder, to ${target}`;
  return status.isFile() ? undefined : "it is not a regular file";
}

/** Whether a path, without symbolic links, is inside of a folder. */
export function isWithin(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** A file of the disk. */
export function fileAt(path: string) {
  return {
    name: path,
    async size(): Promise<number> {
      const status = await stat(path).catch((error) => {
        throw fileError("read", path, error);
      });
      return status.size;
    },
    read: () => readFile(path, { maxBytes: MAX_FILE_BYTES }),
  };
}
