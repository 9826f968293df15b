/**
 * Two-dimensional convolution and its gradients (kernels/convolution.c, weight_gradient.c): which operand the lanes run
 * along, and what a unit of work is. Both are functions of shapes and instruction set alone.
 */

import { type Pair, sizeOf } from "../../../core/shape.js";
import type { Conv2dParams } from "../../../ops/convolution/geometry.js";
import type { Buffer, Operand } from "../../backend.js";
import { epilogue, i32, input, output, row, scratch } from "../fields.js";
import type { Lower, Lowering } from "../lowering.js";
import type { StepFields } from "../schema.js";
import { lowerProduct } from "./matmul.js";
import { ceilDiv, enoughUnits, panelVectors, panelWidth, roundUp, ScratchLayout, smallestUnit } from "./panels.js";
import { lowerWeightGradient, weightGradientSteps } from "./weightGradient.js";
import {
  haloLength,
  interleavedLength,
  liesOnSource,
  residues,
  type WindowAxis,
  windowAxes,
  windowsBetween,
  windowsInBand,
} from "./windows.js";
import { lowerWinograd, winogradSteps, winogradTile } from "./winograd.js";

const pair = row(2);

export const convolutionSteps = {
  /**
   * A convolution from source to target or, with `gradient`, the input gradient of one from target to source. Channels
   * are counted per group. Units of work are `bands` bands of rows of one image and, where lanes are channels, groups
   * of `panelGroup` panels of target channels, whose weights a step `convolutionWeights` has packed. Sums are cut into
   * blocks of `channelBlock` source channels. `haloSize`: rows and columns of a haloed plane or, where windows read
   * the source in place, of the source. An `interleaved` halo has the channels of a pixel side by side. `stageStride`: distance of channels in the stage, where lanes are pixels.
   * `foldedColumns`: columns of the true kernel, if each makes target channels of its own that are added up to rows of
   * `foldedWidth` pixels, with `foldedPadding` on their left (kernels/convolution_folded.h).
   */
  convolution: {
    source: input,
    weight: input,
    output,
    scratch,
    scratchFloats: i32,
    tablesAt: i32,
    haloAt: i32,
    stageAt: i32,
    batch: i32,
    groups: i32,
    sourceChannels: i32,
    targetChannels: i32,
    sourceSize: pair,
    targetSize: pair,
    kernel: pair,
    stride: pair,
    padding: pair,
    dilation: pair,
    haloSize: pair,
    gradient: i32,
    haloed: i32,
    interleaved: i32,
    lanesArePixels: i32,
    bands: i32,
    panelGroup: i32,
    channelBlock: i32,
    stageStride: i32,
    foldedColumns: i32,
    foldedWidth: i32,
    foldedPadding: i32,
    foldedPitch: i32,
    foldedAt: i32,
    epilogue,
  },
  /** Packs weights for a convolution whose lanes are channels, with the same `channelBlock`. */
  convolutionWeights: {
    weight: input,
    output,
    scratch,
    scratchFloats: i32,
    groups: i32,
    sourceChannels: i32,
    targetChannels: i32,
    kernel: pair,
    stride: pair,
    dilation: pair,
    gradient: i32,
    interleaved: i32,
    channelBlock: i32,
  },
  ...weightGradientSteps,
  ...winogradSteps,
} as const;

/** Floats that share the second-level cache: packed weights, haloed source, and the stage. */
const weightFloats = 1 << 17;
const haloFloats = 1 << 17;
const stageFloats = 1 << 15;

/** Pixels of a band below which its tiles and borders cost too much. */
const smallestBand = 96;

/** Floats of a panel that stay in the first-level cache: the weights of one block of source channels. */
const blockFloats = 1 << 13;

/** A convolution per image and group, as the kernels see it. */
export interface Problem {
  readonly batch: number;
  readonly groups: number;
  readonly sourceChannels: number;
  readonly targetChannels: number;
  readonly axes: readonly [WindowAxis, WindowAxis];
  readonly kernel: Pair;
  readonly gradient: boolean;
  /** Strides and dilations are 1. */
  readonly isPlain: boolean;
  /** The true kernel's columns and target's row, where the columns have become channels. */
  readonly folded?: { readonly columns: number; readonly width: number; readonly padding: number };
}

/*
 * Costs below are vector multiply-adds for each source channel, row of the kernel and row of the target. What does not
 * fill a vector wastes lanes; sums that are short leave their stores to count.
 */

function costByChannels({ sourceChannels, targetChannels, axes: [, x], kernel }: Problem, width: number): number {
  const depth = (sourceChannels * sizeOf(kernel)) / x.phases;
  return (roundUp(targetChannels, width) * windowsBetween(x, 0, x.target) * (depth + 12)) / width;
}

function costByPixels({ sourceChannels, targetChannels, axes: [, x], kernel }: Problem, width: number): number {
  const depth = (sourceChannels * sizeOf(kernel)) / x.phases;
  const columns = windowsBetween(x, 0, x.target);
  const pitch = Math.min(haloLength(x, columns), roundUp(columns, width));
  const few = targetChannels === 1 ? 2 : targetChannels === 2 ? 1.4 : 1.1;
  return (targetChannels * (depth * few * pitch + 4 * columns)) / width;
}

/** The input gradient with columns of the kernel as channels, where that is less work: over few, short rows. */
function foldColumns(problem: Problem, { padding, dilation }: Conv2dParams, width: number): Problem {
  const { gradient, targetChannels, axes, kernel } = problem;
  const [y, x] = axes;
  if (!gradient || x.phases > 1 || kernel[1] === 1) return problem;
  const columns: WindowAxis = { ...x, target: x.source, origin: 0, span: 1, shift: 0 };
  const folded: Problem = {
    ...problem,
    targetChannels: targetChannels * kernel[1],
    kernel: [kernel[0], 1],
    axes: [y, columns],
    folded: { columns: kernel[1], width: x.target, padding: padding[2] },
  };
  const reach = (kernel[1] - 1) * dilation[1];
  const adding = (targetChannels * kernel[1] * (x.target + reach)) / width;
  const cost = costByChannels(folded, width) + 2 * adding;
  return cost < 0.9 * Math.min(costByChannels(problem, width), costByPixels(problem, width)) ? folded : problem;
}

function lowerConvolution(
  given: Problem,
  source: Operand,
  weight: Operand,
  output: Operand,
  params: Conv2dParams,
  to: Lowering,
): void {
  const tile = winogradTile(given, to.machine);
  if (tile !== 0) {
    lowerWinograd(given, tile, source, weight, output, to);
    return;
  }
  const width = to.machine.vectorWidth;
  const problem = foldColumns(given, params, width);
  const { batch, groups, sourceChannels, targetChannels, axes, kernel, gradient, folded } = problem;
  const [y, x] = axes;
  const depth = sourceChannels * kernel[0] * kernel[1];
  const lanesArePixels = folded === undefined && costByPixels(problem, width) < costByChannels(problem, width);
  const interleaved = !lanesArePixels && sourceChannels >= width;
  const haloed = interleaved || lanesArePixels || !(x.stride === 1 && y.stride === 1 && liesOnSource(x));

  const vectors = Math.max(1, ceilDiv(targetChannels, width));
  const full = panelVectors(to.machine);
  const panels = ceilDiv(vectors, full);
  const wanted = Math.min(enoughUnits, Math.floor((sizeOf(output.shape) * depth) / smallestUnit));
  let panelGroup = Math.min(panels, Math.max(1, Math.floor(weightFloats / Math.max(1, depth) / width / full)));
  if (folded !== undefined) panelGroup = panels;
  let parts = lanesArePixels ? 1 : ceilDiv(panels, panelGroup);

  const lengthOf = interleaved ? interleavedLength : haloLength;
  const columns = lengthOf(x, windowsBetween(x, 0, x.target));
  const pixel = interleaved ? roundUp(sourceChannels, width) : sourceChannels * residues(y) * residues(x);
  const perRow = Math.max(1, pixel) * columns;
  const windowsByHalo = interleaved
    ? Math.floor((haloFloats / perRow - y.span) / y.stride) + 1
    : Math.floor(haloFloats / perRow) - haloLength(y, 0);
  const rowsByHalo = Math.max(1, windowsByHalo) * y.phases;
  const rowsByStage = Math.max(1, Math.floor(stageFloats / panelWidth(to.machine) / Math.max(1, x.target)));
  let bands = Math.max(1, ceilDiv(y.target, lanesArePixels ? rowsByHalo : Math.min(rowsByHalo, rowsByStage)));
  if (batch * groups * parts * bands < wanted && !lanesArePixels && folded === undefined) {
    panelGroup = 1;
    parts = panels;
  }
  const others = Math.max(1, batch * groups * parts);
  const mostBands = Math.min(ceilDiv(y.target, y.phases), Math.floor((y.target * x.target) / smallestBand));
  bands = Math.max(bands, Math.min(ceilDiv(wanted, others), mostBands));

  const channelBlock = lanesArePixels
    ? Math.max(1, sourceChannels)
    : Math.max(1, Math.floor(blockFloats / width / Math.min(full, vectors) / sizeOf(kernel)));
  const rows = lengthOf(y, windowsInBand(y, bands));
  const bandPixels = ceilDiv(y.target, bands) * x.target;
  const stageStride = roundUp(rows * columns + width, 16);
  const layout = new ScratchLayout();
  const packsItself = lanesArePixels || folded !== undefined;
  layout.place(lanesArePixels ? depth * targetChannels : folded === undefined ? 0 : depth * width * vectors);
  const tablesAt = layout.place(2 * depth);
  const haloAt = layout.place(haloed ? pixel * rows * columns + 4 * width : 0);
  const stageAt = layout.place(lanesArePixels ? 6 * stageStride : bandPixels * panelWidth(to.machine));
  const reach = folded === undefined ? 0 : (folded.columns - 1) * params.dilation[1];
  const foldedPitch =
    folded === undefined
      ? 0
      : Math.max(reach - folded.padding, 0) + Math.max(x.target, roundUp(folded.width, width) + folded.padding);
  const foldedAt = layout.place(folded === undefined ? 0 : targetChannels * ceilDiv(y.target, bands) * foldedPitch);
  const { stride, dilation } = params;
  const packing = {
    ...{ groups, sourceChannels, targetChannels, kernel, stride, dilation, channelBlock },
    gradient: gradient ? 1 : 0,
    interleaved: interleaved ? 1 : 0,
  };
  to.step("convolution", {
    source: source.buffer,
    weight: packsItself ? weight.buffer : packWeights(weight, depth, packing, to),
    output: output.buffer,
    scratch: to.temporary(layout.floats * 4 * to.machine.threads),
    scratchFloats: layout.floats,
    tablesAt,
    haloAt,
    stageAt,
    batch,
    groups,
    sourceChannels,
    targetChannels,
    sourceSize: [y.source, x.source],
    targetSize: [y.target, x.target],
    kernel,
    stride: params.stride,
    padding: [params.padding[0], folded === undefined ? params.padding[2] : 0],
    dilation: params.dilation,
    haloSize: haloed ? [rows, columns] : [y.source, x.source],
    gradient: gradient ? 1 : 0,
    haloed: haloed ? 1 : 0,
    interleaved: interleaved ? 1 : 0,
    lanesArePixels: lanesArePixels ? 1 : 0,
    bands,
    panelGroup,
    channelBlock,
    stageStride,
    foldedColumns: folded?.columns ?? 0,
    foldedWidth: folded?.width ?? 0,
    foldedPadding: folded?.padding ?? 0,
    foldedPitch,
    foldedAt,
    epilogue: to.epilogue,
  });
}

/** What packed weights depend on besides the weights. */
type Packing = Omit<StepFields<"convolutionWeights">, "weight" | "output" | "scratch" | "scratchFloats">;

function packWeights(weight: Operand, depth: number, packing: Packing, to: Lowering): Buffer {
  const lanes = roundUp(packing.targetChannels, to.machine.vectorWidth);
  const output = to.temporary(4 * packing.groups * depth * lanes);
  const tables = roundUp(2 * depth, 16);
  to.prepare("convolutionWeights", {
    weight: weight.buffer,
    output,
    scratch: to.temporary(4 * tables * to.machine.threads),
    scratchFloats: tables,
    ...packing,
  });
  return output;
}

/** Sizes of a convolution from `input` to `output`. */
interface Sizes {
  readonly batch: number;
  readonly channels: number;
  readonly outputs: number;
  readonly input: Pair;
  readonly output: Pair;
  readonly kernel: Pair;
}

function sizesOf(input: Operand, weight: Operand, output: Operand): Sizes {
  const [batch, channels, height, width] = input.shape;
  const [, outputs, rows, columns] = output.shape;
  const [, , kernelHeight, kernelWidth] = weight.shape;
  return {
    batch,
    channels,
    outputs,
    input: [height, width],
    output: [rows, columns],
    kernel: [kernelHeight, kernelWidth],
  };
}

function isPlain({ stride, dilation }: Conv2dParams): boolean {
  return [...stride, ...dilation].every((n) => n === 1);
}

/** One window covers the whole input: the convolution is a matrix product. */
function isProduct({ input, output, kernel }: Sizes, { groups, padding }: Conv2dParams): boolean {
  return (
    groups === 1 &&
    padding.every((n) => n === 0) &&
    sizeOf(output) === 1 &&
    kernel[0] === input[0] &&
    kernel[1] === input[1]
  );
}

const conv2d: Lower<"input" | "weight", Conv2dParams> = ({ inputs: { input, weight }, params, output }, to) => {
  const sizes = sizesOf(input, weight, output);
  const { batch, channels, outputs, kernel } = sizes;
  if (isProduct(sizes, params)) {
    lowerProduct(
      {
        a: input.buffer,
        b: weight.buffer,
        output: output.buffer,
        ...{ batch: 1, batchStrideA: 0, batchStrideB: 0, transposeA: false, transposeB: true },
        ...{ rows: batch, columns: outputs, depth: channels * sizeOf(kernel) },
      },
      to,
    );
    return;
  }
  const { groups } = params;
  const problem = {
    ...{ batch, groups, kernel, gradient: false, isPlain: isPlain(params) },
    sourceChannels: channels / groups,
    targetChannels: outputs / groups,
    axes: windowAxes(sizes.input, sizes.output, kernel, params, false),
  };
  lowerConvolution(problem, input, weight, output, params, to);
};

const conv2dInputGradient: Lower<"upstream" | "weight", Conv2dParams> = (
  { inputs: { upstream, weight }, params, output },
  to,
) => {
  const sizes = sizesOf(output, weight, upstream);
  const { batch, channels, outputs, kernel } = sizes;
  if (isProduct(sizes, params)) {
    lowerProduct(
      {
        a: upstream.buffer,
        b: weight.buffer,
        output: output.buffer,
        ...{ batch: 1, batchStrideA: 0, batchStrideB: 0, transposeA: false, transposeB: false },
        ...{ rows: batch, columns: channels * sizeOf(kernel), depth: outputs },
      },
      to,
    );
    return;
  }
  const { groups } = params;
  const problem = {
    ...{ batch, groups, kernel, gradient: true, isPlain: isPlain(params) },
    sourceChannels: outputs / groups,
    targetChannels: channels / groups,
    axes: windowAxes(sizes.output, sizes.input, kernel, params, true),
  };
  lowerConvolution(problem, upstream, weight, output, params, to);
};

const conv2dWeightGradient: Lower<"upstream" | "input", Conv2dParams> = (
  { inputs: { upstream, input }, params, output },
  to,
) => {
  const sizes = sizesOf(input, output, upstream);
  const { batch, channels, outputs, kernel } = sizes;
  if (isProduct(sizes, params)) {
    lowerProduct(
      {
        a: upstream.buffer,
        b: input.buffer,
        output: output.buffer,
        ...{ batch: 1, batchStrideA: 0, batchStrideB: 0, transposeA: true, transposeB: false },
        ...{ rows: outputs, columns: channels * sizeOf(kernel), depth: batch },
      },
      to,
    );
    return;
  }
  const { groups } = params;
  const problem = {
    ...{ batch, groups, kernel, isPlain: isPlain(params) },
    inputChannels: channels / groups,
    outputChannels: outputs / groups,
    axes: windowAxes(sizes.input, sizes.output, kernel, params, false),
  };
  lowerWeightGradient(problem, upstream, input, output, params, to);
};

export const convolutionLowerings = { conv2d, conv2dInputGradient, conv2dWeightGradient } as const;
