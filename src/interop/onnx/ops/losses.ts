/** Losses of classification. */

import type { Tensor } from "../../../graph/tensor.js";
import { full } from "../../../ops/create.js";
import { div, mul } from "../../../ops/elementwise/arithmetic.js";
import { equal } from "../../../ops/elementwise/comparison.js";
import { neg } from "../../../ops/elementwise/functions.js";
import { where } from "../../../ops/elementwise/select.js";
import { takeAlongAxis } from "../../../ops/indexing/alongAxis.js";
import { take } from "../../../ops/indexing/take.js";
import { sum } from "../../../ops/reduce/sum.js";
import { reshape, squeeze, unsqueeze } from "../../../ops/shape/reshape.js";
import { logSoftmax } from "../../../ops/softmax.js";
import type { Call } from "../call.js";
import { define, int, type OpTable, string } from "../definition.js";
import { tensorValue } from "../value.js";
import type { Int } from "./numeric.js";

const lossAttributes = { ignore_index: int(), reduction: string("mean") };

interface LossSettings {
  readonly ignore_index: number | undefined;
  readonly reduction: string;
}

/** −log p of the right classes, each times its class's weight: N×C×… and N×…. */
function negativeLogLikelihood(
  call: Call,
  logarithms: Tensor,
  { ignore_index: ignored, reduction }: LossSettings,
): Tensor {
  const labels = call.int(1);
  const skipped = ignored === undefined ? undefined : equal(labels, ignored);
  // An ignored label need not be a class.
  const classes = (skipped === undefined ? labels : where(skipped, 0, labels)) as Int;
  const picked = squeeze(takeAlongAxis(logarithms, unsqueeze(classes, 1), 1), 1);
  const given = call.has(2)
    ? reshape(take(call.float(2), reshape(classes, [classes.size])), classes.shape)
    : full(classes.shape, 1);
  const weights = (skipped === undefined ? given : where(skipped, 0, given)) as Tensor;
  const losses = neg(mul(picked, weights) as Tensor);
  switch (reduction) {
    case "none":
      return losses;
    case "sum":
      return sum(losses);
    case "mean":
      return div(sum(losses), sum(weights)) as Tensor;
    default:
      throw call.error(`reduction is ${JSON.stringify(reduction)}. Expected "none", "sum" or "mean"`);
  }
}

export const losses: OpTable = {
  NegativeLogLikelihoodLoss: [
    define({
      since: 12,
      attributes: lossAttributes,
      build: (call, settings) => tensorValue(call.type(0), negativeLogLikelihood(call, call.float(0), settings)),
    }),
  ],
  SoftmaxCrossEntropyLoss: [
    define({
      since: 12,
      attributes: lossAttributes,
      build: (call, settings) => {
        const logarithms = logSoftmax(call.float(0), 1);
        return [
          tensorValue(call.type(0), negativeLogLikelihood(call, logarithms, settings)),
          tensorValue(call.type(0), logarithms),
        ];
      },
    }),
  ],
};
