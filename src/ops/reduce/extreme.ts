/** Largest and smallest elements, and where they are. */

import { ShapeError } from "../../core/errors.js";
import { formatShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from "../../core/shape.js";
import { defineOp, nonDifferentiable, sameDType } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { div, mul } from "../elementwise/arithmetic.js";
import { equal } from "../elementwise/comparison.js";
import { cast } from "../elementwise/select.js";
import { reshape } from "../shape/reshape.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { forEachGroup, type ReduceParams, reducedShape } from "./axes.js";
import { type ReduceOptions, reducedCount, sum } from "./sum.js";

const defineExtreme = <Name extends "max" | "min">(
  name: Name,
  first: number,
  better: (a: number, b: number) => boolean,
) =>
  defineOp<Name, "input", ReduceParams>({
    name,
    inputs: ["input"],
    shape: ({ input }, params) => {
      if (reducedCount(input, params.axes) === 0 && reducedCount(reducedShape(input, params), [0]) !== 0) {
        throw new ShapeError(
          `${name}: ${formatShape(input)} has no elements along axes [${params.axes.join(", ")}] to choose from. Expected at least one.`,
        );
      }
      return reducedShape(input, params);
    },
    dtype: sameDType(name, ["float32", "int32"]),
    reference: ({ input }, { axes }, output) => {
      const seen = new Uint8Array(output.data.length);
      output.data.fill(first);
      forEachGroup(input.shape, axes, (from, to) => {
        const value = input.data[from];
        if (seen[to] === 0 || Number.isNaN(value) || better(value, output.data[to])) output.data[to] = value;
        seen[to] = 1;
      });
    },
    // Shared evenly among equal elements, as PyTorch's amax and amin do.
    gradient: ({ input }, { axes }, upstream, output) => ({
      input: () => {
        const kept = reducedShape(input.shape, { axes, keepdim: true });
        const winners = cast(equal(input, reshape(output, kept)), "float32");
        const share = div(reshape(upstream, kept), sum(winners, axes, { keepdim: true }));
        return mul(winners, share) as Tensor;
      },
    }),
    cost: ({ input }) => ({ macs: 0, operations: sizeOf(input) }),
    samples: [
      {
        inputs: { input: { shape: [3, 4, 5], dtype: "float32", distinct: true } },
        params: { axes: [0, 1, 2], keepdim: false },
      },
      {
        inputs: { input: { shape: [3, 4, 5], dtype: "float32", distinct: true } },
        params: { axes: [1], keepdim: true },
      },
      { inputs: { input: { shape: [6, 5], dtype: "float32", distinct: true } }, params: { axes: [1], keepdim: false } },
    ],
  });

export const maxOp = defineExtreme("max", Number.NEGATIVE_INFINITY, (a, b) => a > b);
export const minOp = defineExtreme("min", Number.POSITIVE_INFINITY, (a, b) => a < b);

export interface ArgParams {
  readonly axis: number;
  readonly keepdim: boolean;
}

const defineArgExtreme = <Name extends "argMax" | "argMin">(name: Name, better: (a: number, b: number) => boolean) =>
  defineOp<Name, "input", ArgParams>({
    name,
    inputs: ["input"],
    shape: ({ input }, { axis, keepdim }) => {
      if (input[axis] === 0)
        throw new ShapeError(
          `${name}: axis ${axis} of ${formatShape(input)} has no elements to choose from. Expected at least one.`,
        );
      return reducedShape(input, { axes: [axis], keepdim });
    },
    dtype: (dtypes) => {
      sameDType(name, ["float32", "int32"])(dtypes);
      return "int32";
    },
    indexBelow: ({ input }, { axis }) => input[axis],
    reference: ({ input }, { axis }, output) => {
      const best = new Float64Array(output.data.length);
      forEachGroup(input.shape, [axis], (from, to, index) => {
        const value = input.data[from];
        const wins = better(value, best[to]) || (Number.isNaN(value) && !Number.isNaN(best[to]));
        if (index[axis] !== 0 && !wins) return;
        best[to] = value;
        output.data[to] = index[axis];
      });
    },
    gradient: nonDifferentiable("an index does not vary smoothly"),
    cost: ({ input }) => ({ macs: 0, operations: sizeOf(input) }),
    samples: [
      { inputs: { input: [4, 7] }, params: { axis: 1, keepdim: false } },
      { inputs: { input: [4, 7, 2] }, params: { axis: 0, keepdim: true } },
    ],
  });

export const argMaxOp = defineArgExtreme("argMax", (a, b) => a > b);
export const argMinOp = defineArgExtreme("argMin", (a, b) => a < b);

type Numeric = "float32" | "int32";

/** The largest elements over some axes, or over all; NaN wins. @example max(x, 1) */
export function max<D extends Numeric>(
  x: TensorLike<Shape, D>,
  axis?: number | readonly number[],
  { keepdim = false }: ReduceOptions = {},
): Tensor<Shape, D> {
  const input = asTensor("max", x);
  return maxOp({ input }, { axes: normalizeAxes("max", axis, input.rank), keepdim }) as Tensor<Shape, D>;
}

/** The smallest elements over some axes, or over all; NaN wins. */
export function min<D extends Numeric>(
  x: TensorLike<Shape, D>,
  axis?: number | readonly number[],
  { keepdim = false }: ReduceOptions = {},
): Tensor<Shape, D> {
  const input = asTensor("min", x);
  return minOp({ input }, { axes: normalizeAxes("min", axis, input.rank), keepdim }) as Tensor<Shape, D>;
}

/** Where along `axis` the largest element is; the first of equal ones. @example argmax(logits, -1) // the classes */
export function argmax(
  x: TensorLike<Shape, Numeric>,
  axis = -1,
  { keepdim = false }: ReduceOptions = {},
): Tensor<Shape, "int32"> {
  const input = asTensor("argmax", x);
  return argMaxOp({ input }, { axis: normalizeAxis("argmax", axis, input.rank), keepdim }) as Tensor<Shape, "int32">;
}

/** Where along `axis` the smallest element is; the first of equal ones. */
export function argmin(
  x: TensorLike<Shape, Numeric>,
  axis = -1,
  { keepdim = false }: ReduceOptions = {},
): Tensor<Shape, "int32"> {
  const input = asTensor("argmin", x);
  return argMinOp({ input }, { axis: normalizeAxis("argmin", axis, input.rank), keepdim }) as Tensor<Shape, "int32">;
}
