/** One folder a class, on disk or in an archive: which pictures there are, of which classes, and what fits nowhere. */

import { ArgumentError, DataError, FileError } from "../../core/errors.js";
import { closestName } from "../../core/suggest.js";
import { warnOnce } from "../../core/warnings.js";
import { isPictureName } from "../image.js";
import type { PictureSetOptions, PictureSetParts, SkippedFile } from "./picture-dataset.js";
import type { PictureFile } from "./store.js";

export type PictureSplit = "train" | "validation" | "test";

export interface ClassFoldersOptions extends PictureSetOptions {
  /** Which of `train/`, `val/` or `validation/`, and `test/`, where there are such; needed then. */
  readonly split?: PictureSplit | undefined;
}

/** A file below the folder or archive: `path` has the folders that lead to it, and its name. */
export interface ListedFile extends PictureFile {
  readonly path: readonly string[];
}

/** All that a folder or an archive holds, in the order of names. */
export interface Listing {
  /** What errors call it: its path. */
  readonly name: string;
  readonly files: readonly ListedFile[];
  /** Every folder below it. */
  readonly folders: readonly (readonly string[])[];
  /** What could not even be listed. */
  readonly skipped: readonly SkippedFile[];
}

const splitNames: Readonly<Record<PictureSplit, readonly string[]>> = {
  train: ["train", "training"],
  validation: ["val", "valid", "validation"],
  test: ["test", "testing"],
};

/** Files that systems leave in folders, which nobody means. */
export function isHidden(name: string): boolean {
  return name.startsWith(".") || ["thumbs.db", "desktop.ini", "__macosx"].includes(name.toLowerCase());
}

/** The folders of ready-made splits: all that there are have such names, and have folders of classes. */
export function findSplits({ name, folders }: Listing): ReadonlyMap<PictureSplit, string> {
  const found = new Map<PictureSplit, string>();
  for (const [folder] of folders.filter((path) => path.length === 1)) {
    const split = splitOf(folder);
    const hasFolders = folders.some((path) => path.length === 2 && path[0] === folder);
    if (split === undefined || !hasFolders) return new Map();
    const other = found.get(split);
    if (other !== undefined)
      throw new FileError(
        `${name} has both ${other}/ and ${folder}/. Expected one of them. Fix: remove or rename one.`,
      );
    found.set(split, folder);
  }
  return found;
}

/** Whether a folder is named as a split's. */
export function isSplitName(folder = ""): boolean {
  return splitOf(folder) !== undefined;
}

function splitOf(folder: string): PictureSplit | undefined {
  const splits = ["train", "validation", "test"] as const;
  return splits.find((split) => splitNames[split].includes(folder.toLowerCase()));
}

/** The pictures of a listing, each with the class whose folder it is in. */
export function arrange(listing: Listing, options: ClassFoldersOptions): PictureSetParts {
  const root = rootOf(listing, options.split);
  const depth = root.length;
  const within = (path: readonly string[]) => root.every((part, i) => path[i] === part);
  const where = [listing.name, ...root].join("/");
  const present = listing.folders
    .filter((path) => path.length === depth + 1 && within(path))
    .map((path) => path[depth]);
  const classNames = options.classNames ?? [...present].sort();
  checkClasses(where, present, classNames, listing);
  const numbers = new Map(classNames.map((name, number) => [name, number]));
  const skipped = [...listing.skipped];
  const files: ListedFile[] = [];
  const labels: number[] = [];
  for (const file of listing.files) {
    const { path } = file;
    if (!within(path)) {
      // Beside the folders of splits there is nothing to lose a picture in.
      if (path.length === 1) skipped.push({ file: file.name, reason: "it is in no folder of a class" });
      continue;
    }
    const number = path.length > depth + 1 ? numbers.get(path[depth]) : undefined;
    if (number === undefined) skipped.push({ file: file.name, reason: "it is in no folder of a class" });
    else if (!isPictureName(file.name))
      skipped.push({ file: file.name, reason: "its name does not end as a picture's, such as .jpg or .png" });
    else {
      files.push(file);
      labels.push(number);
    }
  }
  const filled = new Set(labels.map((number) => classNames[number]));
  const empty = present.filter((name) => !filled.has(name));
  if (empty.length > 0) {
    throw new DataError(
      `${where}: the folder${empty.length > 1 ? "s" : ""} ${empty.join(", ")} ${empty.length > 1 ? "have" : "has"} no pictures. ` +
        "Expected at least one of each class. Fix: add pictures, or remove the folder.",
    );
  }
  return {
    name: listing.name,
    split: options.split ?? "all",
    files,
    labels: Int32Array.from(labels),
    classNames,
    skipped,
    everyClass: options.classNames === undefined,
  };
}

/** The folder of the split that was asked for, or none. */
function rootOf(listing: Listing, split: PictureSplit | undefined): readonly string[] {
  const splits = findSplits(listing);
  if (splits.size === 0) {
    if (split === undefined) return [];
    const folder = split === "validation" ? "val" : split;
    throw new ArgumentError(
      `${listing.name} has no folder ${folder}/ with folders of classes. Expected one for split: "${split}". ` +
        "Fix: leave out split, and part the set with splitDataset().",
    );
  }
  const folder = split && splits.get(split);
  if (folder !== undefined) return [folder];
  throw new ArgumentError(
    `${listing.name} has the splits ${[...splits.values()].map((name) => `${name}/`).join(", ")}, but split is ${split === undefined ? "not given" : JSON.stringify(split)}. ` +
      `Expected one of ${[...splits.keys()].map((name) => JSON.stringify(name)).join(", ")}.`,
  );
}

function checkClasses(
  where: string,
  present: readonly string[],
  classNames: readonly string[],
  { files }: Listing,
): void {
  if (present.length === 0) {
    const loose = files.some(({ name }) => isPictureName(name));
    throw new DataError(
      `${where} has no folders of classes${loose ? ", though it has pictures" : ""}. Expected a folder for each class with its pictures, ` +
        "such as cat/ and dog/. Fix: sort the pictures into folders, or name their classes in a table (.csv).",
    );
  }
  const alike = findAlike(present);
  if (alike !== undefined) {
    throw new DataError(
      `${where}: the classes ${alike} have the same name but for capitals, spaces or the coding of letters. ` +
        "Expected classes of different names. Fix: put their pictures into one folder, or rename one.",
    );
  }
  const unknown = present.find((name) => !classNames.includes(name));
  if (unknown === undefined) return;
  const meant = closestName(unknown, classNames);
  throw new DataError(
    `${where}: the class ${JSON.stringify(unknown)} is none of those expected${meant === undefined ? "" : ` (did you mean ${meant}?)`}. ` +
      `Expected ${nameSome(classNames)}. Fix: rename or remove the folder.`,
  );
}

/** Two names that some file systems and people take for the same, as text, where there are such. */
function findAlike(
  names: readonly string[],
  plain = (name: string) => name.normalize("NFC").toLowerCase().trim(),
): string | undefined {
  const seen = new Map<string, string>();
  for (const name of names) {
    const other = seen.get(plain(name));
    if (other !== undefined) return `${JSON.stringify(other)} and ${JSON.stringify(name)}`;
    seen.set(plain(name), name);
  }
  return undefined;
}

/** Warns of classes that are probably one. No error as for folders: some tell capital letters from small ones. */
export function warnOfAlike(where: string, classNames: readonly string[]): void {
  const numeric = classNames.every((name) => Number.isFinite(Number(name)));
  const alike = findAlike(classNames, numeric ? (name) => String(Number(name)) : undefined);
  if (alike === undefined) return;
  warnOnce(
    `${where}: the classes ${alike} ${numeric ? "are the same number" : "differ only in capitals, spaces or the coding of letters"}, and are learnt as two. Fix: write them alike if they are one.`,
  );
}

/** Some names, and how many more there are. */
export function nameSome(names: readonly string[]): string {
  const most = 12;
  return names.length <= most ? names.join(", ") : `${names.slice(0, most).join(", ")}, … (${names.length} in all)`;
}
