/** Planes made larger or smaller by weighted sums of neighbours (kernels/resample.c). */

import { type Resampling, weightedRuns } from "../../../core/resampling.js";
import { epilogue, i32, input, list, output, row, scratch } from "../fields.js";
import type { Lower } from "../lowering.js";

export const resamplingSteps = {
  /**
   * `rows` and `columns`: what each of the output's consists of; none where they are the input's. Rows of the input that
   * were resampled along are kept in a ring of `kept` rows if that comes first, else a sum of rows in a single one.
   * Units of work are `bands` bands of rows of each plane.
   */
  resample: {
    input,
    output,
    scratch,
    scratchFloats: i32,
    planes: i32,
    bands: i32,
    inputSize: row(2),
    outputSize: row(2),
    columnsFirst: i32,
    kept: i32,
    rows: list("weightedRun"),
    columns: list("weightedRun"),
    weights: list("weight"),
    epilogue,
  },
} as const;

export interface ResampleParams {
  readonly rows: Resampling | null;
  readonly columns: Resampling | null;
  readonly transposed: boolean;
}

/** Units that there should be at least, and rows in each. */
const fewestUnits = 32;
const fewestRows = 8;

const resample: Lower<"input", ResampleParams> = ({ inputs: { input: from }, params, output: into }, to) => {
  const [batch, channels, height, width] = into.shape;
  const inputSize = from.shape.slice(2);
  const planes = batch * channels;
  const weights = [{ value: 1 }];
  const runsOf = (axis: Resampling | null) =>
    (axis === null ? [] : weightedRuns(axis, params.transposed)).map((run) => {
      const at = weights.length;
      for (const value of run.weights) weights.push({ value });
      return { begin: run.begin, count: run.weights.length, weights: at };
    });
  const rows = runsOf(params.rows);
  const columns = runsOf(params.columns);
  // Sums along rows are the slower ones: whichever side of the sums of rows has fewer of them.
  const columnsFirst = columns.length > 0 && rows.length > 0 && inputSize[0] <= height;
  const kept = rows.reduce((most, { count }) => Math.max(most, count), 1);
  const scratchFloats = columnsFirst ? kept * width : inputSize[1];
  to.step("resample", {
    input: from.buffer,
    output: into.buffer,
    scratch: to.temporary(scratchFloats * 4 * to.machine.threads),
    scratchFloats,
    planes,
    bands: Math.max(1, Math.min(Math.ceil(fewestUnits / Math.max(1, planes)), Math.floor(height / fewestRows))),
    inputSize,
    outputSize: [height, width],
    columnsFirst: columnsFirst ? 1 : 0,
    kept,
    rows,
    columns,
    weights,
    epilogue: to.epilogue,
  });
};

export const resamplingLowerings = { resample } as const;
