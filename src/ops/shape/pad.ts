/** Borders around tensors. */

import { show } from "../../core/check.js";
import type { DType } from "../../core/dtype.js";
import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape, sameShape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { expand } from "../reduce/sum.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { concat } from "./concat.js";
import { embedOp, flip, type Range, slice } from "./slice.js";

/** How many elements to add before and after each of the last axes. */
export type PadWidths = readonly (readonly [before: number, after: number])[];

/** `reflect`: mirrored at the border elements. `replicate`: the border repeated. `circular`: what is at the other side. */
export type PaddingMode = "reflect" | "replicate" | "circular";

/**
 * Adds a border around the last axes; negative widths cut.
 *
 * @param fill what it consists of: a number (default 0), or the tensor's own elements
 * @example
 * pad(images, [[2, 2], [2, 2]]); // 28×28 → 32×32
 * pad(tensor([1, 2, 3]), [[2, 1]], "reflect"); // [3, 2, 1, 2, 3, 2]
 */
export function pad<D extends DType>(
  x: TensorLike<Shape, D>,
  widths: PadWidths,
  fill: number | PaddingMode = 0,
): Tensor<Shape, D> {
  return padFor("pad", x, widths, fill);
}

/** The same in the name of another function, for its errors. */
export function padFor<D extends DType>(
  op: string,
  x: TensorLike<Shape, D>,
  widths: PadWidths,
  fill: number | PaddingMode,
): Tensor<Shape, D> {
  const input = asTensor(op, x);
  if (widths.length > input.rank) {
    throw new ShapeError(
      `${op}: widths for ${widths.length} axes, but the tensor has ${input.rank} (${formatShape(input.shape)}). Expected at most one pair for each axis.`,
    );
  }
  const full = [...Array.from({ length: input.rank - widths.length }, () => [0, 0] as const), ...widths];
  for (const [before, after] of full) {
    if (!Number.isInteger(before) || !Number.isInteger(after))
      throw new ArgumentError(
        `${op}: [${before}, ${after}] are not whole numbers. Expected integers; negative ones cut.`,
      );
  }
  const negative = full.findIndex(([before, after], axis) => input.shape[axis] + before + after < 0);
  if (negative >= 0) {
    throw new ShapeError(
      `${op}: [${full[negative].join(", ")}] cuts more than the ${input.shape[negative]} elements of axis ${negative}. Expected at most ${input.shape[negative]} in all.`,
    );
  }
  const cut = full.map(
    ([before, after], axis): Range => [Math.max(0, -before), input.shape[axis] - Math.max(0, -after)],
  );
  const inner = slice(input, ...cut);
  if (typeof fill !== "number") {
    return full.reduce((padded, [before, after], axis) => {
      return extend(op, padded, axis, Math.max(0, before), Math.max(0, after), fill);
    }, inner);
  }
  const begin = full.map(([before]) => Math.max(0, before));
  const shape = inner.shape.map((length, axis) => length + begin[axis] + Math.max(0, full[axis][1]));
  if (sameShape(shape, inner.shape)) return inner;
  const step = shape.map(() => 1);
  return embedOp({ input: inner }, { shape, begin, step, value: fill }) as Tensor<Shape, D>;
}

/** Adds elements of the tensor itself at both ends of one axis. */
function extend<D extends DType>(
  op: string,
  x: Tensor<Shape, D>,
  axis: number,
  before: number,
  after: number,
  mode: PaddingMode,
): Tensor<Shape, D> {
  if (before === 0 && after === 0) return x;
  const length = x.shape[axis];
  const most = { reflect: length - 1, circular: length, replicate: length === 0 ? 0 : Number.POSITIVE_INFINITY }[mode];
  if (most === undefined)
    throw new ArgumentError(
      `${op}: the padding mode is ${show(mode)}. Expected a number, "reflect", "replicate" or "circular".`,
    );
  if (Math.max(before, after) > most) {
    throw new ShapeError(
      `${op}: ${mode} cannot add ${Math.max(before, after)} elements to an axis of ${length} (axis ${axis} of ${formatShape(x.shape)}). Expected at most ${most}.`,
    );
  }
  const part = (begin: number, end: number) =>
    slice(x, ...x.shape.map((_, i): Range => (i === axis ? [begin, end] : null)));
  const repeat = (piece: Tensor<Shape, D>, count: number) =>
    expand(
      piece,
      piece.shape.map((each, i) => (i === axis ? count : each)),
    );
  const ends = {
    reflect: () => [flip(part(1, before + 1), axis), flip(part(length - 1 - after, length - 1), axis)],
    replicate: () => [repeat(part(0, 1), before), repeat(part(length - 1, length), after)],
    circular: () => [part(length - before, length), part(0, after)],
  }[mode]();
  return concat([ends[0], x, ends[1]], axis);
}
