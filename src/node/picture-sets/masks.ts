/** Pictures and their masks, in two folders. */

import { readdir, realpath } from "node:fs/promises";
import { join, parse } from "node:path";
import { ArgumentError, DataError, FileError } from "../../core/errors.js";
import { warnOnce } from "../../core/warnings.js";
import { AnnotatedImages } from "../../data/annotated.js";
import { ImageDataset } from "../../data/images.js";
import { type PixelImage, toPlanar } from "../../data/pixels.js";
import { resizePixels } from "../../data/resize.js";
import { isFolder } from "../data-files.js";
import { fileError } from "../files.js";
import { isPictureName, readPixels } from "../image.js";
import { isWithin } from "./folder.js";
import { isHidden, nameSome } from "./layout.js";

/** A grey value, or a colour such as `#e0e0c0`. */
export type MaskColour = number | string;

export interface ImageMasksOptions {
  /** The folders within, where they have no usual names (`images`, `image`, `img`; `masks`, `mask`, `labels`, `label`). */
  readonly images?: string;
  readonly masks?: string;
  /** The classes in their order, each with its grey value or colour in the masks. Default: the colours that there are, darkest first. */
  readonly classes?: Readonly<Record<string, MaskColour>>;
  /** Pixels of this colour count for nothing: 255 in the masks that come out. */
  readonly ignore?: MaskColour;
  /** 1 for grey, 3 for colours. Default: grey where all pictures are. */
  readonly channels?: 1 | 3;
  /** Height and width to scale to; masks by nearest neighbour. Needed where pictures differ in size. */
  readonly size?: readonly [height: number, width: number];
  /** Called after each picture. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** N×H×W class numbers; 255 for pixels that do not count. */
export interface Masks extends Readonly<Record<string, Uint8Array<ArrayBuffer>>> {
  readonly masks: Uint8Array<ArrayBuffer>;
}

const usual = {
  images: ["images", "image", "imgs", "img", "pictures"],
  masks: ["masks", "mask", "labels", "label", "annotations"],
} as const;

/** More colours than this are no classes, but traces of compression or smoothing. */
const mostClasses = 64;

/**
 * Pictures with a class for each pixel: two folders whose files have the same names but for their endings, `images/7.jpg` and
 * `masks/7.png`. Order is by name, numbers in names by value. A picture's own class is the one that most of its pixels have.
 *
 * @throws FileError where a folder is missing, and for symbolic links out of it; DataError for pictures without masks, sizes that do not fit, colours of no class
 * @example
 * const all = await imageMasks("membranes", { classes: { cell: 255, membrane: 0 } });
 * const [train, test] = all.randomSplit([0.8, 0.2], 1);
 */
export async function imageMasks(path: string, options: ImageMasksOptions = {}): Promise<AnnotatedImages<Masks>> {
  const [imageFolder, maskFolder] = [
    await findFolder(path, "images", options),
    await findFolder(path, "masks", options),
  ];
  const files = await pairsOf(path, imageFolder, maskFolder);
  const pictures: PixelImage[] = [];
  const drawn: PixelImage[] = [];
  for (const { image, mask } of files) {
    const picture = await readPixels(image, { channels: 3 });
    const colours = await readPixels(mask, { channels: 3 });
    checkSizes(image, picture, mask, colours);
    pictures.push(options.size ? resizePixels(picture, options.size) : picture);
    drawn.push(options.size ? nearestPixels(colours, options.size) : colours);
    const last = pictures[pictures.length - 1];
    if (last.height !== pictures[0].height || last.width !== pictures[0].width) {
      throw new DataError(
        `${image} has ${last.height}×${last.width} pixels, but ${files[0].image} has ${pictures[0].height}×${pictures[0].width}. Expected one size. Fix: the option size, such as [256, 256].`,
      );
    }
    options.onProgress?.(pictures.length, files.length);
  }
  const [{ height, width }] = pictures;
  const { names, numbers } = classesOf(path, options, drawn);
  const masks = new Uint8Array(files.length * height * width);
  const labels = new Uint8Array(files.length);
  for (const [i, mask] of drawn.entries()) {
    const counts = new Uint32Array(256);
    for (let pixel = 0; pixel < height * width; pixel++) {
      const colour = colourAt(mask, pixel);
      const number = numbers.get(colour);
      if (number === undefined) {
        throw new DataError(
          `${files[i].mask}: the pixel in row ${Math.floor(pixel / width)}, column ${pixel % width} has ${describe(colour)}, which is no class. ` +
            `Expected ${[...numbers.keys()].map(describe).join(", ")}. Fix: name it in classes, or as ignore.`,
        );
      }
      masks[i * height * width + pixel] = number;
      counts[number]++;
    }
    labels[i] = counts.subarray(0, names.length).indexOf(Math.max(...counts.subarray(0, names.length)));
  }
  const channels = options.channels ?? (pictures.every(isGrey) ? 1 : 3);
  const images = new Uint8Array(files.length * channels * height * width);
  for (const [i, picture] of pictures.entries()) {
    const planar = toPlanar(picture);
    // Grey pictures have three channels alike; others become grey as they are read.
    const bytes =
      channels === 3 ? planar : isGrey(picture) ? planar.subarray(0, height * width) : toGrey(planar, height * width);
    images.set(bytes, i * channels * height * width);
  }
  const shape = [channels, height, width] as const;
  return new AnnotatedImages(new ImageDataset({ name: path, split: "all", images, labels, shape, classNames: names }), {
    masks,
  });
}

async function findFolder(path: string, kind: keyof typeof usual, options: ImageMasksOptions): Promise<string> {
  const given = options[kind];
  for (const name of given === undefined ? usual[kind] : [given]) {
    if (await isFolder(join(path, name))) return join(path, name);
  }
  throw new FileError(
    `${path} has no folder ${given ?? usual[kind].join(", ")}. Expected one with the ${kind === "images" ? "pictures" : "masks"}. Fix: check the path, or rename the folder (in programs the option ${kind} names it).`,
  );
}

async function pairsOf(path: string, images: string, masks: string) {
  const root = await realpath(path);
  const [pictures, drawn] = [await listPictures(images, root), await listPictures(masks, root)];
  if (pictures.length === 0) throw new DataError(`${images} has no pictures. Expected files such as 1.png.`);
  checkNames(images, pictures);
  const byStem = checkNames(masks, drawn);
  const unused = drawn.length - pictures.filter((name) => byStem.has(parse(name).name)).length;
  if (unused > 0)
    warnOnce(`${masks}: ${unused} of ${drawn.length} masks skipped, for there are no pictures of their names.`);
  const missing = pictures.filter((name) => !byStem.has(parse(name).name));
  if (missing.length > 0) {
    throw new DataError(
      `${masks} has no masks for ${missing.length} of ${pictures.length} pictures: ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? ", …" : ""}. Expected files of the same names but for their endings.`,
    );
  }
  return pictures.map((name) => ({
    image: join(images, name),
    mask: join(masks, byStem.get(parse(name).name) ?? ""),
  }));
}

/** Files by their names without endings. @throws DataError where two have one name: whose mask is it? */
function checkNames(folder: string, names: readonly string[]): ReadonlyMap<string, string> {
  const byStem = new Map<string, string>();
  for (const name of names) {
    const stem = parse(name).name;
    const other = byStem.get(stem);
    if (other !== undefined)
      throw new DataError(
        `${folder} has both ${other} and ${name}. Expected one file of each name, whatever its ending. Fix: remove or rename one.`,
      );
    byStem.set(stem, name);
  }
  return byStem;
}

async function listPictures(folder: string, root: string): Promise<string[]> {
  const names = await readdir(folder).catch((error) => {
    throw fileError("read", folder, error);
  });
  const shown = names.filter((name) => !isHidden(name));
  const others = shown.filter((name) => !isPictureName(name));
  if (others.length > 0)
    warnOnce(
      `${folder}: ${others.length} of ${shown.length} files skipped, whose names do not end as a picture's: ${nameSome(others)}.`,
    );
  const pictures = shown.filter(isPictureName);
  for (const name of pictures) {
    const file = join(folder, name);
    const target = await realpath(file).catch((error) => {
      throw fileError("read", file, error);
    });
    if (!isWithin(target, root))
      throw new FileError(
        `${file} is a symbolic link out of the folder, to ${target}. Expected files themselves. Fix: copy the file.`,
      );
  }
  const byNumber = new Intl.Collator("en", { numeric: true });
  return pictures.sort(byNumber.compare);
}

function checkSizes(image: string, picture: PixelImage, mask: string, colours: PixelImage): void {
  if (picture.height === colours.height && picture.width === colours.width) return;
  throw new DataError(
    `${mask} has ${colours.height}×${colours.width} pixels, but its picture ${image} has ${picture.height}×${picture.width}. Expected as many.`,
  );
}

function colourAt({ data }: PixelImage, pixel: number): number {
  return (data[3 * pixel] << 16) | (data[3 * pixel + 1] << 8) | data[3 * pixel + 2];
}

/** Names of the classes, and the number of each colour. */
function classesOf(path: string, { classes, ignore }: ImageMasksOptions, masks: readonly PixelImage[]) {
  const numbers = new Map<number, number>();
  if (ignore !== undefined) numbers.set(parseColour(ignore), 255);
  if (classes !== undefined) {
    const names = Object.keys(classes);
    if (names.length === 0 || names.length > 255)
      throw new ArgumentError(`imageMasks: there are ${names.length} classes. Expected 1 to 255.`);
    for (const [number, name] of names.entries()) {
      const colour = parseColour(classes[name]);
      if (numbers.has(colour))
        throw new ArgumentError(`imageMasks: ${describe(colour)} is given twice. Expected a colour for each class.`);
      numbers.set(colour, number);
    }
    return { names, numbers };
  }
  const present = new Set<number>();
  for (const mask of masks) {
    for (let pixel = 0; pixel < mask.width * mask.height && present.size <= mostClasses; pixel++)
      present.add(colourAt(mask, pixel));
  }
  const found = [...present].filter((colour) => !numbers.has(colour)).sort((a, b) => a - b);
  if (present.size > mostClasses || found.length === 0) {
    throw new DataError(
      `${path}: the masks have ${present.size > mostClasses ? `more than ${mostClasses}` : "no"} colours. Expected one for each class, in files without losses such as PNG. Fix: name the classes and their colours (--mask-classes, or the option classes), or other files.`,
    );
  }
  for (const [number, colour] of found.entries()) numbers.set(colour, number);
  return { names: found.map(describe), numbers };
}

function parseColour(colour: MaskColour): number {
  if (typeof colour === "number" && Number.isInteger(colour) && colour >= 0 && colour <= 255) return colour * 0x10101;
  if (typeof colour === "string" && /^#[0-9a-f]{6}$/i.test(colour)) return Number.parseInt(colour.slice(1), 16);
  throw new ArgumentError(
    `imageMasks: ${JSON.stringify(colour)} is no colour. Expected a grey value from 0 to 255, or one such as "#e0e0c0".`,
  );
}

/** `grey 255`, `#e0e0c0`. */
function describe(colour: number): string {
  const grey = colour & 255;
  return colour === grey * 0x10101 ? `grey ${grey}` : `#${colour.toString(16).padStart(6, "0")}`;
}

function isGrey({ data }: PixelImage): boolean {
  for (let i = 0; i < data.length; i += 3) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  return true;
}

/** ITU-R BT.601. */
function toGrey(planar: Uint8Array, plane: number): Uint8Array {
  return Uint8Array.from({ length: plane }, (_, i) =>
    Math.round(0.299 * planar[i] + 0.587 * planar[plane + i] + 0.114 * planar[2 * plane + i]),
  );
}

function nearestPixels(picture: PixelImage, [height, width]: readonly [number, number]): PixelImage {
  const data = new Uint8Array(3 * height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = Math.floor(((y + 0.5) * picture.height) / height);
      const column = Math.floor(((x + 0.5) * picture.width) / width);
      const from = 3 * (row * picture.width + column);
      data.set(picture.data.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return { width, height, channels: 3, data };
}
