/** Picking one element for each index along an axis, and its gradient: adding them back. */

import type { DType } from "../../core/dtype.js";
import { DTypeError, ShapeError } from "../../core/errors.js";
import { formatShape, normalizeAxis, type Shape, stridesOf } from "../../core/shape.js";
import { defineOp, type ReferenceArray, type SampleInput } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { forEachGroup } from "../reduce/axes.js";
import { asTensor, type TensorLike } from "../tensors.js";

/** The rule of ops that take int32 indices: the result has the other input's type. */
export function indexedDType(op: string, value: DType, indices: DType): DType {
  if (indices !== "int32") {
    throw new DTypeError(`${op}: indices must be int32, not ${indices}. Fix: .to("int32").`);
  }
  return value;
}

function checkAligned(op: string, input: Shape, indices: Shape, axis: number): void {
  if (input.length !== indices.length || input.some((length, i) => i !== axis && length !== indices[i])) {
    throw new ShapeError(
      `${op}: the input is ${formatShape(input)} and the indices ${formatShape(indices)}. Expected equal lengths on all axes but axis ${axis}.`,
    );
  }
}

/** Visits each index with its place among the indices and the place in `whole` that it names. */
function forEachIndex(
  indices: ReferenceArray,
  whole: Shape,
  axis: number,
  visit: (indexAt: number, wholeAt: number) => void,
): void {
  const strides = stridesOf(whole);
  forEachGroup(indices.shape, [], (position, _, index) => {
    let at = indices.data[position] * strides[axis];
    for (let i = 0; i < whole.length; i++) if (i !== axis) at += index[i] * strides[i];
    visit(position, at);
  });
}

const below = (limit: number, ...shape: number[]): SampleInput => ({ shape, dtype: "int32", below: limit });

export const takeAlongAxisOp = defineOp<"takeAlongAxis", "input" | "indices", { readonly axis: number }>({
  name: "takeAlongAxis",
  inputs: ["input", "indices"],
  indexLimit: ({ input }, { axis }) => input[axis],
  shape: ({ input, indices }, { axis }) => {
    checkAligned("takeAlongAxis", input, indices, axis);
    return indices;
  },
  dtype: ({ input, indices }) => indexedDType("takeAlongAxis", input, indices),
  reference: ({ input, indices }, { axis }, output) => {
    forEachIndex(indices, input.shape, axis, (to, from) => {
      output.data[to] = input.data[from];
    });
  },
  gradient: ({ input, indices }, { axis }, upstream) => ({
    input: (): Tensor => scatterAlongAxisOp({ upstream, indices }, { axis, length: input.shape[axis] }) as Tensor,
  }),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { input: [4, 6], indices: below(6, 4, 1) }, params: { axis: 1 } },
    { inputs: { input: [3, 2, 5], indices: below(3, 4, 2, 5) }, params: { axis: 0 } },
  ],
});

export interface ScatterParams {
  readonly axis: number;
  /** Length of the axis in the result. */
  readonly length: number;
}

export const scatterAlongAxisOp = defineOp<"scatterAlongAxis", "upstream" | "indices", ScatterParams>({
  name: "scatterAlongAxis",
  inputs: ["upstream", "indices"],
  indexLimit: (_, { length }) => length,
  shape: ({ upstream, indices }, { axis, length }) => {
    if (formatShape(upstream) !== formatShape(indices)) {
      throw new ShapeError(
        `scatterAlongAxis: values are ${formatShape(upstream)} but indices ${formatShape(indices)}. Expected equal shapes.`,
      );
    }
    return upstream.map((given, i) => (i === axis ? length : given));
  },
  dtype: ({ upstream, indices }) => indexedDType("scatterAlongAxis", upstream, indices),
  reference: ({ upstream, indices }, { axis }, output) => {
    output.data.fill(0);
    forEachIndex(indices, output.shape, axis, (from, to) => {
      output.data[to] += upstream.data[from];
    });
  },
  gradient: ({ indices }, { axis }, upstream) => ({
    upstream: (): Tensor => takeAlongAxisOp({ input: upstream, indices }, { axis }) as Tensor,
  }),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { upstream: [4, 1], indices: below(6, 4, 1) }, params: { axis: 1, length: 6 } },
    { inputs: { upstream: [4, 2, 5], indices: below(3, 4, 2, 5) }, params: { axis: 0, length: 3 } },
  ],
});

/**
 * For each index the element that it names along `axis`: PyTorch's `gather`. Indices must lie in 0 … length − 1, which
 * is checked while running.
 *
 * @example takeAlongAxis(logProbabilities, unsqueeze(labels, 1), 1)
 */
export function takeAlongAxis<D extends DType>(
  x: TensorLike<Shape, D>,
  indices: TensorLike<Shape, "int32">,
  axis: number,
): Tensor<Shape, D> {
  const input = asTensor("takeAlongAxis", x);
  const along = normalizeAxis("takeAlongAxis", axis, input.rank);
  return takeAlongAxisOp({ input, indices: asTensor("takeAlongAxis", indices) }, { axis: along }) as Tensor<Shape, D>;
}
