/** Dropout as a layer. */

import { ArgumentError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { dropout, featureDropout } from "../../ops/random/random.js";
import type { TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { KeepsShape } from "../types.js";

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

/** While training, sets whole feature maps of N×C×… to zero with probability `p`: PyTorch's Dropout1d, 2d and 3d. */
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
