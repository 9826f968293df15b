/** Layers that only models from TensorFlow need. */

import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { ModuleBase } from "../../nn/module.js";
import type { KeepsShape } from "../../nn/types.js";
import { add, clip, mul } from "../../ops/elementwise/arithmetic.js";
import { pad } from "../../ops/shape/pad.js";
import { permute } from "../../ops/shape/permute.js";
import { reshape } from "../../ops/shape/reshape.js";
import { asFloats, type TensorLike } from "../../ops/tensors.js";

export interface KerasHardSigmoid extends KeepsShape {}
/** 0.2 · x + 0.5 between 0 and 1, as Keras 2 has it; PyTorch's slope is 1 / 6. */
export class KerasHardSigmoid extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return clip(add(mul(x, 0.2), 0.5), 0, 1) as Tensor<S>;
  }
}

export interface ZeroPad2d {
  (x: TensorLike): Tensor;
}
/** Zeros around each feature map. */
export class ZeroPad2d extends ModuleBase {
  constructor(
    readonly top: number,
    readonly bottom: number,
    readonly left: number,
    readonly right: number,
  ) {
    super();
  }

  override forward(x: TensorLike): Tensor {
    const padded: Tensor = pad(x, [
      [this.top, this.bottom],
      [this.left, this.right],
    ]);
    return padded;
  }

  override describe(): string {
    return [this.top, this.bottom, this.left, this.right].join(", ");
  }
}

export interface ReshapeChannelsLast {
  (x: TensorLike): Tensor;
}
/**
 * The same elements in another shape, counted in TensorFlow's order: N×C×H×W is read as N×H×W×C, and what comes out is
 * turned back.
 */
export class ReshapeChannelsLast extends ModuleBase {
  /** @param target [features], or [height, width, channels] */
  constructor(readonly target: readonly number[]) {
    super();
  }

  override forward(x: TensorLike): Tensor {
    const input: Tensor = asFloats("ReshapeChannelsLast", x);
    const last = input.rank === 4 ? permute(input, [0, 2, 3, 1]) : input;
    const shaped: Tensor = reshape(last, [input.shape[0], ...this.target]);
    return this.target.length === 3 ? permute(shaped, [0, 3, 1, 2]) : shaped;
  }

  override describe(): string {
    return this.target.join("×");
  }
}
