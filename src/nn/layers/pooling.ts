/** Pooling layers: N×C×H×W → N×C×H′×W′. */

import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import type { NumberOrPair } from "../../ops/convolution/geometry.js";
import { type AvgPool2dOptions, avgPool2d } from "../../ops/pooling/averagePool2d.js";
import { type MaxPool2dOptions, maxPool2d } from "../../ops/pooling/maxPool2d.js";
import type { TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { Channels } from "../types.js";

/** The call signature of pooling: batch and channels stay. */
type Pools = <T extends TensorLike>(x: T) => Tensor<[T["shape"][0], Channels<T["shape"]>, number, number]>;

export interface MaxPool2d extends Pools {}
/** The largest element of each window. @example new nn.MaxPool2d(2) */
export class MaxPool2d extends ModuleBase {
  constructor(
    readonly kernelSize: NumberOrPair,
    readonly options: MaxPool2dOptions = {},
  ) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<[S[0], Channels<S>, number, number]> {
    const result: Tensor = maxPool2d(x, this.kernelSize, this.options);
    return result as Tensor<[S[0], Channels<S>, number, number]>;
  }

  override describe(): string {
    return describeWindow(this.kernelSize, this.options);
  }
}

export interface AvgPool2d extends Pools {}
/** The mean of each window. @example new nn.AvgPool2d(2) */
export class AvgPool2d extends ModuleBase {
  constructor(
    readonly kernelSize: NumberOrPair,
    readonly options: AvgPool2dOptions = {},
  ) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<[S[0], Channels<S>, number, number]> {
    const result: Tensor = avgPool2d(x, this.kernelSize, this.options);
    return result as Tensor<[S[0], Channels<S>, number, number]>;
  }

  override describe(): string {
    return describeWindow(this.kernelSize, this.options);
  }
}

function describeWindow(kernelSize: NumberOrPair, options: object): string {
  const parts = Object.entries(options).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [`kernel ${JSON.stringify(kernelSize)}`, ...parts].join(", ");
}
