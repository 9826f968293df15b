/** Sizes of pooling. */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, type Pair, type Shape, sizeOf } from "../../core/shape.js";
import { adviseOnBorder } from "../convolution/advice.js";
import {
  layoutName,
  type Padding,
  type Padding2d,
  perAxis,
  resolveSides,
  windowSpan,
} from "../convolution/geometry.js";

/** Parameters of pooling, as the kernels see them; the output's size comes with its shape. */
export interface Pool2dParams {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Padding2d;
  readonly dilation: Pair;
  /** Round sizes up instead of down: a last window may overhang the input (PyTorch's `ceil_mode`). */
  readonly ceil: boolean;
}

/** `countPadding`: divide by the whole window's size, padding included, as PyTorch's `count_include_pad`. */
export interface AveragePool2dParams extends Pool2dParams {
  readonly countPadding: boolean;
}

export interface PoolOptions {
  /** Steps between windows. Default: the window's size, so that windows touch without overlapping. */
  readonly stride?: number | readonly number[];
  /** Border around the input, at most half a window. Default 0. */
  readonly padding?: Padding;
  /** Steps between the elements of a window. Default 1. */
  readonly dilation?: number | readonly number[];
  /** Round sizes up: a last window may overhang the input. Default false. */
  readonly ceilMode?: boolean;
}

export interface AvgPoolOptions extends PoolOptions {
  /** Count the padding's zeros in the average, as PyTorch does by default. Default true. */
  readonly countIncludePad?: boolean;
}

/** Pooling along any number of axes, complete and checked. */
export interface PoolSettings {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  /** [before, after] of each axis. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly ceil: boolean;
}

/** The settings of pooling the last `axes` axes of `input`; throws where they do not fit. */
export function poolSettings(
  op: string,
  axes: number,
  input: Shape,
  kernelSize: number | readonly number[],
  options: PoolOptions,
): PoolSettings {
  if (input.length !== axes + 2) {
    throw new ShapeError(
      `${op}: the input is ${formatShape(input)}. Expected ${layoutName("NC", axes)}. Fix: unsqueeze() a missing axis.`,
    );
  }
  const kernel = perAxis(op, "the kernel size", kernelSize, axes, 1);
  const stride = perAxis(op, "stride", options.stride ?? kernel, axes, 1);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, axes, 1);
  const padding = resolveSides(op, options.padding ?? 0, { size: input.slice(2), kernel, stride, dilation });
  const spans = kernel.map((length, axis) => windowSpan(length, dilation[axis]));
  if (spans.some((span, axis) => Math.max(padding[2 * axis], padding[2 * axis + 1]) * 2 > span)) {
    throw new ArgumentError(
      `${op}: padding [${padding.join(", ")}] is more than half of the window of ${spans.join("×")}. Expected at most half, so that every window sees the input.`,
    );
  }
  const settings = { kernel, stride, padding, dilation, ceil: options.ceilMode ?? false };
  const windows = { size: input.slice(2), kernel, stride, dilation };
  const counts = pooledSizes(op, windows.size, settings);
  checkSight(op, windows.size, counts, settings);
  adviseOnBorder(op, windows, padding, counts, "ceilMode: true");
  return settings;
}

const lengthNames = ["depth", "height", "width"];

/** Throws where a dilated window steps over the whole of a short axis: it would have nothing to choose from. */
function checkSight(op: string, size: readonly number[], counts: readonly number[], settings: PoolSettings): void {
  const { kernel, stride, padding, dilation } = settings;
  for (const [axis, length] of size.entries()) {
    // Steps that are no longer than the axis cannot miss it.
    if (dilation[axis] <= length) continue;
    for (let position = 0; position < counts[axis]; position++) {
      const begin = position * stride[axis] - padding[2 * axis];
      const sees = Array.from({ length: kernel[axis] }, (_, k) => begin + k * dilation[axis]);
      if (sees.some((at) => at >= 0 && at < length)) continue;
      const name = size.length === 1 ? "length" : lengthNames[axis + 3 - size.length];
      throw new ShapeError(
        `${op}: window ${position} sees nothing of a ${name} of ${length}, because its elements are ${dilation[axis]} apart. Fix: a smaller dilation, less padding, or a larger input.`,
      );
    }
  }
}

/** How many windows there are along each axis. */
export function pooledSizes(
  op: string,
  size: readonly number[],
  { kernel, stride, padding, dilation, ceil }: PoolSettings,
): number[] {
  const counts = size.map((length, axis) => {
    const [before, after] = [padding[2 * axis], padding[2 * axis + 1]];
    const steps = (length + before + after - windowSpan(kernel[axis], dilation[axis])) / stride[axis];
    const positions = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that would start beyond the input and its leading border sees nothing.
    return ceil && (positions - 1) * stride[axis] >= length + before ? positions - 1 : positions;
  });
  if (counts.some((count) => count < 1)) {
    throw new ShapeError(
      `${op}: a window of ${kernel.join("×")} does not fit into the input of ${size.join("×")}. Fix: a smaller window, padding, or a larger input.`,
    );
  }
  return counts;
}

/**
 * The same windows with as much padding behind each axis as they overhang, and sizes rounded down: for what adds up
 * windows, to which missing elements are zeros.
 */
export function withoutOverhang(op: string, size: readonly number[], settings: PoolSettings): PoolSettings {
  const { kernel, stride, dilation } = settings;
  const counts = pooledSizes(op, size, settings);
  const padding = size.flatMap((length, axis) => {
    const [before, after] = [settings.padding[2 * axis], settings.padding[2 * axis + 1]];
    const reach = (counts[axis] - 1) * stride[axis] + windowSpan(kernel[axis], dilation[axis]);
    return [before, Math.max(after, reach - length - before)];
  });
  return { ...settings, padding, ceil: false };
}

/** N×C×H×W of the result. */
export function pooledShape(op: string, input: Shape, params: Pool2dParams): Shape {
  return [input[0], input[1], ...pooledSizes(op, input.slice(2), params)];
}

/** Elements that all windows cover together, those beyond the border included: what pooling compares or adds up. */
export function pooledElements(output: Shape, { kernel }: Pool2dParams): number {
  return sizeOf(output) * kernel[0] * kernel[1];
}

/** Calls `visit` for every pair of an output element and an input element that its window covers. */
export function forEachInWindow(
  input: Shape,
  output: Shape,
  { kernel, stride, padding, dilation }: Pool2dParams,
  visit: (inputAt: number, outputAt: number, inPlane: number) => void,
): void {
  const [, , height, width] = input;
  const [batch, channels, rows, columns] = output;
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const outputAt = (plane * rows + row) * columns + column;
        for (let ky = 0; ky < kernel[0]; ky++) {
          const y = row * stride[0] + ky * dilation[0] - padding[0];
          if (y < 0 || y >= height) continue;
          for (let kx = 0; kx < kernel[1]; kx++) {
            const x = column * stride[1] + kx * dilation[1] - padding[2];
            if (x < 0 || x >= width) continue;
            visit(plane * height * width + y * width + x, outputAt, y * width + x);
          }
        }
      }
    }
  }
}
