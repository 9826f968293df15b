/** Layers that go back up: N×C×… → N×C×…, larger. */

import { checkCount } from "../../core/check.js";
import type { Tensor } from "../../graph/tensor.js";
import type { TensorLike } from "../../ops/tensors.js";
import { bedOfNails, pixelShuffle, pixelUnshuffle, type UpsampleOptions, upsample } from "../../ops/upsampling.js";
import { ModuleBase } from "../module.js";

export interface Upsample {
  (x: TensorLike): Tensor;
}
/** Enlarges places by repeating elements, or along straight lines. @example new nn.Upsample({ scale: 2, mode: "linear" }) */
export class Upsample extends ModuleBase {
  constructor(readonly options: UpsampleOptions) {
    super();
  }

  override forward(x: TensorLike): Tensor {
    return upsample(x, this.options);
  }

  override describe(): string {
    const parts = Object.entries(this.options).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    return parts.join(", ");
  }
}

export interface BedOfNails {
  (x: TensorLike): Tensor;
}
/** Puts each element at the corner of a square of zeros. */
export class BedOfNails extends ModuleBase {
  constructor(readonly factor: number | readonly number[]) {
    super();
  }

  override forward(x: TensorLike): Tensor {
    return bedOfNails(x, this.factor);
  }

  override describe(): string {
    return JSON.stringify(this.factor);
  }
}

export interface PixelShuffle {
  (x: TensorLike): Tensor;
}
/** Channels become places (Shi et al. 2016). @example new nn.PixelShuffle(2) */
export class PixelShuffle extends ModuleBase {
  constructor(readonly factor: number) {
    super();
    checkCount("PixelShuffle", "the factor", factor);
  }

  override forward(x: TensorLike): Tensor {
    return pixelShuffle(x, this.factor);
  }

  override describe(): string {
    return String(this.factor);
  }
}

export interface PixelUnshuffle {
  (x: TensorLike): Tensor;
}
/** Places become channels: undoes `PixelShuffle`. */
export class PixelUnshuffle extends ModuleBase {
  constructor(readonly factor: number) {
    super();
    checkCount("PixelUnshuffle", "the factor", factor);
  }

  override forward(x: TensorLike): Tensor {
    return pixelUnshuffle(x, this.factor);
  }

  override describe(): string {
    return String(this.factor);
  }
}
