/** Losses: how wrong a prediction is, as one number. */

import { ShapeError } from "../core/errors.js";
import { formatShape, type Shape, sameShape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { mul, sub } from "../ops/elementwise/arithmetic.js";
import { neg } from "../ops/elementwise/functions.js";
import { takeAlongAxis } from "../ops/indexing/alongAxis.js";
import { mean } from "../ops/reduce/mean.js";
import { sum } from "../ops/reduce/sum.js";
import { reshape } from "../ops/shape/reshape.js";
import { logSoftmax } from "../ops/softmax.js";
import { asTensor, type TensorLike } from "../ops/tensors.js";

/**
 * The mean negative logarithm of the probability that softmax gives to the right class.
 *
 * @param logits N×K, before softmax
 * @param labels N class numbers (int32), or N×K probabilities (float32)
 * @example crossEntropy(model(images), labels)
 */
export function crossEntropy(
  logits: TensorLike,
  labels: TensorLike<Shape, "int32"> | TensorLike<Shape, "float32">,
): Tensor<[]> {
  const scores = asTensor("crossEntropy", logits);
  const targets = asTensor<Shape, "int32" | "float32">("crossEntropy", labels);
  if (scores.rank !== 2) {
    throw new ShapeError(
      `crossEntropy: the logits are ${formatShape(scores.shape)}. Expected N×K, one row of K class scores for each sample.`,
    );
  }
  const [count] = scores.shape;
  const logProbabilities = logSoftmax(scores);
  if (targets.dtype === "float32") {
    if (!sameShape(targets.shape, scores.shape)) {
      throw new ShapeError(
        `crossEntropy: the logits are ${formatShape(scores.shape)} but the probabilities ${formatShape(targets.shape)}. Expected equal shapes, or ${count} class numbers as int32.`,
      );
    }
    return neg(mul(sum(mul(logProbabilities, targets as Tensor) as Tensor), 1 / count)) as Tensor<[]>;
  }
  if (!sameShape(targets.shape, [count])) {
    throw new ShapeError(
      `crossEntropy: there are ${count} rows of logits (${formatShape(scores.shape)}) but the labels are ${formatShape(targets.shape)}. Expected ${count} class numbers.`,
    );
  }
  const chosen = takeAlongAxis(logProbabilities, reshape(targets as Tensor<Shape, "int32">, [count, 1]), 1);
  return neg(mean(chosen)) as Tensor<[]>;
}

/** The mean squared difference. */
export function mseLoss(prediction: TensorLike, target: TensorLike): Tensor<[]> {
  const a = asTensor("mseLoss", prediction);
  const b = asTensor("mseLoss", target);
  if (!sameShape(a.shape, b.shape)) {
    throw new ShapeError(
      `mseLoss: the prediction is ${formatShape(a.shape)} but the target ${formatShape(b.shape)}. Expected equal shapes.`,
    );
  }
  const difference = sub(a, b) as Tensor;
  return mean(mul(difference, difference) as Tensor) as Tensor<[]>;
}
