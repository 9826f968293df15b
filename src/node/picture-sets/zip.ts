/** Pictures in a zip archive, a folder a class; nothing is unpacked to the disk. */

import { FileError } from "../../core/errors.js";
import { openZip, type ZipEntry } from "../../formats/zip.js";
import { MAX_FILE_BYTES } from "../image.js";
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
  const named: string[] = [];
  const entries = await openZip(await reopening(path), named);
  const skipped: SkippedFile[] = [];
  const files: ListedFile[] = [];
  for (const entry of entries.values()) {
    const parts = entry.name.split("/");
    const name = `${path}: ${entry.name}`;
    if (parts.some(isHidden) && !parts.includes("..")) continue;
    if (leadsOut(parts)) skipped.push({ file: name, reason: "its path leads out of the archive" });
    else files.push({ name, path: parts, size: async () => entry.size, read: () => unpack(entry, name) });
  }
  // Those that have entries of their own may be empty, which must not go unnoticed.
  const folders = named
    .map((name) => name.slice(0, -1).split("/"))
    .filter((parts) => !leadsOut(parts) && !parts.some(isHidden));
  // The folder that was packed, rather than what is in it.
  const [outer, ...others] = new Set([...files.map((file) => file.path), ...folders].map(([first]) => first));
  const isWrapped = others.length === 0 && !isSplitName(outer) && files.some((file) => file.path.length > 2);
  const from = isWrapped ? 1 : 0;
  const inner = files.map((file) => ({ ...file, path: file.path.slice(from) }));
  inner.sort((a, b) => (a.name < b.name ? -1 : 1));
  const all = [...inner.map((file) => file.path.slice(0, -1)), ...folders.map((parts) => parts.slice(from))];
  return { name: path, files: inner, folders: withParents(all), skipped };
}

/** Whether a path is none within the archive. */
function leadsOut(parts: readonly string[]): boolean {
  return parts.some((part) => part === ".." || part === "" || /[\\\0]/.test(part));
}

/** Folders, and those that they lie in, each once. */
function withParents(paths: readonly (readonly string[])[]): string[][] {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    for (let depth = 1; depth <= path.length; depth++) {
      folders.set(path.slice(0, depth).join("/"), path.slice(0, depth));
    }
  }
  return [...folders.values()];
}

async function unpack(entry: ZipEntry, name: string): Promise<Uint8Array<ArrayBuffer>> {
  if (entry.size > MAX_FILE_BYTES)
    throw new FileError(
      `cannot read ${name}: it unpacks to ${entry.size} bytes. Expected at most ${MAX_FILE_BYTES}. Fix: leave it out.`,
    );
  const reader = await entry.open();
  try {
    const bytes = new Uint8Array(entry.size);
    await reader.fill(bytes);
    return bytes;
  } finally {
    await reader.close();
  }
}
