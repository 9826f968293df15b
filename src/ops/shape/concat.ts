/** Joining tensors. */

import type { DType } from "../../core/dtype.js";
import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, normalizeAxis, type Shape, sameShape } from "../../core/shape.js";
import { defineOp, sameDType } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { forEachGroup } from "../reduce/axes.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { unsqueeze } from "./reshape.js";
import { type Range, slice } from "./slice.js";

export const concatOp = defineOp<"concat", string, { readonly axis: number }>({
  name: "concat",
  inputs: [],
  variadic: true,
  shape: (shapes, { axis }) => {
    const list = Object.values(shapes);
    const [first] = list;
    for (const shape of list) {
      if (shape.length !== first.length || shape.some((length, i) => i !== axis && length !== first[i])) {
        throw new ShapeError(
          `concat: ${list.map(formatShape).join(", ")} cannot be joined along axis ${axis}. Expected equal lengths on all other axes.`,
        );
      }
    }
    return first.map((length, i) => (i === axis ? list.reduce((sum, shape) => sum + shape[axis], 0) : length));
  },
  dtype: sameDType("concat", ["float32", "int32", "uint8", "bool"]),
  reference: (inputs, { axis }, output) => {
    let start = 0;
    const inner = output.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    for (const { data, shape } of Object.values(inputs)) {
      forEachGroup(shape, [], (position, _, index) => {
        let at = 0;
        for (let i = 0; i < axis; i++) at = at * output.shape[i] + index[i];
        at = (at * output.shape[axis] + start + index[axis]) * inner;
        for (let i = axis + 1, within = 0; i <= shape.length; i++) {
          if (i === shape.length) at += within;
          else within = within * shape[i] + index[i];
        }
        output.data[at] = data[position];
      });
      start += shape[axis];
    }
  },
  gradient: (inputs, { axis }, upstream) => {
    let start = 0;
    const thunks: Record<string, () => Tensor> = {};
    for (const [name, input] of Object.entries(inputs)) {
      const range: Range = [start, start + input.shape[axis]];
      thunks[name] = () => slice(upstream, ...input.shape.map((_, i): Range => (i === axis ? range : null)));
      start += input.shape[axis];
    }
    return thunks;
  },
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { 0: [2, 3], 1: [4, 3] }, params: { axis: 0 } },
    { inputs: { 0: [2, 3, 2], 1: [2, 1, 2], 2: [2, 2, 2] }, params: { axis: 1 } },
  ],
});

/** Joins tensors along an existing axis. @example concat([a, b], 1) // channels of a, then of b */
export function concat<D extends DType>(tensors: readonly TensorLike<Shape, D>[], axis = 0): Tensor<Shape, D> {
  if (tensors.length === 0) throw new ArgumentError("concat: got no tensors. Expected at least one.");
  const list = tensors.map((tensor) => asTensor("concat", tensor));
  const along = normalizeAxis("concat", axis, list[0].rank);
  return concatOp(Object.fromEntries(list.entries()), { axis: along }) as Tensor<Shape, D>;
}

/** Joins tensors of one shape along a new axis. @example stack([a, b]) // shape [2, …] */
export function stack<D extends DType>(tensors: readonly TensorLike<Shape, D>[], axis = 0): Tensor<Shape, D> {
  const list = tensors.map((tensor) => asTensor("stack", tensor));
  if (list.some(({ shape }) => !sameShape(shape, list[0].shape)))
    throw new ShapeError(`stack: ${list.map(({ shape }) => formatShape(shape)).join(", ")}. Expected equal shapes.`);
  return concat(
    list.map((tensor) => unsqueeze(tensor, axis)),
    axis,
  );
}
