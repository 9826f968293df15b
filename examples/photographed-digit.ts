/**
 * What happens if a new sample is not preprocessed? Networks learn digits that are bright on black and in the middle, and are then
 * given photographs: dark ink on paper, anywhere, in uneven light. With and without what makes one of the other.
 */

import { Command } from "commander";
import {
  contactSheet,
  ImageDataset,
  models,
  type nn,
  type PixelImage,
  prepareDigit,
  RandomStream,
  resizePixels,
  toPlanar,
} from "fovea";
import { writePng } from "fovea/node";
import { withSpread } from "./comparison.js";
import {
  accuracyOf,
  describe,
  type Flags,
  figuresOf,
  fileToWrite,
  learn,
  loadDigits,
  Perceptron,
  type Plans,
  planOf,
  summarize,
  tableRow,
  withExperimentOptions,
} from "./experiment.js";

const plans: Plans = {
  full: { size: 6000, testSize: 1000, epochs: 8, seeds: 3 },
  quick: { size: 500, testSize: 40, epochs: 6, seeds: 1 },
};
const side = 28;
const [width, height] = [128, 96];

/** A photograph of the digit on paper: 96×128, grey. */
function photograph(digit: Uint8Array, random: RandomStream): PixelImage {
  const scale = random.uniform(1.2, 2);
  const turn = (random.uniform(-8, 8) * Math.PI) / 180;
  const margin = (scale * side) / 2;
  const [middleX, middleY] = [random.uniform(margin, width - margin), random.uniform(margin, height - margin)];
  const paper = random.uniform(150, 220);
  const ink = random.uniform(0.15, 0.45);
  // Light from one side, and darker corners.
  const [slope, direction, corners] = [
    random.uniform(0.1, 0.35),
    random.uniform(0, 2 * Math.PI),
    random.uniform(0, 0.2),
  ];
  const data = Uint8Array.from({ length: width * height }, (_, pixel) => {
    const [x, y] = [(pixel % width) + 0.5, Math.floor(pixel / width) + 0.5];
    const [right, down] = [(2 * x) / width - 1, (2 * y) / height - 1];
    const light =
      1 + slope * (right * Math.cos(direction) + down * Math.sin(direction)) - corners * (right ** 2 + down ** 2);
    const [dx, dy] = [(x - middleX) / scale, (y - middleY) / scale];
    const covered = between(
      digit,
      dx * Math.cos(turn) + dy * Math.sin(turn),
      dy * Math.cos(turn) - dx * Math.sin(turn),
    );
    return Math.min(255, Math.max(0, paper * light * (1 - covered * (1 - ink)) + random.normal(0, 4)));
  });
  return { width, height, channels: 1, data };
}

/** How much ink there is at a place measured from the middle of the digit's picture, between its pixels' middles. */
function between(digit: Uint8Array, fromMiddleX: number, fromMiddleY: number): number {
  const [x, y] = [fromMiddleX + side / 2 - 0.5, fromMiddleY + side / 2 - 0.5];
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const at = (row: number, column: number) =>
    row < 0 || column < 0 || row >= side || column >= side ? 0 : digit[row * side + column] / 255;
  const mix = (a: number, b: number, share: number) => a + (b - a) * share;
  const upper = mix(at(top, left), at(top, left + 1), x - left);
  return mix(upper, mix(at(top + 1, left), at(top + 1, left + 1), x - left), y - top);
}

const invert = (picture: PixelImage): PixelImage => ({ ...picture, data: picture.data.map((value) => 255 - value) });

/** The part of a picture around the digit, which is found as `prepareDigit` finds it. */
function aroundDigit(photo: PixelImage): PixelImage {
  const { left, top, width, height } = prepareDigit(photo).box;
  const rows = Array.from({ length: height }, (_, row) => {
    const at = (top + row) * photo.width + left;
    return photo.data.subarray(at, at + width);
  });
  return { width, height, channels: 1, data: new Uint8Array(Buffer.concat(rows)) };
}

const shrink = (picture: PixelImage) => resizePixels(picture, [side, side]);

/** What is done to photographs before the network sees them. */
const preparations: Readonly<Record<string, (photo: PixelImage) => PixelImage>> = {
  "scaled to 28×28": shrink,
  "and inverted": (photo) => invert(shrink(photo)),
  "and cut out": (photo) => invert(shrink(aroundDigit(photo))),
  "prepareDigit()": (photo) => prepareDigit(photo).image,
};

function prepared(data: ImageDataset, photos: readonly PixelImage[], prepare: (photo: PixelImage) => PixelImage) {
  const { name, split, shape, classNames, labels } = data;
  const images = new Uint8Array(Buffer.concat(photos.map((photo) => toPlanar(prepare(photo)))));
  return new ImageDataset({ name, split, shape, classNames, labels, images });
}

const networks: Readonly<Record<"mlp" | "cnn", () => nn.Layer>> = {
  mlp: () => new Perceptron(),
  cnn: () => models.create("lenet5"),
};

async function run(settings: Flags & { readonly out?: string }): Promise<void> {
  const { json = false, out } = settings;
  const begun = performance.now();
  const plan = planOf(settings, plans);
  const data = await loadDigits(settings, plan);
  const photos = Array.from({ length: data.test.size }, (_, i) =>
    photograph(data.test.get(i).image, new RandomStream(0, 2, i)),
  );
  const tests = [
    { name: "the digits", data: data.test },
    ...Object.entries(preparations).map(([name, prepare]) => ({ name, data: prepared(data.test, photos, prepare) })),
  ];
  const say = (text: string) => json || console.log(text);
  say(`${describe(data, plan)}. MLP: 784-100-10; CNN: LeNet-5.\n`);
  const accuracies = tests.map(() => ({ mlp: [] as number[], cnn: [] as number[] }));
  for (let seed = 0; seed < plan.seeds; seed++) {
    for (const name of ["mlp", "cnn"] as const) {
      const { trainer } = await learn(networks[name], data.train, { epochs: plan.epochs, seed });
      for (const [i, test] of tests.entries()) accuracies[i][name].push(await accuracyOf(trainer, test.data));
    }
  }
  say(tableRow("", ["MLP, %", "CNN, %"], 18));
  const rows = tests.map(({ name }, i) => ({
    name,
    mlp: summarize(accuracies[i].mlp),
    cnn: summarize(accuracies[i].cnn),
  }));
  for (const { name, mlp, cnn } of rows) say(tableRow(name, [withSpread(mlp), withSpread(cnn)], 18));
  const seconds = (performance.now() - begun) / 1000;
  if (out !== undefined) await drawExamples(photos, out);
  if (json) console.log(JSON.stringify({ ...figuresOf(data, plan), rows, seconds }));
  if (out !== undefined) say(`\nWritten: ${out}: photographs, and below each what a network is given of it.`);
  say(`\n${seconds.toFixed(0)} s.`);
}

/** Six photographs; below each what a network is given without `prepareDigit`, and with it. */
async function drawExamples(photos: readonly PixelImage[], out: string): Promise<void> {
  const shown = photos.slice(0, 6);
  const tiles = [preparations["and inverted"], preparations["prepareDigit()"]].flatMap((prepare) =>
    shown.map((photo) => tile(prepare(photo))),
  );
  await writePng(out, contactSheet([...shown, ...tiles], { columns: shown.length }));
}

/** A picture of 28×28, three times as large, on one as large as photographs are. */
function tile({ data: small }: PixelImage): PixelImage {
  const data = new Uint8Array(width * height);
  const [left, top] = [(width - 3 * side) / 2, (height - 3 * side) / 2];
  for (let y = 0; y < 3 * side; y++) {
    for (let x = 0; x < 3 * side; x++)
      data[(top + y) * width + left + x] = small[Math.floor(y / 3) * side + Math.floor(x / 3)];
  }
  return { width, height, channels: 1, data };
}

export const command = withExperimentOptions(
  new Command("photographed-digit")
    .description(
      "digits on paper, dark on light and off-centre, without and with preprocessing (1 minute; 15 s a seed)",
    )
    .option("--out <file>", "draw six of them there, and what networks are given, as a PNG picture", fileToWrite),
  plans,
).action(run);
