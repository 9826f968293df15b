/**
 * Two-dimensional convolution (cross-correlation, as everywhere in deep learning): NCHW input, OIHW weight.
 * N batch, C input channels, O output channels, H height, W width, G groups.
 */

import { ShapeError } from "../../core/errors.js";
import { formatShape, type Pair, type Shape } from "../../core/shape.js";
import { defineOp, type ReferenceArray, sameDType } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { add } from "../elementwise/arithmetic.js";
import { reshape } from "../shape/reshape.js";
import { asTensor, type TensorLike } from "../tensors.js";
import {
  asPair,
  type Conv2dParams,
  type NumberOrPair,
  type Padding,
  resolvePadding,
  windowCount,
  windowSpan,
} from "./geometry.js";

function outputShape(input: Shape, weight: Shape, { stride, padding, dilation, groups }: Conv2dParams): Shape {
  if (input.length !== 4 || weight.length !== 4) {
    throw new ShapeError(
      `conv2d: the input is ${formatShape(input)} and the weight ${formatShape(weight)}. Expected N×C×H×W and O×C×H×W. Fix: unsqueeze() a missing axis.`,
    );
  }
  const [n, channels, height, width] = input;
  const [out, perGroup, kernelHeight, kernelWidth] = weight;
  if (channels % groups !== 0 || out % groups !== 0) {
    throw new ShapeError(
      `conv2d: ${groups} groups do not divide ${channels} input and ${out} output channels evenly. Expected groups to divide both.`,
    );
  }
  if (channels !== perGroup * groups) {
    throw new ShapeError(
      `conv2d: the input has ${channels} channels, but the weight ${formatShape(weight)} expects ${perGroup * groups}. ` +
        `Fix: new Conv2d(${channels}, ${out}, …).`,
    );
  }
  const [top, bottom, left, right] = padding;
  const rows = windowCount(height, kernelHeight, stride[0], top + bottom, dilation[0]);
  const columns = windowCount(width, kernelWidth, stride[1], left + right, dilation[1]);
  if (rows < 1 || columns < 1) {
    throw new ShapeError(
      `conv2d: the kernel spans ${windowSpan(kernelHeight, dilation[0])}×${windowSpan(kernelWidth, dilation[1])}, ` +
        `more than the padded input of ${height + top + bottom}×${width + left + right}. Fix: more padding, a smaller kernel, or a larger input.`,
    );
  }
  return [n, out, rows, columns];
}

/** Calls `visit` for every product in the definition, with the positions of its input, weight and output element. */
function forEachProduct(
  input: Shape,
  weight: Shape,
  output: Shape,
  { stride, padding, dilation, groups }: Conv2dParams,
  visit: (inputAt: number, weightAt: number, outputAt: number) => void,
): void {
  const [batch, channels, height, width] = input;
  const [out, perGroup, kernelHeight, kernelWidth] = weight;
  const [, , rows, columns] = output;
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < out; o++) {
      const group = Math.floor(o / (out / groups));
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const outputAt = ((n * out + o) * rows + row) * columns + column;
          for (let c = 0; c < perGroup; c++) {
            for (let ky = 0; ky < kernelHeight; ky++) {
              const y = row * stride[0] + ky * dilation[0] - padding[0];
              if (y < 0 || y >= height) continue;
              for (let kx = 0; kx < kernelWidth; kx++) {
                const x = column * stride[1] + kx * dilation[1] - padding[2];
                if (x < 0 || x >= width) continue;
                const inputAt = ((n * channels + group * perGroup + c) * height + y) * width + x;
                visit(inputAt, ((o * perGroup + c) * kernelHeight + ky) * kernelWidth + kx, outputAt);
              }
            }
          }
        }
      }
    }
  }
}

function macs(weight: Shape, output: Shape): number {
  const [, perGroup, kernelHeight, kernelWidth] = weight;
  return output.reduce((a, b) => a * b, 1) * perGroup * kernelHeight * kernelWidth;
}

const geometries: readonly { input: Shape; weight: Shape; output: Shape; params: Conv2dParams }[] = [
  {
    input: [2, 3, 7, 6],
    weight: [4, 3, 3, 2],
    output: [2, 4, 5, 5],
    params: { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 },
  },
  {
    input: [1, 4, 8, 9],
    weight: [6, 2, 3, 3],
    output: [1, 6, 4, 5],
    params: { stride: [2, 2], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 2 },
  },
  {
    input: [2, 2, 9, 7],
    weight: [3, 2, 2, 3],
    output: [2, 3, 9, 3],
    params: { stride: [1, 2], padding: [2, 0, 1, 2], dilation: [2, 2], groups: 1 },
  },
  {
    input: [2, 3, 6, 6],
    weight: [3, 1, 3, 3],
    output: [2, 3, 6, 6],
    params: { stride: [1, 1], padding: [1, 1, 1, 1], dilation: [1, 1], groups: 3 },
  },
  {
    input: [3, 5, 5, 5],
    weight: [7, 5, 5, 5],
    output: [3, 7, 1, 1],
    params: { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 },
  },
  {
    input: [2, 8, 4, 4],
    weight: [8, 8, 1, 1],
    output: [2, 8, 4, 4],
    params: { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 },
  },
  {
    input: [1, 1, 8, 8],
    weight: [2, 1, 2, 2],
    output: [1, 2, 3, 3],
    params: { stride: [3, 3], padding: [0, 0, 0, 0], dilation: [1, 1], groups: 1 },
  },
];

export const conv2dOp = defineOp<"conv2d", "input" | "weight", Conv2dParams>({
  name: "conv2d",
  inputs: ["input", "weight"],
  shape: ({ input, weight }, params) => outputShape(input, weight, params),
  dtype: sameDType("conv2d", ["float32"]),
  reference: ({ input, weight }, params, output) => {
    output.data.fill(0);
    forEachProduct(input.shape, weight.shape, output.shape, params, (inputAt, weightAt, outputAt) => {
      output.data[outputAt] += input.data[inputAt] * weight.data[weightAt];
    });
  },
  gradient: ({ input, weight }, params, upstream) => ({
    input: (): Tensor => conv2dInputGradientOp({ upstream, weight }, { ...params, input: input.shape }) as Tensor,
    weight: (): Tensor => conv2dWeightGradientOp({ upstream, input }, { ...params, weight: weight.shape }) as Tensor,
  }),
  cost: ({ weight }, _, output) => ({ macs: macs(weight, output) }),
  samples: geometries.map(({ input, weight, params }) => ({ inputs: { input, weight }, params })),
});

export interface InputGradientParams extends Conv2dParams {
  /** Shape of the input that the gradient is for: sizes that a stride skips cannot be told from the upstream's. */
  readonly input: Shape;
}

/** Transposed convolution: spreads every upstream element over the window that it came from. */
export const conv2dInputGradientOp = defineOp<"conv2dInputGradient", "upstream" | "weight", InputGradientParams>({
  name: "conv2dInputGradient",
  inputs: ["upstream", "weight"],
  shape: ({ upstream, weight }, params) => {
    checkUpstream("conv2dInputGradient", upstream, outputShape(params.input, weight, params));
    return params.input;
  },
  dtype: sameDType("conv2dInputGradient", ["float32"]),
  reference: ({ upstream, weight }, params, output) => {
    output.data.fill(0);
    forEachProduct(params.input, weight.shape, upstream.shape, params, (inputAt, weightAt, outputAt) => {
      output.data[inputAt] += upstream.data[outputAt] * weight.data[weightAt];
    });
  },
  gradient: ({ upstream: u, weight }, params, upstream) => ({
    upstream: (): Tensor => conv2dOp({ input: upstream, weight }, convolution(params)) as Tensor,
    weight: (): Tensor =>
      conv2dWeightGradientOp(
        { upstream: u, input: upstream },
        { ...convolution(params), weight: weight.shape },
      ) as Tensor,
  }),
  cost: ({ upstream, weight }) => ({ macs: macs(weight, upstream) }),
  samples: geometries.map(({ input, weight, output, params }) => ({
    inputs: { upstream: output, weight },
    params: { ...params, input },
  })),
});

export interface WeightGradientParams extends Conv2dParams {
  /** Shape of the weight that the gradient is for. */
  readonly weight: Shape;
}

/** The gradient of shared weights: the sum over all positions at which each weight was used. */
export const conv2dWeightGradientOp = defineOp<"conv2dWeightGradient", "upstream" | "input", WeightGradientParams>({
  name: "conv2dWeightGradient",
  inputs: ["upstream", "input"],
  shape: ({ upstream, input }, params) => {
    checkUpstream("conv2dWeightGradient", upstream, outputShape(input, params.weight, params));
    return params.weight;
  },
  dtype: sameDType("conv2dWeightGradient", ["float32"]),
  reference: ({ upstream, input }, params, output: ReferenceArray) => {
    output.data.fill(0);
    forEachProduct(input.shape, params.weight, upstream.shape, params, (inputAt, weightAt, outputAt) => {
      output.data[weightAt] += upstream.data[outputAt] * input.data[inputAt];
    });
  },
  gradient: ({ upstream: u, input }, params, upstream) => ({
    upstream: (): Tensor => conv2dOp({ input, weight: upstream }, convolution(params)) as Tensor,
    input: (): Tensor =>
      conv2dInputGradientOp(
        { upstream: u, weight: upstream },
        { ...convolution(params), input: input.shape },
      ) as Tensor,
  }),
  cost: ({ upstream }, { weight }) => ({ macs: macs(weight, upstream) }),
  samples: geometries.map(({ input, weight, output, params }) => ({
    inputs: { upstream: output, input },
    params: { ...params, weight },
  })),
});

function convolution({ stride, padding, dilation, groups }: Conv2dParams): Conv2dParams {
  return { stride, padding, dilation, groups };
}

function checkUpstream(op: string, found: Shape, expected: Shape): void {
  if (formatShape(found) !== formatShape(expected)) {
    throw new ShapeError(
      `${op}: the upstream gradient is ${formatShape(found)}, but the convolution gives ${formatShape(expected)}.`,
    );
  }
}

export interface Conv2dOptions {
  /** Steps between windows. Default 1. */
  readonly stride?: NumberOrPair;
  /** Zeros around the input. Default 0. */
  readonly padding?: Padding;
  /** Steps between the elements of a window. Default 1. */
  readonly dilation?: NumberOrPair;
  /** Independent groups of channels; as many as channels for a depthwise convolution. Default 1. */
  readonly groups?: number;
}

/**
 * Slides `weight` over `input` and adds `bias`.
 *
 * @param input N×C×H×W
 * @param weight O×(C/G)×H×W
 * @param bias O
 * @returns N×O×H×W, with ⌊(H + padding − span) / stride⌋ + 1 rows, and columns alike
 * @example conv2d(images, weight, bias, { padding: 2 })
 */
export function conv2d(
  input: TensorLike,
  weight: TensorLike,
  bias?: TensorLike | null,
  options: Conv2dOptions = {},
): Tensor {
  const x = asTensor("conv2d", input);
  const w = asTensor("conv2d", weight);
  const stride = asPair("conv2d", "stride", options.stride ?? 1, 1);
  const dilation = asPair("conv2d", "dilation", options.dilation ?? 1, 1);
  const [groups] = asPair("conv2d", "groups", options.groups ?? 1, 1);
  const size: Pair = [x.shape[2], x.shape[3]];
  const kernel: Pair = [w.shape[2], w.shape[3]];
  const padding = resolvePadding("conv2d", options.padding ?? 0, size, kernel, stride, dilation);
  const result = conv2dOp({ input: x, weight: w }, { stride, padding, dilation, groups }) as Tensor;
  if (bias === undefined || bias === null) return result;
  const b = asTensor("conv2d", bias);
  if (b.rank !== 1 || b.shape[0] !== w.shape[0]) {
    throw new ShapeError(
      `conv2d: the bias is ${formatShape(b.shape)}. Expected ${w.shape[0]}, one for each output channel.`,
    );
  }
  return add(result, reshape(b, [w.shape[0], 1, 1])) as Tensor;
}
