/**
 * Template matching: how digits were read before networks learnt. Slide a small picture of every digit over the picture, keep
 * the largest response of each (max-pooling), and take the digit whose response is largest.
 */

import { Command } from "commander";
import {
  argmax,
  digits,
  globalMaxPool,
  type ImageDataset,
  pad,
  reshape,
  type Tensor,
  tensor,
  upsample,
  vision,
} from "fovea";
import { whole } from "./options.js";
import { bar, drawPixels, sideBySide, trimLines } from "./terminal.js";

/** The lecture shows 0, 1, 2 and 9; the others are drawn alike. */
const drawn = `
  111  010  111  111  101  111  111  111  111  111
  101  010  001  001  101  100  100  001  101  101
  101  010  111  111  111  111  111  001  111  111
  101  010  100  001  001  001  101  001  101  001
  111  010  111  111  001  111  111  001  111  111`;

/** The lecture's picture. */
const two = [
  [0, 1, 1, 1, 0, 0, 0, 0],
  [0, 0, 0, 1, 0, 0, 0, 0],
  [0, 1, 1, 1, 0, 0, 0, 0],
  [0, 1, 0, 0, 0, 0, 0, 0],
  [0, 1, 1, 1, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0],
];

interface Settings {
  readonly index: number;
  readonly size: number;
  readonly seed: number;
}

/** Ten templates, 10×1×5×3. */
function smallTemplates(): Tensor {
  const lines = drawn
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/ +/));
  const pixels = lines[0].map((_, digit) => lines.map((line) => [...line[digit]].map(Number)));
  return reshape(tensor(pixels), [10, 1, 5, 3]);
}

/** As large as drawn digits are, with a dark border: what is not ink counts, too. */
function largeTemplates(): Tensor {
  return pad(upsample(smallTemplates(), { size: [20, 12] }), [
    [2, 2],
    [2, 2],
  ]);
}

/** The mean of the training digits of each class: a template that was learnt. */
export function meanTemplates({ images, labels, size, classNames, shape }: ImageDataset): Tensor {
  const [, height, width] = shape;
  const plane = height * width;
  const sums = new Float32Array(classNames.length * plane);
  for (let i = 0; i < size; i++) {
    for (let pixel = 0; pixel < plane; pixel++) sums[labels[i] * plane + pixel] += images[i * plane + pixel];
  }
  return tensor(sums, [classNames.length, 1, height, width]);
}

/** The largest response of each template in each picture, N×10. */
function responses(pictures: Tensor, templates: Tensor, normalized: boolean): Tensor {
  // Padded, so that templates as large as the picture can still slide by two pixels.
  const maps = vision.templateMatch(pictures, templates, { normalized, padding: normalized ? 2 : 0 });
  return globalMaxPool(maps);
}

async function lecturesPicture(): Promise<void> {
  const templates = smallTemplates();
  const picture = reshape(tensor(two), [1, 1, 8, 8]);
  const products = await responses(picture, templates, false).data();
  const cosines = await responses(picture, templates, true).data();
  const pixels = await templates.data();
  const pictures = Array.from({ length: 10 }, (_, digit) =>
    drawPixels(pixels.subarray(digit * 15, digit * 15 + 15), 3),
  );
  console.log("The lecture's picture of a 2 (8×8), ten templates (5×3), and the largest response of each:\n");
  console.log(trimLines(drawPixels(two.flat(), 8)).join("\n"));
  console.log("");
  const indent = " ".repeat(12);
  console.log(sideBySide([[indent], ...pictures], 2).join("\n"));
  const row = (name: string, cells: string[]) =>
    console.log(`${name.padEnd(12)}${cells.map((cell) => cell.padStart(8)).join("")}`);
  row("", [..."0123456789"]);
  row("products", Array.from(products, String));
  row(
    "normalized",
    Array.from(cosines, (value) => value.toFixed(2)),
  );
  console.log(`
Products find the 2, as in the lecture, but an 8 answers as loudly: it has every pixel of the 2. Normalized
responses also ask for darkness where the template is dark.\n`);
}

async function oneDigit(data: ImageDataset, index: number): Promise<void> {
  const { image, label } = data.get(index);
  const [, height, width] = data.shape;
  const picture = tensor(
    Float32Array.from(image, (value) => value / 255),
    [height, width],
  );
  const templates = largeTemplates();
  const maps = vision.templateMatch(picture, templates, { normalized: true, padding: 2 });
  const answers = await globalMaxPool(maps.unsqueeze(0)).data();
  const best = answers.indexOf(Math.max(...answers));
  const [{ row, column }] = await vision.findPeaks(maps.slice(best).reshape(maps.shape.slice(1)));
  const bars = Array.from(answers, (value, digit) =>
    `${digit}  ${value.toFixed(2).padStart(5)}  ${bar(value, 30).padEnd(30)} ${digit === best ? "← answer" : ""}`.trimEnd(),
  );
  console.log(
    `Test digit ${index}, drawn as a ${label}, and the largest normalized response of each template (20×12):\n`,
  );
  const drawing = trimLines(drawPixels(await picture.data(), width));
  console.log(
    sideBySide([drawing, ["", "", ...bars, "", `The ${best} fits best at row ${row}, column ${column}.`]]).join("\n"),
  );
  console.log(`\n${best === label ? "Right" : "Wrong"}: it is a ${label}.\n`);
}

async function allDigits(data: ImageDataset, train: ImageDataset): Promise<void> {
  const pictures = tensor(
    Float32Array.from(data.images, (value) => value / 255),
    [data.size, ...data.shape],
  );
  const large = largeTemplates();
  const ladder = [
    { name: "the lecture's way: products", templates: large, normalized: false },
    { name: "normalized", templates: large, normalized: true },
    {
      name: `normalized, means of ${train.size} training digits as templates`,
      templates: meanTemplates(train),
      normalized: true,
    },
  ];
  console.log(`All ${data.size} test digits:\n`);
  for (const { name, templates, normalized } of ladder) {
    const answers = await argmax(responses(pictures, templates, normalized), 1).data();
    const right = answers.filter((answer, i) => answer === data.labels[i]).length;
    const share = right / data.size;
    console.log(`${name.padEnd(62)} ${(100 * share).toFixed(1).padStart(5)} %  ${bar(share, 20)}`);
  }
  console.log(
    "\nNetworks go on from here: they learn many small templates, and templates of responses. `npm start` shows one.",
  );
}

async function run({ index, size, seed }: Settings): Promise<void> {
  const data = await digits({ split: "test", size: Math.max(size, index + 1), seed });
  await lecturesPicture();
  await oneDigit(data, index);
  await allDigits(data.take(size), await digits({ split: "train", size: 1000, seed }));
}

export const command = new Command("templates")
  .description("reads drawn digits by sliding templates over them and keeping the largest responses")
  .option("--index <n>", "which test digit to show", whole(0), 0)
  .option("--size <n>", "how many test digits to read", whole(1), 500)
  .option("--seed <n>", "decides how the digits are drawn", whole(0), 0)
  .action(run);
