/**
 * Maxout learns what to be invariant to: of several linear pieces a unit gives the largest, so that each piece can learn one look of
 * what the unit stands for. Here digits are turned by up to 60°, and a unit for each digit has up to eight pieces, all templates
 * as large as the picture.
 */

import { Command } from "commander";
import { augment, contactSheet, flatten, type ImageDataset, nn, RandomStream, tensor } from "fovea";
import { writePng } from "fovea/node";
import {
  type Candidate,
  type Compared,
  type ComparisonFlags,
  runExperiment,
  withComparisonOptions,
} from "./comparison.js";
import { changed, type Digits, fileToWrite, type Plans } from "./experiment.js";
import { drawSigned } from "./signed.js";

const plans: Plans = {
  full: { size: 6000, testSize: 5000, epochs: 15, seeds: 3 },
  quick: { size: 300, testSize: 100, epochs: 2, seeds: 1 },
};
const side = 28;
const mostDegrees = 60;
/** Of the network that is looked into. */
const pieces = 4;

/** By how much digit i is turned, in degrees, clockwise. */
function angleOf({ split }: ImageDataset, i: number): number {
  return new RandomStream(i, split === "train" ? 0 : 1).uniform(-mostDegrees, mostDegrees);
}

function turned(data: ImageDataset): ImageDataset {
  const { shape } = data;
  const turn = augment.rotate();
  return changed(data, (image, i) => {
    const parameters = { angle: angleOf(data, i), translate: [0, 0], scale: 1, shear: [0, 0] } as const;
    return turn.apply({ shape, image }, parameters).image;
  });
}

/** Dropout as in the paper: without it few pieces of a unit are ever the largest, and the others never learn. */
const templates = (count: number, pooled?: nn.Layer) =>
  new nn.Sequential(
    new nn.Flatten(),
    new nn.Dropout(0.3),
    new nn.Linear(side * side, 10 * count),
    ...(pooled ? [pooled] : []),
  );

const candidates: readonly Candidate[] = [
  { name: "one piece (linear)", make: () => templates(1) },
  ...[2, pieces, 8].map((count) => ({
    name: `maximum of ${count}`,
    make: () => templates(count, new nn.Maxout(count)),
  })),
  { name: "mean of 8", make: () => templates(8, new nn.CrossChannelAvgPool(8)) },
];

/** A piece of a unit, among the digits that the unit stands for. */
interface Piece {
  readonly template: Float32Array;
  /** How many of them it is the largest for, in percent. */
  readonly share: number;
  /** By how much those are turned, on average; NaN where there are none. */
  readonly degrees: number;
}

interface Look {
  /** Of each digit the pieces, by their angles. */
  readonly units: readonly (readonly Piece[])[];
  /** How much of the variance of the angle it tells which piece is the largest, from 0 to 1. */
  readonly explained: number;
}

async function lookInto(linear: nn.Linear, test: ImageDataset): Promise<Look> {
  const pixels = tensor(
    Float32Array.from(test.images, (value) => value / 255),
    [test.size, ...test.shape],
  );
  const responses = await linear(flatten(pixels)).data();
  const weights = await linear.weight.value.data();
  const angles: number[][][] = Array.from({ length: 10 }, () => Array.from({ length: pieces }, () => []));
  for (let i = 0; i < test.size; i++) {
    const digit = test.labels[i];
    const at = (10 * i + digit) * pieces;
    const own = [...responses.subarray(at, at + pieces)];
    angles[digit][own.indexOf(Math.max(...own))].push(angleOf(test, i));
  }
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const mean = (values: readonly number[]) => sum(values) / values.length;
  const squares = (values: readonly number[]) => sum(values.map((value) => (value - mean(values)) ** 2));
  const units = angles.map((ofDigit, digit) =>
    ofDigit
      .map((each, piece) => ({
        template: weights.slice((digit * pieces + piece) * side ** 2, (digit * pieces + piece + 1) * side ** 2),
        share: (100 * each.length) / Math.max(1, ofDigit.flat().length),
        degrees: mean(each),
      }))
      .sort((a, b) => (a.share === 0 ? 1 : b.share === 0 ? -1 : a.degrees - b.degrees)),
  );
  const within = sum(angles.flatMap((ofDigit) => ofDigit.map(squares)));
  return { units, explained: 1 - within / sum(angles.map((ofDigit) => squares(ofDigit.flat()))) };
}

function linearOf(network: nn.Layer): nn.Linear | undefined {
  for (const [, module] of network.namedModules()) if (module instanceof nn.Linear) return module;
  return undefined;
}

/** What the pieces of each digit's unit have come to look for. */
async function conclude(rows: readonly Compared[], { test }: Digits, out: string | undefined): Promise<string[]> {
  const network = rows.find(({ name }) => name === `maximum of ${pieces}`)?.network;
  const linear = network && linearOf(network);
  if (linear === undefined) return [];
  const { units, explained } = await lookInto(linear, test);
  const lines = units.map((unit, digit) => {
    const cells = unit.map(({ degrees, share }) =>
      share === 0 ? "–" : `${degrees.toFixed(0)}° (${share.toFixed(0)} %)`,
    );
    return `${digit}${cells.map((cell) => cell.padStart(16)).join("")}`;
  });
  const text = `By how much the digits are turned that each piece of a unit is the largest for (and how many those are):\n\n${lines.join("\n")}`;
  const remark = `Which piece it is explains ${(100 * explained).toFixed(0)} % of the variance of the angle.`;
  if (out === undefined) return [text, remark];
  const pictures = units.flatMap((unit) => unit.map(({ template }) => drawSigned(template, side)));
  const columns = Array.from({ length: pieces }, (_, piece) => units.map((_, digit) => digit * pieces + piece)).flat();
  const sheet = contactSheet(
    columns.map((at) => pictures[at]),
    { columns: 10, scale: 2 },
  );
  await writePng(out, sheet);
  return [text, remark, `Written: ${out}: a column for each digit, its pieces from above by their angles.`];
}

export const command = withComparisonOptions(
  new Command("maxout")
    .description("units that give the largest of several pieces learn to read turned digits (30 s; 10 s a seed)")
    .option("--out <file>", `draw the ${pieces} pieces of each digit's unit there as a PNG picture`, fileToWrite),
  plans,
).action((settings: ComparisonFlags & { readonly out?: string }) =>
  runExperiment(settings, {
    plans,
    candidates,
    change: turned,
    lr: 0.02,
    conclude: (rows, data) => conclude(rows, data, settings.out),
  }),
);
