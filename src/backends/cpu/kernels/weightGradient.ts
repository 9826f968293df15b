/** The weight gradient of a convolution (kernels/weight_gradient.c): how its sum over pixels is cut up. */

import { type Pair, sizeOf } from "../../../core/shape.js";
import type { Conv2dParams } from "../../../ops/convolution/geometry.js";
import type { Operand } from "../../backend.js";
import { epilogue, i32, input, makeLocal, output, row, scratch } from "../fields.js";
import type { Lowering, Machine } from "../lowering.js";
import { type Algorithm, tileOf, winogradAlgorithm } from "./algorithm.js";
import { ceilDiv, enoughUnits, panelVectors, panelWidth, roundUp, ScratchLayout, smallestUnit } from "./panels.js";
import { haloLength, liesOnSource, residues, type WindowAxis, windowsInBand } from "./windows.js";
import { lowerWinogradGradient, winogradGradientTile, winogradGradientTiles } from "./winograd.js";

const pair = row(2);

export const weightGradientSteps = {
  /**
   * Channels are counted per group. The sum runs over blocks of pixels: `blockImages` images, or one of `bands` bands of
   * rows of one; `chunks` chunks of blocks have a result of their own, `partialSize` floats apart. Other units of work
   * are groups of `panelGroup` panels of output channels and blocks of `channelBlock` input channels. `haloSize` as in
   * `convolution`. `inputLast`, `upstreamLast`: channels lie side by side.
   * `slabs`: those of the input are copied a vector of them at a time, each by itself. An output in the local slot is for the
   * epilogue only: each thread has room for a panel of it at `blockAt` of its scratch.
   */
  weightGradient: {
    upstream: input,
    input,
    output,
    scratch,
    scratchFloats: i32,
    haloAt: i32,
    stageAt: i32,
    blockAt: i32,
    tablesAt: i32,
    batch: i32,
    groups: i32,
    inputChannels: i32,
    outputChannels: i32,
    inputSize: pair,
    upstreamSize: pair,
    kernel: pair,
    stride: pair,
    padding: pair,
    dilation: pair,
    haloSize: pair,
    haloed: i32,
    lanesArePixels: i32,
    blockImages: i32,
    blockPixels: i32,
    bands: i32,
    chunks: i32,
    partialSize: i32,
    channelBlock: i32,
    panelGroup: i32,
    inputLast: i32,
    upstreamLast: i32,
    slabs: i32,
    epilogue,
  },
  /** Adds `parts` partial results of `count` elements in order. An output in the local slot is for the epilogue only. */
  sumPartials: { partials: input, output, parts: i32, count: i32, epilogue },
} as const;

/** Floats that share the second-level cache: packed upstream gradient, haloed input, and the stage. */
const upstreamFloats = 1 << 15;
const haloFloats = 1 << 16;
const stageFloats = 1 << 16;

export interface WeightGradientProblem {
  readonly batch: number;
  readonly groups: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly kernel: Pair;
  /** Strides and dilations are 1. */
  readonly isPlain: boolean;
  readonly axes: readonly [WindowAxis, WindowAxis];
}

/** How the work is cut; see the step. */
interface Cut {
  readonly haloed: boolean;
  readonly slabs: boolean;
  readonly blockImages: number;
  readonly bands: number;
  readonly chunks: number;
  readonly channelBlock: number;
  readonly panelGroup: number;
}

/** Costs are vector multiply-adds for each vector of pixels, as in `prefersPixels` of the convolution. */
function prefersPixels(
  { inputChannels, outputChannels, kernel, axes: [, x] }: WeightGradientProblem,
  machine: Machine,
): boolean {
  const depth = inputChannels * sizeOf(kernel);
  const byChannels = roundUp(outputChannels, machine.vectorWidth) * (depth + 6);
  const few = outputChannels === 1 ? 1.5 : 1.1;
  return outputChannels * depth * few * (haloLength(x, x.target) / x.target) < byChannels;
}

/** What can compute it at all. */
export function gradientAlgorithmsFor(problem: WeightGradientProblem, machine: Machine): readonly Algorithm[] {
  return [...winogradGradientTiles(problem, machine).map(winogradAlgorithm), "direct-channels", "direct-pixels"];
}

/** What costs least by the number of operations. */
export function cheapestGradientAlgorithm(problem: WeightGradientProblem, machine: Machine): Algorithm {
  const tile = winogradGradientTile(problem, machine);
  if (tile !== 0) return winogradAlgorithm(tile);
  return prefersPixels(problem, machine) ? "direct-pixels" : "direct-channels";
}

function unitsWanted({
  batch,
  groups,
  inputChannels,
  outputChannels,
  kernel,
  axes: [y, x],
}: WeightGradientProblem): number {
  const products = batch * groups * outputChannels * y.target * x.target * inputChannels * sizeOf(kernel);
  return Math.min(enoughUnits, Math.floor(products / smallestUnit));
}

/** Floats of a haloed plane of a band with that many windows. */
function planeFloats([y, x]: readonly [WindowAxis, WindowAxis], windows: number): number {
  return residues(y) * residues(x) * haloLength(y, windows) * haloLength(x, x.target);
}

function cutByPixels(problem: WeightGradientProblem): Cut {
  const { batch, groups, inputChannels, outputChannels, axes } = problem;
  const [y] = axes;
  const channels = Math.max(inputChannels, outputChannels);
  let rows = y.target;
  while (rows > 1 && channels * planeFloats(axes, rows) > 4 * haloFloats) rows = ceilDiv(rows, 2);
  const bands = ceilDiv(y.target, rows);
  const chunks = Math.max(1, Math.min(batch * bands, ceilDiv(unitsWanted(problem), groups)));
  return {
    haloed: true,
    slabs: false,
    blockImages: 1,
    bands,
    chunks,
    channelBlock: Math.max(1, inputChannels),
    panelGroup: 1,
  };
}

function cutByChannels(problem: WeightGradientProblem, inputLast: boolean, machine: Machine): Cut {
  const { batch, groups, inputChannels, outputChannels, kernel, axes } = problem;
  const [y, x] = axes;
  const haloed = !(liesOnSource(x) && (inputLast || (x.stride === 1 && y.stride === 1)));
  const width = panelWidth(machine);
  const pixels = Math.min(1024, upstreamFloats / width);
  const blockImages = Math.max(1, Math.min(batch, Math.floor(pixels / (y.target * x.target))));
  const bands = blockImages > 1 ? 1 : ceilDiv(y.target, Math.max(1, Math.floor(pixels / x.target)));
  const blocks = ceilDiv(batch, blockImages) * bands;
  const taps = sizeOf(kernel);
  const slabs = inputLast && !haloed && taps === 1;
  const windows = windowsInBand(y, bands);
  const pixelsOfBlock = slabs ? (blockImages * windows * x.target) / 2 : 1;
  const plane = haloed ? blockImages * planeFloats(axes, windows) : pixelsOfBlock;
  let channelBlock = Math.max(
    1,
    Math.min(inputChannels, Math.floor(stageFloats / width / taps), Math.floor(haloFloats / plane)),
  );
  // What lies side by side is taken apart by whole vectors.
  const smallest = inputLast ? machine.vectorWidth : 1;
  channelBlock = roundUp(ceilDiv(inputChannels, ceilDiv(inputChannels, channelBlock)), smallest);
  const panels = ceilDiv(ceilDiv(outputChannels, machine.vectorWidth), panelVectors(machine));
  const wanted = unitsWanted(problem);
  const units = () => groups * panels * ceilDiv(inputChannels, channelBlock);
  const chunks = Math.max(1, Math.min(blocks, ceilDiv(wanted, units())));
  while (units() * chunks < wanted && channelBlock > smallest && channelBlock * taps > 128)
    channelBlock = roundUp(ceilDiv(channelBlock, 2), smallest);
  // What windows read is copied once for a group of panels.
  const most = Math.max(1, Math.floor(stageFloats / (channelBlock * taps * width)));
  const others = groups * chunks * ceilDiv(inputChannels, channelBlock);
  const panelGroup = Math.max(1, Math.min(panels, most, Math.floor((panels * others) / Math.max(1, wanted))));
  return { haloed, slabs, blockImages, bands, chunks, channelBlock, panelGroup };
}

export function lowerWeightGradient(
  problem: WeightGradientProblem,
  algorithm: Algorithm,
  upstream: Operand,
  input: Operand,
  output: Operand,
  params: Conv2dParams,
  to: Lowering,
): void {
  const tile = tileOf(algorithm);
  if (tile !== undefined) {
    lowerWinogradGradient(problem, tile, upstream, input, output, to);
    return;
  }
  const { batch, groups, inputChannels, outputChannels, kernel, axes } = problem;
  const [y, x] = axes;
  const lanesArePixels = algorithm === "direct-pixels";
  const inputLast = input.layout === "channelsLast";
  const { haloed, slabs, blockImages, bands, chunks, channelBlock, panelGroup } = lanesArePixels
    ? cutByPixels(problem)
    : cutByChannels(problem, inputLast, to.machine);
  const windows = windowsInBand(y, bands);
  const haloSize = haloed ? [haloLength(y, windows), haloLength(x, x.target)] : [y.source, x.source];
  const blockPixels = blockImages * windows * x.target;
  const width = to.machine.vectorWidth;
  const depth = inputChannels * sizeOf(kernel);
  const layout = new ScratchLayout();
  layout.place(
    lanesArePixels
      ? outputChannels * roundUp(windows * haloSize[1], width) + width
      : blockPixels * panelWidth(to.machine),
  );
  const copied = haloed ? blockImages * planeFloats(axes, windows) : slabs ? blockPixels : 0;
  const haloAt = layout.place(copied * channelBlock + width);
  const stageAt = layout.place(
    lanesArePixels
      ? outputChannels * depth * width
      : panelGroup * channelBlock * sizeOf(kernel) * panelWidth(to.machine),
  );
  const size = sizeOf(output.shape);
  // The epilogue may read a vector beyond the last element.
  const block = chunks > 1 ? 0 : channelBlock * sizeOf(kernel) * panelWidth(to.machine) + width;
  const isSmaller = block * to.machine.threads < size && (chunks > 1 || !lanesArePixels);
  const isLocal = isSmaller && to.isForEpilogueOnly(output.buffer);
  if (isLocal) makeLocal(output.buffer);
  const blockAt = layout.place(isLocal ? block : 0);
  const tablesAt = layout.place(lanesArePixels ? depth : 2 * blockPixels + kernel[1]);
  const target = chunks === 1 ? output.buffer : to.temporary(chunks * size * 4);
  to.step("weightGradient", {
    upstream: upstream.buffer,
    input: input.buffer,
    output: target,
    scratch: to.temporary(layout.floats * 4 * to.machine.threads),
    scratchFloats: layout.floats,
    haloAt,
    stageAt,
    blockAt,
    tablesAt,
    batch,
    groups,
    inputChannels,
    outputChannels,
    inputSize: [y.source, x.source],
    upstreamSize: [y.target, x.target],
    kernel,
    stride: params.stride,
    padding: [params.padding[0], params.padding[2]],
    dilation: params.dilation,
    haloSize,
    haloed: haloed ? 1 : 0,
    lanesArePixels: lanesArePixels ? 1 : 0,
    blockImages,
    blockPixels,
    bands,
    chunks,
    partialSize: size,
    channelBlock,
    panelGroup,
    inputLast: inputLast ? 1 : 0,
    upstreamLast: upstream.layout === "channelsLast" ? 1 : 0,
    slabs: slabs ? 1 : 0,
    epilogue: chunks === 1 ? to.epilogue : undefined,
  });
  if (chunks > 1) {
    to.step("sumPartials", {
      partials: target,
      output: output.buffer,
      parts: chunks,
      count: size,
      epilogue: to.epilogue,
    });
  }
}
