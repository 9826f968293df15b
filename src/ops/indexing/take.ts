/** Picking whole rows (or other slices) by index, and their gradient. */

import type { DType } from "../../core/dtype.js";
import { normalizeAxis, type Shape, sizeOf } from "../../core/shape.js";
import { defineOp, type ReferenceArray, type SampleInput } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { indexedDType } from "./alongAxis.js";

const below = (limit: number, ...shape: number[]): SampleInput => ({ shape, dtype: "int32", below: limit });

/** Visits every element of the picked slices: its place among them, and its place in `whole`. */
function forEachPicked(
  whole: Shape,
  indices: ReferenceArray,
  axis: number,
  visit: (pickedAt: number, wholeAt: number) => void,
): void {
  const outer = sizeOf(whole.slice(0, axis));
  const inner = sizeOf(whole.slice(axis + 1));
  const count = indices.data.length;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < inner; i++) {
        visit((o * count + k) * inner + i, (o * whole[axis] + indices.data[k]) * inner + i);
      }
    }
  }
}

export const takeOp = defineOp<"take", "input" | "indices", { readonly axis: number }>({
  name: "take",
  inputs: ["input", "indices"],
  indexLimit: ({ input }, { axis }) => input[axis],
  indexMend: "check the indices, or the axis that they pick from",
  shape: ({ input, indices }, { axis }) => [...input.slice(0, axis), ...indices, ...input.slice(axis + 1)],
  dtype: ({ input, indices }) => indexedDType("take", input, indices),
  reference: ({ input, indices }, { axis }, output) => {
    forEachPicked(input.shape, indices, axis, (to, from) => {
      output.data[to] = input.data[from];
    });
  },
  gradient: ({ input, indices }, { axis }, upstream) => ({
    input: (): Tensor => scatterTakeOp({ upstream, indices }, { axis, length: input.shape[axis] }) as Tensor,
  }),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { input: [5, 3], indices: below(5, 7) }, params: { axis: 0 } },
    { inputs: { input: [2, 4, 3], indices: below(4, 2, 2) }, params: { axis: 1 } },
  ],
});

export interface ScatterTakeParams {
  readonly axis: number;
  /** Length of the axis in the result. */
  readonly length: number;
}

/** The axes of `upstream` that are indices' axes, replaced by one. */
function wholeShape(upstream: Shape, indices: Shape, { axis, length }: ScatterTakeParams): Shape {
  return [...upstream.slice(0, axis), length, ...upstream.slice(axis + indices.length)];
}

export const scatterTakeOp = defineOp<"scatterTake", "upstream" | "indices", ScatterTakeParams>({
  name: "scatterTake",
  inputs: ["upstream", "indices"],
  indexLimit: (_, { length }) => length,
  shape: ({ upstream, indices }, params) => wholeShape(upstream, indices, params),
  dtype: ({ upstream, indices }) => indexedDType("scatterTake", upstream, indices),
  reference: ({ upstream, indices }, { axis }, output) => {
    output.data.fill(0);
    forEachPicked(output.shape, indices, axis, (from, to) => {
      output.data[to] += upstream.data[from];
    });
  },
  gradient: ({ indices }, { axis }, upstream) => ({
    upstream: (): Tensor => takeOp({ input: upstream, indices }, { axis }) as Tensor,
  }),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { upstream: [7, 3], indices: below(5, 7) }, params: { axis: 0, length: 5 } },
    { inputs: { upstream: [2, 2, 2, 3], indices: below(4, 2, 2) }, params: { axis: 1, length: 4 } },
  ],
});

/**
 * The slices that `indices` name along `axis`: PyTorch's `index_select`, an embedding's look-up.
 *
 * @example take(images, tensor([2, 0, 5], { dtype: "int32" })) // pictures 2, 0 and 5
 */
export function take<D extends DType>(
  x: TensorLike<Shape, D>,
  indices: TensorLike<Shape, "int32">,
  axis = 0,
): Tensor<Shape, D> {
  const input = asTensor("take", x);
  const along = normalizeAxis("take", axis, input.rank);
  return takeOp({ input, indices: asTensor("take", indices) }, { axis: along }) as Tensor<Shape, D>;
}
