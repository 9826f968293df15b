/** Sizes of two-dimensional pooling. */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, type Pair, type Shape } from "../../core/shape.js";
import {
  asPair,
  type NumberOrPair,
  type Padding,
  type Padding2d,
  resolvePadding,
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

export interface Pool2dOptions {
  /** Steps between windows. Default: the window's size, so that windows touch without overlapping. */
  readonly stride?: NumberOrPair;
  /** Border around the input, at most half a window. Default 0. */
  readonly padding?: Padding;
  /** Round sizes up: a last window may overhang the input. Default false. */
  readonly ceilMode?: boolean;
}

export function poolParams(
  op: string,
  input: Shape,
  kernelSize: NumberOrPair,
  options: Pool2dOptions & { readonly dilation?: NumberOrPair },
): Pool2dParams {
  const kernel = asPair(op, "the kernel size", kernelSize, 1);
  const stride = asPair(op, "stride", options.stride ?? kernel, 1);
  const dilation = asPair(op, "dilation", options.dilation ?? 1, 1);
  const size: Pair = [input[2], input[3]];
  const padding = resolvePadding(op, options.padding ?? 0, { size, kernel, stride, dilation });
  const [top, bottom, left, right] = padding;
  const spans = [windowSpan(kernel[0], dilation[0]), windowSpan(kernel[1], dilation[1])];
  if (Math.max(top, bottom) * 2 > spans[0] || Math.max(left, right) * 2 > spans[1]) {
    throw new ArgumentError(
      `${op}: padding [${padding.join(", ")}] is more than half of the window of ${spans.join("×")}. Expected at most half, so that every window sees the input.`,
    );
  }
  return { kernel, stride, padding, dilation, ceil: options.ceilMode ?? false };
}

/** N×C×H×W of the result. */
export function pooledShape(op: string, input: Shape, params: Pool2dParams): Shape {
  if (input.length !== 4) {
    throw new ShapeError(
      `${op}: the input is ${formatShape(input)}. Expected N×C×H×W. Fix: unsqueeze() a missing axis.`,
    );
  }
  const { kernel, stride, padding, dilation, ceil } = params;
  const [n, channels, height, width] = input;
  const count = (size: number, axis: 0 | 1): number => {
    const [before, after] = [padding[2 * axis], padding[2 * axis + 1]];
    const steps = (size + before + after - windowSpan(kernel[axis], dilation[axis])) / stride[axis];
    const positions = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that would start beyond the input and its leading border sees nothing.
    return ceil && (positions - 1) * stride[axis] >= size + before ? positions - 1 : positions;
  };
  const [rows, columns] = [count(height, 0), count(width, 1)];
  if (rows < 1 || columns < 1) {
    throw new ShapeError(
      `${op}: a window of ${kernel.join("×")} does not fit into the input of ${height}×${width}. Fix: a smaller window, padding, or a larger input.`,
    );
  }
  return [n, channels, rows, columns];
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
