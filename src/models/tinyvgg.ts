/**
 * Tiny VGG: the network of CNN Explainer (Wang et al., "CNN Explainer: learning convolutional neural networks with
 * interactive visualization", 2020). Its layers are called as in the weights that were published with it.
 */

import type { Tensor } from "../graph/tensor.js";
import { ReLU } from "../nn/layers/activation.js";
import { Flatten, type Layer } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Linear } from "../nn/layers/linear.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import type { TensorLike } from "../ops/tensors.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

/** N×3×64×64 → N×`numClasses` scores, from four convolutions of 3×3 without padding. */
export class TinyVGG extends Network {
  conv_1_1: Conv2d;
  relu_1_1 = new ReLU();
  conv_1_2: Conv2d;
  relu_1_2 = new ReLU();
  max_pool_1 = new MaxPool2d(2);
  conv_2_1: Conv2d;
  relu_2_1 = new ReLU();
  conv_2_2: Conv2d;
  relu_2_2 = new ReLU();
  max_pool_2 = new MaxPool2d(2);
  flatten = new Flatten();
  output: Linear;

  constructor({ numClasses = 10, inChannels = 3, width = 1 }: ModelOptions = {}) {
    super();
    const [maps] = scaleWidths([10], width);
    this.conv_1_1 = new Conv2d(inChannels, maps, 3);
    this.conv_1_2 = new Conv2d(maps, maps, 3);
    this.conv_2_1 = new Conv2d(maps, maps, 3);
    this.conv_2_2 = new Conv2d(maps, maps, 3);
    this.output = new Linear(13 * 13 * maps, numClasses);
  }

  override get numClasses(): number {
    return this.output.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    const channels = this.conv_1_1.outChannels;
    return [
      { name: "relu_1_2", channels, reduction: 1 },
      { name: "relu_2_2", channels, reduction: 2 },
      { name: "max_pool_2", channels, reduction: 4 },
    ];
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    const maps1 = this.relu_1_1(this.conv_1_1(x)); // N×10×62×62
    const pooled1 = this.max_pool_1(this.relu_1_2(this.conv_1_2(maps1))); // N×10×30×30
    const maps2 = this.relu_2_1(this.conv_2_1(pooled1)); // N×10×28×28
    return this.max_pool_2(this.relu_2_2(this.conv_2_2(maps2))); // N×10×13×13
  }

  override get headLayers(): readonly Layer[] {
    return [this.flatten, this.output];
  }

  override resetClassifier(numClasses: number): void {
    this.output = new Linear(this.output.inFeatures, numClasses);
  }
}

export const tinyvgg = {
  name: "tinyvgg",
  description: "Tiny VGG, the network of CNN Explainer: 19,920 parameters",
  paper: {
    title: "CNN Explainer: learning convolutional neural networks with interactive visualization",
    authors: "Wang, Turko, Shaikh, Park, Das, Hohman, Kahng & Chau",
    year: 2020,
    url: "https://arxiv.org/abs/2004.15004",
  },
  inputShape: [3, 64, 64],
  numClasses: 10,
  normalization: { mean: [0, 0, 0], std: [1, 1, 1] },
  classes: "tinyvgg",
  create: (options) => new TinyVGG(options),
} as const satisfies ModelEntry;
