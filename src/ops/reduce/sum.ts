/** Sums, and their opposite: stretching. Each is the other's gradient. */

import type { DType } from "../../core/dtype.js";
import { ShapeError } from "../../core/errors.js";
import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  normalizeAxes,
  type Shape,
  sameShape,
  sizeOf,
} from "../../core/shape.js";
import { defineOp, sameDType } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { reshape } from "../shape/reshape.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { forEachGroup, type ReduceParams, reducedShape } from "./axes.js";

export const sumOp = defineOp<"sum", "input", ReduceParams>({
  name: "sum",
  inputs: ["input"],
  shape: ({ input }, params) => reducedShape(input, params),
  dtype: sameDType("sum", ["float32", "int32"]),
  reference: ({ input }, { axes }, output) => {
    output.data.fill(0);
    forEachGroup(input.shape, axes, (from, to) => {
      output.data[to] += input.data[from];
    });
  },
  gradient: ({ input }, { axes }, upstream) => ({
    input: () => {
      const kept = reducedShape(input.shape, { axes, keepdim: true });
      return expand(reshape(upstream, kept), input.shape) as Tensor;
    },
  }),
  cost: ({ input }) => ({ macs: 0, operations: sizeOf(input) }),
  samples: [
    { inputs: { input: [3, 4, 5] }, params: { axes: [0, 1, 2], keepdim: false } },
    { inputs: { input: [3, 4, 5] }, params: { axes: [1], keepdim: true } },
    { inputs: { input: [2, 3, 4, 5] }, params: { axes: [0, 2, 3], keepdim: false } },
    { inputs: { input: [7] }, params: { axes: [], keepdim: false } },
  ],
});

export const expandOp = defineOp<"expand", "input", { readonly shape: Shape }>({
  name: "expand",
  inputs: ["input"],
  kind: "stretch",
  shape: ({ input }, { shape }) => {
    if (!sameShape(broadcastShapes("expand", input, shape), shape)) {
      throw new ShapeError(
        `expand: ${formatShape(input)} does not stretch to ${formatShape(shape)}: only axes of length 1 can.`,
      );
    }
    return shape;
  },
  dtype: ({ input }) => input,
  reference: ({ input }, { shape }, output) => {
    const strides = broadcastStrides(input.shape, shape);
    forEachGroup(shape, [], (position, _, index) => {
      let from = 0;
      for (let axis = 0; axis < shape.length; axis++) from += index[axis] * strides[axis];
      output.data[position] = input.data[from];
    });
  },
  gradient: ({ input }, _, upstream) => ({ input: () => sumTo(upstream, input.shape) }),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { input: [3, 1] }, params: { shape: [2, 3, 4] } },
    { inputs: { input: [] }, params: { shape: [3] } },
  ],
});

/** The sum over the axes along which `shape` would have to be stretched: the gradient of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const axes: number[] = [];
  for (let axis = 0; axis < x.rank; axis++) {
    if (axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1)) axes.push(axis);
  }
  return reshape(sumOp({ input: x }, { axes, keepdim: false }) as Tensor, shape);
}

export interface ReduceOptions {
  /** Keep reduced axes with length 1. Default: drop them. */
  readonly keepdim?: boolean;
}

/** The sum over some axes, or over all. @example sum(x, [2, 3]) */
export function sum<D extends "float32" | "int32">(
  x: TensorLike<Shape, D>,
  axis?: number | readonly number[],
  { keepdim = false }: ReduceOptions = {},
): Tensor<Shape, D> {
  const input = asTensor("sum", x);
  const axes = normalizeAxes("sum", axis, input.rank);
  return sumOp({ input }, { axes, keepdim }) as Tensor<Shape, D>;
}

/** Stretches axes of length 1, and adds axes in front, without changing values. */
export function expand<const S extends Shape, D extends DType>(x: TensorLike<Shape, D>, shape: S): Tensor<S, D> {
  const input = asTensor("expand", x);
  return (sameShape(input.shape, shape) ? input : expandOp({ input }, { shape })) as Tensor<S, D>;
}

/** Number of elements that one result of a reduction over `axes` is made of. */
export function reducedCount(shape: Shape, axes: readonly number[]): number {
  return sizeOf(axes.map((axis) => shape[axis]));
}
