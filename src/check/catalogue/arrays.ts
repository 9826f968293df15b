/** Functions of arrays of any rank: products, reductions, moving and picking elements, normalization. */

import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { cumsum, repeat, roll, rot90, std, topk } from "../../ops/arrange.js";
import { mul } from "../../ops/elementwise/arithmetic.js";
import { takeAlongAxis } from "../../ops/indexing/alongAxis.js";
import { take } from "../../ops/indexing/take.js";
import { linear, matmul } from "../../ops/linear/matmul.js";
import { groupNorm, instanceNorm, layerNorm, localResponseNorm } from "../../ops/normalization.js";
import { max, min } from "../../ops/reduce/extreme.js";
import { mean, variance } from "../../ops/reduce/mean.js";
import { expand, sum } from "../../ops/reduce/sum.js";
import { concat, stack } from "../../ops/shape/concat.js";
import { type PaddingMode, pad } from "../../ops/shape/pad.js";
import { permute, transpose } from "../../ops/shape/permute.js";
import { detach, flatten, reshape, squeeze, unsqueeze } from "../../ops/shape/reshape.js";
import { flip, slice, split } from "../../ops/shape/slice.js";
import { type CheckCase, check, classes, distinct } from "./case.js";

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
  check("topk", (x: Tensor) => topk(x, 3, 0).values, [distinct(6, 4)]),
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
