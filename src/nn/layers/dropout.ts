/** Dropout as a layer. */

import { ArgumentError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { dropout, featureDropout } from "../../ops/random/random.js";
import type { TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { KeepsShape } from "../types.js";
import { checkPlaces } from "./rank.js";

export interface Dropout extends KeepsShape {}

/** While training, sets each element to zero with probability `p` and scales the others (Srivastava et al. 2014). */
export class Dropout extends ModuleBase {
  constructor(public p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new ArgumentError(`Dropout: the probability is ${p}. Expected 0 … 1.`);
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return dropout(x, this.p, { training: this.training });
  }

  override describe(): string {
    return `p ${this.p}`;
  }
}

export interface FeatureDropout {
  <S extends Shape>(x: TensorLike<S>): Tensor<S>;
}

/** While training, sets whole feature maps of N×C×… to zero with probability `p`, in any number of dimensions. */
export class FeatureDropout extends ModuleBase {
  constructor(public p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new ArgumentError(`FeatureDropout: the probability is ${p}. Expected 0 … 1.`);
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return featureDropout(x, this.p, { training: this.training });
  }

  override describe(): string {
    return `p ${this.p}`;
  }
}

export interface Dropout1d extends KeepsShape {}
/** While training, sets whole channels of N×C×L to zero with probability `p`. */
export class Dropout1d extends FeatureDropout {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    checkPlaces("Dropout1d", x, 1);
    return super.forward(x);
  }
}

export interface Dropout2d extends KeepsShape {}
/**
 * While training, sets whole feature maps of N×C×H×W to zero with probability `p`: neighbouring pixels say the same, so
 * dropping single ones would take little away (Tompson et al. 2015).
 *
 * @example new nn.Dropout2d(0.2)
 */
export class Dropout2d extends FeatureDropout {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    checkPlaces("Dropout2d", x, 2);
    return super.forward(x);
  }
}

export interface Dropout3d extends KeepsShape {}
/** While training, sets whole feature maps of N×C×D×H×W to zero with probability `p`. */
export class Dropout3d extends FeatureDropout {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    checkPlaces("Dropout3d", x, 3);
    return super.forward(x);
  }
}
