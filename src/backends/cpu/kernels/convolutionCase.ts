/** A convolution as tables of algorithms name it, what can compute it, and what is chosen. */

import { currentPrecision } from "../../../core/precision.js";
import type { Pair } from "../../../core/shape.js";
import type { Conv2dParams, Padding2d } from "../../../ops/convolution/geometry.js";
import { type CaseName, type Found, findAlgorithm } from "../algorithms.js";
import type { Machine } from "../lowering.js";
import type { Algorithm } from "./algorithm.js";
import {
  algorithmsFor,
  cheapestAlgorithm,
  forwardProblem,
  gradientProblem,
  isPlain,
  isProduct,
  type Sizes,
} from "./convolutionProblem.js";
import { cheapestGradientAlgorithm, gradientAlgorithmsFor, type WeightGradientProblem } from "./weightGradient.js";
import { windowAxes } from "./windows.js";

export const convolutionOps = ["conv2d", "conv2dInputGradient", "conv2dWeightGradient"] as const;

/** A convolution from `input` to `output`, or one of its gradients. */
export interface ConvolutionCase {
  readonly op: (typeof convolutionOps)[number];
  readonly sizes: Sizes;
  readonly params: Conv2dParams;
  /** Whether what it reads or writes, weights aside, has its channels last. */
  readonly last: boolean;
}

export function nameOf({ op, sizes, params, last }: ConvolutionCase): CaseName {
  const { batch, channels, outputs, input, kernel } = sizes;
  const { stride, padding, dilation, groups } = params;
  const pair = ([a, b]: Pair) => (a === b ? `${a}` : `${a}x${b}`);
  const [top, bottom, left, right] = padding;
  const sides = top === bottom && left === right ? pair([top, left]) : padding.join("x");
  const words = [op, `batch ${batch}`, ...(last ? ["last"] : []), kernel.join("x")];
  if (pair(stride) !== "1") words.push(`stride ${pair(stride)}`);
  if (sides !== "0") words.push(`padding ${sides}`);
  if (pair(dilation) !== "1") words.push(`dilation ${pair(dilation)}`);
  if (groups !== 1) words.push(`groups ${groups}`);
  return { group: words.join(" "), shape: `${channels}x${pair(input)}>${outputs}` };
}

const number = "(?:0|[1-9]\\d{0,8})";
const numbers = `(${number}(?:x${number})*)`;
const groupPattern = new RegExp(
  `^(\\w+) batch (${number})( last)? (${number})x(${number})` +
    `(?: stride ${numbers})?(?: padding ${numbers})?(?: dilation ${numbers})?(?: groups (${number}))?$`,
);
const shapePattern = new RegExp(`^(${number})x(${number})(?:x(${number}))?>(${number})$`);

/** The case of a name; undefined where it is the name of none. */
export function caseOf({ group, shape }: CaseName): ConvolutionCase | undefined {
  const [inGroup, inShape] = [groupPattern.exec(group), shapePattern.exec(shape)];
  const op = convolutionOps.find((each) => each === inGroup?.[1]);
  if (inGroup === null || inShape === null || op === undefined) return undefined;
  const list = (text: string | undefined, ifNone: number) => (text ?? String(ifNone)).split("x").map(Number);
  const pair = ([a, b = a]: readonly number[]): Pair => [a, b];
  const [, , batch, last, ...rest] = inGroup;
  const kernel: Pair = [Number(rest[0]), Number(rest[1])];
  const sides = list(rest[3], 0);
  const [vertical, horizontal] = pair(sides);
  const padding: Padding2d =
    sides.length === 4 ? [sides[0], sides[1], sides[2], sides[3]] : [vertical, vertical, horizontal, horizontal];
  const [stride, dilation] = [pair(list(rest[2], 1)), pair(list(rest[4], 1))];
  const params = { stride, padding, dilation, groups: Number(rest[5] ?? 1) };
  const [, channels, height, width = height, outputs] = inShape;
  const input: Pair = [Number(height), Number(width)];
  const length = (axis: 0 | 1) => {
    const room = input[axis] + padding[2 * axis] + padding[2 * axis + 1] - dilation[axis] * (kernel[axis] - 1) - 1;
    return Math.floor(room / stride[axis]) + 1;
  };
  const output: Pair = [length(0), length(1)];
  const sizes = { batch: Number(batch), channels: Number(channels), outputs: Number(outputs), input, output, kernel };
  const { groups } = params;
  const whole = [batch, channels, outputs, ...kernel, ...stride, ...dilation, groups, ...input, ...output].map(Number);
  if (!whole.every((each) => each >= 1) || sizes.channels % groups !== 0 || sizes.outputs % groups !== 0)
    return undefined;
  const found: ConvolutionCase = { op, sizes, params, last: last !== undefined };
  // One name only: no `stride 1`, no `56x56`.
  const name = nameOf(found);
  return name.group === group && name.shape === shape ? found : undefined;
}

/** The problem of a weight gradient. */
export function weightGradientProblem(sizes: Sizes, params: Conv2dParams): WeightGradientProblem {
  const { batch, channels, outputs, input, output, kernel } = sizes;
  const { groups } = params;
  return {
    ...{ batch, groups, kernel, isPlain: isPlain(params) },
    inputChannels: channels / groups,
    outputChannels: outputs / groups,
    axes: windowAxes(input, output, kernel, params, false),
  };
}

/** What can compute it at all; none where it is a matrix product. */
export function algorithmsOf({ op, sizes, params, last }: ConvolutionCase, machine: Machine): readonly Algorithm[] {
  if (isProduct(sizes, params)) return [];
  if (op === "conv2dWeightGradient") return gradientAlgorithmsFor(weightGradientProblem(sizes, params), machine);
  const problem = op === "conv2d" ? forwardProblem(sizes, params) : gradientProblem(sizes, params);
  return algorithmsFor(problem, last, machine);
}

/** What costs least by the number of operations. */
export function modelOf({ op, sizes, params, last }: ConvolutionCase, machine: Machine): Algorithm {
  if (op === "conv2dWeightGradient") return cheapestGradientAlgorithm(weightGradientProblem(sizes, params), machine);
  const problem = op === "conv2d" ? forwardProblem(sizes, params) : gradientProblem(sizes, params);
  return cheapestAlgorithm(problem, params, last, machine);
}

/** An algorithm, and who chose it: a table that was measured, or the count of operations. */
export type Choice = Found | { readonly algorithm: Algorithm; readonly by: "model" };

/** What computes a convolution that is no matrix product. */
export function choose(given: ConvolutionCase, machine: Machine): Choice {
  const found = findAlgorithm(machine.variant, nameOf(given));
  const isAllowed = currentPrecision() === "fast" || found?.algorithm.startsWith("direct");
  return found !== undefined && isAllowed ? found : { algorithm: modelOf(given, machine), by: "model" };
}
