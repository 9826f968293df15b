/** Losses that ask the right answer to win by a margin, and no more. */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape, sameShape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { add, mul, sub } from "../../ops/elementwise/arithmetic.js";
import { relu } from "../../ops/elementwise/functions.js";
import { takeAlongAxis } from "../../ops/indexing/alongAxis.js";
import { oneHot } from "../../ops/indexing/oneHot.js";
import { take } from "../../ops/indexing/take.js";
import { sum } from "../../ops/reduce/sum.js";
import { unsqueeze } from "../../ops/shape/reshape.js";
import { asFloats, asTensor, type TensorLike } from "../../ops/tensors.js";
import type { Labels } from "./classification.js";
import { checkSameShape, checkWeight, type LossOptions, type Reduced, type Reduction, reduce } from "./reduction.js";

export interface HingeLossOptions<R extends Reduction = "mean"> extends LossOptions<R> {
  /** By how much the right side must be reached. Default 1. */
  readonly margin?: number;
  /** Square what is missing, so that small lacks count little. Default false. */
  readonly squared?: boolean;
}

function checkMargin(op: string, margin: number): void {
  if (!Number.isFinite(margin)) throw new ArgumentError(`${op}: the margin is ${margin}. Expected a finite number.`);
}

/**
 * max(0, margin − t · x): the loss of support vector machines, for questions of yes and no (Cortes & Vapnik 1995).
 *
 * @param scores x, of any shape
 * @param targets t, −1 or 1, in the same shape
 */
export function hingeLoss<R extends Reduction = "mean">(
  scores: TensorLike,
  targets: TensorLike,
  { margin = 1, squared = false, reduction = "mean" as R }: HingeLossOptions<R> = {},
): Reduced<R> {
  checkMargin("hingeLoss", margin);
  const x = asFloats("hingeLoss", scores);
  const t = asFloats("hingeLoss", targets);
  checkSameShape("hingeLoss", x, t);
  const lacks = relu(sub(margin, mul(t, x)));
  return reduce("hingeLoss", squared ? mul(lacks, lacks) : lacks, reduction);
}

export interface MultiMarginLossOptions<R extends Reduction = "mean"> extends LossOptions<R> {
  /** By how much the right class must win. Default 1. */
  readonly margin?: number;
  /** The exponent of what is missing, 1 or 2. Default 1. */
  readonly p?: 1 | 2;
  /** How much each class counts: K numbers. Default: all the same. */
  readonly weight?: TensorLike | undefined;
}

/**
 * The hinge loss of several classes, Σ max(0, margin − right + other)ᵖ / K over the other classes (Weston & Watkins 1999).
 *
 * @param scores N×K
 * @param labels N class numbers
 */
export function multiMarginLoss<R extends Reduction = "mean">(
  scores: TensorLike,
  labels: Labels,
  { margin = 1, p = 1, weight, reduction = "mean" as R }: MultiMarginLossOptions<R> = {},
): Reduced<R> {
  const op = "multiMarginLoss";
  const input: Tensor = asFloats(op, scores);
  const targets = asTensor<Shape, "int32">(op, labels);
  const [samples, classes] = input.shape;
  if (input.rank !== 2 || !sameShape(targets.shape, [samples])) {
    throw new ShapeError(
      `${op}: the scores are ${formatShape(input.shape)} and the labels ${formatShape(targets.shape)}. Expected N×K and N.`,
    );
  }
  checkMargin(op, margin);
  if (p !== 1 && p !== 2) throw new ArgumentError(`${op}: p is ${p}. Expected 1 or 2.`);
  const right = takeAlongAxis(input, unsqueeze(targets, 1), 1);
  const others = sub(1, oneHot(targets, classes));
  const lacks = mul(relu(add(sub(input, right), margin)), others);
  const losses = mul(sum(p === 1 ? lacks : mul(lacks, lacks), 1), 1 / classes);
  const counted = weight === undefined ? losses : mul(losses, take(checkWeight(op, weight, classes), targets));
  return reduce(op, counted, reduction);
}
