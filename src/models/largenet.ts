/** `LargeNet` of lecture L2: two convolutions and two fully connected layers for pictures of 32×32. */

import type { Tensor } from "../graph/tensor.js";
import { ReLU } from "../nn/layers/activation.js";
import { Flatten, type Layer } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Linear } from "../nn/layers/linear.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import type { TensorLike } from "../ops/tensors.js";
import { cifar10 } from "./cifar10.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

/** N×3×32×32 → N×`numClasses` scores. */
export class LargeNet extends Network {
  conv1: Conv2d;
  conv2: Conv2d;
  pool = new MaxPool2d(2);
  flatten = new Flatten();
  fc1: Linear;
  relu = new ReLU();
  fc2: Linear;

  constructor({ numClasses = 10, inChannels = 3, width = 1 }: ModelOptions = {}) {
    super();
    const [maps1, maps2, units] = scaleWidths([5, 10, 32], width);
    this.conv1 = new Conv2d(inChannels, maps1, 5);
    this.conv2 = new Conv2d(maps1, maps2, 5);
    this.fc1 = new Linear(5 * 5 * maps2, units);
    this.fc2 = new Linear(units, numClasses);
  }

  override get numClasses(): number {
    return this.fc2.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return [
      { name: "conv1", channels: this.conv1.outChannels, reduction: 1 },
      { name: "conv2", channels: this.conv2.outChannels, reduction: 2 },
      { name: "pool", channels: this.conv2.outChannels, reduction: 4 },
    ];
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    const maps = this.pool(this.relu(this.conv1(x))); // N×5×14×14
    return this.pool(this.relu(this.conv2(maps))); // N×10×5×5
  }

  override get headLayers(): readonly Layer[] {
    return [this.flatten, this.fc1, this.relu, this.fc2];
  }

  override resetClassifier(numClasses: number): void {
    this.fc2 = new Linear(this.fc2.inFeatures, numClasses);
  }
}

export const largenet = {
  inputShape: cifar10.inputShape,
  numClasses: 10,
  normalization: cifar10.normalization,
  name: "largenet",
  description: "LargeNet, a small network of a lecture in spite of its name: 10,002 parameters",
  create: (options) => new LargeNet(options),
} as const satisfies ModelEntry;
