/** Indices as ONNX has them: counted from the end where they are negative, and on several axes at once. */

import { sizeOf, stridesOf } from "../../../core/shape.js";
import type { AnyTensor } from "../../../graph/tensor.js";
import { add, mul } from "../../../ops/elementwise/arithmetic.js";
import { less } from "../../../ops/elementwise/comparison.js";
import { addOp, lessOp, whereOp } from "../../../ops/elementwise/operations.js";
import { where } from "../../../ops/elementwise/select.js";
import { arange, iotaOp } from "../../../ops/indexing/oneHot.js";
import { argSortOp } from "../../../ops/indexing/sort.js";
import { maxPool2dIndicesOp } from "../../../ops/pooling/maxPool2d.js";
import { argMaxOp, argMinOp } from "../../../ops/reduce/extreme.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { type Range, slice } from "../../../ops/shape/slice.js";
import { constantValues, settle } from "../constants.js";
import type { Int } from "./numeric.js";

const positions = new Set(
  [argMaxOp, argMinOp, argSortOp, iotaOp, maxPool2dIndicesOp].map((op) => op.spec.name as string),
);

const isNumber = (x: AnyTensor, value: number): boolean => x.size === 1 && constantValues(x)?.[0] === value;

/** Whether indices are positions, or have been counted from the front already, as those of an exported graph have. */
function countFromFront(indices: AnyTensor, length: number): boolean {
  const { origin } = indices;
  if (origin.kind !== "computed") return false;
  const [first, second, third] = origin.inputs;
  if (origin.op.kind === "alias" || origin.op.kind === "stretch") return countFromFront(first, length);
  if (positions.has(origin.op.name)) return true;
  if (origin.op.name !== whereOp.spec.name || first.origin.kind !== "computed" || second.origin.kind !== "computed")
    return false;
  const [compared, limit] = first.origin.inputs;
  const [added, offset] = second.origin.inputs;
  return (
    [compared, added].every((each) => each === third) &&
    first.origin.op.name === lessOp.spec.name &&
    second.origin.op.name === addOp.spec.name &&
    isNumber(limit, 0) &&
    isNumber(offset, length)
  );
}

/** Indices counted from the front, into an axis of a length. */
export function fromFront(indices: Int, length: number): Int {
  if (countFromFront(indices, length)) return indices;
  return settle("int64", where(less(indices, 0), add(indices, length), indices) as Int) as Int;
}

/** Places in all of a tensor's elements, or in its rows of `inner` elements, from indices along its first axes. */
export function flatPlaces(indices: Int, lengths: readonly number[]): Int {
  const strides = stridesOf(lengths);
  const count = lengths.length;
  let places: Int | undefined;
  for (const [axis, length] of lengths.entries()) {
    const ranges: Range[] = indices.shape.map((_, i) => (i === indices.rank - 1 ? axis : null));
    const along = mul(fromFront(slice(indices, ...ranges), length), strides[axis]) as Int;
    places = places === undefined ? along : (add(places, along) as Int);
  }
  if (count === 0 || places === undefined) return reshape(arange(0), [0]);
  return places;
}

/** For each element of `indices`, which name places along one axis, its place among all elements of a tensor of `shape`. */
export function placesAlong(indices: Int, shape: readonly number[], axis: number): Int {
  const strides = stridesOf(shape);
  let places = mul(fromFront(indices, shape[axis]), strides[axis]) as Int;
  for (const [i, length] of indices.shape.entries()) {
    if (i === axis) continue;
    const steps = mul(arange(length), strides[i]);
    places = add(
      places,
      reshape(
        steps,
        indices.shape.map((_, k) => (k === i ? length : 1)),
      ),
    ) as Int;
  }
  return places;
}

/** All elements in one row. */
export function flat<T extends AnyTensor>(x: T): T {
  return reshape(x as AnyTensor, [sizeOf(x.shape)]) as AnyTensor as T;
}
