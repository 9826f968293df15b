/** Pooling that picks at random. */

import type { Tensor } from "../../graph/tensor.js";
import { windowsOf } from "../convolution/unfold.js";
import { div, mul } from "../elementwise/arithmetic.js";
import { greater } from "../elementwise/comparison.js";
import { log, neg, relu } from "../elementwise/functions.js";
import { where } from "../elementwise/select.js";
import { takeAlongAxis } from "../indexing/alongAxis.js";
import { defaultGenerator } from "../random/generator.js";
import { type RandomOptions, uniform } from "../random/random.js";
import { argmin } from "../reduce/extreme.js";
import { sum } from "../reduce/sum.js";
import { detach, squeeze } from "../shape/reshape.js";
import { asFloats, type TensorLike } from "../tensors.js";
import { type PoolOptions, poolSettings, withoutOverhang } from "./geometry.js";

export interface StochasticPoolOptions extends PoolOptions, RandomOptions {
  /** Whether to pick (true, the default) or to average as when evaluating. */
  readonly training?: boolean;
}

function stochasticPool(
  op: string,
  axes: number,
  input: TensorLike,
  kernelSize: number | readonly number[],
  { training = true, generator = defaultGenerator, ...options }: StochasticPoolOptions,
): Tensor {
  const x: Tensor = asFloats(op, input);
  // What is missing, in the border and beyond, is 0, and never picked where there is anything else.
  const settings = withoutOverhang(op, x.shape.slice(2), poolSettings(op, axes, x.shape, kernelSize, options));
  const windows = relu(windowsOf(op, axes, x, settings.kernel, settings)); // N×C×elements×positions…
  if (!training) {
    const total = sum(windows, 2);
    const squares = sum(mul(windows, windows), 2);
    const some = greater(total, 0);
    return where(some, div(squares, where(some, total, 1)), 0);
  }
  // Of exponential waiting times with rates p the shortest is i's with probability p_i / Σ p.
  const waits = neg(log(uniform(windows.shape, 0, 1, { generator })));
  const sizes = detach(windows);
  const positive = greater(sizes, 0);
  const picked = argmin(where(positive, div(waits, where(positive, sizes, 1)), Number.POSITIVE_INFINITY), 2, {
    keepdim: true,
  });
  return squeeze(takeAlongAxis(windows, picked, 2), 2);
}

/** One element of each window of N×C×L, picked in proportion to its size: see `stochasticPool2d`. */
export function stochasticPool1d(
  input: TensorLike,
  kernelSize: number | readonly number[],
  options: StochasticPoolOptions = {},
): Tensor {
  return stochasticPool("stochasticPool1d", 1, input, kernelSize, options);
}

/**
 * While training, one element of each window, picked with a probability in proportion to its size; otherwise their mean
 * weighted by those probabilities (Zeiler & Fergus 2013). Negative elements count as 0; a window without positive ones
 * gives 0.
 *
 * @param input N×C×H×W, usually after ReLU
 */
export function stochasticPool2d(
  input: TensorLike,
  kernelSize: number | readonly number[],
  options: StochasticPoolOptions = {},
): Tensor {
  return stochasticPool("stochasticPool2d", 2, input, kernelSize, options);
}

/** One element of each window of N×C×D×H×W, picked in proportion to its size: see `stochasticPool2d`. */
export function stochasticPool3d(
  input: TensorLike,
  kernelSize: number | readonly number[],
  options: StochasticPoolOptions = {},
): Tensor {
  return stochasticPool("stochasticPool3d", 3, input, kernelSize, options);
}
