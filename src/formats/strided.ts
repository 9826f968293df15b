/** Elements that lie in memory with a step along each axis, in row-major order. */

import { sizeOf } from "../core/shape.js";

/** How an array's elements lie in memory, in elements. */
export interface Strides {
  readonly shape: readonly number[];
  /** From one element to the next along each axis, 0 or more. */
  readonly strides: readonly number[];
  /** Of the first element. */
  readonly offset: number;
}

/** Whether the elements lie in row-major order without gaps. */
export function isRowMajor({ shape, strides }: Strides): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/** Where the last element lies, -1 if there is none. */
export function lastOf({ shape, strides, offset }: Strides): number {
  if (sizeOf(shape) === 0) return -1;
  return shape.reduce((last, length, axis) => last + (length - 1) * strides[axis], offset);
}

/**
 * Fills `target` with elements of `width` bytes, from that on which is number `first` in row-major order. Both arrays
 * begin at a multiple of the width.
 */
export function gather(
  source: Uint8Array<ArrayBuffer>,
  layout: Strides,
  width: number,
  target: Uint8Array<ArrayBuffer>,
  first: number,
): void {
  if (width === 8) {
    // As pairs of words: a further axis.
    const pairs = {
      shape: [...layout.shape, 2],
      strides: [...layout.strides.map((stride) => 2 * stride), 1],
      offset: 2 * layout.offset,
    };
    gather(source, pairs, 4, target, 2 * first);
    return;
  }
  const [from, to] = [unitsOf(source, width), unitsOf(target, width)];
  const { shape, strides } = layout.shape.length === 0 ? { shape: [1], strides: [1] } : layout;
  const last = shape.length - 1;
  const index = new Array<number>(shape.length);
  let at = layout.offset;
  let rest = first;
  for (let axis = last; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
    at += index[axis] * strides[axis];
  }
  const [length, step] = [shape[last], strides[last]];
  for (let i = 0; i < to.length; ) {
    const run = Math.min(length - index[last], to.length - i);
    for (const end = i + run; i < end; i++, at += step) to[i] = from[at];
    // On to the next row: what an axis has gone too far is taken back, and the one before it goes on.
    index[last] += run;
    for (let axis = last; axis > 0 && index[axis] === shape[axis]; axis--) {
      index[axis] = 0;
      index[axis - 1]++;
      at += strides[axis - 1] - shape[axis] * strides[axis];
    }
  }
}

function unitsOf({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>, width: number) {
  if (width === 1) return new Uint8Array(buffer, byteOffset, length);
  return width === 2
    ? new Uint16Array(buffer, byteOffset, length / 2)
    : new Uint32Array(buffer, byteOffset, length / 4);
}
