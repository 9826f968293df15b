/** Picture files for tests, encoded by the library that decodes them. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { loadSharp } from "../../src/node/image.js";

/** Why there are no picture files, where there are none. */
export const noPictures: string | false = await loadSharp().then(
  () => false as const,
  () => "sharp is not installed",
);

export type Colour = readonly [red: number, green: number, blue: number];

interface PictureOptions {
  readonly width?: number;
  readonly height?: number;
  readonly format?: "png" | "jpeg" | "webp" | "gif";
  /** How many colours a PNG keeps in a palette. */
  readonly palette?: boolean;
  readonly grey?: boolean;
  /** Opacity, 0 … 1. */
  readonly alpha?: number;
}

/** The bytes of a picture of one colour. */
export async function encodePicture([r, g, b]: Colour, options: PictureOptions = {}): Promise<Buffer> {
  const { width = 12, height = 10, format = "png", palette = false, grey = false, alpha } = options;
  const sharp = await loadSharp();
  const background = { r, g, b, alpha: alpha ?? 1 };
  const picture = sharp({ create: { width, height, channels: alpha === undefined ? 3 : 4, background } });
  const coloured = grey ? picture.toColourspace("b-w") : picture;
  if (format === "png") return coloured.png({ palette }).toBuffer();
  return coloured.toFormat(format, format === "jpeg" ? { quality: 100 } : {}).toBuffer();
}

/** Writes files under a folder, which is made with all that are needed within. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<string> {
  for (const [path, contents] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
  return folder;
}
