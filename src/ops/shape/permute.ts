/** Exchanging axes. */

import type { DType } from "../../core/dtype.js";
import { ShapeError } from "../../core/errors.js";
import { normalizeAxis, type Shape, stridesOf } from "../../core/shape.js";
import { defineOp } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { forEachGroup } from "../reduce/axes.js";
import { asTensor, type TensorLike } from "../tensors.js";

export const permuteOp = defineOp<"permute", "input", { readonly axes: readonly number[] }>({
  name: "permute",
  inputs: ["input"],
  shape: ({ input }, { axes }) => axes.map((axis) => input[axis]),
  dtype: ({ input }) => input,
  reference: ({ input }, { axes }, output) => {
    const strides = stridesOf(input.shape);
    forEachGroup(output.shape, [], (position, _, index) => {
      let from = 0;
      for (let axis = 0; axis < axes.length; axis++) from += index[axis] * strides[axes[axis]];
      output.data[position] = input.data[from];
    });
  },
  gradient: (_, { axes }, upstream) => ({
    input: () =>
      permute(
        upstream,
        axes.map((__, axis) => axes.indexOf(axis)),
      ),
  }),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { input: [3, 4] }, params: { axes: [1, 0] } },
    { inputs: { input: [2, 3, 4, 5] }, params: { axes: [2, 0, 3, 1] } },
  ],
});

/** Puts the axes into another order. @example permute(nhwc, [0, 3, 1, 2]) // N×H×W×C → N×C×H×W */
export function permute<D extends DType>(x: TensorLike<Shape, D>, axes: readonly number[]): Tensor<Shape, D> {
  const input = asTensor("permute", x);
  const order = axes.map((axis) => normalizeAxis("permute", axis, input.rank));
  if (new Set(order).size !== input.rank || order.length !== input.rank) {
    throw new ShapeError(
      `permute: [${axes.join(", ")}] does not name each of the ${input.rank} axes once. Expected an order of 0 … ${input.rank - 1}.`,
    );
  }
  if (order.every((axis, i) => axis === i)) return input as Tensor<Shape, D>;
  return permuteOp({ input }, { axes: order }) as Tensor<Shape, D>;
}

/** Exchanges two axes, the last two unless said otherwise: a matrix's transpose. */
export function transpose<D extends DType>(x: TensorLike<Shape, D>, axis0 = -2, axis1 = -1): Tensor<Shape, D> {
  const input = asTensor("transpose", x);
  const a = normalizeAxis("transpose", axis0, input.rank);
  const b = normalizeAxis("transpose", axis1, input.rank);
  return permute(
    input,
    input.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis)),
  );
}
