/** Files that somebody chose or dropped, as a data set. */

import { ArgumentError, DataError, FoveaError } from "../core/errors.js";
import { ImageDataset } from "../data/images.js";
import { toPlanar } from "../data/pixels.js";
import type { PictureInput } from "../data/resize.js";
import { fittedPixels } from "./pixels.js";

export interface ImagesFromFilesOptions {
  /** Pixels of a side of the squares that pictures become. Needed unless `input` is given. */
  readonly size?: number | undefined;
  /** The network that the pictures are for, such as `models.find("resnet18")`. */
  readonly input?: PictureInput | undefined;
  /** The class of a file. Default: the folder that it lies in, where a folder was chosen (`<input type="file" webkitdirectory>`). */
  readonly classOf?: ((file: File) => string) | undefined;
  /** The classes in their order, as when a network has been trained already. Default: those that there are, sorted by name. */
  readonly classNames?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A file that was left out, and why. */
export interface SkippedPicture {
  readonly file: File;
  readonly reason: string;
}

export interface FileSet {
  readonly data: ImageDataset;
  /** The files of the pictures in `data`, in their order. */
  readonly files: readonly File[];
  readonly skipped: readonly SkippedPicture[];
}

/** Pictures in the size of the network, in memory, are refused beyond this. */
const mostBytes = 2 ** 30;

/**
 * Pictures of a `FileList` — of an `<input type="file" multiple>`, or `event.dataTransfer.files` of a drop — as a data set in
 * memory. What is no picture is left out and listed.
 *
 * @throws DataError where no picture can be used; ArgumentError for files without a class, or more than 1 GB of pixels
 * @example
 * input.onchange = async () => {
 *   const { data, skipped } = await imagesFromFiles(input.files, { size: 64 });
 *   await fit(model, data, { optimizer, epochs: 5 });
 * };
 */
export async function imagesFromFiles(files: Iterable<File>, options: ImagesFromFilesOptions): Promise<FileSet> {
  const { classOf = folderOf, classNames: given, signal, onProgress } = options;
  const input = inputOf(options);
  const [channels, height, width] = [input.inputShape[0] === 1 ? 1 : 3, input.inputShape[1], input.inputShape[2]];
  const all = [...files].filter(({ name }) => !name.startsWith("."));
  if (all.length * channels * height * width > mostBytes) {
    throw new ArgumentError(
      `imagesFromFiles: ${all.length} pictures of ${height}×${width} pixels would fill more than 1 GB. Fix: fewer pictures, or a smaller size.`,
    );
  }
  const used: { readonly file: File; readonly name: string; readonly planar: Uint8Array<ArrayBuffer> }[] = [];
  const skipped: SkippedPicture[] = [];
  for (const [i, file] of all.entries()) {
    signal?.throwIfAborted();
    const name = classOf(file);
    if (given !== undefined && !given.includes(name)) {
      skipped.push({ file, reason: `its class ${JSON.stringify(name)} is none of ${given.join(", ")}` });
    } else {
      try {
        used.push({ file, name, planar: toPlanar(await fittedPixels(file, input)) });
      } catch (error) {
        if (!(error instanceof FoveaError)) throw error;
        skipped.push({ file, reason: error.message });
      }
    }
    onProgress?.(i + 1, all.length);
  }
  if (used.length === 0) {
    const reason = skipped.length === 0 ? "" : ` ${skipped[0].file.name}: ${skipped[0].reason}`;
    throw new DataError(`imagesFromFiles: none of ${all.length} files can be used. Expected pictures.${reason}`);
  }
  const classNames = given ?? [...new Set(used.map(({ name }) => name))].sort();
  const images = new Uint8Array(used.length * channels * height * width);
  for (const [i, { planar }] of used.entries()) images.set(planar, i * planar.length);
  const data = new ImageDataset({
    ...{ name: "files", split: "all", images, shape: [channels, height, width], classNames },
    labels: Int32Array.from(used, ({ name }) => classNames.indexOf(name)),
  });
  return { data, files: used.map(({ file }) => file), skipped };
}

/** The folder that a file lies in, as far as the browser tells. */
function folderOf(file: File): string {
  const folder = file.webkitRelativePath.split("/").at(-2);
  if (folder !== undefined) return folder;
  throw new ArgumentError(
    `imagesFromFiles: nothing says which class ${file.name} is of. Fix: classOf: (file) => …, or have a folder chosen (webkitdirectory).`,
  );
}

function inputOf({ size, input }: ImagesFromFilesOptions): PictureInput {
  if (input !== undefined && size === undefined) return input;
  if (input !== undefined || size === undefined || !Number.isInteger(size) || size < 1 || size > 16384) {
    throw new ArgumentError(
      `imagesFromFiles: size is ${size}, with ${input === undefined ? "no input" : "an input"}. Expected one of them: size: 64 for squares of 64 pixels, or input: models.find("resnet18").`,
    );
  }
  return { inputShape: [3, size, size], resizing: { resize: size, crop: size, interpolation: "bilinear" } };
}
