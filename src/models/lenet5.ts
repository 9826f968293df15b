/**
 * LeNet-5: LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document recognition", 1998; lecture L1.
 * With C3 connected to all maps and a softmax head it has 61,706 parameters.
 */

import type { Tensor } from "../graph/tensor.js";
import { Tanh } from "../nn/layers/activation.js";
import { Flatten, type Layer } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Linear } from "../nn/layers/linear.js";
import { AvgPool2d } from "../nn/layers/pooling.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import type { TensorLike } from "../ops/tensors.js";
import { type ModelEntry, type ModelOptions, type Paper, scaleWidths } from "./registry.js";

/**
 * N×1×28×28 → N×`numClasses` scores, before softmax. The names are the paper's: C1 and C3 convolve, S2 and S4
 * subsample, C5 is a convolution that sees its whole input, F6 is fully connected.
 */
export class LeNet5 extends Network {
  c1: Conv2d;
  s2 = new AvgPool2d(2);
  c3: Conv2d;
  s4 = new AvgPool2d(2);
  c5: Conv2d;
  flatten = new Flatten();
  f6: Linear;
  output: Linear;
  tanh = new Tanh();

  constructor({ numClasses = 10, inChannels = 1, width = 1 }: ModelOptions = {}) {
    super();
    const [maps1, maps3, units5, units6] = scaleWidths([6, 16, 120, 84], width);
    this.c1 = new Conv2d(inChannels, maps1, 5, { padding: 2 });
    this.c3 = new Conv2d(maps1, maps3, 5);
    this.c5 = new Conv2d(maps3, units5, 5);
    this.f6 = new Linear(units5, units6);
    this.output = new Linear(units6, numClasses);
  }

  override get numClasses(): number {
    return this.output.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return [
      { name: "c1", channels: this.c1.outChannels, reduction: 1 },
      { name: "c3", channels: this.c3.outChannels, reduction: 2 },
      { name: "c5", channels: this.c5.outChannels, reduction: 4 },
    ];
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    const maps2 = this.s2(this.tanh(this.c1(x))); // N×6×14×14
    const maps4 = this.s4(this.tanh(this.c3(maps2))); // N×16×5×5
    return this.tanh(this.c5(maps4)); // N×120×1×1
  }

  override get headLayers(): readonly Layer[] {
    return [this.flatten, this.f6, this.tanh, this.output];
  }

  override resetClassifier(numClasses: number): void {
    this.output = new Linear(this.output.inFeatures, numClasses);
  }
}

export const lenetPaper = {
  title: "Gradient-based learning applied to document recognition",
  authors: "LeCun, Bottou, Bengio & Haffner",
  year: 1998,
} as const satisfies Paper;

/** What networks for MNIST declare. */
export const mnist = {
  inputShape: [1, 28, 28],
  numClasses: 10,
  // Mean and standard deviation of the training pixels.
  normalization: { mean: [0.1307], std: [0.3081] },
} as const;

export const lenet5 = {
  ...mnist,
  name: "lenet5",
  description: "LeNet-5 (1998) with a fully connected C3 and softmax: 61,706 parameters",
  paper: lenetPaper,
  create: (options) => new LeNet5(options),
} as const satisfies ModelEntry;
