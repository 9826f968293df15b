/** Picture files from what is given on the command line: paths, folders, and patterns where no shell replaced them. */

import { existsSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FileError } from "../core/errors.js";
import { fileError } from "../node/files.js";
import { isPictureName } from "../node/image.js";

/**
 * The pictures in a folder, by name; the files that a pattern such as `photos/*.jpg` fits, where there is no file of that
 * very name; or else just the path.
 *
 * @throws FileError where there are none
 */
export async function expandPictures(path: string): Promise<string[]> {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) return [path];
    const found = await list(path, (name) => isPictureName(name) && !name.startsWith("."));
    if (found.length > 0) return found;
    throw new FileError(
      `the folder ${path} has no pictures. Expected files such as .jpg, .png, .webp, .gif, .tiff or .avif, not in folders within.`,
    );
  }
  const name = basename(path);
  if (!/[*?]/.test(name)) return [path];
  const folder = dirname(path);
  const found = existsSync(folder) ? await list(folder, patternTest(name)) : [];
  if (found.length > 0) return found;
  throw new FileError(`no file fits the pattern ${path}. Fix: check the folder, and the pattern in its last part.`);
}

async function list(folder: string, wanted: (name: string) => boolean): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory() && wanted(entry.name));
    return files.map((entry) => join(folder, entry.name)).sort();
  } catch (error) {
    throw fileError("read", folder, error);
  }
}

/** `*` stands for any characters, `?` for one; hidden files are only meant by patterns that begin with a dot. */
function patternTest(pattern: string): (name: string) => boolean {
  const parts = [...pattern].map((character) => {
    if (character === "*") return ".*";
    return character === "?" ? "." : character.replace(/[\\^$.*+?()[\]{}|]/, "\\$&");
  });
  // Several stars in a row say no more than one, and would take long to try.
  const fits = new RegExp(`^${parts.join("").replace(/(\.\*)+/g, ".*")}$`, "s");
  return (name) => fits.test(name) && (pattern.startsWith(".") || !name.startsWith("."));
}
