/** Max pooling. Its gradient goes to the winner of each window, so winners have an op of their own. */

import type { Shape } from "../../core/shape.js";
import { defineOp, nonDifferentiable, type SampleInput, sameDType } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { forEachInWindow, type Pool2dParams, pooledElements, pooledShape } from "./geometry.js";
import { scatterPlane } from "./planes.js";

const distinct = (...shape: number[]): SampleInput => ({ shape, dtype: "float32", distinct: true });

const samples: readonly { inputs: { input: SampleInput }; params: Pool2dParams }[] = [
  {
    inputs: { input: distinct(2, 3, 6, 8) },
    params: { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], dilation: [1, 1], ceil: false },
  },
  {
    inputs: { input: distinct(1, 2, 9, 7) },
    params: { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], dilation: [1, 1], ceil: true },
  },
  {
    inputs: { input: distinct(2, 1, 8, 9) },
    params: { kernel: [2, 3], stride: [1, 2], padding: [0, 1, 1, 0], dilation: [2, 1], ceil: false },
  },
];

export const maxPool2dOp = defineOp<"maxPool2d", "input", Pool2dParams>({
  name: "maxPool2d",
  inputs: ["input"],
  shape: ({ input }, params) => pooledShape("maxPool2d", input, params),
  dtype: sameDType("maxPool2d", ["float32"]),
  reference: ({ input }, params, output) => {
    output.data.fill(Number.NEGATIVE_INFINITY);
    forEachInWindow(input.shape, output.shape, params, (inputAt, outputAt) => {
      const value = input.data[inputAt];
      if (value > output.data[outputAt] || Number.isNaN(value)) output.data[outputAt] = value;
    });
  },
  gradient: ({ input }, params, upstream) => ({
    input: () => {
      const winners = maxPool2dIndicesOp({ input }, params) as Tensor<Shape, "int32">;
      return scatterPlane(upstream, winners, [input.shape[2], input.shape[3]]);
    },
  }),
  cost: (_, params, output) => ({ macs: 0, operations: pooledElements(output, params) }),
  samples,
});

export const maxPool2dIndicesOp = defineOp<"maxPool2dIndices", "input", Pool2dParams>({
  name: "maxPool2dIndices",
  inputs: ["input"],
  shape: ({ input }, params) => pooledShape("maxPool2dIndices", input, params),
  dtype: (dtypes) => {
    sameDType("maxPool2dIndices", ["float32"])(dtypes);
    return "int32";
  },
  indexBelow: ({ input }) => input[2] * input[3],
  reference: ({ input }, params, output) => {
    const best = new Float64Array(output.data.length).fill(Number.NEGATIVE_INFINITY);
    output.data.fill(-1);
    forEachInWindow(input.shape, output.shape, params, (inputAt, outputAt, inPlane) => {
      const value = input.data[inputAt];
      if (output.data[outputAt] < 0 || value > best[outputAt] || Number.isNaN(value)) {
        best[outputAt] = value;
        output.data[outputAt] = inPlane;
      }
    });
  },
  gradient: nonDifferentiable("a position does not vary smoothly"),
  cost: (_, params, output) => ({ macs: 0, operations: pooledElements(output, params) }),
  samples,
});
