/**
 * AlexNet as it won in 2012: Krizhevsky, Sutskever & Hinton, "ImageNet classification with deep convolutional neural
 * networks"; lecture L1. Its two halves, one for each GPU, are groups here.
 */

import { initialize } from "../nn/initialize.js";
import { ReLU } from "../nn/layers/activation.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { Linear } from "../nn/layers/linear.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { imagenetResponseNorm, normalWeights } from "./blocks.js";
import { ChainNetwork } from "./chain.js";
import { imagenet } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

/**
 * N×3×227×227 → N×`numClasses` scores. Two groups in the second, fourth and fifth convolution, local response
 * normalization, overlapping pooling, and the paper's initial weights: normal with a deviation of 0.01, and biases of 1
 * where the paper has them.
 */
export class AlexNet2012 extends ChainNetwork {
  constructor({ numClasses = 1000, inChannels = 3, dropout = 0.5, width = 1 }: ModelOptions = {}) {
    const [units] = scaleWidths([4096], width);
    // Both groups have the same number of channels.
    const halves = scaleWidths([48, 128, 192, 192, 128], width);
    const [maps1, maps2, maps3, maps4, maps5] = halves.map((channels) => 2 * channels);
    super({
      features: [
        new Conv2d(inChannels, maps1, 11, { stride: 4 }), // 96×55×55
        new ReLU(),
        imagenetResponseNorm(),
        new MaxPool2d(3, { stride: 2 }), // 96×27×27
        new Conv2d(maps1, maps2, 5, { padding: 2, groups: 2 }),
        new ReLU(),
        imagenetResponseNorm(),
        new MaxPool2d(3, { stride: 2 }), // 256×13×13
        new Conv2d(maps2, maps3, 3, { padding: 1 }),
        new ReLU(),
        new Conv2d(maps3, maps4, 3, { padding: 1, groups: 2 }),
        new ReLU(),
        new Conv2d(maps4, maps5, 3, { padding: 1, groups: 2 }),
        new ReLU(),
        new MaxPool2d(3, { stride: 2 }), // 256×6×6
      ],
      classifier: [
        new Linear(6 * 6 * maps5, units),
        new ReLU(),
        new Dropout(dropout),
        new Linear(units, units),
        new ReLU(),
        new Dropout(dropout),
        new Linear(units, numClasses),
      ],
    });
    const withBiasesOf1 = ["features.4", "features.10", "features.12", "classifier.0", "classifier.3"];
    for (const [name, module] of this.namedModules()) {
      if (module instanceof Conv2d || module instanceof Linear)
        initialize(module, normalWeights(0.01), withBiasesOf1.includes(name) ? 1 : 0);
    }
  }
}

export const alexnet2012 = {
  ...imagenet,
  name: "alexnet2012",
  description: "AlexNet as it won in 2012, in two groups and with local response normalization: 60,965,224 parameters",
  paper: {
    title: "ImageNet classification with deep convolutional neural networks",
    authors: "Krizhevsky, Sutskever & Hinton",
    year: 2012,
  },
  inputShape: [3, 227, 227],
  resizing: { ...imagenet.resizing, crop: 227 },
  create: (options) => new AlexNet2012(options),
} as const satisfies ModelEntry;
