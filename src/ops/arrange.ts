/** Repeating, turning and adding up along axes. */

import type { DType } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { formatShape, normalizeAxis, type Shape, sizeOf } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { tensor } from "./create.js";
import { add, sub } from "./elementwise/arithmetic.js";
import { matmul } from "./linear/matmul.js";
import { expand } from "./reduce/sum.js";
import { concat } from "./shape/concat.js";
import { pad } from "./shape/pad.js";
import { permute, transpose } from "./shape/permute.js";
import { reshape } from "./shape/reshape.js";
import { flip, type Range, slice } from "./shape/slice.js";
import { asFloats, asTensor, type TensorLike } from "./tensors.js";
import { withGradient } from "./withGradient.js";

/**
 * The tensor side by side with itself, so many times along each axis.
 *
 * @example repeat(tensor([[1, 2]]), [2, 2]) // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function repeat<D extends DType>(x: TensorLike<Shape, D>, times: readonly number[]): Tensor<Shape, D> {
  const input = asTensor("repeat", x);
  if (times.length < input.rank || times.some((count) => !Number.isInteger(count) || count < 0)) {
    throw new ArgumentError(
      `repeat: the counts are [${times.join(", ")}] for a tensor of ${formatShape(input.shape)}. Expected an integer of 0 or more for each axis.`,
    );
  }
  const shape = [...Array.from({ length: times.length - input.rank }, () => 1), ...input.shape];
  let result: Tensor<Shape, D> = reshape(input, [...shape]);
  // One axis after another, the last first: kernels walk along few axes.
  for (const [axis, count] of [...times.entries()].reverse()) {
    if (count === 1) continue;
    const rows = sizeOf(shape.slice(0, axis));
    const row = result.size / Math.max(1, rows);
    shape[axis] *= count;
    result = reshape(expand(reshape(result, [rows, 1, row]), [rows, count, row]), [...shape]);
  }
  return result;
}

/** Turns by `quarters` quarter turns from the first of two axes towards the second; by default pictures, to the left. */
export function rot90<D extends DType>(
  x: TensorLike<Shape, D>,
  quarters = 1,
  axes: readonly [number, number] = [-2, -1],
): Tensor<Shape, D> {
  const input = asTensor("rot90", x);
  const [from, to] = axes.map((axis) => normalizeAxis("rot90", axis, input.rank));
  if (!Number.isInteger(quarters)) throw new ArgumentError(`rot90: ${quarters} quarter turns. Expected an integer.`);
  if (from === to) throw new ArgumentError(`rot90: both axes are ${from}. Expected two.`);
  const turned = ((quarters % 4) + 4) % 4;
  if (turned === 0) return input;
  if (turned === 2) return flip(input, [from, to]);
  const result = flip(transpose(input, from, to), turned === 1 ? from : to);
  return withGradient(result, input, (upstream) => rot90(upstream, -turned, [from, to]));
}

/** Moves elements along an axis; those that leave at one end come in at the other. @example roll(x, 1) // last first */
export function roll<D extends DType>(x: TensorLike<Shape, D>, shift: number, axis = -1): Tensor<Shape, D> {
  const input = asTensor("roll", x);
  const along = normalizeAxis("roll", axis, input.rank);
  const length = input.shape[along];
  if (!Number.isInteger(shift)) throw new ArgumentError(`roll: the shift is ${shift}. Expected an integer.`);
  const moved = length === 0 ? 0 : ((shift % length) + length) % length;
  if (moved === 0) return input;
  const part = (range: Range) => slice(input, ...input.shape.map((_, i): Range => (i === along ? range : null)));
  const result = concat([part([length - moved, null]), part([0, length - moved])], along);
  return withGradient(result, input, (upstream) => roll(upstream, -moved, along));
}

/** Elements that are added up by one product with a triangular matrix. */
const block = 64;

/** The sum of each element and all before it along `axis`. @example cumsum(tensor([1, 2, 3])) // [1, 3, 6] */
export function cumsum(x: TensorLike, axis = -1): Tensor {
  const input: Tensor = asFloats("cumsum", x);
  if (input.rank === 0) throw new ShapeError("cumsum: a number has no axis to sum along.");
  const along = normalizeAxis("cumsum", axis, input.rank);
  const order = input.shape.map((_, i) => i).filter((i) => i !== along);
  const last = permute(input, [...order, along]);
  const lead = last.shape.slice(0, -1);
  const rows = reshape(last, [lead.reduce((a, b) => a * b, 1), input.shape[along]]);
  const summed = reshape(sumRows(rows), last.shape);
  const back = input.shape.map((_, i) => (i === along ? input.rank - 1 : order.indexOf(i)));
  return permute(summed, back);
}

/** Running sums of each row: of blocks, by a matrix product, and of the blocks' totals in the same way. */
function sumRows(rows: Tensor): Tensor {
  const [count, length] = rows.shape;
  if (length <= 1) return rows;
  const width = Math.min(block, length);
  const blocks = Math.ceil(length / width);
  const full = reshape(pad(rows, [[0, blocks * width - length]]), [count, blocks, width]);
  const triangle = Float32Array.from({ length: width * width }, (_, i) => (i % width >= Math.floor(i / width) ? 1 : 0));
  const within = matmul(full, tensor(triangle, [width, width], { device: rows.device }));
  if (blocks === 1) return reshape(within, [count, length]);
  const totals = reshape(slice(within, null, null, [width - 1, width]), [count, blocks]);
  const before = reshape(sub(sumRows(totals), totals), [count, blocks, 1]);
  return slice(reshape(add(within, before), [count, blocks * width]), null, [0, length]);
}
