/** Walking over the axes of a reduction. */

import { type Shape, stridesOf } from "../../core/shape.js";

/** `axes` are sorted and not negative. */
export interface ReduceParams {
  readonly axes: readonly number[];
  /** Reduced axes stay, with length 1. */
  readonly keepdim: boolean;
}

/** What is left of `shape` after reducing `axes`. */
export function reducedShape(shape: Shape, { axes, keepdim }: ReduceParams): number[] {
  const reduced = new Set(axes);
  return keepdim
    ? shape.map((length, axis) => (reduced.has(axis) ? 1 : length))
    : shape.filter((_, axis) => !reduced.has(axis));
}

/** Visits every element of `shape` in order: its position, and that of the result which it belongs to. */
export function forEachGroup(
  shape: Shape,
  axes: readonly number[],
  visit: (position: number, group: number, index: readonly number[]) => void,
): void {
  const groupStrides = new Array<number>(shape.length).fill(0);
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const strides = stridesOf(kept.map((axis) => shape[axis]));
  kept.forEach((axis, i) => {
    groupStrides[axis] = strides[i];
  });
  const index = new Array<number>(shape.length).fill(0);
  let position = 0;
  const walk = (axis: number, group: number) => {
    if (axis === shape.length) {
      visit(position++, group, index);
      return;
    }
    for (index[axis] = 0; index[axis] < shape[axis]; index[axis]++)
      walk(axis + 1, group + index[axis] * groupStrides[axis]);
  };
  walk(0, 0);
}
