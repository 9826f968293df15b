/** What a convolution comes to, per image and group, and which ways there are to compute it. */

import { type Pair, type Shape, sizeOf } from "../../../core/shape.js";
import type { Conv2dParams } from "../../../ops/convolution/geometry.js";
import type { Machine } from "../lowering.js";
import { roundUp } from "./panels.js";
import { haloLength, type WindowAxis, windowAxes, windowsBetween } from "./windows.js";
import { winogradTile } from "./winograd.js";
import { favoursColumns } from "./winogradColumns.js";

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
export function foldColumns(problem: Problem, { padding, dilation }: Conv2dParams, width: number): Problem {
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

/** How lanes are used, where Winograd's algorithm is not. */
export interface Lanes {
  /** What is to be computed, perhaps with the columns of the kernel as channels. */
  readonly problem: Problem;
  /** Lanes are pixels instead of target channels. */
  readonly arePixels: boolean;
}

export function chooseLanes(given: Problem, params: Conv2dParams, { vectorWidth: width }: Machine): Lanes {
  const problem = foldColumns(given, params, width);
  const arePixels = problem.folded === undefined && costByPixels(problem, width) < costByChannels(problem, width);
  return { problem, arePixels };
}

/** Whether Winograd's algorithm along columns costs less than the sums of the definition. */
export function usesWinogradColumns(given: Problem, params: Conv2dParams, machine: Machine): boolean {
  const { vectorWidth: width } = machine;
  const problem = foldColumns(given, params, width);
  const direct = given.axes[0].target * Math.min(costByChannels(problem, width), costByPixels(problem, width));
  return favoursColumns(problem, direct, machine);
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
  const width = machine.vectorWidth;
  const isFolded = foldColumns(problem, params, width).folded !== undefined;
  const byChannels = !isFolded && costByChannels(problem, width) <= worth * costByPixels(problem, width);
  const takes = winogradTile(problem, machine) !== 0 || usesWinogradColumns(problem, params, machine) || byChannels;
  return { source: takes && isWhole(problem.sourceChannels), target: takes && isWhole(problem.targetChannels) };
}
