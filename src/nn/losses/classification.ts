/** Losses between scores of classes and the right class. */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape, sameShape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { add, div, mul } from "../../ops/elementwise/arithmetic.js";
import { notEqual } from "../../ops/elementwise/comparison.js";
import { neg } from "../../ops/elementwise/functions.js";
import { cast, where } from "../../ops/elementwise/select.js";
import { takeAlongAxis } from "../../ops/indexing/alongAxis.js";
import { take } from "../../ops/indexing/take.js";
import { mean } from "../../ops/reduce/mean.js";
import { sum } from "../../ops/reduce/sum.js";
import { reshape, unsqueeze } from "../../ops/shape/reshape.js";
import { logSoftmax } from "../../ops/softmax.js";
import { asFloats, asTensor, type TensorLike } from "../../ops/tensors.js";
import { checkWeight, type LossOptions, type Reduced, type Reduction, reduce } from "./reduction.js";

/** Class numbers. */
export type Labels = TensorLike<Shape, "int32">;

export interface NllLossOptions<R extends Reduction = "mean"> extends LossOptions<R> {
  /** How much each class counts: K numbers. Default: all the same. */
  readonly weight?: TensorLike | undefined;
  /** Samples with this label count for nothing. Default: none; every label must name a class. */
  readonly ignoreIndex?: number | undefined;
}

export interface CrossEntropyOptions<R extends Reduction = "mean"> extends NllLossOptions<R> {
  /** Share of the probability that is spread over all classes (Szegedy et al. 2016), 0 … 1. Default 0. */
  readonly labelSmoothing?: number | undefined;
}

/**
 * The mean negative logarithm of the probability that softmax gives to the right class.
 *
 * @param logits N×K, or N×K×… for a class at each place of a picture; before softmax
 * @param labels N or N×… class numbers (int32), or probabilities in the logits' shape (float32)
 * @returns with weights, the weighted mean, as in PyTorch
 * @example crossEntropy(model(images), labels)
 */
export function crossEntropy<R extends Reduction = "mean">(
  logits: TensorLike,
  labels: Labels | TensorLike,
  options: CrossEntropyOptions<R> = {},
): Reduced<R> {
  const { labelSmoothing = 0 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new ArgumentError(`crossEntropy: labelSmoothing is ${labelSmoothing}. Expected 0 … 1.`);
  const scores = checkScores("crossEntropy", "logits", logits);
  const targets = asTensor<Shape, "int32" | "float32">("crossEntropy", labels as Labels);
  const logProbabilities = logSoftmax(scores, 1);
  if (targets.dtype === "float32")
    return againstProbabilities(logProbabilities, targets as Tensor, labelSmoothing, options);
  return againstLabels("crossEntropy", logProbabilities, targets as Tensor<Shape, "int32">, labelSmoothing, options);
}

/**
 * The mean negative of the right class's entry: cross-entropy of logarithms of probabilities.
 *
 * @param logProbabilities N×K or N×K×…, as `logSoftmax(x, 1)` gives
 */
export function nllLoss<R extends Reduction = "mean">(
  logProbabilities: TensorLike,
  labels: Labels,
  options: NllLossOptions<R> = {},
): Reduced<R> {
  const input = checkScores("nllLoss", "logarithms", logProbabilities);
  return againstLabels("nllLoss", input, asTensor<Shape, "int32">("nllLoss", labels), 0, options);
}

function againstLabels<R extends Reduction>(
  op: string,
  logProbabilities: Tensor,
  labels: Tensor<Shape, "int32">,
  smoothing: number,
  { weight, ignoreIndex, reduction = "mean" as R }: NllLossOptions<R>,
): Reduced<R> {
  const [samples, classes] = logProbabilities.shape;
  const places = [samples, ...logProbabilities.shape.slice(2)];
  if (!sameShape(labels.shape, places)) {
    throw new ShapeError(
      `${op}: there are scores for ${formatShape(places)} samples (${formatShape(logProbabilities.shape)}) but the labels are ${formatShape(labels.shape)}. Expected ${formatShape(places)} class numbers.`,
    );
  }
  const counts = ignoreIndex === undefined ? undefined : notEqual(labels, ignoreIndex);
  const known = counts === undefined ? labels : where(counts, labels, 0);
  const classWeights = weight === undefined ? undefined : checkWeight(op, weight, classes);
  const chosen = takeAlongAxis(logProbabilities, unsqueeze(known, 1), 1);
  const right = neg(reshape(chosen, places) as Tensor);
  const importance = classWeights && (take(classWeights, known, 0) as Tensor);
  let losses: Tensor = importance === undefined ? right : mul(right, importance);
  if (smoothing > 0) {
    const all = classWeights === undefined ? logProbabilities : mul(logProbabilities, perClass(classWeights, places));
    losses = add(mul(losses, 1 - smoothing), mul(neg(sum(all, 1)), smoothing / classes));
  }
  if (counts !== undefined) losses = where(counts, losses, 0);
  const shares = counts === undefined ? importance : mul(importance ?? 1, cast(counts, "float32"));
  return reduce(op, losses, reduction, (total) => (shares === undefined ? mean(losses) : div(total, sum(shares))));
}

function againstProbabilities<R extends Reduction>(
  logProbabilities: Tensor,
  probabilities: Tensor,
  smoothing: number,
  { weight, ignoreIndex, reduction = "mean" as R }: NllLossOptions<R>,
): Reduced<R> {
  const [samples, classes] = logProbabilities.shape;
  const places = [samples, ...logProbabilities.shape.slice(2)];
  if (!sameShape(probabilities.shape, logProbabilities.shape)) {
    throw new ShapeError(
      `crossEntropy: the logits are ${formatShape(logProbabilities.shape)} but the probabilities ${formatShape(probabilities.shape)}. Expected equal shapes, or ${formatShape(places)} class numbers as int32.`,
    );
  }
  if (ignoreIndex !== undefined)
    throw new ArgumentError(
      "crossEntropy: ignoreIndex is for class numbers, but the targets are probabilities (float32).",
    );
  const targets = smoothing > 0 ? add(mul(probabilities, 1 - smoothing), smoothing / classes) : probabilities;
  const weighted =
    weight === undefined ? targets : mul(targets, perClass(checkWeight("crossEntropy", weight, classes), places));
  const losses = neg(sum(mul(logProbabilities, weighted), 1));
  return reduce("crossEntropy", losses, reduction);
}

function checkScores(op: string, name: string, scores: TensorLike): Tensor {
  const tensor = asFloats(op, scores);
  if (tensor.rank < 2) {
    throw new ShapeError(
      `${op}: the ${name} are ${formatShape(tensor.shape)}. Expected N×K, one row of K class scores for each sample, or N×K×… for more places.`,
    );
  }
  return tensor;
}

/** K numbers, to be broadcast with N×K×…. */
function perClass(weights: Tensor, places: Shape): Tensor {
  return reshape(weights, [weights.size, ...places.slice(1).map(() => 1)]);
}
