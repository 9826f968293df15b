/** Indices as vectors, and counting. */

import { ArgumentError } from "../../core/errors.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import { defineOp, nonDifferentiable } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { indexedDType } from "./alongAxis.js";

export const oneHotOp = defineOp<"oneHot", "indices", { readonly classes: number }>({
  name: "oneHot",
  inputs: ["indices"],
  indexLimit: (_, { classes }) => classes,
  shape: ({ indices }, { classes }) => [...indices, classes],
  dtype: ({ indices }) => indexedDType("oneHot", "float32", indices),
  reference: ({ indices }, { classes }, output) => {
    output.data.fill(0);
    for (let i = 0; i < indices.data.length; i++) output.data[i * classes + indices.data[i]] = 1;
  },
  gradient: nonDifferentiable("an index does not vary smoothly"),
  cost: () => ({ macs: 0 }),
  samples: [{ inputs: { indices: { shape: [3, 4], dtype: "int32", below: 5 } }, params: { classes: 5 } }],
});

export const iotaOp = defineOp<"iota", never, { readonly shape: Shape }>({
  name: "iota",
  inputs: [],
  shape: (_, { shape }) => shape,
  dtype: () => "int32",
  reference: (_, { shape }, output) => {
    for (let i = 0; i < sizeOf(shape); i++) output.data[i] = i;
  },
  gradient: nonDifferentiable("it has no inputs"),
  cost: () => ({ macs: 0 }),
  samples: [{ inputs: {}, params: { shape: [3, 5] } }],
});

/**
 * A 1 at each index along a new last axis, 0 elsewhere; float32.
 *
 * @example oneHot(tensor([2, 0], { dtype: "int32" }), 3) // [[0, 0, 1], [1, 0, 0]]
 */
export function oneHot(indices: TensorLike<Shape, "int32">, classes: number): Tensor {
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ArgumentError(`oneHot: ${classes} classes. Expected an integer of 1 or more.`);
  }
  return oneHotOp({ indices: asTensor("oneHot", indices) }, { classes }) as Tensor;
}

/** 0, 1, …, n − 1 as int32. */
export function arange(n: number): Tensor<[number], "int32"> {
  if (!Number.isInteger(n) || n < 0) throw new ArgumentError(`arange: ${n}. Expected an integer of 0 or more.`);
  return iotaOp({}, { shape: [n] }) as Tensor<[number], "int32">;
}
