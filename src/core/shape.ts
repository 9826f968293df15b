/** Arithmetic on shapes: sizes, strides, broadcasting. Pure functions of numbers. */

import { kindOf } from "./check.js";
import { ShapeError } from "./errors.js";

/** The lengths of a tensor's axes, outermost first. */
export type Shape = readonly number[];

/** A number for both spatial axes, or `[vertical, horizontal]`. */
export type Pair = readonly [number, number];

/** Number of elements: the product of the axes (1 for a scalar). */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** Elements to step over for one step along each axis of a contiguous tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** `2×3×4`; `scalar` for a tensor without axes. */
export function formatShape(shape: Shape): string {
  return shape.length === 0 ? "scalar" : shape.join("×");
}

/** The shape that `shapes` broadcast to by NumPy's rule: align at the right, stretch axes of length 1. */
export function broadcastShapes(what: string, ...shapes: Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    const lead = rank - shape.length;
    for (let axis = 0; axis < shape.length; axis++) {
      const length = shape[axis];
      const known = result[lead + axis];
      if (length === known || length === 1) continue;
      if (known !== 1) {
        throw new ShapeError(
          `${what}: shapes ${shapes.map(formatShape).join(" and ")} do not broadcast: axis ${lead + axis} is ${known} in one and ${length} in another. ` +
            `Expected equal lengths, or 1. Fix: reshape() one of them, or reduce that axis with keepdim.`,
        );
      }
      result[lead + axis] = length;
    }
  }
  return result;
}

/** Strides that read a tensor of `shape` as if it had the broadcast shape `target`: 0 on stretched axes. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const own = stridesOf(shape);
  const lead = target.length - shape.length;
  return target.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : own[axis - lead]));
}

/** A non-negative axis number from one that may count from the end. */
export function normalizeAxis(what: string, axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || result < 0 || result >= rank) {
    throw new ShapeError(
      `${what}: axis ${axis} does not exist in a tensor with ${rank} axes. Expected an integer from ${-rank} to ${rank - 1}.`,
    );
  }
  return result;
}

/** Distinct, sorted, non-negative axes; all of them when `axes` is undefined. */
export function normalizeAxes(what: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = (typeof axes === "number" ? [axes] : axes).map((axis) => normalizeAxis(what, axis, rank));
  const distinct = [...new Set(list)].sort((a, b) => a - b);
  if (distinct.length !== list.length)
    throw new ShapeError(`${what}: an axis is named twice in [${list.join(", ")}]. Fix: leave one out.`);
  return distinct;
}

/** Throws unless `shape` is a list of non-negative integers that JavaScript can count exactly. */
export function checkShape(what: string, shape: Shape): void {
  if (!Array.isArray(shape))
    throw new ShapeError(`${what}: ${kindOf(shape)} is not a shape. Expected a list of lengths, such as [2, 3].`);
  for (const length of shape) {
    if (!Number.isInteger(length) || length < 0) {
      throw new ShapeError(
        `${what}: [${shape.join(", ")}] is not a shape. Expected lengths that are integers of 0 or more.`,
      );
    }
  }
  if (sizeOf(shape) > 2 ** 31 - 1) {
    throw new ShapeError(
      `${what}: a tensor of ${formatShape(shape)} has more than 2^31 - 1 elements. Fix: a smaller batch or input.`,
    );
  }
}
