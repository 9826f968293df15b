/**
 * Winograd's algorithm along columns, F(4, 5), for convolutions whose kernels have four or five rows, or three to five times
 * the stride (kernels/winograd_columns.c): eight products stand for twenty, and results are about as near as those of the
 * definition.
 */

import { currentPrecision } from "../../../core/precision.js";
import { sizeOf } from "../../../core/shape.js";
import type { Operand } from "../../backend.js";
import { epilogue, i32, input, output, row, scratch } from "../fields.js";
import type { Lowering, Machine } from "../lowering.js";
import type { Problem } from "./convolutionProblem.js";
import { ceilDiv, countPanels, enoughUnits, panelWidth, roundUp, ScratchLayout } from "./panels.js";
import { partBegin, plainSizes } from "./windows.js";

const pair = row(2);

export const winogradColumnsSteps = {
  /** Transforms the weights; for an input gradient, turned around and with channels exchanged. */
  winogradColumnsWeights: {
    weight: input,
    output,
    scratch,
    scratchFloats: i32,
    groups: i32,
    sourceChannels: i32,
    targetChannels: i32,
    rows: i32,
    columns: i32,
    stride: i32,
    points: i32,
    gradient: i32,
    sourceLast: i32,
  },
  /**
   * Channels are counted per group; `columns` are the kernel's; `padding` above and on the left. `points`: 7, or 8 for five rows
   * of the kernel, or so many times the stride. Units of work are `bands`
   * bands of strips of four rows of one image, and groups of `panelGroup` panels of target channels. Transformed rows are
   * `pitch` pixels long; distances are those of the points.
   */
  winogradColumns: {
    source: input,
    weights: input,
    output,
    scratch,
    scratchFloats: i32,
    haloAt: i32,
    productsAt: i32,
    stageAt: i32,
    offsetsAt: i32,
    sourceDistance: i32,
    productDistance: i32,
    batch: i32,
    groups: i32,
    sourceChannels: i32,
    targetChannels: i32,
    sourceSize: pair,
    targetSize: pair,
    columns: i32,
    stride: pair,
    padding: pair,
    points: i32,
    bands: i32,
    panelGroup: i32,
    pitch: i32,
    sourceLast: i32,
    targetLast: i32,
    epilogue,
  },
} as const;

/** STRIP_ROWS and STRIP_POINTS in C. */
const stripRows = 4;
const stripPoints = 8;

/** Floats of transformed rows that share the second-level cache with weights and products. */
const bandFloats = 1 << 16;

/*
 * Costs, in vector multiply-adds: of a vector of transformed rows, of one of transformed results, and of starting and
 * storing a sum.
 */
const sourceCost = 30;
const resultCost = 40;
const sumCost = 12;

/** Rows of the kernel that rows of a source meet which lie a stride apart. */
function rowsOfPhase({ axes: [{ stride }], kernel }: Problem): number {
  return ceilDiv(kernel[0], stride);
}

/** Products for four rows of results: there is a point at infinity only for five rows of a kernel. */
function countPoints(problem: Problem): number {
  return rowsOfPhase(problem) === stripRows + 1 ? stripPoints : stripPoints - 1;
}

/** Whether the algorithm is for such a convolution at all: with four or five rows or, with a stride, phases of three to five. */
export function isForColumns(problem: Problem): boolean {
  const { axes, batch, kernel, sourceChannels, targetChannels } = problem;
  const [y, x] = axes;
  const isEmpty = sizeOf([batch, sourceChannels, targetChannels, y.target, x.target]) === 0;
  const isDense = axes.every(({ span, phases }, i) => span === kernel[i] && phases === 1);
  const rows = rowsOfPhase(problem);
  return isDense && !isEmpty && rows >= (y.stride === 1 ? stripRows : stripRows - 1) && rows <= stripRows + 1;
}

/** Length of a row of the source that the windows of a row of the target read. */
function rowLength({ axes: [, x] }: Problem): number {
  return (x.target - 1) * x.stride + x.span;
}

/** Whether the algorithm costs less than `direct` vector multiply-adds an image and group. */
export function favoursColumns(problem: Problem, direct: number, machine: Machine): boolean {
  return currentPrecision() === "fast" && isForColumns(problem) && columnsCost(problem, machine) < 0.9 * direct;
}

/** Vector multiply-adds an image and group. */
export function columnsCost(problem: Problem, { vectorWidth: width }: Machine): number {
  const { axes, kernel, sourceChannels, targetChannels } = problem;
  const [y, x] = axes;
  const vectors = ceilDiv(targetChannels, width);
  const channels = sourceChannels * y.stride;
  const products = vectors * x.target * (countPoints(problem) * (channels * kernel[1] + sumCost) + resultCost);
  const transforms = ceilDiv(rowLength(problem), width) * channels * sourceCost;
  return ceilDiv(y.target, stripRows) * (products + transforms);
}

export function lowerWinogradColumns(
  problem: Problem,
  source: Operand,
  weight: Operand,
  output: Operand,
  to: Lowering,
): void {
  const { batch, groups, sourceChannels, targetChannels, axes, kernel, gradient } = problem;
  const [y, x] = axes;
  const { vectorWidth: width, threads } = to.machine;
  const points = countPoints(problem);
  const common = { groups, sourceChannels, targetChannels, columns: kernel[1], points };
  const channels = sourceChannels * y.stride;
  const terms = channels * kernel[1];
  const panel = panelWidth(to.machine);
  const sourceLast = source.layout === "channelsLast";
  const weights = to.temporary(4 * groups * points * terms * roundUp(targetChannels, width));
  const packed = sizeOf(kernel) * panel;
  to.prepare("winogradColumnsWeights", {
    weight: weight.buffer,
    output: weights,
    scratch: to.temporary(4 * packed * threads),
    scratchFloats: packed,
    rows: kernel[0],
    stride: y.stride,
    gradient: gradient ? 1 : 0,
    sourceLast: sourceLast ? 1 : 0,
    ...common,
  });

  const strips = ceilDiv(y.target, stripRows);
  const targetLast = output.layout === "channelsLast";
  const columns = rowLength(problem);
  const pitch = sourceLast ? columns : roundUp(columns, width);
  const perStrip = points * (channels * pitch + x.target * panel);
  let bands = Math.min(strips, ceilDiv(strips * perStrip, bandFloats));
  const panels = countPanels(targetChannels, to.machine);
  let panelGroup = panels;
  if (batch * groups * bands < enoughUnits) {
    bands = Math.max(bands, Math.min(strips, 2));
    panelGroup = Math.max(1, Math.floor((panels * batch * groups * bands) / enoughUnits));
  }
  let mostStrips = 0;
  for (let i = 0; i < bands; i++)
    mostStrips = Math.max(mostStrips, partBegin(strips, bands, i + 1) - partBegin(strips, bands, i));
  // Points whose distance is a multiple of a page would push each other out of the cache.
  const sourceDistance = mostStrips * channels * pitch + 16;
  const productDistance = mostStrips * x.target * panel + 16;
  const layout = new ScratchLayout();
  layout.place(points * sourceDistance);
  // Rows of a channel with their borders or, where channels are last, the zeros of a row outside of the source.
  const haloRows = stripRows * (mostStrips + 1) * y.stride;
  const haloAt = layout.place(sourceLast ? sourceChannels : haloRows * pitch + 2 * width);
  const productsAt = layout.place(points * productDistance);
  const stageAt = layout.place(targetLast ? 0 : stripRows * mostStrips * x.target * panel);
  const offsetsAt = layout.place(terms);
  to.step("winogradColumns", {
    source: source.buffer,
    weights,
    output: output.buffer,
    scratch: to.temporary(4 * layout.floats * threads),
    scratchFloats: layout.floats,
    ...{ haloAt, productsAt, stageAt, offsetsAt, sourceDistance, productDistance },
    batch,
    ...common,
    stride: [y.stride, x.stride],
    ...plainSizes(axes),
    ...{ bands, panelGroup, pitch, sourceLast: sourceLast ? 1 : 0, targetLast: targetLast ? 1 : 0 },
    epilogue: to.epilogue,
  });
}
