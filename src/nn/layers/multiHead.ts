/** One network for several questions: what its heads share, and what they hide. */

import { kindOf } from "../../core/check.js";
import { ArgumentError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { gradientReversal } from "../../ops/gradientReversal.js";
import { asTensor, type TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { KeepsShape } from "../types.js";
import type { Layer } from "./container.js";

/** A module of one tensor that gives several, by name. */
export interface NamedLayer extends ModuleBase {
  (x: Tensor): Readonly<Record<string, Tensor>>;
}

export interface MultiHead<Name extends string = string> {
  (x: TensorLike): Readonly<Record<Name, Tensor>>;
}

/**
 * A body whose features several heads read, each for a task of its own (Caruana, "Multitask learning", 1997). It gives what the
 * heads give, under their names; a `Trainer` with `tasks` of the same names trains it, and its export to ONNX has an output
 * for each.
 *
 * @example
 * const model = new nn.MultiHead(body, { smile: new nn.Linear(512, 2), age: new nn.Linear(512, 1) });
 * const { smile, age } = model(images); // N×2, N×1
 */
export class MultiHead<Name extends string = string> extends ModuleBase {
  readonly body: Layer;
  readonly heads: Readonly<Record<Name, Layer>>;

  constructor(body: Layer, heads: Readonly<Record<Name, Layer>>) {
    super();
    const entries = Object.entries<Layer>(heads);
    if (entries.length === 0)
      throw new ArgumentError("MultiHead: there are no heads. Expected at least one: { smile: new nn.Linear(64, 2) }.");
    for (const [name, layer] of [["body", body] as const, ...entries]) {
      if (!(layer instanceof ModuleBase))
        throw new ArgumentError(
          `MultiHead: ${name} is ${kindOf(layer)}. Expected a module, such as new nn.Linear(64, 2).`,
        );
    }
    this.body = body;
    this.heads = { ...heads };
  }

  override forward(x: TensorLike): Readonly<Record<Name, Tensor>> {
    const features = this.body(asTensor("MultiHead", x));
    const outputs = Object.entries<Layer>(this.heads).map(([name, head]) => [name, head(features)]);
    // The names are those of the heads, which the type of entries does not say.
    return Object.fromEntries(outputs) as Record<Name, Tensor>;
  }
}

export interface GradientReversal extends KeepsShape {}
/**
 * `gradientReversal` as the first layer of a head: the head learns an attribute from the features, and the features learn to
 * hide it (Ganin & Lempitsky 2015).
 *
 * @example new nn.Sequential(new nn.GradientReversal(0.5), new nn.Linear(64, 2))
 */
export class GradientReversal extends ModuleBase {
  /** @param scale how strongly the features hide it; may be changed while training. Default 1 */
  constructor(public scale = 1) {
    super();
    if (!(scale >= 0 && Number.isFinite(scale)))
      throw new ArgumentError(`GradientReversal: scale is ${scale}. Expected a finite number of 0 or more.`);
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return gradientReversal(x, this.scale);
  }

  override describe(): string {
    return `scale ${this.scale}`;
  }
}
