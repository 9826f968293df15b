/**
 * A smile detector that is unfair, and what may mend it. It learns from faces among which smiling women are rare: 0.47 smiling men,
 * 0.02 smiling women, 0.45 other men, 0.06 other women. It is tested on faces of all four kinds alike, so that nobody hides
 * behind the many.
 */

import { Command } from "commander";
import {
  Adam,
  balancedWeights,
  classWeights,
  faces,
  groupWeightedMean,
  manualSeed,
  metrics,
  nn,
  predict,
  Trainer,
  type TrainerOptions,
  tensor,
} from "fovea";
import { whole } from "./options.js";

interface Settings {
  readonly size: number;
  readonly epochs: number;
  readonly seeds: number;
}

type Faces = Awaited<ReturnType<typeof faces>>;

/** What is done about it: options of the training, and how often each sample is drawn. */
interface Remedy {
  readonly name: string;
  readonly options?: Partial<TrainerOptions>;
  readonly weights?: ArrayLike<number>;
}

function remediesFor({ annotations }: Faces): Remedy[] {
  const { groups, names } = metrics.groupBy(annotations, ["smile", "gender"]);
  const byGroup = { labels: groups, classNames: names };
  const importance = tensor(classWeights(byGroup));
  const robust = new nn.GroupRobustLoss(names.length, { stepSize: 0.05 });
  return [
    { name: "nothing" },
    {
      name: "weighted loss",
      options: { groups: { of: groups, loss: (losses, members) => groupWeightedMean(losses, members, importance) } },
    },
    { name: "balanced sampling", weights: balancedWeights(byGroup) },
    { name: "group-robust loss", options: { groups: { of: groups, loss: robust } } },
  ];
}

function makeNetwork(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(3, 16, 3, { padding: 1 }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 3, { padding: 1 }),
    new nn.BatchNorm2d(32),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(32, 32, 3, { padding: 1 }),
    new nn.BatchNorm2d(32),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(512, 2),
  );
}

interface Outcome {
  readonly all: number;
  readonly worst: number;
  /** Between the best and the worst group. */
  readonly gap: number;
  readonly worstName: string;
}

async function tryRemedy(
  { options, weights }: Remedy,
  train: Faces,
  test: Faces,
  epochs: number,
  seed: number,
): Promise<Outcome> {
  manualSeed(seed);
  const network = makeNetwork();
  const optimizer = new Adam(network.parameters(), { lr: 0.002 });
  const trainer = new Trainer(network, { optimizer, ...options });
  await trainer.fit(train, { epochs, batchSize: 64, seed, weights });
  const predicted: number[] = [];
  for await (const { probabilities } of predict(network, test)) predicted.push(probabilities[1] > 0.5 ? 1 : 0);
  const { smile } = test.annotations;
  const { overall, partitions } = metrics.subgroupReport(predicted, smile, test.annotations, {
    by: ["smile", "gender"],
  });
  const { worst, differences } = partitions[2];
  return {
    all: overall.rates.accuracy?.value ?? 0,
    worst: worst?.rates.accuracy?.value ?? 0,
    gap: differences.accuracy?.value ?? 0,
    worstName: worst?.name ?? "",
  };
}

async function run(settings: Settings): Promise<void> {
  const { size, epochs, seeds } = settings;
  console.log(`${"".padEnd(20)}seed  all faces  worst group     gap  which`);
  for (let seed = 0; seed < seeds; seed++) {
    const train = await faces({ split: "train", size, seed, joint: faces.lecture });
    const test = await faces({ split: "test", size: Math.ceil(size / 5), seed });
    for (const remedy of remediesFor(train)) {
      const { all, worst, gap, worstName } = await tryRemedy(remedy, train, test, epochs, seed);
      const [a, w, g] = [all, worst, gap].map((share) => (100 * share).toFixed(1));
      console.log(
        `${remedy.name.padEnd(20)}${String(seed).padStart(4)}${a.padStart(9)} %${w.padStart(11)} %${g.padStart(8)}  ${worstName}`,
      );
    }
  }
}

export const command = new Command("fair-smiles")
  .description("a smile detector that fails smiling women, and what may mend it (some minutes a seed)")
  .option("--size <n>", "faces to learn from", whole(100), 10_000)
  .option("--epochs <n>", "times to go through them", whole(1), 6)
  .option("--seeds <n>", "how many times, with other faces and weights", whole(1), 1)
  .option("--quick", "few faces and epochs: to see that it works")
  .action(async ({ quick, ...settings }: Settings & { readonly quick?: true }) =>
    run(quick ? { size: 1000, epochs: 2, seeds: 1 } : settings),
  );
