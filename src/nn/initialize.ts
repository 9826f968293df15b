/** Initial weights. */

import type { Shape } from "../core/shape.js";
import { sizeOf } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { uniform } from "../ops/random/random.js";

/** How many inputs each output of a layer depends on: the weight's size without its first axis. */
export function fanIn(weight: Shape): number {
  return sizeOf(weight.slice(1));
}

/**
 * PyTorch's default for convolutions and fully connected layers, weights and biases alike: uniform within ±1/√fanIn
 * (Kaiming's uniform initialisation with a = √5; LeCun et al., "Efficient BackProp", 1998).
 */
export function defaultUniform<S extends Shape>(shape: S, fan: number): Tensor<S> {
  const bound = fan === 0 ? 0 : 1 / Math.sqrt(fan);
  return uniform(shape, -bound, bound) as Tensor<S>;
}
