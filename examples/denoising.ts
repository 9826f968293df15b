/**
 * Noise that a network removes: a narrow U-Net sees drawn digits with Gaussian noise and learns how they were without, and is compared
 * with what needs no learning, blur and medians of neighbours, whose settings are chosen on training pictures.
 */

import { Command } from "commander";
import {
  Adam,
  CosineLR,
  contactSheet,
  denoisePictures,
  denoising,
  evaluateDenoising,
  fromPlanar,
  manualSeed,
  models,
  noisy,
  type PictureQuality,
  type PixelImage,
  QualityMean,
  Trainer,
} from "fovea";
import { writePng } from "fovea/node";
import { fileToWrite, summarize } from "./experiment.js";
import { whole } from "./options.js";

type Noisy = Awaited<ReturnType<typeof noisy>>;

interface Plan {
  readonly size: number;
  readonly testSize: number;
  readonly epochs: number;
  readonly seeds: number;
}

interface Flags extends Partial<Plan> {
  readonly out?: string;
  readonly quick?: true;
  readonly json?: true;
}

const plans = {
  full: { size: 4000, testSize: 500, epochs: 6, seeds: 1 },
  quick: { size: 200, testSize: 30, epochs: 4, seeds: 1 },
} as const satisfies Readonly<Record<"full" | "quick", Plan>>;

type Filter = (image: Uint8Array, height: number, width: number) => ArrayLike<number>;

/** The nearest pixel of the picture. */
const within = (at: number, length: number) => Math.min(length - 1, Math.max(0, at));

/** Means of the neighbours, weighted by a Gaussian. */
function blur(deviation: number): Filter {
  const radius = Math.ceil(3 * deviation);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / (2 * deviation ** 2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return (image, height, width) => {
    const along = (values: ArrayLike<number>, across: boolean) =>
      Float64Array.from({ length: values.length }, (_, i) => {
        const [y, x] = [Math.floor(i / width), i % width];
        let sum = 0;
        for (const [k, weight] of weights.entries()) {
          const off = k - radius;
          sum += weight * values[across ? y * width + within(x + off, width) : within(y + off, height) * width + x];
        }
        return sum / total;
      });
    return along(along(image, true), false);
  };
}

/** The middle one of the neighbours within `radius` pixels. */
function median(radius: number): Filter {
  return (image, height, width) =>
    Uint8Array.from(image, (_, i) => {
      const [y, x] = [Math.floor(i / width), i % width];
      const near: number[] = [];
      for (let down = -radius; down <= radius; down++) {
        for (let across = -radius; across <= radius; across++)
          near.push(image[within(y + down, height) * width + within(x + across, width)]);
      }
      return near.sort((a, b) => a - b)[near.length >> 1];
    });
}

const filters: Readonly<Record<string, readonly Filter[]>> = {
  "Gaussian blur": [0.4, 0.5, 0.6, 0.7, 0.8, 1, 1.3].map(blur),
  median: [1, 2].map(median),
};

function qualityOf(filter: Filter, data: Noisy): PictureQuality {
  const quality = new QualityMean();
  const { shape } = data.pictures;
  for (let i = 0; i < data.size; i++) {
    const { image, clean } = data.get(i);
    quality.add(filter(image, shape[1], shape[2]), clean, shape);
  }
  return quality.mean;
}

/** The setting that does best on training pictures. */
function bestOf(filters: readonly Filter[], train: Noisy): Filter {
  const scores = filters.map((filter) => qualityOf(filter, train).psnr);
  return filters[scores.indexOf(Math.max(...scores))];
}

const normalization = { mean: [0.5], std: [0.5] };

async function learn(train: Noisy, epochs: number, seed: number): Promise<models.UNet> {
  const batchSize = 16;
  manualSeed(seed);
  const network = new models.UNet({ numClasses: 1, width: 1 / 8, depth: 2, dropout: 0 });
  const optimizer = new Adam(network.parameters(), { lr: 0.003 });
  const schedule = new CosineLR(optimizer, { steps: epochs * Math.ceil(train.size / batchSize) });
  const trainer = new Trainer(network, { optimizer, schedule, objective: denoising(), normalization });
  await trainer.fit(train, { epochs, batchSize, seed });
  return network;
}

/** A row for each picture: with noise, from the network, without noise, and the difference of these two. */
async function draw(network: models.UNet, test: Noisy): Promise<PixelImage> {
  const rows: Uint8Array[] = [];
  const first = test.take(6);
  const [channels, height, width] = first.pictures.shape;
  for await (const { index, picture } of denoisePictures(network, first, { normalization })) {
    const { image, clean } = first.get(index);
    rows.push(
      image,
      picture,
      clean,
      picture.map((value, i) => Math.abs(value - clean[i])),
    );
  }
  const pictures = rows.map((each) => fromPlanar(each, [channels === 1 ? 1 : 3, height, width]));
  return contactSheet(pictures, { columns: 4, scale: 3, gap: 4 });
}

async function run(flags: Flags): Promise<void> {
  const { size, testSize, epochs, seeds } = { ...plans[flags.quick ? "quick" : "full"], ...flags };
  const train = await noisy({ split: "train", size });
  const test = await noisy({ split: "test", size: testSize });
  const say = (text: string) => flags.json || console.log(text);
  const row = (name: string, { psnr, ssim }: PictureQuality, before: number) =>
    say(
      `${name.padEnd(20)}${psnr.toFixed(2).padStart(8)} dB${(ssim ?? 0).toFixed(3).padStart(8)}${(psnr - before).toFixed(2).padStart(8)} dB`,
    );
  say(`noisy digits: ${size} to learn from in ${epochs} epochs, ${testSize} to test with\n`);
  say(`${"".padEnd(20)}${"PSNR".padStart(11)}${"SSIM".padStart(8)}${"gain".padStart(11)}`);
  const before = qualityOf((image) => image, test);
  row("as they are", before, before.psnr);
  const baselines: Record<string, PictureQuality> = {};
  for (const [name, settings] of Object.entries(filters)) {
    baselines[name] = qualityOf(bestOf(settings, train.take(40)), test);
    row(name, baselines[name], before.psnr);
  }
  const networks: PictureQuality[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const network = await learn(train, epochs, seed);
    const { after } = await evaluateDenoising(network, test, { normalization });
    networks.push(after);
    row(`U-Net, seed ${seed}`, after, before.psnr);
    if (seed === 0 && flags.out !== undefined) await writePng(flags.out, await draw(network, test));
  }
  if (!flags.json) return;
  const gain = summarize(networks.map(({ psnr }) => psnr - before.psnr));
  console.log(JSON.stringify({ size, testSize, epochs, seeds, before, baselines, networks, gain }));
}

export const command = new Command("denoising")
  .description("a U-Net that removes noise from drawn digits, beside blur and medians (a minute or two a seed)")
  .option("--size <n>", `pictures to learn from (default: ${plans.full.size})`, whole(1))
  .option("--test-size <n>", `pictures to test with (default: ${plans.full.testSize})`, whole(1))
  .option("--epochs <n>", `times to go through them (default: ${plans.full.epochs})`, whole(1))
  .option("--seeds <n>", `how many times, with other weights (default: ${plans.full.seeds})`, whole(1))
  .option(
    "--out <file>",
    "PNG file for pictures with noise, from the network, without, and the difference",
    fileToWrite,
  )
  .option("--quick", "few pictures and epochs: seconds, to see that it works")
  .option("--json", "print the figures as JSON")
  .action(run);
