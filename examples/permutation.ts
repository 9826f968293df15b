/**
 * What a convolutional network takes for granted. One fixed permutation of all pixels leaves a fully connected network
 * as good as it was, since no pixel of it has neighbours; LeNet-5 loses what it knew of pictures. And pictures that are
 * moved, though all that was learnt from lay in the middle: LeNet-5 sees the same features elsewhere.
 */

import { Command } from "commander";
import { type ImageDataset, models, type nn, RandomStream } from "fovea";
import { writeFile } from "fovea/node";
import { drawPlot } from "fovea/report";
import {
  accuracyOf,
  changed,
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
  shifted,
  summarize,
  summaryRows,
  type Training,
  tableRow,
  withExperimentOptions,
} from "./experiment.js";
import { drawHalfHeight, sideBySide } from "./terminal.js";

const plans: Plans = {
  full: { size: 60_000, testSize: 10_000, epochs: 8, seeds: 3 },
  quick: { size: 1200, testSize: 400, epochs: 6, seeds: 1 },
};
const shifts = [0, 1, 2, 3, 4, 5, 6];

/** Pixel i of each picture becomes what pixel `order[i]` was. */
function permuted({ name, train, test }: Digits, order: Uint32Array): Digits {
  const permute = (image: Uint8Array) => Uint8Array.from(order, (from) => image[from]);
  return { name, train: changed(train, permute), test: changed(test, permute) };
}

const networks: Readonly<Record<"mlp" | "cnn", () => nn.Layer>> = {
  mlp: () => new Perceptron(),
  cnn: () => models.create("lenet5"),
};

/** The data of a seed. */
interface Variants {
  readonly asTheyAre: Digits;
  readonly permuted: Digits;
  /** Test pictures, moved by each of `shifts`. */
  readonly shifted: readonly ImageDataset[];
}

interface Outcome {
  /** In percent, as all that follows. */
  readonly asTheyAre: number;
  readonly permuted: number;
  /** Of the network that learnt pictures as they are. */
  readonly shifted: readonly number[];
}

async function tryOut(make: () => nn.Layer, variants: Variants, training: Training): Promise<Outcome> {
  const { asTheyAre, permuted, shifted } = variants;
  const { trainer } = await learn(make, asTheyAre.train, training);
  const accuracies: number[] = [];
  for (const test of shifted) accuracies.push(await accuracyOf(trainer, test));
  const { trainer: trainerOfPermuted } = await learn(make, permuted.train, training);
  return {
    asTheyAre: await accuracyOf(trainer, asTheyAre.test),
    permuted: await accuracyOf(trainerOfPermuted, permuted.test),
    shifted: accuracies,
  };
}

const summaryOf = (outcomes: readonly Outcome[]) => ({
  asTheyAre: summarize(outcomes.map(({ asTheyAre }) => asTheyAre)),
  permuted: summarize(outcomes.map(({ permuted }) => permuted)),
  shifted: shifts.map((_, i) => summarize(outcomes.map(({ shifted }) => shifted[i]))),
});

async function run(settings: Flags & { readonly svg?: string }): Promise<void> {
  const { json = false, svg } = settings;
  const begun = performance.now();
  const chosen = planOf(settings, plans);
  const asTheyAre = await loadDigits(settings, chosen);
  const moved = shifts.map((pixels) => shifted(asTheyAre.test, pixels));
  const say = (text: string) => json || console.log(text);
  say(`${describe(asTheyAre, chosen)}. MLP: 784-100-10; CNN: LeNet-5.\n`);
  const outcomes: Record<keyof typeof networks, Outcome[]> = { mlp: [], cnn: [] };
  for (let seed = 0; seed < chosen.seeds; seed++) {
    const mixed = permuted(asTheyAre, new RandomStream(seed, 1).permutation(28 * 28));
    if (seed === 0) {
      say(picturesText(asTheyAre.test, mixed.test));
      say(tableRow("seed", ["MLP, %", "MLP permuted, %", "CNN, %", "CNN permuted, %"]));
    }
    const variants = { asTheyAre, permuted: mixed, shifted: moved };
    const mlp = await tryOut(networks.mlp, variants, { epochs: chosen.epochs, seed });
    const cnn = await tryOut(networks.cnn, variants, { epochs: chosen.epochs, seed });
    outcomes.mlp.push(mlp);
    outcomes.cnn.push(cnn);
    say(tableRow(seed, [mlp.asTheyAre, mlp.permuted, cnn.asTheyAre, cnn.permuted]));
  }
  const [mlp, cnn] = [summaryOf(outcomes.mlp), summaryOf(outcomes.cnn)];
  const seconds = (performance.now() - begun) / 1000;
  if (svg !== undefined) {
    const points = ({ shifted }: typeof mlp) => shifted.map(({ mean }, i) => [shifts[i], mean] as const);
    const lines = [
      { name: "MLP", points: points(mlp) },
      { name: "CNN", points: points(cnn) },
    ];
    const title = "Right on digits moved to one side";
    const plot = drawPlot(lines, { title, xAxis: "pixels", yAxis: "%", yRange: [0, 100] });
    await writeFile(svg, new TextEncoder().encode(plot));
  }
  if (json) {
    console.log(JSON.stringify({ ...figuresOf(asTheyAre, chosen), mlp, cnn, shifts, seconds }));
    return;
  }
  console.log(summaryRows([mlp.asTheyAre, mlp.permuted, cnn.asTheyAre, cnn.permuted]));
  console.log("\nThe networks that learnt digits as they are, on digits moved to one side; means:\n");
  console.log(tableRow("pixels", ["MLP, %", "CNN, %"]));
  for (const [i, pixels] of shifts.entries()) console.log(tableRow(pixels, [mlp.shifted[i].mean, cnn.shifted[i].mean]));
  if (svg !== undefined) console.log(`\nWritten: ${svg}`);
  console.log(`\n${seconds.toFixed(0)} s.`);
}

/** The first picture of each, next to one another. */
function picturesText(asTheyAre: ImageDataset, mixed: ImageDataset): string {
  const draw = (caption: string, data: ImageDataset) => [
    caption,
    ...drawHalfHeight(
      Float32Array.from(data.get(0).image, (value) => value / 255),
      28,
    ),
  ];
  return `${sideBySide([draw("as it is", asTheyAre), draw("permuted", mixed)]).join("\n")}\n`;
}

export const command = withExperimentOptions(
  new Command("permutation")
    .description(
      "what pixels that changed places, or digits that moved, are to an MLP and to a CNN (6 minutes; 2 a seed)",
    )
    .option("--svg <file>", "write the accuracy on moved digits there as a plot", fileToWrite),
  plans,
).action(run);
