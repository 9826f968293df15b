/** `fovea samples`: a sheet of the pictures that Fovea draws itself. */

import { Command, InvalidArgumentError } from "commander";
import type { Annotation } from "../../data/annotated.js";
import { contactSheet } from "../../data/contactSheet.js";
import type { GeneratedSplit } from "../../data/generated/drawing.js";
import type { ImageDataset } from "../../data/images.js";
import { colourMask } from "../../data/maskColours.js";
import { fromPlanar, type PixelImage } from "../../data/pixels.js";
import { writePng } from "../../node/image.js";
import {
  annotationsOf,
  drawGenerated,
  type GeneratedName,
  generatedNames,
  isGenerated,
  picturesOf,
} from "../generated.js";
import { pictureShape, wholeNumber } from "../options.js";
import { explain, printJson, say } from "../output.js";
import { clearProgress } from "../progress.js";
import { stoppable } from "../stopping.js";

const help = `
Example:
  $ fovea samples faces
  $ fovea samples shapes --input 3x64x64 --count 40 --out shapes.png
  $ fovea samples noisy --split test --seed 3 --json

Below each row of shapes are their masks, in a colour for each class, and below
noisy pictures the same without noise.`;

interface SamplesFlags {
  readonly count: number;
  readonly columns: number;
  readonly scale: number;
  readonly split: GeneratedSplit;
  readonly seed: number;
  readonly input?: readonly number[];
  readonly out?: string;
  readonly json?: true;
}

export function samplesCommand(): Command {
  return new Command("samples")
    .description("draw a sheet of a data set's pictures into a PNG file")
    .argument("<data>", generatedNames.join(", "), generatedName)
    .option("--count <n>", "how many pictures", wholeNumber(1, 10_000), 60)
    .option("--columns <n>", "pictures in a row", wholeNumber(1, 1000), 12)
    .option("--scale <n>", "every pixel becomes a square of so many", wholeNumber(1, 64), 2)
    .option("--split <name>", "train or test", splitName, "train")
    .option("--seed <n>", "decides what is drawn", wholeNumber(0), 0)
    .option("--input <CxHxW>", "in the size of a network's input (default: 3x32x32; digits are 1x28x28)", pictureShape)
    .option("--out <file>", "PNG file to write (default: the data set's name .png)")
    .option("--json", "one JSON object on standard output: the file, and each picture's class and values")
    .addHelpText("after", help)
    .action((data: GeneratedName, flags: SamplesFlags) => stoppable((signal) => samples(data, flags, signal)));
}

function generatedName(text: string): GeneratedName {
  if (isGenerated(text)) return text;
  throw new InvalidArgumentError(`Expected one of ${generatedNames.join(", ")}.`);
}

function splitName(text: string): GeneratedSplit {
  if (text === "train" || text === "test") return text;
  throw new InvalidArgumentError("Expected train or test.");
}

async function samples(data: GeneratedName, flags: SamplesFlags, signal: AbortSignal): Promise<void> {
  const { count, columns, scale, split, seed, input, out = `${data}.png`, json } = flags;
  const [channels, height, width] = input ?? [3, 32, 32];
  const like = [channels, height, width] as const;
  const set = await drawGenerated(data, { split, size: count, seed, like, signal }).finally(clearProgress);
  const pictures = picturesOf(set);
  const annotations = annotationsOf(set);
  await writePng(out, contactSheet(arrange(pictures, annotations, columns), { columns, scale }));
  const { classNames } = pictures;
  if (json) {
    const known = Object.entries(annotations).filter(([, values]) => values.length === count);
    const each = Array.from({ length: count }, (_, i) => ({
      class: classNames[pictures.get(i).label],
      ...Object.fromEntries(known.map(([name, values]) => [name, values[i]])),
    }));
    printJson({ file: out, data, split, seed, pictures: each });
    return;
  }
  say(out);
  const counts = pictures.classCounts();
  explain(`${count} of ${data} (${split}): ${classNames.map((name, i) => `${counts[i]} ${name}`).join(", ")}`);
}

/** The pictures; where there are masks, or the pictures without noise, a row of those below each row. */
function arrange(
  pictures: ImageDataset,
  annotations: Readonly<Record<string, Annotation>>,
  columns: number,
): PixelImage[] {
  const [channels, height, width] = pictures.shape;
  const shape = [channels === 1 ? 1 : 3, height, width] as const;
  const all = Array.from({ length: pictures.size }, (_, i) => fromPlanar(pictures.get(i).image, shape));
  const { masks, clean } = annotations;
  const below = (i: number): PixelImage | undefined => {
    const part = (values: Annotation) => {
      const length = values.length / all.length;
      return Uint8Array.from(values.subarray(i * length, (i + 1) * length));
    };
    if (masks !== undefined) return colourMask(part(masks), height, width);
    return clean && fromPlanar(part(clean), shape);
  };
  if (below(0) === undefined) return all;
  const rows: PixelImage[] = [];
  const blank = { ...all[0], data: new Uint8Array(all[0].data.length) };
  for (let start = 0; start < all.length; start += columns) {
    const row = all.slice(start, start + columns);
    const missing = all.length > columns ? new Array<PixelImage>(columns - row.length).fill(blank) : [];
    rows.push(...row, ...missing);
    for (let i = start; i < start + row.length; i++) rows.push(below(i) ?? blank);
  }
  return rows;
}
