/** The order of elements along an axis, and what is found by it. */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from "../../core/shape.js";
import { defineOp, nonDifferentiable, sameDType } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { add, mul, sub } from "../elementwise/arithmetic.js";
import { isnan } from "../elementwise/derived.js";
import { where } from "../elementwise/select.js";
import { reducedShape } from "../reduce/axes.js";
import { any } from "../reduce/statistics.js";
import type { ReduceOptions } from "../reduce/sum.js";
import { permute } from "../shape/permute.js";
import { reshape } from "../shape/reshape.js";
import { type Range, slice } from "../shape/slice.js";
import { asFloats, asTensor, type TensorLike } from "../tensors.js";
import { takeAlongAxis } from "./alongAxis.js";

type Numeric = "float32" | "int32";
type Indices = Tensor<Shape, "int32">;

export interface ArgSortParams {
  readonly axis: number;
  readonly descending: boolean;
  /** How many to give, the first ones in order. */
  readonly count: number;
}

export const argSortOp = defineOp<"argSort", "input", ArgSortParams>({
  name: "argSort",
  inputs: ["input"],
  shape: ({ input }, { axis, count }) => input.map((length, i) => (i === axis ? count : length)),
  dtype: (dtypes) => {
    sameDType("argSort", ["float32", "int32"])(dtypes);
    return "int32";
  },
  indexBelow: ({ input }, { axis }) => input[axis],
  reference: ({ input }, { axis, descending, count }, output) => {
    const length = input.shape[axis];
    const inner = sizeOf(input.shape.slice(axis + 1));
    // NaN counts as larger than everything else.
    const compare = (a: number, b: number): number => {
      if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
      return a < b ? -1 : a > b ? 1 : 0;
    };
    for (let row = 0; row < input.data.length / Math.max(length, 1); row++) {
      const [outer, column] = [Math.floor(row / inner), row % inner];
      const value = (i: number) => input.data[(outer * length + i) * inner + column];
      const order = Array.from({ length }, (_, i) => i);
      order.sort((a, b) => (descending ? compare(value(b), value(a)) : compare(value(a), value(b))) || a - b);
      order.slice(0, count).forEach((from, to) => {
        output.data[(outer * count + to) * inner + column] = from;
      });
    }
  },
  gradient: nonDifferentiable("an order does not vary smoothly"),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { input: [4, 37] }, params: { axis: 1, descending: false, count: 37 } },
    { inputs: { input: [4, 100] }, params: { axis: 1, descending: true, count: 7 } },
    {
      inputs: { input: { shape: [3, 21, 2], dtype: "int32", below: 5 } },
      params: { axis: 1, descending: true, count: 21 },
    },
  ],
});

export interface SortOptions {
  /** The largest first. Default: the smallest. */
  readonly descending?: boolean;
  /** Only so many, the first in order. Default: all. */
  readonly count?: number | undefined;
}

/** Elements in another order, and where they were. */
export interface Ordered<D extends Numeric = "float32"> {
  readonly values: Tensor<Shape, D>;
  readonly indices: Tensor<Shape, "int32">;
}

/** Where along `axis` the smallest element is, the next one, and so on; equal ones keep their order, NaN comes last. */
export function argsort(
  x: TensorLike<Shape, Numeric>,
  axis = -1,
  { descending = false, count }: SortOptions = {},
): Tensor<Shape, "int32"> {
  const input = asTensor("argsort", x);
  const along = normalizeAxis("argsort", axis, input.rank);
  const length = input.shape[along];
  if (count !== undefined && !(Number.isInteger(count) && count >= 0 && count <= length))
    throw new ArgumentError(
      `argsort: the count is ${count}. Expected an integer from 0 to ${length}, the axis's length.`,
    );
  return argSortOp({ input }, { axis: along, descending, count: count ?? length }) as Indices;
}

/**
 * The elements along `axis` from the smallest to the largest, and where they were. Equal ones keep their order, and NaN
 * counts as the largest.
 *
 * @example const { values, indices } = sort(scores, -1, { descending: true });
 */
export function sort<D extends Numeric>(x: TensorLike<Shape, D>, axis = -1, options: SortOptions = {}): Ordered<D> {
  const input: Tensor<Shape, D> = asTensor("sort", x);
  const along = normalizeAxis("sort", axis, input.rank);
  const indices = argsort(input, along, options);
  return { values: takeAlongAxis(input, indices, along), indices };
}

/**
 * The `k` largest elements along `axis`, the largest first, and where they are.
 *
 * @example const { values, indices } = topk(probabilities, 5);
 */
export function topk(x: TensorLike, k: number, axis = -1): Ordered {
  const input: Tensor = asFloats("topk", x);
  const along = normalizeAxis("topk", axis, input.rank);
  const length = input.shape[along];
  if (!Number.isInteger(k) || k < 1 || k > length)
    throw new ArgumentError(`topk: k is ${k}. Expected an integer from 1 to ${length}, the length of axis ${along}.`);
  return sort(input, along, { descending: true, count: k });
}

/** The elements of some axes in order along a new last axis, and a choice of what is given where NaN is among them. */
function inOrder(op: string, x: TensorLike, axis: number | readonly number[] | undefined) {
  const input: Tensor = asFloats(op, x);
  const axes = normalizeAxes(op, axis, input.rank);
  const kept = input.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const count = sizeOf(axes.map((i) => input.shape[i]));
  if (count === 0)
    throw new ShapeError(
      `${op}: ${formatShape(input.shape)} has no elements along axes [${axes.join(", ")}]. Expected at least one.`,
    );
  const rows = reshape(permute(input, [...kept, ...axes]), [...kept.map((i) => input.shape[i]), count]);
  const { values } = sort(rows);
  const missing = any(isnan(rows), -1);
  // NaN comes last.
  const unlessMissing = (result: Tensor): Tensor => where(missing, at(values, count - 1), result);
  return { input, axes, count, values, unlessMissing };
}

/**
 * The middle element over some axes, or over all; the lower one of two, as in PyTorch, and NaN where there is any. The
 * mean of both is `quantile(x, 0.5)`.
 */
export function median(
  x: TensorLike,
  axis?: number | readonly number[],
  { keepdim = false }: ReduceOptions = {},
): Tensor {
  const { input, axes, count, values, unlessMissing } = inOrder("median", x, axis);
  const middle = at(values, Math.floor((count - 1) / 2));
  return reshape(unlessMissing(middle), reducedShape(input.shape, { axes, keepdim }));
}

/**
 * What a share `q` of the elements is below, over some axes or over all: between two elements along a straight line, and
 * NaN where there is any.
 *
 * @param q 0 … 1
 * @example quantile(losses, 0.9)
 */
export function quantile(
  x: TensorLike,
  q: number,
  axis?: number | readonly number[],
  { keepdim = false }: ReduceOptions = {},
): Tensor {
  if (!(q >= 0 && q <= 1)) throw new ArgumentError(`quantile: q is ${q}. Expected a number from 0 to 1.`);
  const { input, axes, count, values, unlessMissing } = inOrder("quantile", x, axis);
  const position = q * (count - 1);
  const below = Math.floor(position);
  const lower = at(values, below);
  const between = position === below ? lower : add(lower, mul(sub(at(values, below + 1), lower), position - below));
  return reshape(unlessMissing(between), reducedShape(input.shape, { axes, keepdim }));
}

/** Element `i` of the last axis. */
function at(x: Tensor, i: number): Tensor {
  return slice(x, ...x.shape.map((_, axis): Range => (axis === x.rank - 1 ? i : null)));
}
