/** `fovea augment`: a sheet of what augmentations make of a picture. */

import { Command } from "commander";
import { RandomStream } from "../../core/philox.js";
import { Augmentation, type Picture } from "../../data/augment/augmentation.js";
import { mirror } from "../../data/augment/flip.js";
import { parse } from "../../data/augment/parse.js";
import { registry } from "../../data/augment/registry.js";
import { newImageBatch } from "../../data/batches.js";
import { contactSheet } from "../../data/contactSheet.js";
import { fromPlanar, type PixelImage, toPlanar } from "../../data/pixels.js";
import { resizePixels } from "../../data/resize.js";
import { readPixels, writePng } from "../../node/image.js";
import { augmentationText } from "../augmentation.js";
import { drawText, stackPictures } from "../lettering.js";
import { wholeNumber } from "../options.js";
import { explain, printJson, say } from "../output.js";

const help = `
Example:
  $ fovea augment cat.jpg
  $ fovea augment cat.jpg --augment crop:12,flip,jitter:hue=0.1 --out sheet.png
  $ fovea augment digit.png --grey --size 28 --augment translate:2,rotate:15

A row for each augmentation, and one of all together where there are several,
as fovea train --augment takes them: names with commas between, each with
options behind colons. The first option may leave out its name; p is short for
probability; 0.8..1.2 is from … to.

`;

/** What shows best on one picture: every one changed, and visibly. */
const shown: Readonly<Record<string, string>> = {
  crop: "crop:12",
  flip: "flip",
  "flip-vertical": "flip-vertical",
  "resized-crop": "resized-crop",
  translate: "translate:12",
  affine: "affine:degrees=20:translate=0.1:scale=0.8..1.2:shear=10",
  noise: "noise:25",
  "laplacian-noise": "laplacian-noise:25",
  grayscale: "grayscale:0.5",
  jitter: "jitter:brightness=0.4:contrast=0.4:saturation=0.4:hue=0.1",
  "pca-color": "pca-color:0.5",
  erase: "erase:1",
  cutout: "cutout:32",
  mixup: "mixup:1",
};

interface AugmentFlags {
  readonly augment?: string;
  readonly count: number;
  readonly size: number;
  readonly grey?: true;
  readonly seed: number;
  readonly out: string;
  readonly json?: true;
}

export function augmentCommand(): Command {
  const width = Math.max(...Object.keys(registry).map((name) => name.length));
  const table = Object.entries(registry).map(([name, { title, main }]) => {
    const option = main === undefined ? "" : ` (:${main})`;
    return `  ${name.padEnd(width)}  ${title}${option}`;
  });
  return new Command("augment")
    .description("draw a sheet of what augmentations make of a picture")
    .argument("<image>", "a picture file (PNG, JPEG, WebP, GIF …)")
    .option("--augment <list>", "which (default: each there is)", augmentationText)
    .option("--count <n>", "pictures in a row", wholeNumber(1, 100), 8)
    .option("--size <n>", "pixels that the picture is brought to in height", wholeNumber(1, 1024), 96)
    .option("--grey", "read the picture without colours")
    .option("--seed <n>", "decides what is drawn", wholeNumber(0), 0)
    .option("--out <file>", "PNG file to write", "sheet.png")
    .option("--json", "one JSON object on standard output: the file, and what is in each row")
    .addHelpText("after", help + table.join("\n"))
    .action(drawSheet);
}

async function drawSheet(path: string, flags: AugmentFlags): Promise<void> {
  const { size, grey, count, seed, out, json } = flags;
  const read = await readPixels(path, { channels: grey ? 1 : 3 });
  const width = Math.max(1, Math.min(4096, Math.round((read.width * size) / read.height)));
  const original = resizePixels(read, [size, width]);
  const picture: Picture = { shape: [original.channels, size, width], image: toPlanar(original) };
  const given = flags.augment?.split(",") ?? Object.keys(registry).map((name) => shown[name] ?? name);
  // Together they are what a network sees.
  const rows = [...given, ...(flags.augment !== undefined && given.length > 1 ? [flags.augment] : [])];
  // Small pictures are enlarged, so that something is to be seen.
  const scale = Math.max(1, Math.ceil(64 / size));
  const sheet = (pictures: readonly PixelImage[]) => contactSheet(pictures, { columns: count, gap: 2, scale });
  const parts = [drawText("original", 2), sheet([original])];
  for (const [i, row] of rows.entries()) {
    const random = new RandomStream(seed, i);
    parts.push(drawText(row, 2), sheet(variants(row, picture, count, random).map(toPixels)));
  }
  await writePng(out, stackPictures(parts, 4));
  if (json) {
    printJson({ file: out, seed, count, rows });
    return;
  }
  say(out);
  explain(`${count} of each: ${rows.join(" ")}`);
}

function toPixels({ shape: [channels, height, width], image }: Picture): PixelImage {
  return fromPlanar(image, [channels === 1 ? 1 : 3, height, width]);
}

/** The picture changed `count` times; where pictures are mixed, with its own mirror image. */
function variants(text: string, picture: Picture, count: number, random: RandomStream): Picture[] {
  const augmentation = parse(text);
  return Array.from({ length: count }, (_, epoch): Picture => {
    if (augmentation instanceof Augmentation) return augmentation.augment(picture, random);
    const batch = newImageBatch(Uint32Array.of(0, 1), picture.shape);
    batch.images.set(picture.image);
    batch.images.set(mirror(picture, true).image, picture.image.length);
    const { images, shape } = augmentation.augmentBatch(batch, { seed: random.bits(), epoch });
    const [, ...first] = shape;
    return { shape: first, image: images.slice(0, images.length / 2) };
  });
}
