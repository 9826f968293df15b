/**
 * A smile detector that is unfair, and what may mend it. It learns from faces among which smiling women are rare: 0.47 smiling men,
 * 0.02 smiling women, 0.45 other men, 0.06 other women. It is tested on faces of all four kinds alike, so that nobody hides
 * behind the many.
 */

import { Command } from "commander";
import {
  ArgumentError,
  annotate,
  type BatchSource,
  balancedWeights,
  classWeights,
  crossEntropy,
  faces,
  groupWeightedMean,
  type ImageBatch,
  metrics,
  nn,
  predict,
  type Tensor,
  type TrainerOptions,
  tasks,
  tensor,
} from "fovea";
import { faceFeatures, learnFaces, makeBody } from "./faces.js";
import { positive, whole } from "./options.js";

interface Settings {
  readonly size: number;
  readonly subtlety: number;
  readonly epochs: number;
  readonly seeds: number;
  /** Part of the names of the remedies to try. */
  readonly only?: string;
  readonly json?: boolean;
}

type Faces = Awaited<ReturnType<typeof faces>>;

/** What is done about it: options of the training, how often each sample is drawn, another network. */
interface Remedy {
  readonly name: string;
  readonly options?: Partial<TrainerOptions>;
  readonly weights?: ArrayLike<number>;
  /** What it learns from instead. */
  readonly train?: BatchSource<ImageBatch>;
  /** A network with several heads, instead of one with a single head. */
  readonly make?: () => nn.MultiHead;
}

async function remediesFor(train: Faces, seed: number, subtlety: number): Promise<Remedy[]> {
  const { annotations, size } = train;
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
    hiddenGender(train),
    givenPrior(train),
    // As many of each kind as there were of the most frequent one.
    {
      name: "more of the others",
      train: await faces({ split: "train", size: Math.round(1.88 * size), seed, subtlety }),
    },
  ];
}

/** How much hiding counts against telling smiles. */
const adversaryScale = 1;

const yesOrNo = tasks.classification(["no smile", "smile"]);

/**
 * An adversarial head: it learns to tell women from men by the features, which learn to make that impossible. Of smiling faces and
 * of others apart, for that most women do not smile would tell even a network that sees no gender something.
 */
function hiddenGender({ pictures, annotations }: Faces): Remedy {
  const { smile, gender } = annotations;
  const ofThose = (smiling: number) => gender.map((value, i) => (smile[i] === smiling ? value : -1));
  const classNames = ["male", "female"];
  // Men and women weigh the same, or calling everybody a man would nearly always be right.
  const adversary = (targets: Int32Array<ArrayBuffer>) => {
    const known = targets.filter((value) => value >= 0);
    const weight = tensor(classWeights({ labels: known, classNames }));
    return tasks.classification(classNames, {
      loss: (scores, labels) => crossEntropy(scores, labels, { weight, reduction: "none" }),
    });
  };
  const hidden = () =>
    new nn.Sequential(
      new nn.GradientReversal(adversaryScale),
      new nn.Linear(faceFeatures, 64),
      new nn.ReLU(),
      new nn.Linear(64, 2),
    );
  const [smiling, others] = [ofThose(1), ofThose(0)];
  return {
    name: "adversarial head",
    train: annotate(pictures, { smile, smiling, others }),
    options: { tasks: { smile: yesOrNo, smiling: adversary(smiling), others: adversary(others) } },
    make: () =>
      new nn.MultiHead(makeBody(), { smile: new nn.Linear(faceFeatures, 2), smiling: hidden(), others: hidden() }),
  };
}

/**
 * A structure in which nothing is gained by taking gender for a smile: while it learns, how often men and women smile is added to
 * the scores of each, so that the features need not tell it; what answers is the scores without that (the idea of Menon et al.,
 * "Long-tail learning via logit adjustment", 2021). Men and women have a loss each, so that they count alike.
 */
function givenPrior({ pictures, annotations }: Faces): Remedy {
  const { smile, gender } = annotations;
  const ofThose = (wanted: number) => smile.map((value, i) => (gender[i] === wanted ? value : -1));
  const [men, women] = [ofThose(0), ofThose(1)];
  return {
    name: "prior given",
    train: annotate(pictures, { smile, men, women }),
    options: { tasks: { smile: { ...yesOrNo, weight: 0 }, men: yesOrNo, women: yesOrNo } },
    make: () => {
      const shared = new nn.Linear(faceFeatures, 2);
      const within = (labels: Int32Array) => new nn.Sequential(shared, new Prior(labels));
      return new nn.MultiHead(makeBody(), { smile: shared, men: within(men), women: within(women) });
    },
  };
}

/** Adds to the scores of two classes the logarithms of how often each is right; labels of -1 are of others. */
class Prior extends nn.Module {
  readonly #logarithms: Tensor;

  constructor(labels: Int32Array) {
    super();
    const counts = [0, 1].map((wanted) => labels.filter((label) => label === wanted).length);
    this.#logarithms = tensor(counts.map((count) => Math.log(count / (counts[0] + counts[1]))));
  }

  forward(scores: Tensor) {
    return scores.add(this.#logarithms);
  }
}

/** 1 for a smile. */
async function predictSmiles(network: nn.Layer | nn.MultiHead, { options }: Remedy, test: Faces): Promise<number[]> {
  const predicted: number[] = [];
  if (network instanceof nn.MultiHead) {
    for await (const { answers } of tasks.predict(network, test, { tasks: options?.tasks ?? {} }))
      predicted.push(answers.smile.kind === "classification" ? answers.smile.label : 0);
  } else {
    for await (const { probabilities } of predict(network, test)) predicted.push(probabilities[1] > 0.5 ? 1 : 0);
  }
  return predicted;
}

interface Outcome {
  readonly all: number;
  readonly worst: number;
  /** Between the best and the worst group. */
  readonly gap: number;
  readonly worstName: string;
}

async function tryRemedy(remedy: Remedy, train: Faces, test: Faces, epochs: number, seed: number): Promise<Outcome> {
  const { options, weights, make } = remedy;
  const single = (): nn.Layer => new nn.Sequential(makeBody(), new nn.Linear(faceFeatures, 2));
  const { network } = await learnFaces<nn.Layer | nn.MultiHead>(make ?? single, remedy.train ?? train, {
    epochs,
    seed,
    weights,
    options,
  });
  const predicted = await predictSmiles(network, remedy, test);
  const { overall, partitions } = metrics.subgroupReport(predicted, test.annotations.smile, test.attributeValues(), {
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
  const { size, subtlety, epochs, seeds, only = "", json = false } = settings;
  const outcomes = new Map<string, Outcome[]>();
  const tell = (line: string) => json || console.log(line);
  const say = (name: string, seed: string, { all, worst, gap, worstName }: Outcome) => {
    const [a, w, g] = [all, worst, gap].map((share) => (100 * share).toFixed(1));
    tell(`${name.padEnd(20)}${seed.padStart(4)}${a.padStart(9)} %${w.padStart(11)} %${g.padStart(8)}  ${worstName}`);
  };
  tell(`${"".padEnd(20)}seed  all faces  worst group     gap  which`);
  for (let seed = 0; seed < seeds; seed++) {
    const train = await faces({ split: "train", size, seed, subtlety, joint: faces.lecture });
    const test = await faces({ split: "test", size: Math.ceil(size / 2), seed, subtlety });
    for (const remedy of await remediesFor(train, seed, subtlety)) {
      if (!remedy.name.includes(only)) continue;
      const outcome = await tryRemedy(remedy, train, test, epochs, seed);
      say(remedy.name, String(seed), outcome);
      outcomes.set(remedy.name, [...(outcomes.get(remedy.name) ?? []), outcome]);
    }
  }
  if (outcomes.size === 0)
    throw new ArgumentError(
      `--only ${only}: nothing that may help has that in its name. Expected part of one, such as loss.`,
    );
  if (json) {
    const remedies = [...outcomes].map(([name, each]) => ({ name, ...meanOf(each), outcomes: each }));
    console.log(JSON.stringify({ size, subtlety, epochs, seeds, remedies }));
    return;
  }
  if (seeds === 1) return;
  tell(`\nmeans of ${seeds} seeds`);
  for (const [name, each] of outcomes) {
    const gaps = each.map(({ gap }) => (100 * gap).toFixed(1)).sort((a, b) => Number(a) - Number(b));
    say(name, "", { ...meanOf(each), worstName: `gaps of ${gaps[0]} to ${gaps[gaps.length - 1]}` });
  }
}

function meanOf(outcomes: readonly Outcome[]): Omit<Outcome, "worstName"> {
  const mean = (of: (outcome: Outcome) => number) =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length;
  return { all: mean(({ all }) => all), worst: mean(({ worst }) => worst), gap: mean(({ gap }) => gap) };
}

export const command = new Command("fair-smiles")
  .description("a smile detector that fails smiling women, and what may mend it (some minutes a seed)")
  .option("--size <n>", "faces to learn from", whole(100), 6000)
  .option("--epochs <n>", "times to go through them", whole(1), 6)
  .option("--subtlety <x>", "how hard smiles are to tell, where 0 would be all clear", positive, 1.15)
  .option("--seeds <n>", "how many times, with other faces and weights", whole(1), 1)
  .option("--only <text>", "only what has this in its name, such as loss")
  .option("--quick", "few faces and epochs: to see that it works")
  .option("--json", "print the figures as JSON, shares from 0 to 1")
  .action(async ({ quick, ...settings }: Settings & { readonly quick?: true }) =>
    run(quick ? { ...settings, size: 1000, epochs: 2, seeds: 1 } : settings),
  );
