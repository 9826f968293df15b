/** Sizes of convolution in one, two or three dimensions. */

import { show } from "../../core/check.js";
import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, type Pair, type Shape } from "../../core/shape.js";

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

const axisNames: Readonly<Record<number, string>> = {
  1: "",
  2: ", or two for the vertical and horizontal axis",
  3: ", or three for depth, height and width",
};

/** Integers of at least `least`, one for each of `axes` axes. */
export function perAxis(
  op: string,
  name: string,
  value: number | readonly number[],
  axes: number,
  least: number,
): readonly number[] {
  const list = typeof value === "number" ? Array.from({ length: axes }, () => value) : value;
  if (!Array.isArray(list) || list.length !== axes || list.some((n) => !Number.isInteger(n) || n < least)) {
    throw new ArgumentError(
      `${op}: ${name} is ${show(value)}. Expected an integer of ${least} or more${axisNames[axes] ?? ""}.`,
    );
  }
  return list;
}

/**
 * Padding as a user gives it: a number for all sides, one for each axis ([vertical, horizontal]), one for each side
 * ([top, bottom, left, right]), `"valid"` for none, `"same"` for ⌈size / stride⌉ positions (the odd zero goes below and to
 * the right), or `"full"` for every position at which a window touches the input.
 */
export type Padding = number | readonly number[] | "valid" | "same" | "full";

/** The windows of a convolution or pooling along each of its axes. */
export interface Windows {
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
}

/** What is added before and after each axis: [before, after, before, after, …]. */
export function resolveSides(op: string, padding: Padding, { size, kernel, stride, dilation }: Windows): number[] {
  const spans = kernel.map((length, axis) => windowSpan(length, dilation[axis]));
  if (padding === "valid") return spans.flatMap(() => [0, 0]);
  if (padding === "full") return spans.flatMap((span) => [span - 1, span - 1]);
  if (padding === "same") {
    return spans.flatMap((span, axis) => {
      const positions = Math.ceil(size[axis] / stride[axis]);
      const total = Math.max(0, (positions - 1) * stride[axis] + span - size[axis]);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    });
  }
  const sides =
    typeof padding === "number"
      ? spans.flatMap(() => [padding, padding])
      : Array.isArray(padding) && padding.length === spans.length
        ? padding.flatMap((both) => [both, both])
        : padding;
  if (
    !Array.isArray(sides) ||
    sides.length !== 2 * spans.length ||
    sides.some((side) => !Number.isInteger(side) || side < 0)
  ) {
    throw new ArgumentError(
      `${op}: padding is ${show(padding)}. Expected an integer of 0 or more, ${sideNames[spans.length]}, "valid", "same" or "full".`,
    );
  }
  return sides;
}

const sideNames: Readonly<Record<number, string>> = {
  1: "[before, after]",
  2: "[vertical, horizontal], [top, bottom, left, right]",
  3: "[depth, height, width], six for both sides of each",
};

/** Padding in two dimensions. */
export function resolvePadding(op: string, padding: Padding, windows: Windows): Padding2d {
  const [top, bottom, left, right] = resolveSides(op, padding, windows);
  return [top, bottom, left, right];
}

const letters = ["D", "H", "W"];

/** N×C×H×W, and the like for other numbers of axes. */
export function layoutName(channels: string, axes: number): string {
  return [...channels, ...(axes === 1 ? ["L"] : letters.slice(3 - axes))].join("×");
}

/** The lengths of a convolution's result, N×O×…; throws where input, weight and settings do not fit together. */
export function convolvedShape(
  op: string,
  input: Shape,
  weight: Shape,
  settings: {
    readonly stride: readonly number[];
    readonly padding: readonly number[];
    readonly dilation: readonly number[];
    readonly groups: number;
  },
): Shape {
  const { stride, padding, dilation, groups } = settings;
  const axes = stride.length;
  if (input.length !== axes + 2 || weight.length !== axes + 2) {
    throw new ShapeError(
      `${op}: the input is ${formatShape(input)} and the weight ${formatShape(weight)}. Expected ${layoutName("NC", axes)} and ${layoutName("OC", axes)}. Fix: unsqueeze() a missing axis.`,
    );
  }
  const [n, channels, ...size] = input;
  const [out, perGroup, ...kernel] = weight;
  if (channels % groups !== 0 || out % groups !== 0) {
    throw new ShapeError(
      `${op}: ${groups} groups do not divide ${channels} input and ${out} output channels evenly. Fix: groups that divide both, or other numbers of channels.`,
    );
  }
  if (channels !== perGroup * groups) {
    throw new ShapeError(
      `${op}: the input has ${channels} channels, but the weight ${formatShape(weight)} expects ${perGroup * groups}. ` +
        `Fix: new ${op.replace("conv", "Conv")}(${channels}, ${out}, …).`,
    );
  }
  if (kernel.some((length) => length < 1))
    throw new ShapeError(`${op}: the kernel is ${kernel.join("×")}. Expected at least one element along each axis.`);
  const counts = size.map((length, axis) =>
    windowCount(length, kernel[axis], stride[axis], padding[2 * axis] + padding[2 * axis + 1], dilation[axis]),
  );
  if (counts.some((count) => count < 1)) {
    const spans = kernel.map((length, axis) => windowSpan(length, dilation[axis]));
    const padded = size.map((length, axis) => length + padding[2 * axis] + padding[2 * axis + 1]);
    throw new ShapeError(
      `${op}: the kernel spans ${spans.join("×")}, more than the padded input of ${padded.join("×")}. Fix: more padding, a smaller kernel, or a larger input.`,
    );
  }
  return [n, out, ...counts];
}
