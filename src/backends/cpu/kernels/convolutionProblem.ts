/** What a convolution comes to, per image and group, and which ways there are to compute it. */

import { type Pair, type Shape, sizeOf } from "../../../core/shape.js";
import type { Conv2dParams } from "../../../ops/convolution/geometry.js";
import type { Machine } from "../lowering.js";
import { type Algorithm, winogradAlgorithm } from "./algorithm.js";
import { roundUp } from "./panels.js";
import { haloLength, type WindowAxis, windowAxes, windowsBetween } from "./windows.js";
import { convolutionTiles, winogradTile } from "./winograd.js";
import { columnsCost, favoursColumns, isForColumns } from "./winogradColumns.js";

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

/** Whether columns of the kernel can be channels: in input gradients along whose rows the stride is 1. */
function canFold({ gradient, axes: [, x], kernel }: Problem): boolean {
  return gradient && x.phases === 1 && kernel[1] > 1;
}

/** An input gradient with columns of the kernel as channels. */
export function foldColumns(problem: Problem, { padding }: Conv2dParams): Problem {
  const { targetChannels, axes, kernel } = problem;
  const [y, x] = axes;
  return {
    ...problem,
    targetChannels: targetChannels * kernel[1],
    kernel: [kernel[0], 1],
    axes: [y, { ...x, target: x.source, origin: 0, span: 1, shift: 0 }],
    folded: { columns: kernel[1], width: x.target, padding: padding[2] },
  };
}

/** What the sums of the definition cost, by the axis that lanes run along. */
function directCosts(problem: Problem, params: Conv2dParams, width: number) {
  const [channels, pixels] = [costByChannels(problem, width), costByPixels(problem, width)];
  if (!canFold(problem)) return { channels, pixels, folded: Number.POSITIVE_INFINITY };
  const { targetChannels, axes, kernel } = problem;
  const reach = (kernel[1] - 1) * params.dilation[1];
  const adding = (targetChannels * kernel[1] * (axes[1].target + reach)) / width;
  return { channels, pixels, folded: costByChannels(foldColumns(problem, params), width) + 2 * adding };
}

/** Whether that is less work by far: over few, short rows. */
function favoursFolding({ channels, pixels, folded }: ReturnType<typeof directCosts>): boolean {
  return folded < 0.9 * Math.min(channels, pixels);
}

/** Sizes of a convolution from `input` to `output`. */
export interface Sizes {
  readonly batch: number;
  readonly channels: number;
  readonly outputs: number;
  readonly input: Pair;
  readonly output: Pair;
  readonly kernel: Pair;
}

export function sizesOf(input: Shape, weight: Shape, output: Shape): Sizes {
  const [batch, channels, height, width] = input;
  const [, outputs, rows, columns] = output;
  const [, , kernelHeight, kernelWidth] = weight;
  return {
    batch,
    channels,
    outputs,
    input: [height, width],
    output: [rows, columns],
    kernel: [kernelHeight, kernelWidth],
  };
}

export function isPlain({ stride, dilation }: Conv2dParams): boolean {
  return [...stride, ...dilation].every((n) => n === 1);
}

/** One window covers the whole input: the convolution is a matrix product. */
export function isProduct({ input, output, kernel }: Sizes, { groups, padding }: Conv2dParams): boolean {
  return (
    groups === 1 &&
    padding.every((n) => n === 0) &&
    sizeOf(output) === 1 &&
    kernel[0] === input[0] &&
    kernel[1] === input[1]
  );
}

/** The convolution itself: its source is the input. */
export function forwardProblem(sizes: Sizes, params: Conv2dParams): Problem {
  const { groups } = params;
  return {
    ...{ batch: sizes.batch, groups, kernel: sizes.kernel, gradient: false, isPlain: isPlain(params) },
    sourceChannels: sizes.channels / groups,
    targetChannels: sizes.outputs / groups,
    axes: windowAxes(sizes.input, sizes.output, sizes.kernel, params, false),
  };
}

/** The gradient of its input: its source is the upstream gradient. */
export function gradientProblem(sizes: Sizes, params: Conv2dParams): Problem {
  const { groups } = params;
  return {
    ...{ batch: sizes.batch, groups, kernel: sizes.kernel, gradient: true, isPlain: isPlain(params) },
    sourceChannels: sizes.outputs / groups,
    targetChannels: sizes.channels / groups,
    axes: windowAxes(sizes.output, sizes.input, sizes.kernel, params, true),
  };
}

/** Whether Winograd's algorithm along columns costs less than the sums of the definition. */
function usesWinogradColumns(problem: Problem, params: Conv2dParams, machine: Machine): boolean {
  const costs = directCosts(problem, params, machine.vectorWidth);
  const direct = problem.axes[0].target * Math.min(costs.channels, costs.pixels);
  return !favoursFolding(costs) && favoursColumns(problem, direct, machine);
}

/** The side of Winograd's tiles, where they cost less than columns or the sums of the definition. */
function tileFor(problem: Problem, machine: Machine): ReturnType<typeof winogradTile> {
  return winogradTile(problem, problem.batch * columnsCost(problem, machine), machine);
}

/** What can compute it at all. @param last whether the source or the target has its channels last */
export function algorithmsFor(problem: Problem, last: boolean, machine: Machine): readonly Algorithm[] {
  return [
    ...convolutionTiles(problem, machine).map(winogradAlgorithm),
    ...(isForColumns(problem) ? (["winograd-columns"] as const) : []),
    "direct-channels",
    ...(last ? [] : (["direct-pixels"] as const)),
    ...(!last && canFold(problem) ? (["direct-folded"] as const) : []),
  ];
}

/** What costs least by the number of operations. */
export function cheapestAlgorithm(problem: Problem, params: Conv2dParams, last: boolean, machine: Machine): Algorithm {
  const tile = tileFor(problem, machine);
  if (tile !== 0) return winogradAlgorithm(tile);
  if (usesWinogradColumns(problem, params, machine)) return "winograd-columns";
  const costs = directCosts(problem, params, machine.vectorWidth);
  if (last) return "direct-channels";
  if (favoursFolding(costs)) return "direct-folded";
  return costs.pixels < costs.channels ? "direct-pixels" : "direct-channels";
}

/** How much more lanes of channels may cost than lanes of pixels, for what the order of memory saves. */
const worth = 1.5;

/** Whether source and target may have their channels last: where lanes may be channels, and these fill whole vectors. */
export function takesChannelsLast(
  problem: Problem,
  params: Conv2dParams,
  machine: Machine,
): { readonly source: boolean; readonly target: boolean } {
  const isWhole = (channels: number) => channels > 0 && channels % machine.vectorWidth === 0;
  const costs = directCosts(problem, params, machine.vectorWidth);
  const byChannels = !favoursFolding(costs) && costs.channels <= worth * costs.pixels;
  const takes = tileFor(problem, machine) !== 0 || usesWinogradColumns(problem, params, machine) || byChannels;
  return { source: takes && isWhole(problem.sourceChannels), target: takes && isWhole(problem.targetChannels) };
}
