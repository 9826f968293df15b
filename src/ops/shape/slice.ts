/** Cutting pieces out of tensors, and placing tensors inside larger ones: each is the other's gradient. */

import type { DType } from "../../core/dtype.js";
import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, normalizeAxes, normalizeAxis, type Shape, sameShape, stridesOf } from "../../core/shape.js";
import { defineOp, type ReferenceArray } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { forEachGroup } from "../reduce/axes.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { reshape } from "./reshape.js";

export interface SliceParams {
  /** Index of the first element along each axis, and how far it is from each to the next (negative: backwards). */
  readonly begin: readonly number[];
  readonly step: readonly number[];
  readonly size: Shape;
}

export interface EmbedParams {
  readonly shape: Shape;
  readonly begin: readonly number[];
  readonly step: readonly number[];
  /** Fills what the input does not cover. */
  readonly value: number;
}

/** Pairs each element of the piece, in order, with its place in the whole. */
function forEachPlace(
  piece: Shape,
  whole: ReferenceArray,
  { begin, step }: { readonly begin: readonly number[]; readonly step: readonly number[] },
  visit: (pieceAt: number, wholeAt: number) => void,
): void {
  const strides = stridesOf(whole.shape);
  forEachGroup(piece, [], (position, _, index) => {
    let at = 0;
    for (let axis = 0; axis < piece.length; axis++) at += (begin[axis] + index[axis] * step[axis]) * strides[axis];
    visit(position, at);
  });
}

export const sliceOp = defineOp<"slice", "input", SliceParams>({
  name: "slice",
  inputs: ["input"],
  shape: (_, { size }) => size,
  dtype: ({ input }) => input,
  reference: ({ input }, params, output) => {
    forEachPlace(params.size, input, params, (to, from) => {
      output.data[to] = input.data[from];
    });
  },
  gradient: ({ input }, { begin, step }, upstream) => ({
    input: (): Tensor => embedOp({ input: upstream }, { shape: input.shape, begin, step, value: 0 }) as Tensor,
  }),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { input: [5, 6] }, params: { begin: [1, 2], step: [1, 1], size: [3, 4] } },
    { inputs: { input: [5, 6, 3] }, params: { begin: [4, 0, 1], step: [-2, 3, 1], size: [3, 2, 2] } },
  ],
});

export const embedOp = defineOp<"embed", "input", EmbedParams>({
  name: "embed",
  inputs: ["input"],
  shape: (_, { shape }) => shape,
  dtype: ({ input }) => input,
  reference: ({ input }, params, output) => {
    output.data.fill(params.value);
    forEachPlace(input.shape, output, params, (from, to) => {
      output.data[to] = input.data[from];
    });
  },
  gradient: ({ input }, { begin, step }, upstream) => ({
    input: (): Tensor => sliceOp({ input: upstream }, { begin, step, size: input.shape }) as Tensor,
  }),
  cost: () => ({ macs: 0 }),
  samples: [
    { inputs: { input: [2, 3] }, params: { shape: [4, 5], begin: [1, 0], step: [1, 1], value: 1.5 } },
    { inputs: { input: [2, 3] }, params: { shape: [4, 7], begin: [3, 0], step: [-2, 3], value: 0 } },
  ],
});

/** One axis of a slice: an index (the axis is dropped), `[start, end]` or `[start, end, step]`, or null for all of it. */
export type Range = number | readonly [start?: number | null, end?: number | null, step?: number] | null;

/**
 * A piece of a tensor, chosen as in Python's `x[1:4, ::-1, 2]`: ends are exclusive, negative numbers count from the
 * end, and positions outside are cut off; an index outside is an error.
 *
 * @example slice(x, [1, 4], [null, null, -1], 2)
 */
export function slice<D extends DType>(x: TensorLike<Shape, D>, ...ranges: readonly Range[]): Tensor<Shape, D> {
  const input = asTensor("slice", x);
  if (ranges.length > input.rank) {
    throw new ShapeError(
      `slice: ${ranges.length} ranges for a tensor with ${input.rank} axes (${formatShape(input.shape)}). Expected at most one for each axis.`,
    );
  }
  const parts = input.shape.map((length, axis) => resolveRange(ranges[axis] ?? null, length, axis));
  const size = parts.map((part) => part.size);
  const identity = sameShape(size, input.shape) && parts.every((part) => part.step === 1);
  const params = { begin: parts.map((part) => part.begin), step: parts.map((part) => part.step), size };
  const piece = identity ? input : (sliceOp({ input }, params) as Tensor<Shape, D>);
  return reshape(
    piece,
    size.filter((_, axis) => typeof (ranges[axis] ?? null) !== "number"),
  );
}

function resolveRange(range: Range, length: number, axis: number): { begin: number; step: number; size: number } {
  if (typeof range === "number") {
    const begin = range < 0 ? range + length : range;
    if (!Number.isInteger(range) || begin < 0 || begin >= length) {
      throw new ArgumentError(
        `slice: index ${range} is outside axis ${axis} of length ${length}. Expected an integer from ${-length} to ${length - 1}.`,
      );
    }
    return { begin, step: 1, size: 1 };
  }
  const [start, end, step = 1] = range ?? [];
  if (!Number.isInteger(step) || step === 0)
    throw new ArgumentError(`slice: a step of ${step}. Expected an integer other than 0.`);
  const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at < 0 ? at + length : at, low), high);
  if (step > 0) {
    const begin = clamp(start ?? 0, 0, length);
    const stop = clamp(end ?? length, 0, length);
    return { begin, step, size: Math.max(0, Math.ceil((stop - begin) / step)) };
  }
  const begin = start === undefined || start === null ? length - 1 : clamp(start, -1, length - 1);
  const stop = end === undefined || end === null ? -1 : clamp(end, -1, length - 1);
  return { begin, step, size: Math.max(0, Math.ceil((stop - begin) / step)) };
}

/** Reverses axes. @example flip(images, -1) // left and right */
export function flip<S extends Shape, D extends DType>(
  x: TensorLike<S, D>,
  axes: number | readonly number[],
): Tensor<S, D> {
  const input = asTensor("flip", x);
  const flipped = new Set(normalizeAxes("flip", axes, input.rank));
  const ranges = input.shape.map((_, axis): Range => (flipped.has(axis) ? [null, null, -1] : null));
  return slice(input, ...ranges) as Tensor<S, D>;
}

/**
 * Splits a tensor along `axis` into pieces of `size` elements, of which the last may be smaller; or into pieces of the sizes
 * in a list.
 *
 * @example const [red, rest] = split(images, [1, 2], 1);
 */
export function split<D extends DType>(
  x: TensorLike<Shape, D>,
  size: number | readonly number[],
  axis = 0,
): Tensor<Shape, D>[] {
  const input = asTensor("split", x);
  const along = normalizeAxis("split", axis, input.rank);
  const length = input.shape[along];
  let start = 0;
  return pieceSizes(size, length).map((count) => {
    const range: Range = [start, start + count];
    start += count;
    return slice(input, ...input.shape.map((_, i): Range => (i === along ? range : null)));
  });
}

function pieceSizes(size: number | readonly number[], length: number): readonly number[] {
  if (typeof size !== "number") {
    const total = size.reduce((sum, count) => sum + count, 0);
    if (size.some((count) => !Number.isInteger(count) || count < 0) || total !== length) {
      throw new ArgumentError(
        `split: pieces of [${size.join(", ")}] elements. Expected integers of 0 or more that add up to ${length}.`,
      );
    }
    return size;
  }
  if (!Number.isInteger(size) || size < 1)
    throw new ArgumentError(`split: pieces of ${size} elements. Expected an integer of 1 or more.`);
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size));
}
