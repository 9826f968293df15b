/**
 * As much of CIFAR-10 as two cores learn in twenty minutes: the network and the recipe of fast-network.ts, and how often it
 * is right about pictures as they are and about six views of each.
 */

import { Command } from "commander";
import { ArgumentError, fitNormalization, type ImageDataset, manualSeed, predict, splitDataset } from "fovea";
import { loadColourPictures, withColourOptions } from "./colour-pictures.js";
import { describe, type Flags, figuresOf, type Plans, planOf, summarize, summaryRows, tableRow } from "./experiment.js";
import {
  augmentation,
  batchSize,
  FastNetwork,
  type FastNetworkOptions,
  fastTrainer,
  sixViews,
  whiteningLayer,
} from "./fast-network.js";
import { whole } from "./options.js";

const plans: Plans = {
  full: { size: 50_000, testSize: 10_000, epochs: 10, seeds: 1 },
  quick: { size: 384, testSize: 100, epochs: 8, seeds: 1 },
};
const channels = { full: [64, 128, 256], quick: [8, 16, 32] } as const;

interface Outcome {
  /** In percent. */
  readonly accuracy: number;
  /** Of the mean over six views. */
  readonly sixViews: number;
  /** Passed, and spent by all threads together, in training. */
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly parameters: number;
}

interface Learning {
  readonly train: ImageDataset;
  readonly test: ImageDataset;
  readonly epochs: number;
  readonly seed: number;
  readonly channels: FastNetworkOptions["channels"];
  readonly say: (text: string) => void;
}

async function tryOut({ train, test, epochs, seed, channels, say }: Learning): Promise<Outcome> {
  const begun = { time: performance.now(), processor: process.cpuUsage() };
  const passed = () => {
    const { user, system } = process.cpuUsage(begun.processor);
    return { seconds: (performance.now() - begun.time) / 1000, processorSeconds: (user + system) / 1e6 };
  };
  manualSeed(seed);
  const normalization = await fitNormalization(train, { method: "z-score" });
  const whitening = await whiteningLayer(train, normalization);
  const network = new FastNetwork(whitening, { numClasses: train.classNames.length, channels });
  const steps = epochs * Math.ceil(train.size / batchSize);
  const trainer = fastTrainer(network, { normalization, steps });
  await trainer.fit(train, {
    epochs,
    batchSize,
    seed,
    augment: augmentation,
    callbacks: {
      onEpoch({ epoch, train: { loss, accuracy } }) {
        const { seconds, processorSeconds } = passed();
        say(
          `epoch ${epoch}/${epochs}: loss ${loss.toFixed(4)}, ${(100 * accuracy).toFixed(2)} % of changed training pictures; ${seconds.toFixed(0)} s, ${processorSeconds.toFixed(0)} s of the processors`,
        );
      },
    },
  });
  const spent = passed();
  const { accuracy } = await trainer.evaluate(test);
  let hits = 0;
  for await (const { label, probabilities } of predict(network, test, { normalization, views: sixViews() }))
    if (probabilities[label] === Math.max(...probabilities)) hits++;
  const parameters = network.parameterCount();
  return { accuracy: 100 * accuracy, sixViews: (100 * hits) / test.size, ...spent, parameters };
}

async function run(settings: Flags & { readonly holdOut?: number }): Promise<void> {
  const { json = false, quick = false, holdOut = 0 } = settings;
  const chosen = planOf(settings, plans);
  const say = (text: string) => json || console.log(text);
  const begun = performance.now();
  const loaded = await loadColourPictures(settings, chosen);
  const pictures = holdOut === 0 ? loaded : { ...loaded, ...holdSomeOut(loaded.train, holdOut) };
  say(`${describe(pictures, chosen)}.`);
  const loading = (performance.now() - begun) / 1000;
  say(`Read in ${loading.toFixed(0)} s.\n`);
  const outcomes: Outcome[] = [];
  for (let seed = 0; seed < chosen.seeds; seed++) {
    const outcome = await tryOut({ ...pictures, ...chosen, seed, channels: channels[quick ? "quick" : "full"], say });
    outcomes.push(outcome);
    const { accuracy, sixViews, seconds, processorSeconds, parameters } = outcome;
    if (seed === 0) say(`\n${parameters} parameters.`);
    say(`\n${tableRow("seed", ["as they are, %", "six views, %", "training, s", "of processors"])}`);
    say(tableRow(seed, [accuracy, sixViews, seconds, processorSeconds]));
  }
  if (json) {
    console.log(JSON.stringify({ ...figuresOf(pictures, chosen), heldOut: holdOut, loading, outcomes }));
    return;
  }
  const columns = ["accuracy", "sixViews", "seconds", "processorSeconds"] as const;
  console.log(summaryRows(columns.map((name) => summarize(outcomes.map((outcome) => outcome[name])))));
}

/** Training pictures in place of the test set: what settings are chosen by. */
function holdSomeOut(all: ImageDataset, count: number): { readonly train: ImageDataset; readonly test: ImageDataset } {
  if (count >= all.size) {
    throw new ArgumentError(
      `--hold-out is ${count} of ${all.size} pictures. Expected fewer, so that some are left to learn from.`,
    );
  }
  const [train, test] = splitDataset(all, [1 - count / all.size, count / all.size], { seed: 1 });
  return { train, test };
}

export const command = withColourOptions(
  new Command("cifar-recipe")
    .description("a recipe for CIFAR-10, for two cores and 20 minutes, and what six views of each test picture add")
    .option("--hold-out <n>", "test with so many training pictures instead, to choose settings by", whole(1)),
  plans,
).action(run);
