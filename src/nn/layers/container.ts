/** Layers that hold or reshape others. */

import { kindOf } from "../../core/check.js";
import { ArgumentError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { flatten } from "../../ops/shape/reshape.js";
import { asTensor, type TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { KeepsShape } from "../types.js";

/** A module of one tensor: every layer, and every network whose `forward` takes a tensor and gives one. */
export interface Layer extends ModuleBase {
  (x: Tensor): Tensor;
}

export interface Sequential {
  (x: TensorLike): Tensor;
}

/**
 * Calls modules one after another; they are named `0`, `1`, ….
 *
 * @example new nn.Sequential(new nn.Linear(784, 100), new nn.ReLU(), new nn.Linear(100, 10))
 */
export class Sequential extends ModuleBase {
  [index: number]: Layer;
  readonly size: number;

  constructor(...layers: readonly Layer[]) {
    super();
    for (const [index, layer] of layers.entries()) {
      if (!(layer instanceof ModuleBase))
        throw new ArgumentError(
          `Sequential: layer ${index} is ${kindOf(layer)}. Expected a module, such as new nn.ReLU().`,
        );
    }
    this.size = layers.length;
    for (const [index, layer] of layers.entries())
      Object.defineProperty(this, index, { value: layer, enumerable: true, writable: true, configurable: true });
  }

  override forward(x: TensorLike): Tensor {
    let result = asTensor("Sequential", x);
    for (let i = 0; i < this.size; i++) result = this[i](result);
    return result;
  }
}

export interface Flatten {
  (x: TensorLike): Tensor;
}
/** Merges the axes `startAxis` … `endAxis`; all but the first unless said otherwise. */
export class Flatten extends ModuleBase {
  constructor(
    readonly startAxis = 1,
    readonly endAxis = -1,
  ) {
    super();
  }

  override forward(x: TensorLike): Tensor {
    return flatten(x, this.startAxis, this.endAxis);
  }
}

export interface Identity extends KeepsShape {}
/** Gives back what it is given: a place for a layer that is not there. */
export class Identity extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return asTensor("Identity", x);
  }
}
