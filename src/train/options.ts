/** What a `Trainer` is made of, and what its `fit` is told. */

import type { Normalization } from "../core/normalization.js";
import type { Shape } from "../core/shape.js";
import type { LoaderAugmentation } from "../data/augment/augmentation.js";
import type { BatchSource, ImageBatch } from "../data/batches.js";
import type { FeatureBatch } from "../data/features.js";
import type { Tensor } from "../graph/tensor.js";
import type { UncertaintyWeights } from "../nn/layers/uncertaintyWeights.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { Schedule } from "../optim/schedules.js";
import type { Objective } from "./objective.js";
import type { EpochRecord, Progress } from "./records.js";
import type { Tasks } from "./tasks/task.js";

export type Labels = Tensor<Shape, "int32">;

/** What is trained on: pictures, or features of them for a head. */
export type TrainingData = BatchSource<ImageBatch | FeatureBatch>;

export interface TrainerOptions {
  readonly optimizer: Optimizer;
  /** Default: cross-entropy. */
  readonly loss?: ((logits: Tensor, labels: Labels) => Tensor) | undefined;
  /**
   * Share of the probability that cross-entropy spreads over all classes while training, as Inception v3 did (Szegedy et al. 2016);
   * evaluation asks for the right class alone. Default 0.
   */
  readonly labelSmoothing?: number | undefined;
  /** What is learnt, where it is no class for each picture: `segmentation()` or `denoising()`, which have losses of their own. */
  readonly objective?: Objective | undefined;
  /** Train on losses by groups of samples instead. */
  readonly groups?: GroupTraining | undefined;
  /**
   * Several things to learn at once, by name, from the values that batches have beside their pictures: from `faces` and other
   * annotated sets, or put there by `annotate`. The model is an `nn.MultiHead` with a head of each name, or gives one row with
   * columns for each in this order.
   */
  readonly tasks?: Tasks | undefined;
  /** Learns how much each task counts. Default: their weights alone. Its parameters are for the optimizer. */
  readonly taskWeights?: UncertaintyWeights | undefined;
  /** How pixels become the model's input. Default: 0 … 255 to 0 … 1. */
  readonly normalization?: Normalization | undefined;
  /** Changes the learning rate after each step or each epoch. Default: it stays. */
  readonly schedule?: Schedule | undefined;
  /** Default `step`. After an `epoch` the schedule is given the loss on the validation set, or else on the training set. */
  readonly scheduleEvery?: "step" | "epoch" | undefined;
  /**
   * Batches to a step of the optimizer, whose gradients are added up meanwhile: a step of four batches of 16 is one of 64 samples
   * in the memory of 16, up to what depends on the batch itself (batch normalization). The last step of an epoch may have
   * fewer; each batch then still counts by 1 / `accumulate`. Default 1.
   */
  readonly accumulate?: number | undefined;
}

/** What the groups of the training samples have to do with the loss. */
export interface GroupTraining {
  /** A group number for each sample of the training set: `metrics.groupBy` makes them from attributes. */
  readonly of: ArrayLike<number>;
  /** One loss of those of a batch's samples and their groups, such as `new nn.GroupRobustLoss(4)`. */
  readonly loss: (losses: Tensor, groups: Labels) => Tensor;
  /** Loss of each sample. Default: cross-entropy. */
  readonly losses?: ((logits: Tensor, labels: Labels) => Tensor) | undefined;
}

export interface FitOptions {
  /** Last epoch to train, counted from the beginning of the whole training. */
  readonly epochs: number;
  /** Default 64. */
  readonly batchSize?: number;
  /** Decides the order of the samples. Default 0. */
  readonly seed?: number;
  /** How often each sample is drawn, in proportion: `balancedWeights(train)` for every class equally often. Default: once an epoch. */
  readonly weights?: ArrayLike<number> | undefined;
  /** What happens to the training pictures at random, such as `augment.flip()`; `seed` decides over it, too. Default: nothing. */
  readonly augment?: LoaderAugmentation<ImageBatch> | undefined;
  /** Scored after each epoch. */
  readonly validation?: TrainingData;
  /** Samples of `validation` to score at once: fewer where pictures are large. Default 256. */
  readonly validationBatchSize?: number;
  readonly callbacks?: Callbacks;
  readonly signal?: AbortSignal;
}

export interface Callbacks {
  /** After each batch; awaited. */
  onBatch?(progress: Progress): void | Promise<void>;
  /** After each epoch; awaited. `"stop"` ends the training. */
  onEpoch?(record: EpochRecord): void | "stop" | Promise<void> | Promise<"stop" | undefined>;
}
