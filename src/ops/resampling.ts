/** Planes made larger or smaller, by weighted sums of neighbours: interpolation, and means over parts. */

import { ShapeError } from "../core/errors.js";
import { type Resampling, type Weighted, weightedRuns } from "../core/resampling.js";
import { formatShape, type Shape } from "../core/shape.js";
import { defineOp, sameDType } from "../graph/op.js";
import type { Tensor } from "../graph/tensor.js";

export interface ResampleParams {
  /** Of the last axis but one, and of the last; null leaves it as it is. */
  readonly rows: Resampling | null;
  readonly columns: Resampling | null;
  /** Turns the direction round, as gradients do: `after` elements become `before`. */
  readonly transposed: boolean;
}

function newLength(length: number, axis: Resampling | null, params: ResampleParams, shape: Shape): number {
  if (axis === null) return length;
  const [from, to] = params.transposed ? [axis.after, axis.before] : [axis.before, axis.after];
  if (length !== from)
    throw new ShapeError(`resample: the input is ${formatShape(shape)}, but an axis of ${from} elements was expected.`);
  return to;
}

/** What each element of an axis of the result consists of; of itself where the axis is left as it is. */
function runsOf(axis: Resampling | null, length: number, { transposed }: ResampleParams): readonly Weighted[] {
  if (axis !== null) return weightedRuns(axis, transposed);
  return Array.from({ length }, (_, begin) => ({ begin, weights: [1] }));
}

const nearest = (before: number, after: number): Resampling => ({
  kind: "nearest",
  before,
  after,
  step: before / after,
});
const linear = (before: number, after: number): Resampling => ({ kind: "linear", before, after, step: before / after });

export const resampleOp = defineOp<"resample", "input", ResampleParams>({
  name: "resample",
  inputs: ["input"],
  shape: ({ input }, params) => {
    if (input.length !== 4) throw new ShapeError(`resample: the input is ${formatShape(input)}. Expected N×C×H×W.`);
    const [n, channels, height, width] = input;
    return [
      n,
      channels,
      newLength(height, params.rows, params, input),
      newLength(width, params.columns, params, input),
    ];
  },
  dtype: sameDType("resample", ["float32"]),
  reference: ({ input }, params, output) => {
    const [n, channels, height, width] = input.shape;
    const rows = runsOf(params.rows, height, params);
    const columns = runsOf(params.columns, width, params);
    let at = 0;
    for (let plane = 0; plane < n * channels; plane++) {
      for (const row of rows) {
        for (const column of columns) {
          let sum = 0;
          for (const [y, down] of row.weights.entries()) {
            const from = (plane * height + row.begin + y) * width + column.begin;
            for (const [x, across] of column.weights.entries()) sum += down * across * input.data[from + x];
          }
          output.data[at++] = sum;
        }
      }
    }
  },
  gradient: (_, params, upstream) => ({
    input: (): Tensor => resampleOp({ input: upstream }, { ...params, transposed: !params.transposed }) as Tensor,
  }),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { input: [2, 3, 4, 5] }, params: { rows: linear(4, 8), columns: linear(5, 9), transposed: false } },
    { inputs: { input: [1, 2, 3, 6] }, params: { rows: nearest(3, 7), columns: nearest(6, 4), transposed: false } },
    {
      inputs: { input: [2, 1, 9, 7] },
      params: {
        rows: { kind: "mean", before: 9, after: 4 },
        columns: { kind: "linear", before: 7, after: 3, step: null },
        transposed: false,
      },
    },
    {
      inputs: { input: [1, 2, 5, 6] },
      params: { rows: { kind: "mean", before: 5, after: 2 }, columns: null, transposed: false },
    },
    { inputs: { input: [1, 3, 4, 9] }, params: { rows: null, columns: linear(5, 9), transposed: true } },
    { inputs: { input: [1, 1, 7, 4] }, params: { rows: nearest(3, 7), columns: nearest(6, 4), transposed: true } },
  ],
});
