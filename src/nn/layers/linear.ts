/** Fully connected layers. */

import { checkCount } from "../../core/check.js";
import type { Shape } from "../../core/shape.js";
import { Parameter } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { linear } from "../../ops/linear/matmul.js";
import type { TensorLike } from "../../ops/tensors.js";
import { defaultUniform } from "../initialize.js";
import { ModuleBase } from "../module.js";
import type { LastAxis, Leading, MustBe } from "../types.js";

export interface Linear<In extends number = never, Out extends number = number> {
  <T extends TensorLike>(x: T & MustBe<"features", LastAxis<T["shape"]>, In>): Tensor<[...Leading<T["shape"]>, Out]>;
}

/**
 * x · weightᵀ + bias over the last axis: …×`inFeatures` → …×`outFeatures`.
 *
 * @example
 * new nn.Linear(784, 10)
 * head: nn.Linear = new nn.Linear(84, 10); // a field that may hold a layer of another size later
 */
export class Linear<In extends number = never, Out extends number = number> extends ModuleBase {
  readonly inFeatures: number;
  readonly outFeatures: Out;
  weight: Parameter;
  bias: Parameter | null;

  constructor(inFeatures: In, outFeatures: Out, { bias = true }: { readonly bias?: boolean } = {}) {
    super();
    checkCount("Linear", "the number of input features", inFeatures);
    checkCount("Linear", "the number of output features", outFeatures);
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(defaultUniform<Shape>([outFeatures, inFeatures], inFeatures));
    this.bias = bias ? new Parameter(defaultUniform<Shape>([outFeatures], inFeatures)) : null;
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<[...Leading<S>, Out]> {
    return linear(x, this.weight, this.bias) as Tensor<[...Leading<S>, Out]>;
  }

  override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias === null ? ", no bias" : ""}`;
  }
}
