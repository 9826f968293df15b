/** Activations as layers, for `Sequential`. */

import { ArgumentError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import { Parameter } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { full } from "../../ops/create.js";
import * as activations from "../../ops/elementwise/activations.js";
import * as functions from "../../ops/elementwise/functions.js";
import * as softmaxes from "../../ops/softmax.js";
import type { TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { KeepsShape } from "../types.js";

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

export interface SELU extends KeepsShape {}
/** ELU scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017). */
export class SELU extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.selu(x);
  }
}

export interface SiLU extends KeepsShape {}
/** x · sigmoid(x), also called swish (Elfwing et al. 2017). */
export class SiLU extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.silu(x);
  }
}

export interface Mish extends KeepsShape {}
/** x · tanh(softplus(x)) (Misra 2019). */
export class Mish extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.mish(x);
  }
}

export interface LogSigmoid extends KeepsShape {}
/** log(sigmoid(x)). */
export class LogSigmoid extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.logSigmoid(x);
  }
}

export interface Softsign extends KeepsShape {}
/** x / (1 + |x|). */
export class Softsign extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.softsign(x);
  }
}

export interface ReLU6 extends KeepsShape {}
/** min(max(x, 0), 6). */
export class ReLU6 extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.relu6(x);
  }
}

export interface Hardsigmoid extends KeepsShape {}
/** x / 6 + 1/2 between 0 and 1. */
export class Hardsigmoid extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.hardsigmoid(x);
  }
}

export interface Hardswish extends KeepsShape {}
/** x · hardsigmoid(x) (Howard et al. 2019). */
export class Hardswish extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.hardswish(x);
  }
}

export interface LeakyReLU extends KeepsShape {}
/** x where it is positive, else `slope` · x (Maas et al. 2013). */
export class LeakyReLU extends ModuleBase {
  constructor(readonly slope = 0.01) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.leakyRelu(x, this.slope);
  }

  override describe(): string {
    return `slope ${this.slope}`;
  }
}

export interface ELU extends KeepsShape {}
/** x where it is positive, else `alpha` · (eˣ − 1) (Clevert et al. 2015). */
export class ELU extends ModuleBase {
  constructor(readonly alpha = 1) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.elu(x, this.alpha);
  }

  override describe(): string {
    return `alpha ${this.alpha}`;
  }
}

export interface Softplus extends KeepsShape {}
/** log(1 + e^(beta · x)) / beta: a smooth ReLU. */
export class Softplus extends ModuleBase {
  constructor(readonly beta = 1) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.softplus(x, this.beta);
  }

  override describe(): string {
    return `beta ${this.beta}`;
  }
}

export interface Hardshrink extends KeepsShape {}
/** x where |x| is larger than `bound`, else 0. */
export class Hardshrink extends ModuleBase {
  constructor(readonly bound = 0.5) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.hardshrink(x, this.bound);
  }

  override describe(): string {
    return `bound ${this.bound}`;
  }
}

export interface Softshrink extends KeepsShape {}
/** x moved towards 0 by `bound`, and 0 nearer than that. */
export class Softshrink extends ModuleBase {
  constructor(readonly bound = 0.5) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.softshrink(x, this.bound);
  }

  override describe(): string {
    return `bound ${this.bound}`;
  }
}

export interface Hardtanh extends KeepsShape {}
/** x between `low` and `high`. */
export class Hardtanh extends ModuleBase {
  constructor(
    readonly low = -1,
    readonly high = 1,
  ) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.hardtanh(x, this.low, this.high);
  }

  override describe(): string {
    return `${this.low} … ${this.high}`;
  }
}

export interface GELU extends KeepsShape {}
/** x · Φ(x), with the normal distribution's Φ (Hendrycks & Gimpel 2016); `approximate: "tanh"` is a little cheaper. */
export class GELU extends ModuleBase {
  readonly approximate: "none" | "tanh";

  constructor({ approximate = "none" }: { readonly approximate?: "none" | "tanh" } = {}) {
    super();
    this.approximate = approximate;
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.gelu(x, { approximate: this.approximate });
  }

  override describe(): string {
    return this.approximate === "none" ? "" : this.approximate;
  }
}

export interface PReLU extends KeepsShape {}
/**
 * Leaky ReLU whose slopes are learned (He et al. 2015).
 *
 * @param numParameters 1 for one slope, or the number of channels. Default 1.
 * @param initial the slope to begin with. Default 0.25.
 */
export class PReLU extends ModuleBase {
  weight: Parameter;

  constructor(numParameters = 1, initial = 0.25) {
    super();
    if (!Number.isInteger(numParameters) || numParameters < 1)
      throw new ArgumentError(`PReLU: the number of slopes is ${numParameters}. Expected an integer of 1 or more.`);
    this.weight = new Parameter(full<Shape>([numParameters], initial));
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return activations.prelu(x, this.weight);
  }

  override describe(): string {
    return String(this.weight.shape[0]);
  }
}

export interface LogSoftmax extends KeepsShape {}
/** The logarithm of softmax along `axis`, by default the last. */
export class LogSoftmax extends ModuleBase {
  constructor(readonly axis = -1) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return softmaxes.logSoftmax(x, this.axis);
  }

  override describe(): string {
    return `axis ${this.axis}`;
  }
}
