/** The largest elements of even parts of planes; as in max pooling, winners have an op of their own. */

import { ShapeError } from "../../core/errors.js";
import { partOf } from "../../core/resampling.js";
import { formatShape, type Pair, type Shape } from "../../core/shape.js";
import { defineOp, nonDifferentiable, type SampleInput, sameDType } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { scatterPlane } from "./planes.js";

export interface AdaptivePool2dParams {
  /** Parts in each direction. */
  readonly size: Pair;
}

function adaptiveShape(op: string, input: Shape, { size }: AdaptivePool2dParams): Shape {
  if (input.length !== 4 || input[2] < 1 || input[3] < 1)
    throw new ShapeError(`${op}: the input is ${formatShape(input)}. Expected N×C×H×W, planes that are not empty.`);
  return [input[0], input[1], size[0], size[1]];
}

/** Visits every element of every part: its index, its place in the plane, and the part's index. */
function forEachInPart(
  [n, channels, height, width]: Shape,
  [rows, columns]: Pair,
  visit: (inputAt: number, inPlane: number, outputAt: number) => void,
): void {
  for (let part = 0; part < n * channels * rows * columns; part++) {
    const plane = Math.floor(part / (rows * columns));
    const [top, bottom] = partOf(Math.floor(part / columns) % rows, height, rows);
    const [left, right] = partOf(part % columns, width, columns);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const inPlane = y * width + x;
        visit(plane * height * width + inPlane, inPlane, part);
      }
    }
  }
}

const distinct = (...shape: number[]): SampleInput => ({ shape, dtype: "float32", distinct: true });

const samples = [
  { inputs: { input: distinct(2, 3, 7, 8) }, params: { size: [3, 5] } },
  { inputs: { input: distinct(1, 2, 2, 5) }, params: { size: [3, 2] } },
] as const;

export const adaptiveMaxPool2dOp = defineOp<"adaptiveMaxPool2d", "input", AdaptivePool2dParams>({
  name: "adaptiveMaxPool2d",
  inputs: ["input"],
  shape: ({ input }, params) => adaptiveShape("adaptiveMaxPool2d", input, params),
  dtype: sameDType("adaptiveMaxPool2d", ["float32"]),
  reference: ({ input }, { size }, output) => {
    output.data.fill(Number.NEGATIVE_INFINITY);
    forEachInPart(input.shape, size, (inputAt, _, outputAt) => {
      const value = input.data[inputAt];
      if (value > output.data[outputAt] || Number.isNaN(value)) output.data[outputAt] = value;
    });
  },
  gradient: ({ input }, params, upstream) => ({
    input: () => {
      const winners = adaptiveMaxPool2dIndicesOp({ input }, params) as Tensor<Shape, "int32">;
      return scatterPlane(upstream, winners, [input.shape[2], input.shape[3]]);
    },
  }),
  cost: () => ({ macs: 0 }),
  samples,
});

export const adaptiveMaxPool2dIndicesOp = defineOp<"adaptiveMaxPool2dIndices", "input", AdaptivePool2dParams>({
  name: "adaptiveMaxPool2dIndices",
  inputs: ["input"],
  shape: ({ input }, params) => adaptiveShape("adaptiveMaxPool2dIndices", input, params),
  dtype: (dtypes) => {
    sameDType("adaptiveMaxPool2dIndices", ["float32"])(dtypes);
    return "int32";
  },
  indexBelow: ({ input }) => input[2] * input[3],
  reference: ({ input }, { size }, output) => {
    const best = new Float64Array(output.data.length);
    output.data.fill(-1);
    forEachInPart(input.shape, size, (inputAt, inPlane, outputAt) => {
      const value = input.data[inputAt];
      if (output.data[outputAt] < 0 || value > best[outputAt] || Number.isNaN(value)) {
        best[outputAt] = value;
        output.data[outputAt] = inPlane;
      }
    });
  },
  gradient: nonDifferentiable("a position does not vary smoothly"),
  cost: () => ({ macs: 0 }),
  samples,
});
