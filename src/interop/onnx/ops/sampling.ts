/** Reading pictures at places between their elements. */

import { sizeOf } from "../../../core/shape.js";
import type { Tensor } from "../../../graph/tensor.js";
import { ones, tensor } from "../../../ops/create.js";
import { add, clip, div, minimum, mul, sub } from "../../../ops/elementwise/arithmetic.js";
import { greaterEqual, lessEqual, logicalAnd } from "../../../ops/elementwise/comparison.js";
import { round } from "../../../ops/elementwise/derived.js";
import { abs, floor } from "../../../ops/elementwise/functions.js";
import { cast, where } from "../../../ops/elementwise/select.js";
import { takeAlongAxis } from "../../../ops/indexing/alongAxis.js";
import { matmul } from "../../../ops/linear/matmul.js";
import { expand } from "../../../ops/reduce/sum.js";
import { concat, stack } from "../../../ops/shape/concat.js";
import { permute } from "../../../ops/shape/permute.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { type Range, slice } from "../../../ops/shape/slice.js";
import type { Call } from "../call.js";
import { define, int, ints, type OpTable, type Outputs, type Steps, string } from "../definition.js";
import { tensorValue } from "../value.js";
import type { Flags, Int } from "./numeric.js";
import { type WindowSettings, windowsOn } from "./windows.js";

/** What stands beyond the border: zeros, the border repeated, or the picture mirrored between two positions. */
type Beyond =
  | { readonly kind: "zeros" }
  | { readonly kind: "border" }
  | { readonly kind: "reflection"; readonly alignCorners: boolean };

/** An element of the picture for each position along one axis, and whether there is one. */
function elementAt(position: Tensor, length: number, beyond: Beyond): { index: Int; inside: Flags | undefined } {
  const clamped = (x: Tensor) => cast(clip(x, 0, length - 1), "int32");
  if (beyond.kind === "border") return { index: clamped(position), inside: undefined };
  if (beyond.kind === "zeros") {
    const inside = logicalAnd(greaterEqual(position, 0), lessEqual(position, length - 1)) as Flags;
    return { index: clamped(position), inside };
  }
  return { index: clamped(mirrored(position, length, beyond.alignCorners)), inside: undefined };
}

/** Mirrored at the outermost elements' centres, or at their edges. */
function mirrored(position: Tensor, length: number, alignCorners: boolean): Tensor {
  const [low, high] = alignCorners ? [0, length - 1] : [-0.5, length - 0.5];
  const span = high - low;
  if (span === 0) return mul(position, 0) as Tensor;
  const from = sub(position, low) as Tensor;
  const within = sub(from, mul(floor(div(from, 2 * span) as Tensor), 2 * span)) as Tensor;
  return add(minimum(within, sub(2 * span, within)), low) as Tensor;
}

/** The elements of x, N×C×…, at places that are given for each axis, N×P; N×C×P. */
function pick(x: Tensor, places: readonly Tensor[], beyond: Beyond): Tensor {
  const [n, channels, ...size] = x.shape;
  let flat: Int | undefined;
  let inside: Flags | undefined;
  for (const [axis, position] of places.entries()) {
    const at = elementAt(position, size[axis], beyond);
    flat = flat === undefined ? at.index : (add(mul(flat, size[axis]), at.index) as Int);
    if (at.inside !== undefined) inside = inside === undefined ? at.inside : (logicalAnd(inside, at.inside) as Flags);
  }
  const count = places[0].shape[1];
  const index = expand(reshape(flat as Int, [n, 1, count]), [n, channels, count]);
  const picked = takeAlongAxis(reshape(x, [n, channels, sizeOf(size)]), index, 2);
  return inside === undefined ? picked : (where(reshape(inside, [n, 1, count]), picked, 0) as Tensor);
}

/** For each tap along an axis its position and weight. */
type Taps = readonly { readonly at: Tensor; readonly weight: Tensor | undefined }[];

function tapsAt(position: Tensor, mode: string): Taps {
  if (mode === "nearest") return [{ at: round(position), weight: undefined }];
  const lower = floor(position);
  const rest = sub(position, lower) as Tensor;
  if (mode === "linear") {
    return [
      { at: lower, weight: sub(1, rest) as Tensor },
      { at: add(lower, 1) as Tensor, weight: rest },
    ];
  }
  return [-1, 0, 1, 2].map((step) => ({
    at: add(lower, step) as Tensor,
    weight: cubicWeight(abs(sub(rest, step) as Tensor), Math.abs(step - 0.5) < 1),
  }));
}

/** Keys' cubic with a = −0.75, at a distance below 1 (`near`) or from 1 to 2. */
function cubicWeight(x: Tensor, near: boolean): Tensor {
  const a = -0.75;
  const terms = near ? [a + 2, -(a + 3), 0, 1] : [a, -5 * a, 8 * a, -4 * a];
  return horner(terms, x);
}

function horner([first, ...others]: readonly number[], x: Tensor): Tensor {
  let total = mul(x, first) as Tensor;
  for (const [i, term] of others.entries()) {
    const next = add(total, term) as Tensor;
    total = i === others.length - 1 ? next : (mul(next, x) as Tensor);
  }
  return total;
}

/** Weighted sums of the elements around places, which are given for each axis as N×P; N×C×P. */
export function sampleAt(x: Tensor, places: readonly Tensor[], mode: string, beyond: Beyond): Tensor {
  const taps = places.map((position) => tapsAt(position, mode));
  const walk = (axis: number, chosen: readonly Tensor[], weight: Tensor | undefined): Tensor => {
    if (axis === taps.length) {
      const picked = pick(x, chosen, beyond);
      return weight === undefined
        ? picked
        : (mul(picked, reshape(weight, [weight.shape[0], 1, weight.shape[1]])) as Tensor);
    }
    return taps[axis]
      .map((tap) => {
        const both =
          weight === undefined ? tap.weight : tap.weight === undefined ? weight : (mul(weight, tap.weight) as Tensor);
        return walk(axis + 1, [...chosen, tap.at], both);
      })
      .reduce((a, b) => add(a, b) as Tensor);
  };
  return walk(0, [], undefined);
}

interface GridSettings {
  readonly align_corners: number;
  readonly mode: string;
  readonly padding_mode: string;
}

const gridModes: Readonly<Record<string, string>> = {
  nearest: "nearest",
  linear: "linear",
  bilinear: "linear",
  cubic: "cubic",
  bicubic: "cubic",
};

/** The input at places that a grid names, from −1 at one border to 1 at the other; the last axis first. */
function gridSampled(call: Call, { align_corners, mode, padding_mode: padding }: GridSettings): Outputs {
  const [x, grid] = [call.float(0), call.float(1)];
  const [n, channels, ...size] = x.shape;
  const kind = Object.hasOwn(gridModes, mode) ? gridModes[mode] : undefined;
  if (kind === undefined) throw call.error(`mode is ${JSON.stringify(mode)}`);
  if (padding !== "zeros" && padding !== "border" && padding !== "reflection")
    throw call.error(`padding_mode is ${JSON.stringify(padding)}. Expected "zeros", "border" or "reflection"`);
  if (grid.rank !== x.rank || grid.shape[0] !== n || grid.shape[grid.rank - 1] !== size.length)
    throw call.shapeError(`the grid is ${grid.shape.join("×")} for an input of ${x.shape.join("×")}`);
  const alignCorners = align_corners !== 0;
  const outer = grid.shape.slice(1, -1);
  const places = size.map((length, axis) => {
    const ranges = grid.shape.map((_, i): Range => (i === grid.rank - 1 ? size.length - 1 - axis : null));
    const given = reshape(slice(grid, ...ranges), [n, sizeOf(outer)]);
    const half = alignCorners ? (length - 1) / 2 : length / 2;
    const centre = alignCorners ? half : half - 0.5;
    return add(mul(given, half), centre) as Tensor;
  });
  const beyond: Beyond = padding === "reflection" ? { kind: padding, alignCorners } : { kind: padding };
  // Elements are looked up behind the border as well, so positions themselves need only be mirrored for rounding.
  const sampled = sampleAt(x, places, kind, beyond);
  return tensorValue(call.type(0), reshape(sampled, [n, channels, ...outer]));
}

/** Positions of an affine map's grid: for each place of the result where it comes from. */
function* affineGrid(call: Call, { align_corners }: { readonly align_corners: number }): Steps<Outputs> {
  const theta = call.float(0);
  const [n, , ...size] = yield* call.integers(1);
  const along = size.map((given) => {
    const length = call.tableLength(given);
    const at = (i: number) =>
      align_corners !== 0 ? (length === 1 ? 0 : (2 * i) / (length - 1) - 1) : (2 * i + 1) / length - 1;
    return Float32Array.from({ length }, (_, i) => at(i));
  });
  const count = sizeOf(size);
  const columns = size.map((_, axis) => {
    const shape = size.map((length, i) => (i === axis ? length : 1));
    return reshape(expand(tensor(along[axis], shape), size), [count, 1]);
  });
  // The last axis first, and 1 for what is added.
  const base = concat([...columns.toReversed(), ones([count, 1])], 1);
  const moved = matmul(
    expand(reshape(base, [1, count, size.length + 1]), [n, count, size.length + 1]),
    permute(theta, [0, 2, 1]),
  );
  return tensorValue(call.type(0), reshape(moved, [n, ...size, size.length]));
}

interface DeformSettings extends WindowSettings {
  readonly group: number;
  readonly offset_group: number;
}

/** A convolution whose windows' elements are moved, each by an offset of its own, and weighed. */
function deformConvolved(call: Call, settings: DeformSettings): Outputs {
  const [x, weight, offset] = [call.float(0), call.float(1), call.float(2)];
  const [n, channels, height, width] = x.shape;
  const [out, perGroup, rows, columns] = weight.shape;
  const { group, offset_group: parts } = settings;
  const { stride, dilation, padding } = windowsOn(call, [height, width], [rows, columns], settings);
  const [down, across] = offset.shape.slice(2);
  const taps = rows * columns;
  const count = down * across;
  const offsets = reshape(offset, [n * parts, taps, 2, down, across]);
  const pieces = reshape(x, [n * parts, channels / parts, height, width]);
  const grid = (length: number, axis: number, tap: number) => {
    const steps = Float32Array.from({ length }, (_, i) => i * stride[axis] - padding[2 * axis] + tap * dilation[axis]);
    return tensor(steps, axis === 0 ? [length, 1] : [1, length], { device: x.device });
  };
  const mask = call.has(4) ? reshape(call.float(4), [n * parts, taps, 1, count]) : undefined;
  const sampled = Array.from({ length: taps }, (_, tap) => {
    const at = [Math.floor(tap / columns), tap % columns];
    const places = [0, 1].map((axis) => {
      const own = slice(offsets, null, tap, axis);
      return reshape(add(own, grid(axis === 0 ? down : across, axis, at[axis])) as Tensor, [n * parts, count]);
    });
    const picked = sampleAt(pieces, places, "linear", { kind: "zeros" });
    const weighed = mask === undefined ? picked : (mul(picked, slice(mask, null, tap)) as Tensor);
    return reshape(weighed, [n, channels, count]);
  });
  // N×G×(C/G · taps)×places times G×(O/G)×(C/G · taps).
  const windows = reshape(stack(sampled, 2), [n, group, perGroup * taps, count]);
  const filters = reshape(weight, [1, group, out / group, perGroup * taps]);
  const result = reshape(matmul(filters, windows), [n, out, down, across]);
  const shifted = call.has(3) ? (add(result, reshape(call.float(3), [out, 1, 1])) as Tensor) : result;
  return tensorValue(call.type(0), shifted);
}

export const sampling: OpTable = {
  GridSample: [
    define({
      since: 16,
      attributes: { align_corners: int(0), mode: string("linear"), padding_mode: string("zeros") },
      build: gridSampled,
    }),
  ],
  AffineGrid: [define({ since: 20, attributes: { align_corners: int(0) }, known: [1], build: affineGrid })],
  DeformConv: [
    define({
      since: 19,
      attributes: {
        dilations: ints(),
        kernel_shape: ints(),
        pads: ints(),
        strides: ints(),
        group: int(1),
        offset_group: int(1),
      },
      build: (call, settings) => deformConvolved(call, { ...settings, auto_pad: "NOTSET" }),
    }),
  ],
};
