/** What a training begins with. */

import type { Normalization } from "../core/normalization.js";
import type { LoaderAugmentation } from "../data/augment/augmentation.js";
import type { ImageBatch } from "../data/batches.js";
import type { LabelledImages } from "../data/images.js";
import type { ModelEntry } from "../models/registry.js";
import type { Network } from "../nn/network.js";
import type { Trainable } from "../optim/groups.js";
import type { Objective } from "../train/objective.js";
import type { TrainingData } from "../train/options.js";
import type { EpochRecord } from "../train/records.js";
import { learnNormalization } from "./normalizing.js";
import { networkOptions } from "./pixels.js";
import type { TrainFlags } from "./settings.js";

/** What a training begins with. */
export interface Start {
  readonly model: Network;
  readonly normalization: Normalization;
  /** What the optimizer changes. */
  readonly trainable: Trainable;
  /** What is learnt before the first epoch, in epochs of its own. */
  readonly before?: (context: BeforeTraining) => Promise<void>;
}

export interface BeforeTraining {
  readonly trainSet: LabelledImages;
  readonly testSet: LabelledImages;
  /** The same with what is to be learnt of their pixels, where that is something. */
  readonly pixels: PixelLearning | undefined;
  readonly signal: AbortSignal;
  /** Told of each epoch, of so many. */
  readonly onEpoch: (record: EpochRecord, epochs: number) => Promise<void>;
}

export interface PixelLearning {
  readonly objective: Objective;
  readonly train: TrainingData;
  readonly validation: TrainingData;
  readonly validationBatchSize: number;
  readonly augment: LoaderAugmentation<ImageBatch> | undefined;
}

/** A network with random weights, and its own normalization or one learnt from the pictures: a resumed run learns the same again. */
export function startAnew(entry: ModelEntry, flags: TrainFlags, signal: AbortSignal) {
  const { normalize, normalizePer } = flags;
  return async (trainSet: LabelledImages, numScores: number): Promise<Start> => {
    const model = createNetwork(entry, flags, numScores, trainSet);
    const normalization =
      normalize === "model"
        ? normalizationFor(entry, trainSet)
        : await learnNormalization(normalize, normalizePer, trainSet, signal);
    return { model, normalization, trainable: model.parameters() };
  };
}

function createNetwork(
  entry: ModelEntry,
  { width, depth, batchNorm }: TrainFlags,
  numClasses: number,
  { shape: [inChannels] }: LabelledImages,
): Network {
  // Only networks for pixels have a width here.
  if (width === undefined) return entry.create({ numClasses });
  return entry.create({ numClasses, ...networkOptions({ width, depth, batchNorm, inChannels }) });
}

/** The network's own; of pictures with other channels than it was published for, values from −2 to 2. */
function normalizationFor({ normalization, inputShape }: ModelEntry, { shape }: LabelledImages): Normalization {
  const { mean } = normalization;
  return mean.length === 1 || shape[0] === inputShape[0] ? normalization : { mean: [0.5], std: [0.25] };
}
