/**
 * The ops of two-dimensional convolution (cross-correlation, as everywhere in deep learning): NCHW input, OIHW weight.
 * N batch, C input channels, O output channels, H height, W width, G groups.
 */

import { ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import { defineOp, type ReferenceArray, sameDType } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { type Conv2dParams, convolvedShape } from "./geometry.js";

const outputShape = (input: Shape, weight: Shape, params: Conv2dParams): Shape =>
  convolvedShape("conv2d", input, weight, params);

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
