/** Average pooling; its gradient is shared evenly over each window. */

import { ShapeError } from "../../core/errors.js";
import { formatShape, type Shape, sameShape } from "../../core/shape.js";
import { defineOp, sameDType } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { type AveragePool2dParams, forEachInWindow, pooledElements, pooledShape } from "./geometry.js";

/**
 * What the window of each output element of one plane is divided by: the input elements that it covers, or with
 * `countPadding` all positions within the input and its border (a window that overhangs further is cut off there).
 */
function divisors(input: Shape, output: Shape, params: AveragePool2dParams): Float64Array {
  const { kernel, stride, padding, dilation, countPadding } = params;
  const covered = (axis: 0 | 1, position: number): number => {
    const size = input[2 + axis];
    const [before, after] = [padding[2 * axis], padding[2 * axis + 1]];
    let count = 0;
    for (let k = 0; k < kernel[axis]; k++) {
      const at = position * stride[axis] + k * dilation[axis] - before;
      if (countPadding ? at < size + after : at >= 0 && at < size) count++;
    }
    return count;
  };
  const [, , rows, columns] = output;
  return Float64Array.from(
    { length: rows * columns },
    (_, i) => covered(0, Math.floor(i / columns)) * covered(1, i % columns),
  );
}

const samples = [
  {
    input: [2, 3, 6, 8],
    output: [2, 3, 3, 4],
    params: {
      kernel: [2, 2],
      stride: [2, 2],
      padding: [0, 0, 0, 0],
      dilation: [1, 1],
      ceil: false,
      countPadding: true,
    },
  },
  {
    input: [1, 2, 9, 7],
    output: [1, 2, 5, 4],
    params: { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], dilation: [1, 1], ceil: true, countPadding: true },
  },
  {
    input: [2, 1, 8, 9],
    output: [2, 1, 8, 5],
    params: {
      kernel: [2, 3],
      stride: [1, 2],
      padding: [0, 1, 1, 1],
      dilation: [1, 1],
      ceil: false,
      countPadding: false,
    },
  },
] as const satisfies readonly { input: Shape; output: Shape; params: AveragePool2dParams }[];

export const averagePool2dOp = defineOp<"averagePool2d", "input", AveragePool2dParams>({
  name: "averagePool2d",
  inputs: ["input"],
  shape: ({ input }, params) => pooledShape("avgPool2d", input, params),
  dtype: sameDType("avgPool2d", ["float32"]),
  reference: ({ input }, params, output) => {
    const divisor = divisors(input.shape, output.shape, params);
    output.data.fill(0);
    forEachInWindow(input.shape, output.shape, params, (inputAt, outputAt) => {
      output.data[outputAt] += input.data[inputAt] / divisor[outputAt % divisor.length];
    });
  },
  gradient: ({ input }, params, upstream) => ({
    input: (): Tensor => averagePool2dGradientOp({ upstream }, { ...params, input: input.shape }) as Tensor,
  }),
  cost: (_, params, output) => ({ macs: 0, operations: pooledElements(output, params) }),
  samples: samples.map(({ input, params }) => ({ inputs: { input }, params })),
});

export interface GradientParams extends AveragePool2dParams {
  /** Shape of the input that the gradient is for. */
  readonly input: Shape;
}

export const averagePool2dGradientOp = defineOp<"averagePool2dGradient", "upstream", GradientParams>({
  name: "averagePool2dGradient",
  inputs: ["upstream"],
  shape: ({ upstream }, params) => {
    const expected = pooledShape("avgPool2d", params.input, params);
    if (!sameShape(upstream, expected)) {
      throw new ShapeError(
        `averagePool2dGradient: the upstream gradient is ${formatShape(upstream)}, but pooling gives ${formatShape(expected)}.`,
      );
    }
    return params.input;
  },
  dtype: sameDType("averagePool2dGradient", ["float32"]),
  reference: ({ upstream }, params, output) => {
    const divisor = divisors(params.input, upstream.shape, params);
    output.data.fill(0);
    forEachInWindow(params.input, upstream.shape, params, (inputAt, outputAt) => {
      output.data[inputAt] += upstream.data[outputAt] / divisor[outputAt % divisor.length];
    });
  },
  gradient: (_, { input: __, ...params }, upstream) => ({
    upstream: (): Tensor => averagePool2dOp({ input: upstream }, params) as Tensor,
  }),
  cost: ({ upstream }, params) => ({ macs: 0, operations: pooledElements(upstream, params) }),
  samples: samples.map(({ input, output, params }) => ({ inputs: { upstream: output }, params: { ...params, input } })),
});
