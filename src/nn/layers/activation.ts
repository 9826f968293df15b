/** Activations as layers, for `Sequential`. */

import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import * as functions from "../../ops/elementwise/functions.js";
import * as softmaxes from "../../ops/softmax.js";
import type { TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";

/** The call signature of layers that keep the shape. */
type KeepsShape = <S extends Shape>(x: TensorLike<S>) => Tensor<S>;

export interface ReLU extends KeepsShape {}
/** max(x, 0). */
export class ReLU extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return functions.relu(x);
  }
}

export interface Tanh extends KeepsShape {}
/** The hyperbolic tangent. */
export class Tanh extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return functions.tanh(x);
  }
}

export interface Sigmoid extends KeepsShape {}
/** The logistic sigmoid. */
export class Sigmoid extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return functions.sigmoid(x);
  }
}

export interface Softmax extends KeepsShape {}
/** Probabilities along `axis`, by default the last. Losses such as `crossEntropy` want the numbers before softmax. */
export class Softmax extends ModuleBase {
  constructor(readonly axis = -1) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return softmaxes.softmax(x, this.axis);
  }

  override describe(): string {
    return `axis ${this.axis}`;
  }
}
