/**
 * Two-dimensional convolution and its gradients (kernels/convolution.c, weight_gradient.c): which operand the lanes run
 * along, and what a unit of work is. Both are functions of shapes and instruction set alone.
 */

import { sizeOf } from "../../../core/shape.js";
import type { Conv2dParams } from "../../../ops/convolution/geometry.js";
import type { Buffer, Operand, OpShapes } from "../../backend.js";
import { epilogue, i32, input, output, row, scratch } from "../fields.js";
import type { Lower, Lowering, Machine } from "../lowering.js";
import type { StepFields } from "../schema.js";
import { type Algorithm, tileOf } from "./algorithm.js";
import { type ConvolutionCase, choose, weightGradientProblem } from "./convolutionCase.js";
import {
  foldColumns,
  forwardProblem,
  gradientProblem,
  isProduct,
  type Problem,
  sizesOf,
  takesChannelsLast,
} from "./convolutionProblem.js";
import { lowerProduct } from "./matmul.js";
import {
  ceilDiv,
  countPanels,
  enoughUnits,
  panelVectors,
  panelWidth,
  roundUp,
  ScratchLayout,
  smallestUnit,
} from "./panels.js";
import { lowerWeightGradient, weightGradientSteps } from "./weightGradient.js";
import { haloLength, interleavedLength, liesOnSource, residues, windowsBetween, windowsInBand } from "./windows.js";
import { lowerWinograd, winogradSteps } from "./winograd.js";
import { lowerWinogradColumns, winogradColumnsSteps } from "./winogradColumns.js";

const pair = row(2);

export const convolutionSteps = {
  /**
   * A convolution from source to target or, with `gradient`, the input gradient of one from target to source. Channels
   * are counted per group. Units of work are `bands` bands of rows of one image and, where lanes are channels, groups
   * of `panelGroup` panels of target channels, whose weights a step `convolutionWeights` has packed. Sums are cut into
   * blocks of `channelBlock` source channels. `haloSize`: rows and columns of a haloed plane or, where windows read
   * the source in place, of the source. `interleaved`: there the channels of a
   * pixel lie side by side, as they do in the tensors with `sourceLast` and `targetLast`. `stageStride`: distance of
   * channels in the stage, where lanes are pixels.
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
    sourceLast: i32,
    targetLast: i32,
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
  ...winogradColumnsSteps,
} as const;

/** Floats that share the second-level cache: packed weights, haloed source, and the stage. */
const weightFloats = 1 << 17;
const haloFloats = 1 << 17;
const stageFloats = 1 << 15;

/** Pixels of a band below which its tiles and borders cost too much. */
const smallestBand = 96;

/** Floats of a panel that stay in the first-level cache: the weights of one block of source channels. */
const blockFloats = 1 << 13;

function lowerConvolution(
  given: Problem,
  algorithm: Algorithm,
  source: Operand,
  weight: Operand,
  output: Operand,
  params: Conv2dParams,
  to: Lowering,
): void {
  const tile = tileOf(algorithm);
  if (tile !== undefined) {
    lowerWinograd(given, tile, source, weight, output, to);
    return;
  }
  if (algorithm === "winograd-columns") {
    lowerWinogradColumns(given, source, weight, output, to);
    return;
  }
  const width = to.machine.vectorWidth;
  const sourceLast = source.layout === "channelsLast";
  const targetLast = output.layout === "channelsLast";
  const problem = algorithm === "direct-folded" ? foldColumns(given, params) : given;
  const lanesArePixels = algorithm === "direct-pixels";
  const { batch, groups, sourceChannels, targetChannels, axes, kernel, gradient, folded } = problem;
  const [y, x] = axes;
  const depth = sourceChannels * kernel[0] * kernel[1];
  const interleaved = sourceLast || (!lanesArePixels && sourceChannels >= width);
  const inPlace = liesOnSource(x) && (sourceLast || (!interleaved && x.stride === 1 && y.stride === 1));
  const haloed = lanesArePixels || !inPlace;

  const vectors = Math.max(1, ceilDiv(targetChannels, width));
  const full = panelVectors(to.machine);
  const panels = Math.max(1, countPanels(targetChannels, to.machine));
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
  const stageAt = layout.place(lanesArePixels ? 6 * stageStride : targetLast ? 0 : bandPixels * panelWidth(to.machine));
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
    sourceLast: sourceLast ? 1 : 0,
    targetLast: targetLast ? 1 : 0,
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

const isLast = (...operands: readonly Operand[]) => operands.some(({ layout }) => layout === "channelsLast");

function algorithmFor(given: ConvolutionCase, to: Lowering): Algorithm {
  const choice = choose(given, to.machine);
  to.chosen = choice;
  return choice.algorithm;
}

const conv2d: Lower<"input" | "weight", Conv2dParams> = ({ inputs: { input, weight }, params, output }, to) => {
  const sizes = sizesOf(input.shape, weight.shape, output.shape);
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
  const algorithm = algorithmFor({ op: "conv2d", sizes, params, last: isLast(input, output) }, to);
  lowerConvolution(forwardProblem(sizes, params), algorithm, input, weight, output, params, to);
};

const conv2dInputGradient: Lower<"upstream" | "weight", Conv2dParams> = (
  { inputs: { upstream, weight }, params, output },
  to,
) => {
  const sizes = sizesOf(output.shape, weight.shape, upstream.shape);
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
  const algorithm = algorithmFor({ op: "conv2dInputGradient", sizes, params, last: isLast(upstream, output) }, to);
  lowerConvolution(gradientProblem(sizes, params), algorithm, upstream, weight, output, params, to);
};

const conv2dWeightGradient: Lower<"upstream" | "input", Conv2dParams> = (
  { inputs: { upstream, input }, params, output },
  to,
) => {
  const sizes = sizesOf(input.shape, output.shape, upstream.shape);
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
  const algorithm = algorithmFor({ op: "conv2dWeightGradient", sizes, params, last: false }, to);
  lowerWeightGradient(weightGradientProblem(sizes, params), algorithm, upstream, input, output, params, to);
};

export const convolutionLowerings = { conv2d, conv2dInputGradient, conv2dWeightGradient } as const;

/** See `Compiler.channelsLast`. Either operand is taken apart by whole vectors. */
export function weightGradientChannelsLast(
  { inputs: { upstream, input }, params, output }: OpShapes,
  machine: Machine,
): readonly string[] {
  const conv = params as Conv2dParams;
  const sizes = sizesOf(input, output, upstream);
  if (isProduct(sizes, conv)) return [];
  const { inputChannels, outputChannels } = weightGradientProblem(sizes, conv);
  const isWhole = (channels: number) => channels > 0 && channels % machine.vectorWidth === 0;
  return [...(isWhole(inputChannels) ? ["input"] : []), ...(isWhole(outputChannels) ? ["upstream"] : [])];
}

/** See `Compiler.channelsLast`. */
export function convolutionChannelsLast({ op, inputs, params, output }: OpShapes, machine: Machine): readonly string[] {
  const gradient = op === "conv2dInputGradient";
  const conv = params as Conv2dParams;
  const [from, into] = gradient ? [output, inputs.upstream] : [inputs.input, output];
  const sizes = sizesOf(from, inputs.weight, into);
  if (isProduct(sizes, conv)) return [];
  const problem = gradient ? gradientProblem(sizes, conv) : forwardProblem(sizes, conv);
  const { source, target } = takesChannelsLast(problem, conv, machine);
  return [...(source ? [gradient ? "upstream" : "input"] : []), ...(target ? ["output"] : [])];
}
