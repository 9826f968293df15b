/**
 * A class for each pixel: a narrow U-Net learns which shape every pixel of a drawn picture shows, or, with --data-dir, where the
 * membranes between cells are in pictures of an electron microscope (ISBI 2012: `image/` and `label/`, 30 pictures of 512×512).
 * The pictures that it is tested with are never used for choosing anything; of the 30 these are the last six.
 */

import { Command } from "commander";
import {
  Adam,
  AdamW,
  type AnnotatedImages,
  augment,
  CosineLR,
  colourMask,
  contactSheet,
  evaluateSegmentation,
  fromPlanar,
  manualSeed,
  models,
  OneCycleLR,
  type Optimizer,
  type PixelImage,
  type PixelPredictOptions,
  type Schedule,
  segmentation,
  segmentPictures,
  shapes,
  type Trainable,
  Trainer,
} from "fovea";
import { imageMasks, writePng } from "fovea/node";
import { fileToWrite, summarize } from "./experiment.js";
import { whole } from "./options.js";

type Masked = AnnotatedImages<{ readonly masks: Uint8Array<ArrayBuffer> }>;

interface Flags {
  readonly dataDir?: string;
  readonly size?: number;
  readonly testSize?: number;
  readonly epochs?: number;
  readonly seeds?: number;
  readonly out?: string;
  readonly quick?: true;
  readonly json?: true;
}

interface Plan {
  readonly size: number;
  readonly testSize: number;
  readonly epochs: number;
  readonly seeds: number;
}

/** What is done unless told otherwise, and by those in a hurry. */
const plans = {
  shapes: {
    full: { size: 6000, testSize: 300, epochs: 16, seeds: 1 },
    quick: { size: 120, testSize: 20, epochs: 2, seeds: 1 },
  },
  membranes: {
    full: { size: 24, testSize: 6, epochs: 400, seeds: 1 },
    quick: { size: 24, testSize: 1, epochs: 1, seeds: 1 },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<"full" | "quick", Plan>>>>;

interface Experiment {
  readonly name: string;
  readonly train: Masked;
  readonly test: Masked;
  readonly classNames: readonly string[];
  readonly batchSize: number;
  readonly augment: ReturnType<typeof augment.compose>;
  readonly network: models.UNetOptions;
  readonly recipe: (
    parameters: Trainable,
    steps: number,
  ) => { readonly optimizer: Optimizer; readonly schedule: Schedule };
  /** How the test pictures are looked at. */
  readonly looks: PixelPredictOptions;
}

/** Larger than what a network of this depth sees around a pixel. */
const crop = 192;

async function prepare({ dataDir, quick }: Flags, { size, testSize }: Plan): Promise<Experiment> {
  if (dataDir === undefined) {
    return {
      name: "shapes",
      train: await shapes({ split: "train", size, side: 64 }),
      test: await shapes({ split: "test", size: testSize, side: 64 }),
      classNames: ["background", "circle", "square", "triangle"],
      batchSize: 8,
      augment: augment.compose([augment.flip(), augment.flipVertical()]),
      network: { width: 1 / 8, depth: 3 },
      recipe(parameters, steps) {
        const optimizer = new Adam(parameters, { lr: 0.005 });
        return { optimizer, schedule: new CosineLR(optimizer, { steps }) };
      },
      looks: {},
    };
  }
  const classes = { cell: 255, membrane: 0 };
  const all = await imageMasks(dataDir, { classes });
  return {
    name: "membranes",
    train: all.take(Math.min(size, all.size - 6)),
    test: all.subset(Array.from({ length: Math.min(testSize, 6) }, (_, i) => all.size - 6 + i)),
    classNames: Object.keys(classes),
    batchSize: 4,
    // Windows at random places: another part of each picture in every epoch.
    augment: augment.compose([
      augment.randomCrop({ size: quick ? 48 : crop }),
      augment.flip(),
      augment.flipVertical(),
      augment.colorJitter({ brightness: 0.2, contrast: 0.2 }),
    ]),
    network: quick ? { width: 1 / 8, depth: 3 } : { width: 1 / 4, depth: 4 },
    recipe(parameters, steps) {
      const optimizer = new AdamW(parameters, { lr: 0.003, weightDecay: 0.01 });
      return { optimizer, schedule: new OneCycleLR(optimizer, { steps }) };
    },
    looks: { tile: 256, batchSize: 2, ...(!quick && { views: "turns" }) },
  };
}

const normalization = { mean: [0.5], std: [0.25] };

async function learn(experiment: Experiment, epochs: number, seed: number): Promise<models.UNet> {
  const { train, batchSize, augment, classNames, recipe } = experiment;
  manualSeed(seed);
  const network = new models.UNet({
    inChannels: train.pictures.shape[0],
    numClasses: classNames.length,
    batchNorm: true,
    dropout: 0,
    ...experiment.network,
  });
  const { optimizer, schedule } = recipe(network.parameters(), epochs * Math.ceil(train.size / batchSize));
  const objective = segmentation({ loss: "both" });
  const trainer = new Trainer(network, { optimizer, schedule, objective, normalization });
  await trainer.fit(train, { epochs, batchSize, seed, augment });
  return network;
}

/** A row for each picture: itself, what is true, what the network says, and where it is wrong. */
async function draw(network: models.UNet, { test, looks }: Experiment, pictures: number): Promise<PixelImage> {
  const rows: PixelImage[] = [];
  const first = test.take(pictures);
  for await (const { index, mask, shape } of segmentPictures(network, first, { normalization, ...looks })) {
    const [channels, height, width] = shape;
    const { image, masks } = first.get(index);
    const wrong = mask.map((kind, i) => (kind === masks[i] ? 0 : 6));
    rows.push(
      fromPlanar(image, [channels === 1 ? 1 : 3, height, width]),
      ...[masks, mask, wrong].map((each) => colourMask(each, height, width)),
    );
  }
  return contactSheet(rows, { columns: 4, scale: rows[0].width < 100 ? 3 : 1, gap: 4 });
}

async function run(flags: Flags): Promise<void> {
  const plan = {
    ...plans[flags.dataDir === undefined ? "shapes" : "membranes"][flags.quick ? "quick" : "full"],
    ...flags,
  };
  const experiment = await prepare(flags, plan);
  const { name, train, test, classNames, looks } = experiment;
  const options = { normalization, ...looks, classNames };
  const say = (text: string) => flags.json || console.log(text);
  say(`${name}: ${train.size} pictures to learn from in ${plan.epochs} epochs, ${test.size} to test with`);
  say(
    `${"seed".padEnd(8)}${["pixels right", "mean IoU", ...classNames.map((each) => `IoU ${each}`), "mean Dice", ...classNames.map((each) => `Dice ${each}`)].map((each) => each.padStart(16)).join("")}`,
  );
  const figures: {
    seed: number;
    accuracy: number;
    meanIou: number;
    meanDice: number;
    iou: number[];
    dice: number[];
  }[] = [];
  for (let seed = 0; seed < plan.seeds; seed++) {
    const network = await learn(experiment, plan.epochs, seed);
    const { accuracy, meanIou, meanDice, classes } = await evaluateSegmentation(network, test, options);
    const [iou, dice] = [classes.map((each) => each.iou ?? 0), classes.map((each) => each.dice ?? 0)];
    figures.push({ seed, accuracy, meanIou, meanDice, iou, dice });
    say(
      `${String(seed).padEnd(8)}${[accuracy, meanIou, ...iou, meanDice, ...dice].map((each) => each.toFixed(4).padStart(16)).join("")}`,
    );
    if (seed === 0 && flags.out !== undefined)
      await writePng(flags.out, await draw(network, experiment, name === "shapes" ? 6 : 1));
  }
  const means = {
    meanIou: summarize(figures.map(({ meanIou }) => meanIou)),
    meanDice: summarize(figures.map(({ meanDice }) => meanDice)),
  };
  if (flags.json) {
    const { epochs, seeds } = plan;
    console.log(
      JSON.stringify({
        data: name,
        size: train.size,
        testSize: test.size,
        epochs,
        seeds,
        classNames,
        figures,
        ...means,
      }),
    );
  } else if (plan.seeds > 1)
    say(`mean IoU ${means.meanIou.mean.toFixed(4)}, mean Dice ${means.meanDice.mean.toFixed(4)}`);
}

export const command = new Command("segmentation")
  .description("a U-Net that learns the class of each pixel, of drawn shapes or of membranes (5 and 10 minutes a seed)")
  .option("--data-dir <folder>", "folder with image/ and label/ of the membranes (default: shapes that are drawn)")
  .option("--size <n>", "pictures to learn from (default: 6000; 24 of the membranes)", whole(1))
  .option("--test-size <n>", "pictures to test with (default: 300; 6 of the membranes)", whole(1))
  .option("--epochs <n>", "times to go through them (default: 16; 400 of the membranes)", whole(1))
  .option("--seeds <n>", "how many times, with other weights (default: 1)", whole(1))
  .option("--out <file>", "PNG file for pictures, what is true, what is found, what is wrong", fileToWrite)
  .option("--quick", "few pictures and epochs: seconds, to see that it works")
  .option("--json", "print the figures as JSON")
  .action(run);
