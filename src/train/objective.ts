/** What a network learns where it is not a class for each picture: a class for each pixel, or a picture. */

import { ArgumentError, DataError, ShapeError } from "../core/errors.js";
import { formatShape, type Shape, sameShape } from "../core/shape.js";
import type { ImageBatch } from "../data/batches.js";
import type { FeatureBatch } from "../data/features.js";
import type { Tensor } from "../graph/tensor.js";
import { crossEntropy } from "../nn/losses/classification.js";
import { softDiceLoss } from "../nn/losses/distributions.js";
import { mseLoss } from "../nn/losses/regression.js";
import { tensorOver } from "../ops/create.js";
import { add, div, maximum, mul, sub } from "../ops/elementwise/arithmetic.js";
import { equal, lessEqual, notEqual } from "../ops/elementwise/comparison.js";
import { abs } from "../ops/elementwise/functions.js";
import { cast } from "../ops/elementwise/select.js";
import { argmax } from "../ops/reduce/extreme.js";
import { mean } from "../ops/reduce/mean.js";
import { sum } from "../ops/reduce/sum.js";
import { detach } from "../ops/shape/reshape.js";
import type { TensorLike } from "../ops/tensors.js";

/** Class numbers, or bytes of pictures. */
export type Targets = Tensor<Shape, "int32">;

/** What `Trainer` and `evaluateModel` ask of a network: `segmentation()` and `denoising()` make them. */
export interface Objective {
  readonly name: "segmentation" | "denoising";
  /** What should come out, as the batch has it. @throws DataError where it has no such thing */
  targets(batch: ImageBatch): Targets;
  loss(outputs: Tensor, targets: Targets): Tensor;
  /** How much is right, from 0 to 1 for each sample, added up over the batch. */
  right(outputs: Tensor, targets: Targets): Tensor;
}

export interface SegmentationOptions {
  /**
   * Of N×K×H×W scores and N×H×W classes. `dice` is the soft Dice loss, `both` its sum with cross-entropy: for things
   * that take little of the picture. Default `cross-entropy`.
   */
  readonly loss?: "cross-entropy" | "dice" | "both" | ((scores: Tensor, masks: Targets) => Tensor);
  /** Of cross-entropy: how much each class counts, K numbers, such as `classWeights` of the masks. Default: all the same. */
  readonly weight?: TensorLike | undefined;
  /** Pixels with this number in the masks count for nothing, neither in the loss nor in the scores. Default 255. */
  readonly ignoreIndex?: number;
}

/**
 * A class for each pixel: batches have `masks`, and the network gives N×K×H×W scores. `accuracy` of the training's scores is
 * the share of pixels that are right, of those that count.
 *
 * @example
 * const train = await shapes({ split: "train" });
 * const network = models.create("unet", { inChannels: 3, numClasses: 4, width: 0.125 });
 * await fit(network, train, { optimizer, epochs: 10, objective: segmentation({ loss: "both" }) });
 */
export function segmentation(options: SegmentationOptions = {}): Objective {
  const { loss = "cross-entropy", weight, ignoreIndex = 255 } = options;
  if (typeof loss !== "function" && !["cross-entropy", "dice", "both"].includes(loss))
    throw new ArgumentError(
      `segmentation: there is no loss ${JSON.stringify(loss)}. Expected "cross-entropy", "dice", "both" or a function.`,
    );
  const entropy = (scores: Tensor, masks: Targets) => crossEntropy(scores, masks, { weight, ignoreIndex });
  const dice = (scores: Tensor, masks: Targets) => softDiceLoss(scores, masks, { ignoreIndex });
  const lossOf =
    typeof loss === "function"
      ? loss
      : loss === "dice"
        ? dice
        : loss === "both"
          ? (scores: Tensor, masks: Targets) => add(entropy(scores, masks), dice(scores, masks)) as Tensor
          : entropy;
  return {
    name: "segmentation",
    targets({ masks, shape: [size, , height, width] }) {
      if (masks === undefined)
        throw new DataError(
          "segmentation: the data set has no masks. Expected batches with a class for each pixel, as shapes() and imageMasks() give them.",
        );
      return tensorOver(Int32Array.from(masks), [size, height, width], "int32");
    },
    loss(scores, masks) {
      checkPlaces("segmentation", scores, masks.shape);
      return lossOf(scores, masks);
    },
    right(scores, masks) {
      const counts = cast(notEqual(masks, ignoreIndex), "float32");
      const hits = mul(cast(equal(argmax(detach(scores), 1), masks), "float32"), counts);
      return sum(div(sum(hits, [1, 2]), maximum(sum(counts, [1, 2]), 1))) as Tensor;
    },
  };
}

/** What is nearer than this to the right value counts as right: 13 of 255. */
const tolerance = 0.05;

export interface DenoisingOptions {
  /** Of what comes out and what should, N×C×H×W, 0 … 1. Default `mseLoss`; `l1Loss` leaves edges sharper. */
  readonly loss?: (pictures: Tensor, clean: Tensor) => Tensor;
}

/**
 * A picture from a picture: batches have `clean` beside `images`, and the network gives N×C×H×W values, 0 for black and 1 for
 * white. `accuracy` of the training's scores is the share of values that come within 0.05 of the right ones; `evaluateDenoising`
 * measures in decibels.
 *
 * @example
 * const train = await noisy({ split: "train" });
 * const network = models.create("unet", { numClasses: 1, width: 0.125, dropout: 0 });
 * await fit(network, train, { optimizer, epochs: 5, objective: denoising() });
 */
export function denoising({ loss = (pictures, clean) => mseLoss(pictures, clean) }: DenoisingOptions = {}): Objective {
  const values = (targets: Targets) => mul(cast(targets, "float32"), 1 / 255) as Tensor;
  return {
    name: "denoising",
    targets({ clean, shape }) {
      if (clean === undefined)
        throw new DataError(
          "denoising: the data set has no pictures without noise. Expected batches with `clean`, as noisy() gives them.",
        );
      return tensorOver(Int32Array.from(clean), shape, "int32");
    },
    loss(pictures, targets) {
      if (!sameShape(pictures.shape, targets.shape))
        throw new ShapeError(
          `denoising: the network gives ${formatShape(pictures.shape)} for pictures of ${formatShape(targets.shape)}. Expected the same. ` +
            'Fix: numClasses is the number of channels, and padding "same".',
        );
      return loss(pictures, values(targets));
    },
    right(pictures, targets) {
      const distance = abs(sub(detach(pictures), values(targets)));
      return sum(mean(cast(lessEqual(distance, tolerance), "float32"), [1, 2, 3])) as Tensor;
    },
  };
}

/** @throws ArgumentError where there is a loss beside the objective's own */
export function checkObjective(what: string, objective: Objective | undefined, other: unknown): void {
  if (objective === undefined || other === undefined) return;
  throw new ArgumentError(
    `${what}: ${objective.name} has a loss of its own, but loss, groups, tasks or labelSmoothing is given, too. Fix: give the loss to ${objective.name}().`,
  );
}

/** What an objective compares the outputs for a batch with. */
export function objectiveTargets(objective: Objective, batch: ImageBatch | FeatureBatch): Targets {
  if ("images" in batch) return objective.targets(batch);
  throw new ArgumentError(`${objective.name}: the batches have features. Expected pictures.`);
}

function checkPlaces(what: string, scores: Tensor, places: Shape): void {
  const [size, , ...sides] = scores.shape;
  if (sameShape([size, ...sides], places)) return;
  throw new ShapeError(
    `${what}: the network gives ${formatShape(scores.shape)} for masks of ${formatShape(places)}. Expected N×K×H×W scores, a class for each pixel of N×H×W. ` +
      'Fix: a network such as unet with padding "same".',
  );
}
