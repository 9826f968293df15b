/** The smallest training that has everything: pictures of two classes, dropout, an optimizer with slots. */

import { RandomStream } from "../../src/core/philox.js";
import { type Device, ImageDataset, manualSeed, nn, type Optimizer, SGD, Trainer } from "../../src/index.js";
import type { TrainerOptions } from "../../src/train/options.js";
import { useDevice } from "../support/devices.js";

/** 4×4 pictures whose class tells which half is brighter. */
export function pictures(size: number, split = "train"): ImageDataset {
  const random = new RandomStream(split === "train" ? 1 : 2, 3, 4);
  const images = new Uint8Array(16 * size);
  const labels = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    labels[i] = random.integer(2);
    for (let pixel = 0; pixel < 16; pixel++) {
      images[16 * i + pixel] = random.integer(160) + (pixel < 8 === (labels[i] === 1) ? 95 : 0);
    }
  }
  return new ImageDataset({ name: "halves", split, images, labels, shape: [1, 4, 4], classNames: ["top", "bottom"] });
}

export function tinyModel() {
  return new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(16, 8),
    new nn.Tanh(),
    new nn.Dropout(0.2),
    new nn.Linear(8, 2),
  );
}

interface Setup extends Omit<TrainerOptions, "optimizer" | "schedule"> {
  readonly optimizer?: (parameters: Parameters<typeof sgd>[0]) => Optimizer;
  readonly schedule?: (optimizer: Optimizer) => TrainerOptions["schedule"];
}

const sgd = (parameters: ConstructorParameters<typeof SGD>[0]): Optimizer =>
  new SGD(parameters, { lr: 0.1, momentum: 0.9 });

/** A new model and its trainer, always with the same weights at the beginning. */
export function tinyTrainer(device: Device, { optimizer: make = sgd, schedule, ...options }: Setup = {}): Trainer {
  useDevice(device);
  manualSeed(3);
  const model = tinyModel();
  const optimizer = make(model.parameters());
  return new Trainer(model, { ...options, optimizer, schedule: schedule?.(optimizer) });
}

/** The bits of all weights, as text to compare. */
export async function bits({ model }: Trainer): Promise<string> {
  const weights = Object.entries(await model.stateDict());
  return weights.map(([name, { data }]) => `${name} ${Buffer.from(data.slice().buffer).toString("hex")}`).join("\n");
}
