/** From the losses of single elements to one number. */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, sameShape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { mean } from "../../ops/reduce/mean.js";
import { sum } from "../../ops/reduce/sum.js";
import { asFloats, type TensorLike } from "../../ops/tensors.js";

/** `none`: the loss of each element; `mean` and `sum`: of all together. */
export type Reduction = "none" | "mean" | "sum";

export interface LossOptions<R extends Reduction = Reduction> {
  /** Default `mean`. */
  readonly reduction?: R | undefined;
}

/** What a loss gives: one number, or a tensor of them without reduction. */
export type Reduced<R extends Reduction> = R extends "none" ? Tensor : Tensor<[]>;

const reductions: readonly Reduction[] = ["none", "mean", "sum"];

export function checkReduction(op: string, reduction: Reduction): void {
  if (!reductions.includes(reduction))
    throw new ArgumentError(`${op}: reduction is ${JSON.stringify(reduction)}. Expected "none", "mean" or "sum".`);
}

/** Reduces the losses of single elements. @param divide how the mean is taken, where it is not over all elements */
export function reduce<R extends Reduction>(
  op: string,
  losses: Tensor,
  reduction: R,
  divide: (total: Tensor) => Tensor = () => mean(losses),
): Reduced<R> {
  checkReduction(op, reduction);
  const result = reduction === "none" ? losses : reduction === "sum" ? sum(losses) : divide(sum(losses));
  return result as Reduced<R>;
}

/** Throws unless prediction and target have the same shape. */
export function checkSameShape(op: string, prediction: Tensor, target: Tensor): void {
  if (sameShape(prediction.shape, target.shape)) return;
  throw new ShapeError(
    `${op}: the prediction is ${formatShape(prediction.shape)} but the target ${formatShape(target.shape)}. Expected equal shapes.`,
  );
}

/** How much each class counts, one number for each. */
export function checkWeight(op: string, weight: TensorLike, classes: number): Tensor {
  const tensor = asFloats(op, weight);
  if (!sameShape(tensor.shape, [classes])) {
    throw new ShapeError(
      `${op}: there are ${classes} classes but the weights are ${formatShape(tensor.shape)}. Expected one for each class.`,
    );
  }
  return tensor;
}
