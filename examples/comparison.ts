/** Networks that are compared: each learns the same digits by one recipe, with several seeds, and makes one row of a table. */

import type { Command } from "commander";
import { ArgumentError, Evaluator, type ImageDataset, type nn } from "fovea";
import {
  accuracyOf,
  type Digits,
  describe,
  type Flags,
  figuresOf,
  learn,
  loadDigits,
  type Plan,
  type Plans,
  planOf,
  type Summary,
  summarize,
  type Training,
  tableRow,
  withExperimentOptions,
} from "./experiment.js";

export interface Candidate {
  readonly name: string;
  /** What has no parameters to train is tested as it is made. */
  readonly make: (train: ImageDataset) => nn.Layer;
}

/** Digits to test with, and the heading of the column with the share that is read right. */
export interface Test {
  readonly heading: string;
  readonly data: ImageDataset;
}

/** A row of the table. */
export interface Compared {
  readonly name: string;
  /** Those that learn. */
  readonly parameters: number;
  /** In percent, over the seeds, by the heading of the test. */
  readonly accuracy: Readonly<Record<string, Summary>>;
  /** Of training; of all processors together. */
  readonly processorSecondsPerEpoch: number;
  /** What learnt with seed 0. */
  readonly network: nn.Layer;
}

interface Comparison {
  readonly candidates: readonly Candidate[];
  readonly data: Digits;
  readonly tests: readonly Test[];
  readonly plan: Pick<Plan, "epochs" | "seeds">;
  readonly lr?: number | undefined;
  readonly say: (text: string) => void;
}

const nameWidth = (candidates: readonly Candidate[]) => 2 + Math.max(...candidates.map(({ name }) => name.length));
const learntHeading = "learnt, %";

/** Trains every network with every seed; says a row of the table as soon as it is known. */
export async function compareNetworks({ candidates, data, tests, plan, lr, say }: Comparison): Promise<Compared[]> {
  const width = nameWidth(candidates);
  const learntDigits = { heading: learntHeading, data: data.train.take(data.test.size) };
  const headings = [...tests, learntDigits].map(({ heading }) => heading);
  const line = (name: string, cells: readonly string[]) => say(tableRow(name, cells, width));
  line("", [...headings, "parameters", "CPU s an epoch"]);
  const rows: Compared[] = [];
  for (const { name, make } of candidates) {
    const outcomes: number[][] = [];
    const networks: nn.Layer[] = [];
    let microseconds = 0;
    for (let seed = 0; seed < plan.seeds; seed++) {
      const before = process.cpuUsage();
      const network = await learnt(() => make(data.train), data.train, { epochs: plan.epochs, seed, lr });
      networks.push(network);
      const { user, system } = process.cpuUsage(before);
      microseconds += user + system;
      const evaluator = new Evaluator(network);
      const accuracies: number[] = [];
      for (const test of [...tests, learntDigits]) accuracies.push(await accuracyOf(evaluator, test.data));
      outcomes.push(accuracies);
    }
    const accuracy = Object.fromEntries(
      headings.map((heading, column) => [heading, summarize(outcomes.map((accuracies) => accuracies[column]))]),
    );
    const [network] = networks;
    const parameters = trainedParameters(network).reduce(
      (sum, { shape }) => sum + shape.reduce((product, length) => product * length, 1),
      0,
    );
    const processorSecondsPerEpoch = microseconds / 1e6 / (plan.epochs * plan.seeds);
    const row = { name, parameters, accuracy, processorSecondsPerEpoch, network };
    rows.push(row);
    const cells = headings.map((heading) => withSpread(accuracy[heading]));
    line(name, [...cells, parameters.toLocaleString("en"), processorSecondsPerEpoch.toFixed(2)]);
  }
  return rows;
}

const trainedParameters = (network: nn.Layer) => network.parameters().filter(({ requiresGrad }) => requiresGrad);

async function learnt(make: () => nn.Layer, train: ImageDataset, training: Training): Promise<nn.Layer> {
  const network = make();
  if (trainedParameters(network).length === 0) return network;
  return (await learn(make, train, training)).network;
}

/** 98.13 ± 0.04 */
export function withSpread({ mean, spread }: Summary): string {
  return spread === null ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${spread.toFixed(2)}`;
}

/** What a table of networks is of. */
export interface Experiment {
  readonly plans: Plans;
  readonly candidates: readonly Candidate[];
  /** The learning rate at the beginning. Default 0.05. */
  readonly lr?: number;
  /** What becomes of the digits before all else. */
  readonly change?: (data: ImageDataset) => ImageDataset;
  /** Default: the test set as it is. */
  readonly tests?: (test: ImageDataset) => readonly Test[];
  /** What is to be said, or written, when all is known. */
  readonly conclude?: (rows: readonly Compared[], data: Digits) => readonly string[] | Promise<readonly string[]>;
}

export const asTheyAre = (test: ImageDataset): readonly Test[] => [{ heading: "right, %", data: test }];

export interface ComparisonFlags extends Flags {
  readonly only?: string;
}

/** The options of a program that is such an experiment. */
export function withComparisonOptions(command: Command, plans: Plans): Command {
  return withExperimentOptions(command, plans).option(
    "--only <names>",
    "only these rows of the table, with | between their names",
  );
}

/** The candidates of those names, in the order of the table. */
function chosenOf(candidates: readonly Candidate[], only: string | undefined): readonly Candidate[] {
  if (only === undefined) return candidates;
  const names = only.split("|").map((name) => name.trim());
  const unknown = names.find((name) => !candidates.some((candidate) => candidate.name === name));
  if (unknown === undefined) return candidates.filter(({ name }) => names.includes(name));
  const known = candidates.map(({ name }) => name).join("; ");
  throw new ArgumentError(`--only: there is no row "${unknown}". Expected some of: ${known}.`);
}

/** The whole program: loads digits, compares networks, prints the table or JSON. */
export async function runExperiment(settings: ComparisonFlags, experiment: Experiment): Promise<void> {
  const { plans, lr, change = (data) => data, tests = asTheyAre, conclude = () => [] } = experiment;
  const candidates = chosenOf(experiment.candidates, settings.only);
  const { json = false } = settings;
  const begun = performance.now();
  const plan = planOf(settings, plans);
  const { name, train, test } = await loadDigits(settings, plan);
  const data = { name, train: change(train), test: change(test) };
  const say = (text: string) => json || console.log(text);
  say(`${describe(data, plan)}.\n`);
  const rows = await compareNetworks({ candidates, data, tests: tests(data.test), plan, lr, say });
  const remarks = await conclude(rows, data);
  const seconds = (performance.now() - begun) / 1000;
  if (json) console.log(JSON.stringify({ ...figuresOf(data, plan), networks: rows.map(figuresOfRow), seconds }));
  for (const remark of remarks) say(`\n${remark}`);
  say(`\n${seconds.toFixed(0)} s.`);
}

/** A row for JSON. */
export function figuresOfRow({ network: _, ...figures }: Compared): Omit<Compared, "network"> {
  return figures;
}
