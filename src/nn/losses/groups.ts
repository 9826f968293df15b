/** Losses by groups of samples, such as people by gender and age. */

import { ShapeError } from "../../core/errors.js";
import { formatShape, type Shape, sameShape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { div, maximum, mul } from "../../ops/elementwise/arithmetic.js";
import { oneHot } from "../../ops/indexing/oneHot.js";
import { take } from "../../ops/indexing/take.js";
import { sum } from "../../ops/reduce/sum.js";
import { unsqueeze } from "../../ops/shape/reshape.js";
import { asFloats, asTensor, type TensorLike } from "../../ops/tensors.js";

/** Group numbers. */
export type Groups = TensorLike<Shape, "int32">;

/**
 * The mean loss of each group.
 *
 * @param losses of N samples, as losses give without reduction
 * @param groups N group numbers
 * @param count how many groups there are
 * @returns `count` numbers; 0 for groups that have no sample here
 * @example groupMeans(crossEntropy(logits, labels, { reduction: "none" }), groups, 4)
 */
export function groupMeans(losses: TensorLike, groups: Groups, count: number): Tensor {
  const [values, members] = checkGroups("groupMeans", losses, groups);
  const belongs = oneHot(members, count);
  return div(sum(mul(unsqueeze(values, 1), belongs), 0), maximum(sum(belongs, 0), 1)) as Tensor;
}

/**
 * The mean loss in which each sample counts as much as its group's weight: with `classWeights` of the groups all of them
 * have the same say, however few of one there are.
 *
 * @param losses of N samples, as losses give without reduction
 * @param groups N group numbers
 * @param weights one for each group
 * @returns the weighted mean: divided by the sum of the samples' weights
 */
export function groupWeightedMean(losses: TensorLike, groups: Groups, weights: TensorLike): Tensor<[]> {
  const [values, members] = checkGroups("groupWeightedMean", losses, groups);
  const importance = take(asFloats("groupWeightedMean", weights), members, 0) as Tensor;
  return div(sum(mul(values, importance)), sum(importance)) as Tensor<[]>;
}

function checkGroups(op: string, losses: TensorLike, groups: Groups): readonly [Tensor, Tensor<Shape, "int32">] {
  const values = asFloats(op, losses);
  const members = asTensor<Shape, "int32">(op, groups);
  if (values.rank === 1 && sameShape(values.shape, members.shape)) return [values, members];
  throw new ShapeError(
    `${op}: the losses are ${formatShape(values.shape)} and the groups ${formatShape(members.shape)}. Expected N of each. ` +
      'Fix: make the loss with { reduction: "none" }.',
  );
}
