/** A model of TensorFlow.js as a module. */

import type { Tensor } from "../../graph/tensor.js";
import type { Layer } from "../../nn/layers/container.js";
import { ModuleBase } from "../../nn/module.js";
import { asTensor, type TensorLike } from "../../ops/tensors.js";

export interface TfjsModel {
  (x: TensorLike): Tensor;
}

/**
 * Layers one after another, under the names that they have in the model: `model.layers.conv_1_1`. Pictures are N×C×H×W, as
 * everywhere in Fovea, though the model was N×H×W×C. What comes out is what TensorFlow.js gives: probabilities, where the
 * model ends with softmax.
 */
export class TfjsModel extends ModuleBase {
  readonly layers: Readonly<Record<string, Layer>>;
  /** Of one input, as Fovea has it: C×H×W, or a number of features. A size is undefined where any will do. */
  readonly inputShape: readonly (number | undefined)[];
  readonly #order: readonly string[];

  constructor(layers: readonly (readonly [name: string, layer: Layer])[], inputShape: readonly (number | undefined)[]) {
    super();
    this.layers = Object.fromEntries(layers);
    this.#order = layers.map(([name]) => name);
    this.inputShape = inputShape;
  }

  override forward(x: TensorLike): Tensor {
    return this.#order.reduce((result: Tensor, name) => this.layers[name](result), asTensor("TfjsModel", x));
  }
}
