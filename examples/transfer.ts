/**
 * What it is worth to borrow a network: one learns six classes of CIFAR-10 from many pictures; then the other four are learnt
 * from a few pictures each: by a network of their own, by a new head on what the first network sees, and by that and
 * then all of the network, more slowly the nearer a layer is to the input.
 */

import { Command } from "commander";
import {
  augment,
  CosineLR,
  digits,
  extractFeatures,
  ImageDataset,
  type LabelledImages,
  layerwiseRates,
  nn,
  RandomStream,
  SGD,
  Trainer,
} from "fovea";
import { cifar10, imageZip, writeFile } from "fovea/node";
import { drawPlot } from "fovea/report";
import { accuracyOf, fileToWrite, learn, summarize } from "./experiment.js";
import { whole } from "./options.js";

interface Plan {
  /** Pictures to learn the first classes from. */
  readonly size: number;
  readonly epochs: number;
  /** Pictures of each new class. */
  readonly shots: readonly number[];
  /** How often pictures are looked at while new classes are learnt: few pictures more often, but each at least a hundred times. */
  readonly looks: number;
  readonly testSize: number;
  readonly seeds: number;
  /** Maps that the first convolution makes. */
  readonly width: number;
}

const full: Plan = {
  size: 12_000,
  epochs: 5,
  shots: [5, 10, 50, 100],
  looks: 8000,
  testSize: 4000,
  seeds: 3,
  width: 32,
};
const quick: Plan = { size: 1500, epochs: 4, shots: [5], looks: 500, testSize: 200, seeds: 1, width: 8 };

const ways = ["from scratch", "head only", "fine-tuned"] as const;
type Accuracies = Record<(typeof ways)[number], number>;

/** The classes learnt first, of all that there are, in their order. */
const firstClasses = 6;

interface Pictures {
  readonly name: string;
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** What keeps such pictures what they are. */
  readonly changes: augment.BatchAugmentation;
}

async function load(data: string | undefined): Promise<Pictures> {
  if (data === undefined) {
    const draw = (split: "train" | "test", size: number) => digits({ split, size });
    const changes = augment.translate({ pixels: 2 });
    return { name: "drawn digits", train: await draw("train", 6000), test: await draw("test", 2000), changes };
  }
  const open = (split: "train" | "test"): Promise<LabelledImages> =>
    data.endsWith(".zip") ? imageZip(data, { size: 32, split }) : cifar10({ split, dataDir: data });
  const changes = augment.compose([augment.flip(), augment.randomCrop({ padding: 4 })]);
  return { name: "CIFAR-10", train: await open("train"), test: await open("test"), changes };
}

/** At most `count` pictures of each of some classes, which are numbered anew from 0; which ones, the seed decides. */
async function pick(
  data: LabelledImages,
  classes: readonly string[],
  count: number,
  seed: number,
): Promise<ImageDataset> {
  const order = new RandomStream(seed, 2).permutation(data.size);
  const indices = classes.flatMap((name) => {
    const number = data.classNames.indexOf(name);
    return [...order.filter((index) => data.labels[index] === number).slice(0, count)];
  });
  const { name, split, shape } = data;
  const context = { seed: 0, epoch: 0, signal: new AbortController().signal };
  const { images, labels } = await data.batch(Uint32Array.from(indices), context);
  const renumbered = labels.map((label) => classes.indexOf(data.classNames[label]));
  return new ImageDataset({ name, split, shape, classNames: classes, images, labels: renumbered });
}

/** Three convolutions, each with batch normalization, and the mean over all places: → N×4·width. */
function makeBody(channels: number, width: number): nn.Sequential {
  const convolution = (from: number, to: number) =>
    new nn.Sequential(new nn.Conv2d(from, to, 3, { padding: 1, bias: false }), new nn.BatchNorm2d(to), new nn.ReLU());
  return new nn.Sequential(
    convolution(channels, width),
    new nn.MaxPool2d(2),
    convolution(width, 2 * width),
    new nn.MaxPool2d(2),
    convolution(2 * width, 4 * width),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
  );
}

const makeNetwork = (channels: number, width: number, classes: number) => () =>
  new nn.Sequential(makeBody(channels, width), new nn.Linear(4 * width, classes));

/** Each picture is looked at so often for the head: once as it is, and changed. */
const copies = 10;

interface Learning {
  readonly plan: Plan;
  readonly seed: number;
  readonly changes: augment.BatchAugmentation;
}

/** Learns new classes in the three ways, all tested on the same pictures. */
async function learnNew(
  weights: nn.StateDict,
  train: ImageDataset,
  test: ImageDataset,
  { plan: { looks, width }, seed, changes }: Learning,
): Promise<Accuracies> {
  const [channels] = train.shape;
  const classes = train.classNames.length;
  const rounds = Math.max(100, Math.round(looks / train.size));
  const recipe = { seed, augment: changes };
  const scratch = await learn(makeNetwork(channels, width, classes), train, { epochs: rounds, ...recipe });

  // Chop off the old head, and train a new one on what is left: that is computed once.
  const network = makeNetwork(channels, width, firstClasses)();
  network.loadStateDict(weights);
  const body = nn.chop(network, "0");
  const features = await extractFeatures(body, train, { copies, augment: changes, seed });
  const epochs = Math.ceil(rounds / copies);
  const { network: head } = await learn(() => new nn.Linear(4 * width, classes), features, { epochs, seed });

  // Attach it, and fine-tune both: the old layers at a tenth of the rate.
  const whole = new nn.Sequential(body, head);
  const optimizer = new SGD(layerwiseRates(whole, { decay: 0.1 }), { lr: 0.02, momentum: 0.9, weightDecay: 2e-4 });
  const batches = Math.ceil(train.size / 64);
  const schedule = new CosineLR(optimizer, { steps: epochs * batches });
  const trainer = new Trainer(whole, { optimizer, schedule });
  const headOnly = await accuracyOf(trainer, test);
  await trainer.fit(train, { epochs, ...recipe });
  return {
    "from scratch": await accuracyOf(scratch.trainer, test),
    "head only": headOnly,
    "fine-tuned": await accuracyOf(trainer, test),
  };
}

/** All accuracies with so many pictures of each class, one for each seed. */
interface Outcome {
  readonly shots: number;
  readonly accuracies: readonly Accuracies[];
}

function summaryOf({ shots, accuracies }: Outcome) {
  const of = (way: keyof Accuracies) => summarize(accuracies.map((each) => each[way]));
  const [scratch, head, tuned] = ways.map(of);
  const gains = accuracies.map((each) => each["fine-tuned"] - each["from scratch"]);
  return { shots, scratch, head, tuned, gain: summarize(gains) };
}

const cell = ({ mean, spread }: ReturnType<typeof summarize>) =>
  `${mean.toFixed(2)}${spread === null ? "" : ` ± ${spread.toFixed(2)}`}`.padStart(17);

interface Settings extends Partial<Pick<Plan, "size" | "epochs" | "looks" | "seeds">> {
  readonly dataDir?: string;
  readonly shots?: number;
  readonly quick?: true;
  readonly json?: true;
  readonly svg?: string;
}

async function run(settings: Settings): Promise<void> {
  const { dataDir, json = false, svg, shots } = settings;
  const begun = performance.now();
  const base = settings.quick ? quick : full;
  const plan: Plan = { ...base, ...settings, shots: shots === undefined ? base.shots : [shots] };
  const { name, train, test, changes } = await load(dataDir);
  const [first, others] = [train.classNames.slice(0, firstClasses), train.classNames.slice(firstClasses)];
  const newTest = await pick(test, others, Math.ceil(plan.testSize / others.length), 0);
  const say = (text: string) => json || console.log(text);
  say(`${name}: first ${first.join(", ")};\nthen ${others.join(", ")}, tested on ${newTest.size} pictures.\n`);
  say(`seed  pictures  ${ways.map((way) => way.padStart(14)).join("")}`);
  const outcomes = plan.shots.map((count): { shots: number; accuracies: Accuracies[] } => ({
    shots: count,
    accuracies: [],
  }));
  const before: number[] = [];
  for (let seed = 0; seed < plan.seeds; seed++) {
    const old = await pick(train, first, Math.ceil(plan.size / firstClasses), seed);
    const make = makeNetwork(train.shape[0], plan.width, firstClasses);
    const { network, trainer } = await learn(make, old, { epochs: plan.epochs, seed, augment: changes });
    before.push(await accuracyOf(trainer, await pick(test, first, plan.testSize, 0)));
    say(`${seed}     of the first ${firstClasses} classes ${before[seed].toFixed(2)} % are right`);
    const weights = await network.stateDict();
    for (const { shots, accuracies } of outcomes) {
      const few = await pick(train, others, shots, seed);
      const reached = await learnNew(weights, few, newTest, { plan, seed, changes });
      accuracies.push(reached);
      say(
        `${seed}     ${String(shots).padStart(8)}  ${ways.map((way) => reached[way].toFixed(2).padStart(14)).join("")}`,
      );
    }
  }
  const summaries = outcomes.map(summaryOf);
  const seconds = (performance.now() - begun) / 1000;
  if (svg !== undefined) {
    const line = (name: string, of: "scratch" | "head" | "tuned") => ({
      name,
      points: summaries.map((each) => [each.shots, each[of].mean] as const),
    });
    const lines = [line("from scratch", "scratch"), line("head only", "head"), line("fine-tuned", "tuned")];
    const title = `Four new classes of ${name}`;
    const plot = drawPlot(lines, { title, xAxis: "pictures of each to learn from", yAxis: "% right" });
    await writeFile(svg, new TextEncoder().encode(plot));
  }
  if (json) {
    const { size, epochs, looks, seeds } = plan;
    const figures = { data: name, size, epochs, looks, seeds, testSize: newTest.size };
    console.log(JSON.stringify({ ...figures, first: summarize(before), new: summaries, seconds }));
    return;
  }
  console.log(`\n% right, ${plan.seeds === 1 ? "one seed" : `mean ± standard deviation of ${plan.seeds} seeds`}\n`);
  console.log(`pictures${[...ways, "gain"].map((way) => way.padStart(17)).join("")}`);
  for (const { shots, scratch, head, tuned, gain } of summaries)
    console.log(`${String(shots).padStart(8)}${[scratch, head, tuned, gain].map(cell).join("")}`);
  if (svg !== undefined) console.log(`\nWritten: ${svg}`);
  console.log(`\n${seconds.toFixed(0)} s.`);
}

export const command = new Command("transfer")
  .description(
    "what a network that knows six classes is worth when four more are learnt from few pictures (10 minutes; 3 a seed)",
  )
  .option(
    "--data-dir <path>",
    "CIFAR-10: the folder of its binary files, or a .zip of its pictures in train/ and test/ (default: digits that are drawn)",
  )
  .option("--size <n>", `pictures of the first six classes (default: ${full.size})`, whole(60))
  .option("--epochs <n>", `times to go through those (default: ${full.epochs})`, whole(1))
  .option("--shots <n>", `pictures of each new class (default: ${full.shots.join(", ")})`, whole(1))
  .option(
    "--looks <n>",
    `pictures to look at in all for new classes, but each at least 100 times (default: ${full.looks})`,
    whole(1),
  )
  .option("--seeds <n>", `how many times, with other weights and pictures (default: ${full.seeds})`, whole(1))
  .option("--svg <file>", "write the accuracies there as a plot", fileToWrite)
  .option("--quick", "few pictures and epochs, one seed: seconds, to see that it works")
  .option("--json", "print the figures as JSON")
  .action(run);
