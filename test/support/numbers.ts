/** Random inputs for ops, and how close results must be. */

import assert from "node:assert/strict";
import { allocate, type DType, type TypedArray } from "../../src/core/dtype.js";
import type { RandomStream } from "../../src/core/philox.js";
import { type Shape, sizeOf } from "../../src/core/shape.js";
import type { ReferenceArray, SampleInput } from "../../src/graph/op.js";

/** A fresh seed for each run, printed so that a failure can be repeated with `FOVEA_TEST_SEED`. */
export const seed = Number(process.env.FOVEA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Where a sample gives only a shape, its input is float32. */
export function describeInput(input: Shape | SampleInput): SampleInput {
  return "shape" in input ? input : { shape: input, dtype: "float32" };
}

/** Values for one input of a sample. */
export function randomInput(
  input: Shape | SampleInput,
  random: RandomStream,
): { shape: Shape; dtype: DType; data: TypedArray } {
  const { shape, dtype, below = 2, range = [-1, 1], distinct = false } = describeInput(input);
  const size = sizeOf(shape);
  const data = allocate<DType>(dtype, size);
  if (dtype !== "float32") {
    for (let i = 0; i < size; i++) data[i] = random.integer(below);
  } else if (distinct) {
    // All apart from one another by more than a finite difference.
    random.permutation(size).forEach((rank, i) => {
      data[i] = (2 * (rank + 0.5)) / size - 1;
    });
  } else {
    for (let i = 0; i < size; i++) data[i] = random.uniform(range[0], range[1]);
  }
  return { shape, dtype, data };
}

/** The same values in float64, for reference code. */
export function toReferenceArray({
  shape,
  dtype,
  data,
}: {
  shape: Shape;
  dtype: DType;
  data: TypedArray;
}): ReferenceArray {
  return { shape, dtype, data: data instanceof Float32Array ? Float64Array.from(data) : data.slice() };
}

/** An array for the result of reference code. */
export function emptyReferenceArray(shape: Shape, dtype: DType): ReferenceArray {
  const size = sizeOf(shape);
  const data =
    dtype === "float32" ? new Float64Array(size) : dtype === "int32" ? new Int32Array(size) : new Uint8Array(size);
  return { shape, dtype, data };
}

/** The largest difference as a share of the largest expected value, or of `scale` if that is more. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>, scale = 1e-30): number {
  assert.equal(found.length, expected.length);
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(found[i], expected[i]) || found[i] === expected[i]) {
      if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]));
      continue;
    }
    const distance = Math.abs(found[i] - expected[i]);
    if (!Number.isFinite(distance)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, distance);
    largest = Math.max(largest, Math.abs(expected[i]));
  }
  return difference === 0 ? 0 : difference / Math.max(largest, scale);
}

/** Throws unless the two differ by at most `tolerance` of the largest expected value. */
export function assertClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = "",
  scale?: number,
): void {
  const error = relativeError(found, expected, scale);
  assert.ok(error <= tolerance, `${what} differs by ${error} of the largest value, more than ${tolerance}`);
}
