/** Pictures in a zip archive, a folder a class; nothing is unpacked to the disk. */

import { openZip, type ZipEntry } from "../../formats/zip.js";
import { arrange, type ClassFoldersOptions, isHidden, isSplitName, type ListedFile, type Listing } from "./layout.js";
import { openPictures, type PictureDataset, type SkippedFile } from "./picture-dataset.js";
import { reopening } from "./reopening.js";

/**
 * Pictures in a zip archive that is laid out as `imageFolder` has it; one folder around everything does no harm. Files are read
 * from the archive when they are needed.
 *
 * @throws FileError, FormatError for what is no whole zip archive; otherwise as `imageFolder`
 * @example const photos = await imageZip("photos.zip", { size: 64 });
 */
export async function imageZip(path: string, options: ClassFoldersOptions): Promise<PictureDataset> {
  return openPictures(options, async () => arrange(await listZip(path), options));
}

/** All that an archive holds. */
export async function listZip(path: string): Promise<Listing> {
  const entries = await openZip(await reopening(path));
  const skipped: SkippedFile[] = [];
  const files: ListedFile[] = [];
  for (const entry of entries.values()) {
    const parts = entry.name.split("/");
    const name = `${path}: ${entry.name}`;
    if (parts.some(isHidden) && !parts.includes("..")) continue;
    if (parts.includes("..") || parts.includes("") || /[\\\0]/.test(entry.name))
      skipped.push({ file: name, reason: "its path leads out of the archive" });
    else files.push({ name, path: parts, size: async () => entry.size, read: () => unpack(entry) });
  }
  // The folder that was packed, rather than what is in it.
  const [outer, ...others] = new Set(files.map((file) => file.path[0]));
  const isWrapped = others.length === 0 && !isSplitName(outer) && files.some((file) => file.path.length > 2);
  const inner = isWrapped ? files.map((file) => ({ ...file, path: file.path.slice(1) })) : files;
  inner.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { name: path, files: inner, folders: foldersOf(inner), skipped };
}

/** The folders that files lie in. */
function foldersOf(files: readonly ListedFile[]): string[][] {
  const folders = new Map<string, string[]>();
  for (const { path } of files) {
    for (let depth = 1; depth < path.length; depth++) folders.set(path.slice(0, depth).join("/"), path.slice(0, depth));
  }
  return [...folders.values()];
}

async function unpack(entry: ZipEntry): Promise<Uint8Array<ArrayBuffer>> {
  const reader = await entry.open();
  try {
    const bytes = new Uint8Array(entry.size);
    await reader.fill(bytes);
    return bytes;
  } finally {
    await reader.close();
  }
}
