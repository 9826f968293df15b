/** A multi-layer perceptron: fully connected layers only, which lecture L0 trains on MNIST with 100 hidden units. */

import { checkCount } from "../core/check.js";
import { sizeOf } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { ReLU } from "../nn/layers/activation.js";
import { Flatten, type Layer } from "../nn/layers/container.js";
import { Dropout } from "../nn/layers/dropout.js";
import { Linear } from "../nn/layers/linear.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import { asTensor, type TensorLike } from "../ops/tensors.js";
import { mnist } from "./lenet5.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

export interface MLPOptions extends ModelOptions {
  /** Units of each hidden layer; `[]` for a linear classifier. Default `[100]`. */
  readonly hidden?: readonly number[];
  /** Height and width of the pictures. Default `[28, 28]`. */
  readonly size?: readonly [height: number, width: number];
}

/**
 * N×C×H×W → N×`numClasses` scores; by default 784-100-10 with rectifiers, without dropout. It has no feature maps: what its
 * head is given are the pixels.
 *
 * @example models.create("mlp", { hidden: [300, 100], inChannels: 3, size: [32, 32] })
 */
export class MLP extends Network {
  flatten = new Flatten();
  relu = new ReLU();
  dropout: Dropout;
  layers: Linear[];

  constructor({
    numClasses = 10,
    inChannels = 1,
    dropout = 0,
    width = 1,
    hidden = [100],
    size = [28, 28],
  }: MLPOptions = {}) {
    super();
    for (const side of size) checkCount("MLP", "a side of the pictures", side);
    const sizes = [inChannels * sizeOf(size), ...scaleWidths(hidden, width), numClasses];
    this.dropout = new Dropout(dropout);
    this.layers = sizes.slice(1).map((units, i) => new Linear(sizes[i], units));
  }

  override get numClasses(): number {
    return this.layers[this.layers.length - 1].outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return [];
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    return asTensor("MLP", x);
  }

  override get headLayers(): readonly Layer[] {
    const last = this.layers.length - 1;
    return [
      this.flatten,
      ...this.layers.slice(0, last).flatMap((layer) => [layer, this.relu, this.dropout]),
      this.layers[last],
    ];
  }

  override resetClassifier(numClasses: number): void {
    const last = this.layers.length - 1;
    this.layers[last] = new Linear(this.layers[last].inFeatures, numClasses);
  }
}

export const mlp = {
  ...mnist,
  name: "mlp",
  description: "A multi-layer perceptron, 784-100-10 unless told otherwise: 79,510 parameters",
  create: (options?: MLPOptions) => new MLP(options),
} as const satisfies ModelEntry;
