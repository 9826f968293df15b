/** What the examples with faces share: their network and how it learns. */

import {
  Adam,
  type BatchSource,
  CosineLR,
  type FitOptions,
  type ImageBatch,
  manualSeed,
  nn,
  Trainer,
  type TrainerOptions,
} from "fovea";

/** Features of faces of 32×32 pixels: `faceFeatures` numbers for each. */
export function makeBody(): nn.Sequential {
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
  );
}

export const faceFeatures = 512;

const batchSize = 64;

export interface FaceTraining extends Pick<FitOptions, "weights"> {
  readonly epochs: number;
  readonly seed: number;
  readonly options?: Partial<TrainerOptions>;
}

/** Trains what `make` makes by Adam, at a rate that falls along half a cosine. */
export async function learnFaces<Model extends nn.Layer | nn.NamedLayer>(
  make: () => Model,
  train: BatchSource<ImageBatch>,
  { epochs, seed, weights, options = {} }: FaceTraining,
): Promise<{ readonly network: Model; readonly trainer: Trainer }> {
  manualSeed(seed);
  const network = make();
  const learned = options.taskWeights?.parameters() ?? [];
  const optimizer = new Adam([...network.parameters(), ...learned], { lr: 0.002 });
  // Slower towards the end: how answers are balanced would depend on the last batches.
  const schedule = new CosineLR(optimizer, { steps: epochs * Math.ceil(train.size / batchSize) });
  const trainer = new Trainer(network, { optimizer, schedule, ...options });
  await trainer.fit(train, { epochs, batchSize, seed, weights });
  return { network, trainer };
}
