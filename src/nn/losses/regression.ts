/** Losses between numbers: how far a prediction is from its target. */

import { ArgumentError } from "../../core/errors.js";
import type { Tensor } from "../../graph/tensor.js";
import { mul, sub } from "../../ops/elementwise/arithmetic.js";
import { less } from "../../ops/elementwise/comparison.js";
import { abs } from "../../ops/elementwise/functions.js";
import { where } from "../../ops/elementwise/select.js";
import { asFloats, type TensorLike } from "../../ops/tensors.js";
import { checkSameShape, type LossOptions, type Reduced, type Reduction, reduce } from "./reduction.js";

function difference(op: string, prediction: TensorLike, target: TensorLike): Tensor {
  const a = asFloats(op, prediction);
  const b = asFloats(op, target);
  checkSameShape(op, a, b);
  return sub(a, b);
}

/** The mean squared difference. @example mseLoss(decoded, images) */
export function mseLoss<R extends Reduction = "mean">(
  prediction: TensorLike,
  target: TensorLike,
  { reduction = "mean" as R }: LossOptions<R> = {},
): Reduced<R> {
  const distance = difference("mseLoss", prediction, target);
  return reduce("mseLoss", mul(distance, distance), reduction);
}

/** The mean absolute difference. */
export function l1Loss<R extends Reduction = "mean">(
  prediction: TensorLike,
  target: TensorLike,
  { reduction = "mean" as R }: LossOptions<R> = {},
): Reduced<R> {
  return reduce("l1Loss", abs(difference("l1Loss", prediction, target)), reduction);
}

/** d²/2 for differences |d| below `delta`, and delta · (|d| − delta/2) beyond, where outliers would dominate a square. */
function huber(op: string, distance: Tensor, delta: number): Tensor {
  if (!(delta > 0)) throw new ArgumentError(`${op}: the width is ${delta}. Expected a number above 0.`);
  const size = abs(distance);
  const inside = mul(mul(distance, distance), 0.5);
  return where(less(size, delta), inside, mul(sub(size, delta / 2), delta));
}

export interface HuberLossOptions<R extends Reduction> extends LossOptions<R> {
  /** Where the square becomes a straight line. Default 1. */
  readonly delta?: number;
}

/** Squared for small differences, absolute for large ones (Huber 1964). */
export function huberLoss<R extends Reduction = "mean">(
  prediction: TensorLike,
  target: TensorLike,
  { delta = 1, reduction = "mean" as R }: HuberLossOptions<R> = {},
): Reduced<R> {
  return reduce("huberLoss", huber("huberLoss", difference("huberLoss", prediction, target), delta), reduction);
}

export interface SmoothL1LossOptions<R extends Reduction> extends LossOptions<R> {
  /** Where the square becomes a straight line. Default 1. */
  readonly beta?: number;
}

/** Huber's loss divided by `beta`: its slope for large differences is 1 (Girshick 2015). */
export function smoothL1Loss<R extends Reduction = "mean">(
  prediction: TensorLike,
  target: TensorLike,
  { beta = 1, reduction = "mean" as R }: SmoothL1LossOptions<R> = {},
): Reduced<R> {
  const losses = huber("smoothL1Loss", difference("smoothL1Loss", prediction, target), beta);
  return reduce("smoothL1Loss", mul(losses, 1 / beta), reduction);
}
