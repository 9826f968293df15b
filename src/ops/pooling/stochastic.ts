/** Pooling that picks at random. */

import type { Tensor } from "../../graph/tensor.js";
import type { NumberOrPair } from "../convolution/geometry.js";
import { type UnfoldOptions, windowsOf } from "../convolution/unfold.js";
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
import type { TensorLike } from "../tensors.js";

export interface StochasticPoolOptions extends RandomOptions {
  /** Steps between windows. Default: the window's size. */
  readonly stride?: NumberOrPair;
  /** Whether to pick (true, the default) or to average as when evaluating. */
  readonly training?: boolean;
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
  kernelSize: NumberOrPair,
  { stride = kernelSize, training = true, generator = defaultGenerator }: StochasticPoolOptions = {},
): Tensor {
  const options: UnfoldOptions = { stride };
  const windows = relu(windowsOf("stochasticPool2d", input, kernelSize, options)); // N×C×taps×H′×W′
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
