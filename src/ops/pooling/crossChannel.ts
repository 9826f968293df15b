/** Pooling from one channel to the next instead of from place to place. */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, normalizeAxis } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { max } from "../reduce/extreme.js";
import { mean } from "../reduce/mean.js";
import { reshape } from "../shape/reshape.js";
import { asFloats, type TensorLike } from "../tensors.js";

/** Reduces each `pieces` neighbours along `axis` to one element. */
function crossChannel(
  op: string,
  input: TensorLike,
  pieces: number,
  axis: number,
  reduce: (x: Tensor, axis: number) => Tensor,
): Tensor {
  const x: Tensor = asFloats(op, input);
  const along = normalizeAxis(op, axis, x.rank);
  const length = x.shape[along];
  if (!Number.isInteger(pieces) || pieces < 1)
    throw new ArgumentError(`${op}: the number of pieces is ${pieces}. Expected an integer of 1 or more.`);
  if (length % pieces !== 0) {
    throw new ShapeError(
      `${op}: ${pieces} pieces do not divide the ${length} channels of ${formatShape(x.shape)} (axis ${along}) evenly. Fix: ${length - (length % pieces) + pieces} channels, or pieces that divide ${length}.`,
    );
  }
  const grouped = [...x.shape.slice(0, along), length / pieces, pieces, ...x.shape.slice(along + 1)];
  return reduce(reshape(x, grouped), along + 1);
}

/**
 * The largest of each `pieces` neighbours along `axis`, which becomes that many times shorter (Goodfellow et al. 2013):
 * cross-channel max pooling.
 *
 * @example maxout(zeros([8, 6, 4, 4]), 2).shape // [8, 3, 4, 4]
 */
export function maxout(x: TensorLike, pieces: number, axis = 1): Tensor {
  return crossChannel("maxout", x, pieces, axis, (grouped, at) => max(grouped, at));
}

/**
 * The mean of each `pieces` neighbours along `axis`, which becomes that many times shorter: what `maxout` is for maxima.
 *
 * @example crossChannelAvgPool(zeros([8, 6, 4, 4]), 2).shape // [8, 3, 4, 4]
 */
export function crossChannelAvgPool(x: TensorLike, pieces: number, axis = 1): Tensor {
  return crossChannel("crossChannelAvgPool", x, pieces, axis, (grouped, at) => mean(grouped, at));
}
