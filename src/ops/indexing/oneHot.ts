/** Indices as vectors, and counting. */

import { ArgumentError } from "../../core/errors.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import { defineOp, nonDifferentiable } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { tensor } from "../create.js";
import { add, mul } from "../elementwise/arithmetic.js";
import { equal } from "../elementwise/comparison.js";
import { cast } from "../elementwise/select.js";
import { reshape } from "../shape/reshape.js";
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

/**
 * 0, 1, …, n − 1 as int32; or from `start` up to but without `end`, as Python's range.
 *
 * @example arange(2, 11, 3) // [2, 5, 8]
 */
export function arange(n: number): Tensor<[number], "int32">;
export function arange(start: number, end: number, step?: number): Tensor<[number], "int32">;
export function arange(first: number, end?: number, step = 1): Tensor<[number], "int32"> {
  const [from, to] = end === undefined ? [0, first] : [first, end];
  if (![from, to, step].every(Number.isInteger) || step === 0 || (end === undefined && to < 0)) {
    const given = end === undefined ? `${first}` : `${from}, ${to}, ${step}`;
    throw new ArgumentError(
      `arange: ${given}. Expected integers, and a step other than 0. Fix: linspace() for other numbers.`,
    );
  }
  const count = Math.max(0, Math.ceil((to - from) / step));
  const counted = iotaOp({}, { shape: [count] }) as Tensor<[number], "int32">;
  const stepped = step === 1 ? counted : mul(counted, step);
  return (from === 0 ? stepped : add(stepped, from)) as Tensor<[number], "int32">;
}

/** `count` numbers at equal distances, the first `start` and the last `end`. @example linspace(0, 1, 5) // [0, ¼, ½, ¾, 1] */
export function linspace(start: number, end: number, count: number): Tensor<[number]> {
  if (!Number.isInteger(count) || count < 1)
    throw new ArgumentError(`linspace: ${count} numbers. Expected an integer of 1 or more.`);
  const share = (i: number) => (count === 1 ? 0 : i / (count - 1));
  return tensor(Float32Array.from({ length: count }, (_, i) => start * (1 - share(i)) + end * share(i)));
}

/** Ones on the diagonal, zeros elsewhere. @param columns default: as many as rows */
export function eye(rows: number, columns = rows): Tensor<[number, number]> {
  for (const length of [rows, columns]) {
    if (!Number.isInteger(length) || length < 0)
      throw new ArgumentError(`eye: ${rows} rows and ${columns} columns. Expected integers of 0 or more.`);
  }
  const diagonal = equal(reshape(arange(rows), [rows, 1]), arange(columns));
  return cast(diagonal, "float32") as Tensor<[number, number]>;
}
