/** Functions of arrays of any rank: products, reductions, moving and picking elements, normalization. */

import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { cumsum, repeat, roll, rot90 } from "../../ops/arrange.js";
import { add, mul } from "../../ops/elementwise/arithmetic.js";
import { floor } from "../../ops/elementwise/functions.js";
import { takeAlongAxis } from "../../ops/indexing/alongAxis.js";
import { median, quantile, sort, topk } from "../../ops/indexing/sort.js";
import { take } from "../../ops/indexing/take.js";
import { linear, matmul } from "../../ops/linear/matmul.js";
import { groupNorm, instanceNorm, layerNorm, localResponseNorm } from "../../ops/normalization.js";
import { max, min } from "../../ops/reduce/extreme.js";
import { mean, variance } from "../../ops/reduce/mean.js";
import { logSumExp, norm, prod, std } from "../../ops/reduce/statistics.js";
import { expand, sum } from "../../ops/reduce/sum.js";
import { concat, stack } from "../../ops/shape/concat.js";
import { type PaddingMode, pad } from "../../ops/shape/pad.js";
import { permute, transpose } from "../../ops/shape/permute.js";
import { detach, flatten, reshape, squeeze, unsqueeze } from "../../ops/shape/reshape.js";
import { flip, slice, split } from "../../ops/shape/slice.js";
import { type CheckCase, check, classes, distinct, within } from "./case.js";

type Indices = Tensor<Shape, "int32">;

const border = [
  [2, 1],
  [1, 2],
] as const;

export const arrayCases: readonly CheckCase[] = [
  check("matmul", (a: Tensor, b: Tensor) => matmul(a, b), [
    [2, 1, 3, 4],
    [3, 4, 2],
  ]),
  check("linear", (x: Tensor, w: Tensor, b: Tensor) => linear(x, w, b), [[2, 3, 4], [5, 4], [5]]),
  check("sum", (x: Tensor) => sum(x, [0, 2]), [[3, 4, 2]]),
  check("mean", (x: Tensor) => mean(x, 1), [[3, 4, 2]]),
  check("variance", (x: Tensor) => variance(x, [0, 2], { correction: 0 }), [[3, 4, 2]]),
  check("std", (x: Tensor) => std(x, 1), [[3, 4, 2]]),
  check("max", (x: Tensor) => max(x, [0, 2]), [distinct(3, 4, 2)]),
  check("min", (x: Tensor) => min(x), [distinct(3, 4, 2)]),
  check("prod", (x: Tensor) => prod(x, [0, 2]), [[3, 4, 2]]),
  check("prod", (x: Tensor) => prod(mul(x, detach(floor(add(x, 0.7)))), 1), [within(0, 1, 2, 7)], "with zeros"),
  check("norm", (x: Tensor) => norm(x, 1), [[3, 4, 2]]),
  check("norm", (x: Tensor) => norm(x, [0, 2], { p: 3, keepdim: true }), [within(0.1, 1, 3, 4, 2)], "p 3"),
  check("norm", (x: Tensor) => norm(x, 0, { p: 1 }), [within(0.1, 1, 3, 4)], "p 1"),
  check("norm", (x: Tensor) => norm(x, 0, { p: Number.POSITIVE_INFINITY }), [distinct(5, 4)], "p infinite"),
  check("logSumExp", (x: Tensor) => logSumExp(x, [0, 2]), [within(-4, 4, 3, 4, 2)]),
  check("sort", (x: Tensor) => sort(x, 0, { descending: true }).values, [distinct(9, 4)]),
  check("median", (x: Tensor) => median(x, 1), [distinct(3, 6)]),
  check("quantile", (x: Tensor) => quantile(x, 0.3, [0, 2]), [distinct(3, 2, 4)]),
  check("topk", (x: Tensor) => topk(x, 3, 0).values, [distinct(6, 4)]),
  check("topk", (x: Tensor) => topk(x, 9).values, [distinct(3, 12)], "by sorting"),
  check("cumsum", (x: Tensor) => cumsum(x, 0), [[5, 3]]),
  check("cumsum", (x: Tensor) => cumsum(x, 1), [[2, 70]], "several blocks"),
  check("expand", (x: Tensor) => expand(x, [4, 3, 2]), [[3, 1]]),
  check("repeat", (x: Tensor) => repeat(x, [2, 1, 3]), [[2, 1, 2]]),
  check("reshape", (x: Tensor) => reshape(x, [2, -1]), [[4, 3]]),
  check("flatten", (x: Tensor) => flatten(x), [[2, 3, 2]]),
  check("squeeze", (x: Tensor) => squeeze(x), [[2, 1, 3]]),
  check("unsqueeze", (x: Tensor) => unsqueeze(x, 1), [[2, 3]]),
  check("permute", (x: Tensor) => permute(x, [2, 0, 1]), [[2, 3, 4]]),
  check("transpose", (x: Tensor) => transpose(x), [[2, 3, 4]]),
  check("slice", (x: Tensor) => slice(x, [1, 4, 2], 2, [null, null, -1]), [[5, 4, 3]]),
  check("flip", (x: Tensor) => flip(x, [0, 2]), [[2, 3, 4]]),
  check("roll", (x: Tensor) => roll(x, 2, 1), [[2, 5]]),
  check("rot90", (x: Tensor) => rot90(x, 1), [[2, 3]]),
  check("split", (x: Tensor) => split(x, 2, 1), [[2, 5]]),
  check("concat", (a: Tensor, b: Tensor) => concat([a, b, a], 1), [
    [2, 3],
    [2, 2],
  ]),
  check("stack", (a: Tensor, b: Tensor) => stack([a, b, a], 1), [
    [2, 3],
    [2, 3],
  ]),
  check("pad", (x: Tensor) => pad(x, border, 0.5), [[2, 4, 4]]),
  ...(["reflect", "replicate", "circular"] satisfies PaddingMode[]).map((mode) =>
    check("pad", (x: Tensor) => pad(x, border, mode), [[2, 4, 4]], mode),
  ),
  check("take", (x: Tensor, at: Indices) => take(x, at, 1), [[3, 4, 2], classes(4, 2, 3)]),
  check("takeAlongAxis", (x: Tensor, at: Indices) => takeAlongAxis(x, at, 1), [[3, 4, 2], classes(4, 3, 5, 2)]),
  check("detach", (x: Tensor) => mul(x, detach(x)) as Tensor, [[3, 4]]),
  check("layerNorm", (x: Tensor, weight: Tensor, bias: Tensor) => layerNorm(x, [3, 4], { weight, bias }), [
    [3, 3, 4],
    [3, 4],
    [3, 4],
  ]),
  check("groupNorm", (x: Tensor, weight: Tensor, bias: Tensor) => groupNorm(x, 2, { weight, bias }), [
    [2, 4, 3, 2],
    [4],
    [4],
  ]),
  check("instanceNorm", (x: Tensor, weight: Tensor, bias: Tensor) => instanceNorm(x, { weight, bias }), [
    [2, 3, 4, 2],
    [3],
    [3],
  ]),
  ...(["across", "within"] as const).map((region) =>
    check(
      "localResponseNorm",
      (x: Tensor) => localResponseNorm(x, 3, { alpha: 0.5, k: 2, region }),
      [[2, 5, 3, 3]],
      region,
    ),
  ),
];
