/** Losses between probabilities: of yes and no, of distributions, of areas in pictures. */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape, sameShape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { softplus } from "../../ops/elementwise/activations.js";
import { add, div, maximum, mul, sub } from "../../ops/elementwise/arithmetic.js";
import { greater, notEqual } from "../../ops/elementwise/comparison.js";
import { exp, log, neg } from "../../ops/elementwise/functions.js";
import { cast, where } from "../../ops/elementwise/select.js";
import { oneHot } from "../../ops/indexing/oneHot.js";
import { mean } from "../../ops/reduce/mean.js";
import { sum } from "../../ops/reduce/sum.js";
import { permute } from "../../ops/shape/permute.js";
import { unsqueeze } from "../../ops/shape/reshape.js";
import { softmax } from "../../ops/softmax.js";
import { asFloats, asTensor, type TensorLike } from "../../ops/tensors.js";
import type { Labels } from "./classification.js";
import { checkReduction, checkSameShape, type LossOptions, type Reduced, type Reduction, reduce } from "./reduction.js";

export interface BinaryCrossEntropyOptions<R extends Reduction> extends LossOptions<R> {
  /** How much each element counts; broadcast with the losses. */
  readonly weight?: TensorLike | undefined;
}

export interface BinaryCrossEntropyWithLogitsOptions<R extends Reduction> extends BinaryCrossEntropyOptions<R> {
  /** How much a target of 1 counts against one of 0; broadcast with the losses. Default 1. */
  readonly positiveWeight?: TensorLike | number | undefined;
}

function weighted(losses: Tensor, weight: TensorLike | undefined): Tensor {
  return weight === undefined ? losses : (mul(losses, asFloats("the weight", weight)) as Tensor);
}

/**
 * −t · log(sigmoid(x)) − (1 − t) · log(1 − sigmoid(x)), accurate for any x: for questions of yes and no.
 *
 * @param logits before sigmoid
 * @param targets 0 … 1, in the same shape
 */
export function binaryCrossEntropyWithLogits<R extends Reduction = "mean">(
  logits: TensorLike,
  targets: TensorLike,
  { weight, positiveWeight, reduction = "mean" as R }: BinaryCrossEntropyWithLogitsOptions<R> = {},
): Reduced<R> {
  const op = "binaryCrossEntropyWithLogits";
  const x = asFloats(op, logits);
  const t = asFloats(op, targets);
  checkSameShape(op, x, t);
  const no = mul(sub(1, t), x);
  const yes = softplus(neg(x));
  const factor = positiveWeight === undefined ? undefined : add(mul(t, sub(asOperand(positiveWeight), 1) as Tensor), 1);
  const losses = add(no, factor === undefined ? yes : mul(factor as Tensor, yes));
  return reduce(op, weighted(losses, weight), reduction);
}

function asOperand(value: TensorLike | number): Tensor | number {
  return typeof value === "number" ? value : asFloats("positiveWeight", value);
}

/**
 * The same from probabilities 0 … 1. Logarithms are at least −100, so that a probability of 0 does not give infinity.
 * Prefer `binaryCrossEntropyWithLogits`, which needs no such bound.
 */
export function binaryCrossEntropy<R extends Reduction = "mean">(
  probabilities: TensorLike,
  targets: TensorLike,
  { weight, reduction = "mean" as R }: BinaryCrossEntropyOptions<R> = {},
): Reduced<R> {
  const op = "binaryCrossEntropy";
  const p = asFloats(op, probabilities);
  const t = asFloats(op, targets);
  checkSameShape(op, p, t);
  const bounded = (x: Tensor) => maximum(log(x), -100);
  const losses = neg(add(mul(t, bounded(p)), mul(sub(1, t), bounded(sub(1, p)))));
  return reduce(op, weighted(losses, weight), reduction);
}

export interface KlDivLossOptions<R extends Reduction | "batchMean"> {
  /** `batchMean`, the default, divides the sum by the number of samples: what the divergence is defined as. */
  readonly reduction?: R | undefined;
  /** Whether the targets are logarithms too. Default false. */
  readonly logTarget?: boolean;
}

/**
 * The Kullback–Leibler divergence Σ t · (log t − input) of targets from predictions.
 *
 * @param input logarithms of probabilities, N×…
 * @param target probabilities, in the same shape
 */
export function klDivLoss<R extends Reduction | "batchMean" = "batchMean">(
  input: TensorLike,
  target: TensorLike,
  { reduction = "batchMean" as R, logTarget = false }: KlDivLossOptions<R> = {},
): R extends "none" ? Tensor : Tensor<[]> {
  type Result = R extends "none" ? Tensor : Tensor<[]>;
  const prediction = asFloats("klDivLoss", input);
  const t = asFloats("klDivLoss", target);
  checkSameShape("klDivLoss", prediction, t);
  const positive = greater(t, 0);
  // 0 · log 0 counts as 0.
  const losses = logTarget
    ? mul(exp(t), sub(t, prediction))
    : where(positive, mul(t, sub(log(where(positive, t, 1)), prediction)), 0);
  if (reduction === "batchMean") {
    if (losses.rank === 0) throw new ShapeError("klDivLoss: there is no axis of samples. Expected N×….");
    return mul(sum(losses as Tensor), 1 / losses.shape[0]) as Tensor as Result;
  }
  return reduce("klDivLoss", losses as Tensor, reduction as Reduction) as Tensor as Result;
}

export interface DiceLossOptions<R extends Reduction> extends LossOptions<R> {
  /** Added above and below, so that empty areas give a loss of 0. Default 1. */
  readonly smooth?: number;
}

/**
 * 1 − (2 · Σ p · t + s) / (Σ p + Σ t + s): how little areas overlap, whatever share of the picture they have (Milletari et
 * al. 2016). Sums go over all axes behind the channels; `mean` over samples and channels.
 *
 * @param probabilities N×K×…, after sigmoid or softmax
 * @param targets 0 or 1, in the same shape
 */
export function diceLoss<R extends Reduction = "mean">(
  probabilities: TensorLike,
  targets: TensorLike,
  { smooth = 1, reduction = "mean" as R }: DiceLossOptions<R> = {},
): Reduced<R> {
  checkReduction("diceLoss", reduction);
  if (!(smooth >= 0)) throw new ArgumentError(`diceLoss: smooth is ${smooth}. Expected a number of 0 or more.`);
  const p = asFloats("diceLoss", probabilities);
  const t = asFloats("diceLoss", targets);
  checkSameShape("diceLoss", p, t);
  if (p.rank < 3) {
    throw new ShapeError(
      `diceLoss: the probabilities are ${formatShape(p.shape)}. Expected N×K×…: areas need at least one axis of places.`,
    );
  }
  const axes = Array.from({ length: p.rank - 2 }, (_, i) => i + 2);
  const overlap = add(mul(sum(mul(p, t), axes), 2), smooth);
  const size = add(add(sum(p, axes), sum(t, axes)), smooth);
  const losses = sub(1, div(overlap, size));
  return reduce("diceLoss", losses as Tensor, reduction, () => mean(losses as Tensor));
}

export interface SoftDiceLossOptions<R extends Reduction> extends DiceLossOptions<R> {
  /** Places with this class number count for nothing. Default: none. */
  readonly ignoreIndex?: number | undefined;
}

/**
 * `diceLoss` of scores and class numbers: softmax of the one against the other, class by class.
 *
 * @param scores N×K×…, before softmax
 * @param labels N×… class numbers (int32)
 * @example softDiceLoss(network(images), masks, { ignoreIndex: 255 })
 */
export function softDiceLoss<R extends Reduction = "mean">(
  scores: TensorLike,
  labels: Labels,
  { ignoreIndex, ...options }: SoftDiceLossOptions<R> = {},
): Reduced<R> {
  const x = asFloats("softDiceLoss", scores);
  const classes = asTensor<Shape, "int32">("softDiceLoss", labels);
  const [samples, count, ...sides] = x.shape;
  if (x.rank < 3 || !sameShape(classes.shape, [samples, ...sides])) {
    throw new ShapeError(
      `softDiceLoss: the scores are ${formatShape(x.shape)} and the labels ${formatShape(classes.shape)}. Expected N×K×… scores and N×… class numbers.`,
    );
  }
  const counts = ignoreIndex === undefined ? undefined : notEqual(classes, ignoreIndex);
  const known = counts === undefined ? classes : where(counts, classes, 0);
  // The classes come last, and belong behind the samples.
  const last = x.rank - 1;
  const order = [0, last, ...Array.from({ length: last - 1 }, (_, i) => i + 1)];
  const targets = permute(oneHot(known, count), order);
  const probabilities = softmax(x, 1);
  if (counts === undefined) return diceLoss(probabilities, targets, options);
  const share = unsqueeze(cast(counts, "float32"), 1);
  return diceLoss(mul(probabilities, share) as Tensor, mul(targets, share) as Tensor, options);
}
