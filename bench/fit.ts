/**
 * Training LeNet-5 from a data set against training it on one batch that the device holds: what shuffling, gathering and
 * sending batches adds to the steps, of which it is to be hidden behind them. Medians of interleaved epochs.
 */

import { Option } from "commander";
import {
  augment,
  compile,
  crossEntropy,
  digits,
  ImageDataset,
  manualSeed,
  models,
  normalizePixels,
  RandomStream,
  SGD,
  type Shape,
  setDevice,
  type Tensor,
  Trainer,
  tensor,
} from "fovea";
import { mnist } from "fovea/node";
import { namesOf, scriptCommand, wholeNumber, wholeNumbers } from "../scripts/command.js";
import { classHits, Sums } from "../src/train/sums.js";
import { median } from "./statistics.js";

/** An epoch from the data set is to take no more than this times the steps alone. */
const goal = 1.05;
const deviceNames = ["native", "wasm"] as const;

const options = scriptCommand(
  "bench:fit",
  "Times training LeNet-5 from a data set against training it on one batch that the device holds.",
  "--data-dir ~/mnist --device native --rounds 40",
)
  .option("--data-dir <folder>", "folder with MNIST's files (default: the built-in digits)")
  .option("--model <name>", "network; other ones than lenet5 get random pictures", "lenet5")
  .option("--augment <list>", "what happens to the data set's pictures, such as translate:2")
  .option("--workers <n>", "threads that augment", wholeNumber(0), 0)
  .option("--device <names>", "of native, wasm", namesOf(deviceNames), [...deviceNames])
  .option("--threads <list>", "threads of the device", wholeNumbers, [1, 2])
  .option("--batch <n>", "samples in a batch", wholeNumber(1), 64)
  .option("--steps <n>", "steps of an epoch", wholeNumber(1), 50)
  .option("--rounds <n>", "epochs of each, of which the median counts", wholeNumber(1), 21)
  .addOption(
    new Option("--clock <name>", "cpu: the processor's time, which other programs change less")
      .choices(["wall", "cpu"])
      .default("wall"),
  )
  .option("--json", "a line of JSON for each device and number of threads")
  .parse()
  .opts<{
    dataDir?: string;
    model: string;
    augment?: string;
    workers: number;
    device: (typeof deviceNames)[number][];
    threads: number[];
    batch: number;
    steps: number;
    rounds: number;
    clock: "wall" | "cpu";
    json?: true;
  }>();

function network() {
  manualSeed(0);
  const model = models.find(options.model).create();
  return { model, optimizer: new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 }) };
}

/** Milliseconds that `work` takes. */
async function time(work: () => Promise<unknown>): Promise<number> {
  const now = () => {
    if (options.clock === "wall") return performance.now();
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const begun = now();
  await work();
  return now() - begun;
}

/** An epoch from the data set. */
function fromData(data: ImageDataset): () => Promise<unknown> {
  const { model, optimizer } = network();
  const trainer = new Trainer(model, { optimizer });
  const change = options.augment === undefined ? undefined : augment.parse(options.augment);
  const threaded = change && options.workers > 0 ? augment.inWorkers(change, options.workers) : change;
  return () => trainer.fit(data, { epochs: trainer.position.epoch + 1, batchSize: options.batch, augment: threaded });
}

/** The same steps on the first batch, which is sent once. */
function fromDevice(data: ImageDataset): () => Promise<unknown> {
  const { model, optimizer } = network();
  const { images, labels, shape } = data.batch(Uint32Array.from({ length: options.batch }, (_, i) => i));
  const [x, y] = [tensor(images, shape), tensor(labels)];
  const sums = new Sums();
  const step = compile((x: Tensor<Shape, "uint8">, y: Tensor<Shape, "int32">) => {
    const logits = model(normalizePixels(x));
    const loss = crossEntropy(logits, y);
    sums.record(loss, classHits(logits, y), y.size);
    loss.backward();
    void optimizer.step();
    return null;
  });
  return async () => {
    sums.reset();
    for (let i = 0; i < options.steps; i++) {
      await step(x, y);
      sums.counted(options.batch);
    }
    await sums.scores();
  };
}

/** Pictures of the network's size, of ten classes; what is on them does not change the time. */
function randomPictures(): ImageDataset {
  const { name, inputShape } = models.find(options.model);
  const random = new RandomStream(0);
  return new ImageDataset({
    name: `random pictures for ${name}`,
    split: "train",
    images: Uint8Array.from({ length: size * inputShape.reduce((a, b) => a * b) }, () => random.integer(256)),
    labels: Uint8Array.from({ length: size }, () => random.integer(10)),
    shape: inputShape,
    classNames: "abcdefghij".split(""),
  });
}

const size = options.steps * options.batch;
const all =
  options.model !== "lenet5"
    ? randomPictures()
    : options.dataDir === undefined
      ? await digits({ split: "train", size })
      : await mnist({ split: "train", dataDir: options.dataDir });
if (all.size < size) throw new Error(`${all.name} has ${all.size} samples, too few for ${options.steps} steps`);
const data = all.take(size);
if (!options.json) console.log(`${data.name}, ${options.steps} steps of ${options.batch}; milliseconds a step`);
for (const name of options.device) {
  for (const threads of options.threads) {
    await setDevice(name, { threads }).ready;
    const [epoch, steps] = [fromData(data), fromDevice(data)];
    await epoch();
    await steps();
    const pairs: (readonly [number, number])[] = [];
    for (let round = 0; round < options.rounds; round++) pairs.push([await time(epoch), await time(steps)]);
    const [fit, held] = [0, 1].map((side) => median(pairs.map((pair) => pair[side])) / options.steps);
    const ratio = median(pairs.map(([one, other]) => one / other));
    const met = ratio <= goal;
    if (options.json)
      console.log(JSON.stringify({ device: name, threads, data: data.name, fit, held, ratio, goal, met }));
    else {
      const title = `${name}, ${threads} thread${threads === 1 ? "" : "s"}`.padEnd(18);
      const times = `from the data set ${fit.toFixed(2)}, on one batch ${held.toFixed(2)}`;
      console.log(`${title} ${times}: ${ratio.toFixed(3)}${met ? "" : ` ✗ (goal ${goal})`}`);
    }
  }
}
// The devices' threads would keep the process.
process.exit(0);
