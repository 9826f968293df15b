/** Two-dimensional pooling, and moving values within planes (kernels/pooling.c). */

import { type Pair, sizeOf } from "../../../core/shape.js";
import type { AveragePool2dParams, Pool2dParams } from "../../../ops/pooling/geometry.js";
import type { Operand } from "../../backend.js";
import { epilogue, i32, input, output, row, scratch } from "../fields.js";
import type { Lower, Lowering } from "../lowering.js";
import { ceilDiv, enoughUnits, ScratchLayout } from "./panels.js";
import { haloLength, liesOnSource, residues, windowAxes, windowsBetween, windowsInBand } from "./windows.js";

const pair = row(2);

/** Windows of a picture. */
const windows = {
  inputSize: pair,
  outputSize: pair,
  kernel: pair,
  stride: pair,
  padding: row(4),
  dilation: pair,
} as const;

export const poolingSteps = {
  /**
   * Units of work are `bands` bands of rows of each plane. `haloSize`: rows and columns of a haloed plane; `inPlace`:
   * windows can be read without one.
   */
  pool: {
    input,
    output,
    scratch,
    scratchFloats: i32,
    tablesAt: i32,
    countsAt: i32,
    kind: i32,
    inPlace: i32,
    planes: i32,
    bands: i32,
    ...windows,
    haloSize: pair,
    countPadding: i32,
    epilogue,
  },
  /** As `pool` where channels lie side by side. Units of work are rows of the output. */
  poolLast: {
    input,
    output,
    kind: i32,
    batch: i32,
    channels: i32,
    ...windows,
    countPadding: i32,
    epilogue,
  },
  /** As `averagePoolGradient` where channels lie side by side. Units of work are rows of the output. */
  averagePoolGradientLast: {
    upstream: input,
    output,
    batch: i32,
    channels: i32,
    inputSize: pair,
    upstreamSize: pair,
    kernel: pair,
    stride: pair,
    padding: row(4),
    dilation: pair,
    countPadding: i32,
    epilogue,
  },
  averagePoolGradient: {
    upstream: input,
    output,
    scratch,
    scratchFloats: i32,
    quotientsAt: i32,
    haloAt: i32,
    sumsAt: i32,
    planes: i32,
    inputSize: pair,
    upstreamSize: pair,
    kernel: pair,
    stride: pair,
    padding: row(4),
    dilation: pair,
    haloSize: pair,
    countPadding: i32,
    epilogue,
  },
  /** The largest element of each of `outputSize` parts of a plane, or where it is. */
  adaptivePool: {
    input,
    output,
    scratch,
    scratchFloats: i32,
    kind: i32,
    planes: i32,
    inputSize: pair,
    outputSize: pair,
    epilogue,
  },
  /** Planes of zeros, `plane` elements long, to which `perPlane` values are added where their indices say. */
  scatterPlane: { values: input, indices: input, output, planes: i32, plane: i32, perPlane: i32, epilogue },
  /** The same where channels lie side by side. Units of work are images and `parts` parts of their channels. */
  scatterPlaneLast: {
    values: input,
    indices: input,
    output,
    batch: i32,
    channels: i32,
    parts: i32,
    size: pair,
    valuesSize: pair,
    epilogue,
  },
  gatherPlane: { input, indices: input, output, planes: i32, plane: i32, perPlane: i32, epilogue },
} as const;

/** `POOL_MAXIMUM` … in C. */
/** As kernels/pooling.h numbers them. */
export const poolingKinds = { maximum: 0, indices: 1, average: 2 } as const;

/** Floats of a haloed band that stay in the first-level cache. */
const bandFloats = 1 << 13;

const planesOf = ({ shape: [batch, channels] }: Operand) => batch * channels;
const sizeOfPlane = ({ shape: [, , height, width] }: Operand): Pair => [height, width];

/** A pooling window is that of a convolution over one channel. */
function axesFor(source: Pair, target: Pair, params: Pool2dParams, gradient: boolean) {
  return windowAxes(source, target, params.kernel, { ...params, groups: 1 }, gradient);
}

function lowerPool(
  kind: keyof typeof poolingKinds,
  input: Operand,
  output: Operand,
  params: Pool2dParams,
  countPadding: boolean,
  to: Lowering,
): void {
  const { kernel, padding, dilation } = params;
  const target = sizeOfPlane(output);
  if (input.layout === "channelsLast") {
    const [batch, channels] = output.shape;
    to.step("poolLast", {
      input: input.buffer,
      output: output.buffer,
      kind: poolingKinds[kind],
      ...{ batch, channels, inputSize: sizeOfPlane(input), outputSize: target },
      ...{ kernel, stride: params.stride, padding, dilation },
      countPadding: countPadding ? 1 : 0,
      epilogue: to.epilogue,
    });
    return;
  }
  // The distance to a second window does not matter where there is none.
  const stride: Pair = [target[0] === 1 ? 1 : params.stride[0], target[1] === 1 ? 1 : params.stride[1]];
  const [y, x] = axesFor(sizeOfPlane(input), target, { ...params, stride }, false);
  const inPlace = x.stride <= 2 && [y, x].every((axis) => axis.origin === 0 && liesOnSource(axis));
  const columns = haloLength(x, x.target);
  const perRow = residues(y) * residues(x) * columns;
  const rows = Math.max(1, Math.floor(bandFloats / perRow) - haloLength(y, 0));
  const bands = Math.max(1, ceilDiv(y.target, rows));
  const haloRows = haloLength(y, windowsInBand(y, bands));
  const layout = new ScratchLayout();
  layout.place(perRow * haloRows + 2 * to.machine.vectorWidth);
  const tablesAt = layout.place(2 * sizeOf(kernel));
  const countsAt = layout.place(x.target + to.machine.vectorWidth);
  to.step("pool", {
    input: input.buffer,
    output: output.buffer,
    scratch: to.temporary(layout.floats * 4 * to.machine.threads),
    scratchFloats: layout.floats,
    tablesAt,
    countsAt,
    kind: poolingKinds[kind],
    inPlace: inPlace ? 1 : 0,
    planes: planesOf(input),
    bands,
    inputSize: [y.source, x.source],
    outputSize: [y.target, x.target],
    kernel,
    stride,
    padding,
    dilation,
    haloSize: [haloRows, columns],
    countPadding: countPadding ? 1 : 0,
    epilogue: to.epilogue,
  });
}

const maxPool2d: Lower<"input", Pool2dParams> = ({ inputs: { input }, params, output }, to) =>
  lowerPool("maximum", input, output, params, false, to);

const maxPool2dIndices: Lower<"input", Pool2dParams> = ({ inputs: { input }, params, output }, to) =>
  lowerPool("indices", input, output, params, false, to);

const averagePool2d: Lower<"input", AveragePool2dParams> = ({ inputs: { input }, params, output }, to) =>
  lowerPool("average", input, output, params, params.countPadding, to);

const averagePool2dGradient: Lower<"upstream", AveragePool2dParams> = (
  { inputs: { upstream }, params, output },
  to,
) => {
  const { kernel, stride, padding, dilation, countPadding } = params;
  if (output.layout === "channelsLast") {
    const [batch, channels] = output.shape;
    to.step("averagePoolGradientLast", {
      upstream: upstream.buffer,
      output: output.buffer,
      ...{ batch, channels, inputSize: sizeOfPlane(output), upstreamSize: sizeOfPlane(upstream) },
      ...{ kernel, stride, padding, dilation },
      countPadding: countPadding ? 1 : 0,
      epilogue: to.epilogue,
    });
    return;
  }
  const [y, x] = axesFor(sizeOfPlane(upstream), sizeOfPlane(output), params, true);
  const haloSize = [y, x].map((axis) => haloLength(axis, windowsBetween(axis, 0, axis.target)));
  const layout = new ScratchLayout();
  layout.place(y.source + x.source + to.machine.vectorWidth);
  const quotientsAt = layout.place(y.source * x.source + 2 * to.machine.vectorWidth);
  const haloAt = layout.place(sizeOf(haloSize) + 2 * to.machine.vectorWidth);
  const sumsAt = layout.place(x.target + 2 * to.machine.vectorWidth);
  to.step("averagePoolGradient", {
    upstream: upstream.buffer,
    output: output.buffer,
    scratch: to.temporary(layout.floats * 4 * to.machine.threads),
    scratchFloats: layout.floats,
    quotientsAt,
    haloAt,
    sumsAt,
    planes: planesOf(output),
    inputSize: [y.target, x.target],
    upstreamSize: [y.source, x.source],
    kernel,
    stride,
    padding,
    dilation,
    haloSize,
    countPadding: countPadding ? 1 : 0,
    epilogue: to.epilogue,
  });
};

function lowerAdaptivePool(kind: "maximum" | "indices", input: Operand, output: Operand, to: Lowering): void {
  const inputSize = sizeOfPlane(input);
  const scratchFloats = 2 * (inputSize[1] + to.machine.vectorWidth);
  to.step("adaptivePool", {
    input: input.buffer,
    output: output.buffer,
    scratch: to.temporary(scratchFloats * 4 * to.machine.threads),
    scratchFloats,
    kind: poolingKinds[kind],
    planes: planesOf(input),
    inputSize,
    outputSize: sizeOfPlane(output),
    epilogue: to.epilogue,
  });
}

const adaptiveMaxPool2d: Lower<"input", unknown> = ({ inputs: { input }, output }, to) =>
  lowerAdaptivePool("maximum", input, output, to);

const adaptiveMaxPool2dIndices: Lower<"input", unknown> = ({ inputs: { input }, output }, to) =>
  lowerAdaptivePool("indices", input, output, to);

const scatterPlane: Lower<"values" | "indices", unknown> = ({ inputs: { values, indices }, output }, to) => {
  if (output.layout === "channelsLast") {
    const [batch, channels] = output.shape;
    const vectors = channels / to.machine.vectorWidth;
    // Parts of pixels are read at half of memory's rate.
    const parts = batch >= enoughUnits / 2 ? 1 : Math.min(vectors, ceilDiv(enoughUnits, Math.max(1, batch)));
    to.step("scatterPlaneLast", {
      values: values.buffer,
      indices: indices.buffer,
      output: output.buffer,
      ...{ batch, channels, parts },
      size: sizeOfPlane(output),
      valuesSize: sizeOfPlane(values),
      epilogue: to.epilogue,
    });
    return;
  }
  to.step("scatterPlane", {
    values: values.buffer,
    indices: indices.buffer,
    output: output.buffer,
    planes: planesOf(output),
    plane: sizeOf(sizeOfPlane(output)),
    perPlane: sizeOf(sizeOfPlane(values)),
    epilogue: to.epilogue,
  });
};

const gatherPlane: Lower<"input" | "indices", unknown> = ({ inputs: { input, indices }, output }, to) =>
  to.step("gatherPlane", {
    input: input.buffer,
    indices: indices.buffer,
    output: output.buffer,
    planes: planesOf(output),
    plane: sizeOf(sizeOfPlane(input)),
    perPlane: sizeOf(sizeOfPlane(indices)),
    epilogue: to.epilogue,
  });

export const poolingLowerings = {
  maxPool2d,
  maxPool2dIndices,
  averagePool2d,
  averagePool2dGradient,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dIndices,
  scatterPlane,
  gatherPlane,
} as const;
