/** Renaming shapes: the same elements in the same order. */

import type { DType } from "../../core/dtype.js";
import { ShapeError } from "../../core/errors.js";
import { formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from "../../core/shape.js";
import { defineOp } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { asTensor, type TensorLike } from "../tensors.js";

export const reshapeOp = defineOp<"reshape", "input", { readonly shape: Shape }>({
  name: "reshape",
  inputs: ["input"],
  kind: "alias",
  shape: ({ input }, { shape }) => {
    if (sizeOf(input) !== sizeOf(shape)) {
      throw new ShapeError(
        `reshape: ${formatShape(input)} has ${sizeOf(input)} elements, ${formatShape(shape)} would have ${sizeOf(shape)}. Expected the same number; -1 stands for whatever length fits.`,
      );
    }
    return shape;
  },
  dtype: ({ input }) => input,
  reference: ({ input }, _, output) => output.data.set(input.data),
  gradient: ({ input }, _, upstream) => ({ input: () => reshape(upstream, input.shape) }),
  cost: () => ({ macs: 0 }),
  samples: [{ inputs: { input: [2, 6] }, params: { shape: [3, 4] } }],
});

/** Hides how a value was computed from differentiation. */
export const detachOp = defineOp<"detach", "input", Readonly<Record<string, never>>>({
  name: "detach",
  inputs: ["input"],
  kind: "alias",
  shape: ({ input }) => input,
  dtype: ({ input }) => input,
  reference: ({ input }, _, output) => output.data.set(input.data),
  gradient: () => ({}),
  cost: () => ({ macs: 0 }),
  // Integers: of floating point the differences, unlike the gradient, are not 0.
  samples: [{ inputs: { input: { shape: [2, 3], dtype: "int32", below: 9 } }, params: {} }],
});

/** The shape that comes of one in which -1 stands for whatever length fits. */
export type Filled<S extends Shape> = { readonly [Axis in keyof S]: S[Axis] extends -1 ? number : S[Axis] };

/**
 * The same elements in the same order under another shape. One length may be -1: whatever fits.
 *
 * @example reshape(x, [x.shape[0], -1])
 */
export function reshape<const S extends Shape, D extends DType>(
  x: TensorLike<Shape, D>,
  shape: S,
): Tensor<Filled<S>, D> {
  const input = asTensor("reshape", x);
  const full = fillIn(shape, input);
  return (sameShape(full, input.shape) ? input : reshapeOp({ input }, { shape: full })) as Tensor<Filled<S>, D>;
}

function fillIn(shape: Shape, input: { readonly shape: Shape; readonly size: number }): Shape {
  const free = shape.indexOf(-1);
  if (free < 0) return shape;
  const known = sizeOf(shape.filter((_, axis) => axis !== free));
  const length = known === 0 ? 0 : input.size / known;
  if (!Number.isInteger(length) || shape.lastIndexOf(-1) !== free) {
    throw new ShapeError(
      `reshape: no length in place of -1 makes [${shape.join(", ")}] hold the ${input.size} elements of ${formatShape(input.shape)}. Expected one -1, and a product of the others that divides ${input.size}.`,
    );
  }
  return shape.map((given, axis) => (axis === free ? length : given));
}

/**
 * Merges the axes `startAxis` … `endAxis` into one; all but the first unless said otherwise, as a classifier's head
 * needs it: N×C×H×W → N×(C·H·W).
 */
export function flatten<D extends DType>(x: TensorLike<Shape, D>, startAxis = 1, endAxis = -1): Tensor<Shape, D> {
  const input = asTensor("flatten", x);
  const first = normalizeAxis("flatten", startAxis, input.rank);
  const last = normalizeAxis("flatten", endAxis, input.rank);
  if (first > last)
    throw new ShapeError(`flatten: axis ${startAxis} comes after axis ${endAxis}. Expected start ≤ end.`);
  const { shape } = input;
  return reshape(input, [...shape.slice(0, first), sizeOf(shape.slice(first, last + 1)), ...shape.slice(last + 1)]);
}

/** Removes an axis of length 1, or all of them. */
export function squeeze<D extends DType>(x: TensorLike<Shape, D>, axis?: number): Tensor<Shape, D> {
  const input = asTensor("squeeze", x);
  if (axis === undefined)
    return reshape(
      input,
      input.shape.filter((length) => length !== 1),
    );
  const at = normalizeAxis("squeeze", axis, input.rank);
  if (input.shape[at] !== 1) {
    throw new ShapeError(
      `squeeze: axis ${axis} of ${formatShape(input.shape)} has length ${input.shape[at]}, not 1. Fix: an axis of length 1, or slice() to pick one element.`,
    );
  }
  return reshape(
    input,
    input.shape.filter((_, i) => i !== at),
  );
}

/** Inserts an axis of length 1 before `axis`; -1 puts it last. */
export function unsqueeze<D extends DType>(x: TensorLike<Shape, D>, axis: number): Tensor<Shape, D> {
  const input = asTensor("unsqueeze", x);
  const at = normalizeAxis("unsqueeze", axis, input.rank + 1);
  return reshape(input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
}

/** The same value, through which nothing is differentiated: PyTorch's `x.detach()`. */
export function detach<S extends Shape, D extends DType>(x: TensorLike<S, D>): Tensor<S, D> {
  return detachOp({ input: asTensor("detach", x) }, {}) as Tensor<S, D>;
}
