/** Tensors as text, in NumPy's way. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DType } from "./dtype.js";
import { formatTensor } from "./format.js";
import type { Shape } from "./shape.js";

const shown = (values: readonly number[], shape: Shape, dtype: DType = "float32") =>
  formatTensor(dtype === "float32" ? Float32Array.from(values) : Int32Array.from(values), shape, dtype);
const counted = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("tensors as text", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["a number", shown([1.5], []), "1.5000"],
    ["no elements", shown([], [0]), "[]"],
    ["no rows", shown([], [0, 3]), "[]"],
    ["whole numbers", shown([1, -20, 3], [3]), "[  1., -20.,   3.]"],
    ["integers", shown([1, -20, 3], [3], "int32"), "[  1, -20,   3]"],
    ["flags", shown([1, 0], [2], "bool"), "[ true, false]"],
    ["decimals, columns aligned", shown([1, 2.5, -10.25, 0], [2, 2]), "[[  1.0000,   2.5000],\n [-10.2500,   0.0000]]"],
    ["what is no number", shown([1, Number.NaN, -Infinity], [3]), "[       1.,       NaN, -Infinity]"],
    ["very small and large numbers", shown([1e-6, 1], [2]), "[1.0000e-6, 1.0000e+0]"],
    ["a blank line between matrices", shown(counted(4), [2, 1, 2]), "[[[0., 1.]],\n\n [[2., 3.]]]"],
    [
      "long rows in several lines",
      shown(counted(40), [2, 20]).split("\n").slice(0, 3).join("\n"),
      "[[ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13., 14., 15., 16., 17., 18.,\n" +
        "  19.],\n" +
        " [20., 21., 22., 23., 24., 25., 26., 27., 28., 29., 30., 31., 32., 33., 34., 35., 36., 37., 38.,",
    ],
    [
      "the ends of what is long",
      shown(counted(4000), [40, 100]),
      [
        "[[   0.,    1.,    2., …,   97.,   98.,   99.],",
        " [ 100.,  101.,  102., …,  197.,  198.,  199.],",
        " [ 200.,  201.,  202., …,  297.,  298.,  299.],",
        " …,",
        " [3700., 3701., 3702., …, 3797., 3798., 3799.],",
        " [3800., 3801., 3802., …, 3897., 3898., 3899.],",
        " [3900., 3901., 3902., …, 3997., 3998., 3999.]]",
      ].join("\n"),
    ],
  ];
  for (const [what, found, expected] of cases) it(what, () => assert.equal(found, expected));

  it("never take more than a hundred characters a line", () => {
    const values = counted(900).map((i) => i / 7 - 60);
    assert.ok(
      shown(values, [3, 300])
        .split("\n")
        .every((line) => line.length <= 100),
    );
  });
});
