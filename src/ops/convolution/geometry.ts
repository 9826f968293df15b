/** Sizes of two-dimensional convolution. N batch, C channels, H height, W width; O output channels. */

import { ArgumentError } from "../../core/errors.js";
import type { Pair } from "../../core/shape.js";

/** Zeros added above, below, left and right of every channel. */
export type Padding2d = readonly [top: number, bottom: number, left: number, right: number];

/** Parameters of `conv2d` and its gradients, as the kernels see them. */
export interface Conv2dParams {
  readonly stride: Pair;
  readonly padding: Padding2d;
  readonly dilation: Pair;
  readonly groups: number;
}

/**
 * How many positions a window of `kernel` elements has on `size` elements: ⌊(size + padding − span) / stride⌋ + 1, where
 * it spans dilation · (kernel − 1) + 1 elements (Dumoulin & Visin, "A guide to convolution arithmetic", 2016).
 */
export function windowCount(size: number, kernel: number, stride: number, padding: number, dilation: number): number {
  return Math.floor((size + padding - windowSpan(kernel, dilation)) / stride) + 1;
}

/** Elements from the first to the last that a window touches. */
export function windowSpan(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1;
}

/** One number for both axes, or [vertical, horizontal]. */
export type NumberOrPair = number | Pair;

/** Throws unless `value` is an integer of 1 or more. */
export function checkCount(op: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new ArgumentError(`${op}: ${name} is ${JSON.stringify(value)}. Expected an integer of 1 or more.`);
}

/** A pair of integers of at least `least`. */
export function asPair(op: string, name: string, value: NumberOrPair, least: number): Pair {
  const pair = typeof value === "number" ? ([value, value] as const) : value;
  if (!Array.isArray(pair) || pair.length !== 2 || pair.some((n) => !Number.isInteger(n) || n < least)) {
    throw new ArgumentError(
      `${op}: ${name} is ${JSON.stringify(value)}. Expected an integer of ${least} or more, or two for the vertical and horizontal axis.`,
    );
  }
  return pair;
}

/**
 * Padding as a user gives it: a number for all sides, [vertical, horizontal], [top, bottom, left, right], `"valid"` for
 * none, or `"same"` for ⌈size / stride⌉ positions (the odd zero goes below and to the right).
 */
export type Padding = number | Pair | Padding2d | "valid" | "same";

export function resolvePadding(
  op: string,
  padding: Padding,
  size: Pair,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
): Padding2d {
  if (padding === "valid") return [0, 0, 0, 0];
  if (padding === "same") {
    const sides = ([0, 1] as const).map((axis) => {
      const positions = Math.ceil(size[axis] / stride[axis]);
      const total = Math.max(0, (positions - 1) * stride[axis] + windowSpan(kernel[axis], dilation[axis]) - size[axis]);
      return [Math.floor(total / 2), Math.ceil(total / 2)] as const;
    });
    return [...sides[0], ...sides[1]] as const;
  }
  const sides: readonly number[] =
    typeof padding === "number"
      ? [padding, padding, padding, padding]
      : padding.length === 2
        ? [padding[0], padding[0], padding[1], padding[1]]
        : padding;
  const [top, bottom, left, right] = sides;
  if (sides.length !== 4 || sides.some((side) => !Number.isInteger(side) || side < 0)) {
    throw new ArgumentError(
      `${op}: padding is ${JSON.stringify(padding)}. Expected an integer of 0 or more, [vertical, horizontal], [top, bottom, left, right], "valid" or "same".`,
    );
  }
  return [top, bottom, left, right];
}
