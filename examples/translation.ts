/**
 * What random translation is worth: a network with 100 hidden units learns digits as they are, and then moved by up to two
 * pixels, differently in each epoch. And what the units look for: the weights of each, drawn where its pixels are.
 */

import { Command } from "commander";
import { augment, contactSheet, type FitOptions } from "fovea";
import { writePng } from "fovea/node";
import {
  accuracyOf,
  type Digits,
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
  summaryRows,
  tableRow,
  withExperimentOptions,
} from "./experiment.js";
import { whole } from "./options.js";
import { drawSigned, largest } from "./signed.js";
import { drawHalfHeight, sideBySide } from "./terminal.js";

const side = 28;
const plans: Plans = {
  full: { size: 60_000, testSize: 10_000, epochs: 20, seeds: 5 },
  // With so few digits it is worth more.
  quick: { size: 400, testSize: 1000, epochs: 60, seeds: 1 },
};

interface Outcome {
  /** In percent. */
  readonly accuracy: number;
  /** How alike weights of neighbouring pixels are, from -1 to 1. */
  readonly smoothness: number;
  /** Of each hidden unit, a weight for each pixel. */
  readonly weights: readonly Float32Array[];
}

async function tryOut(
  { train, test }: Digits,
  epochs: number,
  seed: number,
  change?: FitOptions["augment"],
): Promise<Outcome> {
  const { network, trainer } = await learn(() => new Perceptron(), train, { epochs, seed, augment: change });
  const all = await network.hidden.weight.value.data();
  const units = Array.from({ length: network.hidden.outFeatures }, (_, unit) => unit * side * side);
  const weights = units.map((start) => Float32Array.from(all.slice(start, start + side * side)));
  const smoothness = summarize(weights.map(smoothnessOf)).mean;
  return { accuracy: await accuracyOf(trainer, test), smoothness, weights };
}

/** Products of neighbours, to the right and below, as a share of the squares: 1 where all are equal, 0 for noise. */
function smoothnessOf(weights: Float32Array): number {
  let [products, squares] = [0, 0];
  for (let row = 0; row < side - 1; row++) {
    for (let column = 0; column < side - 1; column++) {
      const at = row * side + column;
      products += weights[at] * (weights[at + 1] + weights[at + side]);
      squares += 2 * weights[at] ** 2;
    }
  }
  return products / squares;
}

function weightsText(name: string, { weights }: Outcome): string {
  const blocks = weights.slice(0, 3).map((unit, i) => {
    const most = largest(unit);
    const sizes = unit.map((weight) => Math.abs(weight) / most);
    return [`${name}, unit ${i}`, ...drawHalfHeight(sizes, side)];
  });
  return sideBySide(blocks, 2).join("\n");
}

interface Settings extends Flags {
  readonly pixels: number;
  readonly out?: string;
}

async function run(settings: Settings): Promise<void> {
  const { pixels, json = false, out } = settings;
  const begun = performance.now();
  const chosen = planOf(settings, plans);
  const data = await loadDigits(settings, chosen);
  const say = (text: string) => json || console.log(text);
  say(`${describe(data, chosen)}.\n\n${tableRow("seed", ["as they are, %", "moved, %"])}`);
  const outcomes: (readonly [still: Outcome, moved: Outcome])[] = [];
  for (let seed = 0; seed < chosen.seeds; seed++) {
    const still = await tryOut(data, chosen.epochs, seed);
    const moved = await tryOut(data, chosen.epochs, seed, augment.translate({ pixels }));
    outcomes.push([still, moved]);
    say(tableRow(seed, [still.accuracy, moved.accuracy]));
  }
  const ways = ([0, 1] as const).map((way) => ({
    accuracies: outcomes.map((pair) => pair[way].accuracy),
    accuracy: summarize(outcomes.map((pair) => pair[way].accuracy)),
    smoothness: summarize(outcomes.map((pair) => pair[way].smoothness)).mean,
  }));
  const seconds = (performance.now() - begun) / 1000;
  const [[still, moved]] = outcomes;
  if (out !== undefined) {
    const sheets = [still, moved].map(({ weights }) =>
      contactSheet(
        weights.map((unit) => drawSigned(unit, side)),
        { gap: 1, scale: 2 },
      ),
    );
    await writePng(out, contactSheet(sheets, { gap: 8 }));
  }
  if (json) {
    console.log(JSON.stringify({ ...figuresOf(data, chosen), pixels, asTheyAre: ways[0], moved: ways[1], seconds }));
    return;
  }
  const [a, b] = ways.map(({ smoothness }) => smoothness.toFixed(2));
  console.log(summaryRows(ways.map(({ accuracy }) => accuracy)));
  if (settings.dataDir !== undefined) console.log(tableRow("lecture", [98.07, 98.44]));
  console.log(`\nWeights of neighbouring pixels correlate by ${a} as they are, ${b} moved. Sizes of the first:\n`);
  console.log(`${weightsText("as they are", still)}\n\n${weightsText("moved", moved)}\n`);
  if (out !== undefined) console.log(`Written: ${out}: the 100 units as they are at the left, moved at the right.`);
  console.log(`${seconds.toFixed(0)} s.`);
}

export const command = withExperimentOptions(
  new Command("translation")
    .description("what it is worth to move the digits that a small network learns from (8 minutes; 90 s a seed)")
    .option("--pixels <n>", "how far at most", whole(0), 2)
    .option("--out <file>", "write the units' weights there as a PNG picture", fileToWrite),
  plans,
).action(run);
