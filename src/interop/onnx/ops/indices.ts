/** Indices as ONNX has them: counted from the end where they are negative, and on several axes at once. */

import { sizeOf, stridesOf } from "../../../core/shape.js";
import type { AnyTensor } from "../../../graph/tensor.js";
import { add, mul } from "../../../ops/elementwise/arithmetic.js";
import { less } from "../../../ops/elementwise/comparison.js";
import { where } from "../../../ops/elementwise/select.js";
import { arange } from "../../../ops/indexing/oneHot.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { type Range, slice } from "../../../ops/shape/slice.js";
import { settle } from "../constants.js";
import type { Int } from "./numeric.js";

/** Indices counted from the front, into an axis of a length. */
export function fromFront(indices: Int, length: number): Int {
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
