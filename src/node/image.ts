/** Picture files, through the optional package `sharp`: decoded to bytes, and written as PNG. */

import type sharp from "sharp";
import { ArgumentError, FormatError, FoveaError } from "../core/errors.js";
import { checkPixels, type PixelImage } from "../data/pixels.js";
import { errorCode, readFile, writeFile } from "./files.js";

export interface ReadImageOptions {
  /** 1 for grey, 3 for red, green and blue (the default), 4 with opacity. */
  readonly channels?: 1 | 3 | 4;
  /** Height and width to resize to, or one number for a square. */
  readonly size?: number | readonly [number, number];
  /** How: fill the size and cut off what is over (`cover`, the default), or distort (`fill`). */
  readonly fit?: "cover" | "fill";
  /** What transparent parts become where there is no channel of opacity; white unless told. */
  readonly background?: "white" | "black";
}

/** A file beyond this is no picture to classify. */
export const MAX_FILE_BYTES = 2 ** 28;
/** Pixels that a picture may have when decoded: 100 million, 300 MB of RGB. */
const MAX_PIXELS = 1e8;

const formats: readonly string[] = ["jpeg", "png", "webp", "gif", "tiff", "heif", "avif"];

/** Whether a file's name ends as those of pictures do. */
export function isPictureName(name: string): boolean {
  return /\.(jpe?g|png|webp|gif|tiff?|avif)$/i.test(name);
}

/** Reads a JPEG, PNG, WebP, GIF, TIFF or AVIF file. A photograph's orientation tag is applied. */
export async function readPixels(path: string, options: ReadImageOptions = {}): Promise<PixelImage> {
  checkOptions(options);
  await loadSharp();
  return decodePixels(await readFile(path, { maxBytes: MAX_FILE_BYTES }), path, options);
}

/**
 * The picture in the bytes of a file, which `name` stands for in errors.
 *
 * @param options `counted`: whether `countPixels` has looked at these bytes already
 */
export async function decodePixels(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  options: ReadImageOptions & { readonly counted?: boolean } = {},
): Promise<PixelImage> {
  const { channels = 3, fit = "cover", background = "white", counted = false } = options;
  const size = checkOptions(options);
  return decoding(name, async (open) => {
    const picture = openPicture(open, bytes);
    if (!counted) await sizeOfPicture(picture);
    let pipeline = picture.autoOrient();
    if (size !== undefined) pipeline = pipeline.resize({ height: size[0], width: size[1], fit });
    pipeline = channels === 4 ? pipeline.ensureAlpha() : pipeline.flatten({ background });
    pipeline = pipeline.toColourspace(channels === 1 ? "b-w" : "srgb");
    const { data, info } = await pipeline.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    const image = { width: info.width, height: info.height, channels, data: new Uint8Array(data) };
    checkPixels(name, image);
    return image;
  });
}

/** How many pixels the picture in the bytes of a file says that it has; nothing is decoded. */
export function countPixels(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<number> {
  return decoding(name, (open) => sizeOfPicture(openPicture(open, bytes)));
}

function openPicture(open: typeof sharp, bytes: Uint8Array<ArrayBuffer>): ReturnType<typeof sharp> {
  return open(bytes, { failOn: "error", limitInputPixels: MAX_PIXELS });
}

/** Pixels of a picture, whose format is checked. */
async function sizeOfPicture(picture: ReturnType<typeof sharp>): Promise<number> {
  const { format, width, height } = await picture.metadata();
  if (!formats.includes(format)) throw new Error(`it is a ${format} file`);
  return width * height;
}

/** Runs `work`, and says of which file and how to mend it when it fails. */
async function decoding<T>(name: string, work: (open: typeof sharp) => Promise<T>): Promise<T> {
  const open = await loadSharp();
  try {
    return await work(open);
  } catch (error) {
    const said = error instanceof Error ? error.message.split("\n")[0] : String(error);
    // What the decoder has to say is lost where several pictures fail at once.
    const reason = said === "Unknown error" ? "it is damaged or cut off" : said;
    throw new FormatError(
      `cannot decode ${name}: ${reason}. Expected a JPEG, PNG, WebP, GIF, TIFF or AVIF picture of at most ` +
        `${MAX_PIXELS / 1e6} million pixels. Fix: open it in an image program and save it as PNG.`,
      { cause: error },
    );
  }
}

/** @returns the size to resize to */
function checkOptions({ channels = 3, size }: ReadImageOptions): readonly [number, number] | undefined {
  if (![1, 3, 4].includes(channels)) {
    throw new ArgumentError(`readPixels: channels is ${channels}. Expected 1, 3 or 4.`);
  }
  return checkSize(size);
}

/** Writes a picture as a PNG file, whole or not at all. */
export async function writePng(path: string, image: PixelImage): Promise<void> {
  checkPixels("writePng", image);
  const { width, height, channels, data } = image;
  const open = await loadSharp();
  await writeFile(path, await open(data, { raw: { width, height, channels } }).png().toBuffer());
}

/** The package, loaded when it is first needed; `load` is replaced in tests. */
export async function loadSharp(
  load: () => Promise<{ default: typeof sharp }> = () => import("sharp"),
): Promise<typeof sharp> {
  try {
    return (await load()).default;
  } catch (cause) {
    const missing = errorCode(cause) === "ERR_MODULE_NOT_FOUND";
    const reason = missing ? "is not installed" : `does not load (${cause instanceof Error ? cause.message : cause})`;
    throw new FoveaError(
      "FOVEA_UNSUPPORTED",
      `reading and writing pictures needs the package sharp, which ${reason}. Fix: npm install sharp`,
      { cause },
    );
  }
}

function checkSize(size: number | readonly [number, number] | undefined): readonly [number, number] | undefined {
  if (size === undefined) return undefined;
  const pair = typeof size === "number" ? ([size, size] as const) : size;
  if (pair.length !== 2 || pair.some((length) => !Number.isInteger(length) || length < 1 || length > 16384)) {
    throw new ArgumentError(
      `readPixels: size is ${JSON.stringify(size)}. Expected pixels from 1 to 16384, or [height, width].`,
    );
  }
  return pair;
}
