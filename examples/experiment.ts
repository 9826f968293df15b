/** What the lectures' experiments with digits share: options, data, networks that learn by one recipe, means over seeds. */

import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import {
  augment,
  CosineLR,
  digits,
  type Evaluator,
  type FitOptions,
  flatten,
  ImageDataset,
  manualSeed,
  nn,
  relu,
  SGD,
  type Tensor,
  Trainer,
  type TrainingData,
} from "fovea";
import { mnist } from "fovea/node";
import { whole } from "./options.js";

export interface Plan {
  /** Pictures to learn from, and to test with. */
  readonly size: number;
  readonly testSize: number;
  readonly epochs: number;
  readonly seeds: number;
}

/** The options that were given. */
export interface Flags extends Partial<Plan> {
  readonly dataDir?: string;
  readonly quick?: true;
  readonly json?: true;
}

/** What is done unless told otherwise, and by those in a hurry. */
export interface Plans {
  readonly full: Plan;
  readonly quick: Plan;
}

/** Options of experiments with digits. */
export function withExperimentOptions(command: Command, plans: Plans): Command {
  return withPlanOptions(
    command.option("--data-dir <folder>", "folder with the files of MNIST (default: digits that are drawn)"),
    plans,
  );
}

/** Options of all experiments. */
export function withPlanOptions(command: Command, { full }: Plans): Command {
  return command
    .option("--size <n>", `pictures to learn from (default: ${full.size})`, whole(100))
    .option("--test-size <n>", `pictures to test with (default: ${full.testSize})`, whole(10))
    .option("--epochs <n>", `times to go through them (default: ${full.epochs})`, whole(1))
    .option("--seeds <n>", `how many times, with other weights (default: ${full.seeds})`, whole(1))
    .option("--quick", "few pictures and epochs, one seed: seconds, to see that it works")
    .option("--json", "print the figures as JSON");
}

/** What is asked for, and for the rest one of the plans. */
export function planOf(flags: Flags, { full, quick }: Plans): Plan {
  const { size, testSize, epochs, seeds } = { ...(flags.quick ? quick : full), ...flags };
  return { size, testSize, epochs, seeds };
}

/** Checks at once, not after minutes of training, that a file can lie where it is to be written. */
export function fileToWrite(path: string): string {
  if (!existsSync(dirname(path))) throw new InvalidArgumentError(`There is no folder ${dirname(path)}.`);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new InvalidArgumentError("Expected a file, not a folder.");
  return path;
}

export interface Digits {
  readonly name: string;
  readonly train: ImageDataset;
  readonly test: ImageDataset;
}

/** The first digits of MNIST, or as many that are drawn. */
export async function loadDigits({ dataDir }: Flags, { size, testSize }: Plan): Promise<Digits> {
  const load = async (split: "train" | "test", count: number) =>
    dataDir === undefined ? digits({ split, size: count }) : (await mnist({ split, dataDir })).take(count);
  return {
    name: dataDir === undefined ? "drawn digits" : "MNIST",
    train: await load("train", size),
    test: await load("test", testSize),
  };
}

/** What was done, for JSON: there may be fewer pictures than were asked for. */
export function figuresOf({ name, train, test }: Digits, { epochs, seeds }: Plan) {
  return { data: name, size: train.size, testSize: test.size, epochs, seeds };
}

/** The same for people. */
export function describe({ name, train, test }: Digits, { epochs, seeds }: Plan): string {
  const times = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  return `${name}: ${train.size} to learn from in ${times(epochs, "epoch")}, ${test.size} to test with, ${times(seeds, "seed")}`;
}

/** The same pictures, each changed by `change`. */
export function changed(
  data: ImageDataset,
  change: (image: Uint8Array<ArrayBuffer>, index: number) => Uint8Array,
): ImageDataset {
  const { name, split, shape, classNames, labels } = data;
  const images = new Uint8Array(data.images.length);
  for (let i = 0, at = 0; i < data.size; i++) {
    const image = change(data.get(i).image, i);
    images.set(image, at);
    at += image.length;
  }
  return new ImageDataset({ name, split, shape, classNames, labels, images });
}

/** One picture after another to the right, down, to the left and up. */
export function shifted(data: ImageDataset, pixels: number): ImageDataset {
  const { shape } = data;
  const move = augment.translate({ pixels });
  const directions = [
    { x: pixels, y: 0 },
    { x: 0, y: pixels },
    { x: -pixels, y: 0 },
    { x: 0, y: -pixels },
  ];
  return changed(data, (image, i) => move.apply({ shape, image }, directions[i % 4]).image);
}

/** One hidden layer of 100 units, as in the lecture: 79,510 parameters. */
export class Perceptron extends nn.Module {
  hidden = new nn.Linear(28 * 28, 100);
  output = new nn.Linear(100, 10);

  forward(images: Tensor) {
    return this.output(relu(this.hidden(flatten(images))));
  }
}

export interface Training {
  readonly epochs: number;
  readonly seed: number;
  readonly augment?: FitOptions["augment"];
  /** At the beginning. Default 0.05. */
  readonly lr?: number | undefined;
}

/** Trains what `make` makes, all networks by one recipe: SGD with momentum, a rate that falls along half a cosine. */
export async function learn<N extends nn.Layer>(
  make: () => N,
  train: TrainingData,
  { epochs, seed, augment, lr = 0.05 }: Training,
): Promise<{ readonly network: N; readonly trainer: Trainer }> {
  const batchSize = 64;
  manualSeed(seed);
  const network = make();
  const optimizer = new SGD(network.parameters(), { lr, momentum: 0.9, weightDecay: 2e-4 });
  const schedule = new CosineLR(optimizer, { steps: epochs * Math.ceil(train.size / batchSize) });
  const trainer = new Trainer(network, { optimizer, schedule });
  await trainer.fit(train, { epochs, batchSize, seed, augment });
  return { network, trainer };
}

/** In percent, to four places. */
export async function accuracyOf(of: Pick<Trainer | Evaluator, "evaluate">, test: ImageDataset): Promise<number> {
  const { accuracy } = await of.evaluate(test);
  return Math.round(1e6 * accuracy) / 1e4;
}

export interface Summary {
  readonly mean: number;
  /** Standard deviation as estimated from a sample; null for a single value. */
  readonly spread: number | null;
}

export function summarize(values: readonly number[]): Summary {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: values.length < 2 ? null : Math.sqrt(squares / (values.length - 1)) };
}

/** A row of a table: its name, then numbers under their headings. */
export function tableRow(name: string | number, cells: readonly (string | number | null)[], width = 8): string {
  const columns = cells.map((cell) => (typeof cell === "number" ? cell.toFixed(2) : (cell ?? "–")).padStart(16));
  return `${String(name).padEnd(width)}${columns.join("")}`;
}

/** The rows below those of the seeds. */
export function summaryRows(summaries: readonly Summary[]): string {
  const row = (name: keyof Summary) =>
    tableRow(
      name,
      summaries.map((summary) => summary[name]),
    );
  return `${row("mean")}\n${row("spread")}`;
}
