/**
 * LeNet-5: LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to document recognition", 1998; lecture L1.
 * With C3 connected to all maps and a softmax head it has 61,706 parameters.
 */

import type { Tensor } from "../graph/tensor.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Linear } from "../nn/layers/linear.js";
import { AvgPool2d } from "../nn/layers/pooling.js";
import { Module } from "../nn/module.js";
import { tanh } from "../ops/elementwise/functions.js";
import { flatten } from "../ops/shape/reshape.js";
import type { TensorLike } from "../ops/tensors.js";
import type { ModelEntry } from "./registry.js";

/**
 * N×1×28×28 → N×`numClasses` scores, before softmax. The names are the paper's: C1 and C3 convolve, S2 and S4
 * subsample, C5 is a convolution that sees its whole input, F6 is fully connected.
 */
export class LeNet5 extends Module {
  c1 = new Conv2d(1, 6, 5, { padding: 2 });
  s2 = new AvgPool2d(2);
  c3 = new Conv2d(6, 16, 5);
  s4 = new AvgPool2d(2);
  c5 = new Conv2d(16, 120, 5);
  f6 = new Linear(120, 84);
  output: Linear;

  constructor({ numClasses = 10 }: { readonly numClasses?: number } = {}) {
    super();
    this.output = new Linear(84, numClasses);
  }

  override forward(x: TensorLike): Tensor {
    const maps2 = this.s2(tanh(this.c1(x))); // N×6×14×14
    const maps4 = this.s4(tanh(this.c3(maps2))); // N×16×5×5
    const features = flatten(tanh(this.c5(maps4))); // N×120
    return this.output(tanh(this.f6(features)));
  }
}

export const lenet5: ModelEntry = {
  name: "lenet5",
  description: "LeNet-5 (1998) with a fully connected C3 and softmax: 61,706 parameters",
  inputShape: [1, 28, 28],
  numClasses: 10,
  // Mean and standard deviation of MNIST's training pixels.
  normalization: { mean: [0.1307], std: [0.3081] },
  create: (options) => new LeNet5(options),
};
