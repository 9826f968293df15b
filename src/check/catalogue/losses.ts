/** Losses. */

import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import * as losses from "../../nn/losses/index.js";
import { ones } from "../../ops/create.js";
import { neg, sigmoid, sign } from "../../ops/elementwise/functions.js";
import { logSoftmax, softmax } from "../../ops/softmax.js";
import { type CheckCase, check, classes, within } from "./case.js";

type Labels = Tensor<Shape, "int32">;

const scores = within(-2, 2, 4, 5);
const labels = classes(5, 4);
const share = within(0.1, 0.9, 4, 5);

const { binaryCrossEntropy, binaryCrossEntropyWithLogits, crossEntropy, diceLoss, huberLoss, klDivLoss } = losses;
const { groupMeans, groupWeightedMean } = losses;
const { hingeLoss, l1Loss, mseLoss, multiMarginLoss, nllLoss, smoothL1Loss, softDiceLoss } = losses;

export const lossCases: readonly CheckCase[] = [
  check("crossEntropy", (x: Tensor, y: Labels) => crossEntropy(x, y), [scores, labels]),
  check(
    "crossEntropy",
    (x: Tensor, y: Labels, weight: Tensor) => crossEntropy(x, y, { weight, labelSmoothing: 0.2, ignoreIndex: 1 }),
    [scores, labels, within(0.5, 2, 5)],
    "weights, smoothing, ignored index",
  ),
  check(
    "crossEntropy",
    (x: Tensor, y: Tensor) => crossEntropy(x, softmax(y, 1), { reduction: "sum" }),
    [scores, scores],
    "probabilities",
  ),
  check(
    "crossEntropy",
    (x: Tensor, y: Labels) => crossEntropy(x, y, { reduction: "none" }),
    [within(-2, 2, 2, 3, 2, 4), classes(3, 2, 2, 4)],
    "at each place",
  ),
  check("nllLoss", (x: Tensor, y: Labels) => nllLoss(logSoftmax(x, 1), y), [scores, labels]),
  check("multiMarginLoss", (x: Tensor, y: Labels) => multiMarginLoss(x, y), [scores, labels]),
  check(
    "multiMarginLoss",
    (x: Tensor, y: Labels, weight: Tensor) => multiMarginLoss(x, y, { p: 2, margin: 0.7, weight }),
    [scores, labels, within(0.5, 2, 5)],
    "squares, weights",
  ),
  check("groupMeans", (x: Tensor, groups: Labels) => groupMeans(x, groups, 4), [within(0, 2, 7), classes(3, 7)]),
  check("groupWeightedMean", (x: Tensor, groups: Labels, weights: Tensor) => groupWeightedMean(x, groups, weights), [
    within(0, 2, 7),
    classes(3, 7),
    within(0.5, 2, 3),
  ]),
  check("hingeLoss", (x: Tensor, t: Tensor) => hingeLoss(x, sign(t)), [scores, share]),
  check("hingeLoss", (x: Tensor) => hingeLoss(x, neg(ones([4, 5])), { squared: true }), [scores], "squares"),
  check(
    "binaryCrossEntropyWithLogits",
    (x: Tensor, t: Tensor, weight: Tensor) => binaryCrossEntropyWithLogits(x, t, { weight, positiveWeight: 3 }),
    [scores, share, within(0.5, 2, 5)],
  ),
  check("binaryCrossEntropy", (p: Tensor, t: Tensor) => binaryCrossEntropy(p, t, { reduction: "none" }), [
    share,
    share,
  ]),
  check("klDivLoss", (x: Tensor, t: Tensor) => klDivLoss(logSoftmax(x, 1), t), [scores, share]),
  check(
    "klDivLoss",
    (x: Tensor, t: Tensor) => klDivLoss(logSoftmax(x, 1), logSoftmax(t, 1), { logTarget: true }),
    [scores, scores],
    "logarithms",
  ),
  check("diceLoss", (x: Tensor, t: Tensor) => diceLoss(sigmoid(x), t), [within(-2, 2, 2, 3, 4), within(0, 1, 2, 3, 4)]),
  check("softDiceLoss", (x: Tensor, y: Labels) => softDiceLoss(x, y, { ignoreIndex: 1 }), [
    within(-2, 2, 2, 3, 4),
    classes(3, 2, 4),
  ]),
  check("mseLoss", (a: Tensor, b: Tensor) => mseLoss(a, b), [scores, scores]),
  check("l1Loss", (a: Tensor, b: Tensor) => l1Loss(a, b, { reduction: "sum" }), [scores, scores]),
  check("huberLoss", (a: Tensor, b: Tensor) => huberLoss(a, b, { delta: 0.7 }), [scores, scores]),
  check("smoothL1Loss", (a: Tensor, b: Tensor) => smoothL1Loss(a, b, { beta: 0.7 }), [scores, scores]),
];
