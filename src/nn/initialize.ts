/** Initial weights. */

import type { Shape } from "../core/shape.js";
import { sizeOf } from "../core/shape.js";
import type { Parameter } from "../graph/state.js";
import type { Tensor } from "../graph/tensor.js";
import { full } from "../ops/create.js";
import { normal, uniform } from "../ops/random/random.js";

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

/** How many outputs each input of a layer goes into, counted as PyTorch does: as if there were one group. */
export function fanOut(weight: Shape): number {
  return weight[0] * sizeOf(weight.slice(2));
}

/**
 * Normal numbers whose spread keeps signals the same size through layers of rectifiers: of deviation √(2 / fan)
 * (He et al., "Delving deep into rectifiers", 2015). `fanOut` keeps gradients, `fanIn` activations.
 */
export function kaimingNormal<S extends Shape>(shape: S, fan: number): Tensor<S> {
  return normal(shape, 0, Math.sqrt(2 / fan)) as Tensor<S>;
}

/** As `kaimingNormal`, drawn evenly from within ±√(6 / fan). */
export function kaimingUniform<S extends Shape>(shape: S, fan: number): Tensor<S> {
  const bound = Math.sqrt(6 / fan);
  return uniform(shape, -bound, bound) as Tensor<S>;
}

/** Values for a parameter of some shape to start from. */
export type Initializer = (shape: Shape) => Tensor;

/** Gives a layer new weights, and a bias of `bias`. */
export function initialize(
  layer: { readonly weight: Parameter; readonly bias: Parameter | null },
  weight: Initializer,
  bias = 0,
): void {
  layer.weight.assign(weight(layer.weight.shape));
  layer.bias?.assign(full(layer.bias.shape, bias));
}
