/**
 * AlexNet: Krizhevsky, Sutskever & Hinton, "ImageNet classification with deep convolutional neural networks", 2012; lecture
 * L1. `alexnet` is torchvision's, which follows Krizhevsky, "One weird trick for parallelizing convolutional neural
 * networks", 2014: in one piece, and without local response normalization.
 */

import { ReLU } from "../nn/layers/activation.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { Linear } from "../nn/layers/linear.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { ChainNetwork } from "./chain.js";
import { imagenet } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

/** AlexNet in one piece: N×3×H×W → N×`numClasses` scores, for pictures of 63×63 or more. */
export class AlexNet extends ChainNetwork {
  constructor({ numClasses = 1000, inChannels = 3, dropout = 0.5, width = 1 }: ModelOptions = {}) {
    const [maps1, maps2, maps3, maps4, maps5, units] = scaleWidths([64, 192, 384, 256, 256, 4096], width);
    super({
      features: [
        new Conv2d(inChannels, maps1, 11, { stride: 4, padding: 2 }),
        new ReLU(),
        new MaxPool2d(3, { stride: 2 }),
        new Conv2d(maps1, maps2, 5, { padding: 2 }),
        new ReLU(),
        new MaxPool2d(3, { stride: 2 }),
        new Conv2d(maps2, maps3, 3, { padding: 1 }),
        new ReLU(),
        new Conv2d(maps3, maps4, 3, { padding: 1 }),
        new ReLU(),
        new Conv2d(maps4, maps5, 3, { padding: 1 }),
        new ReLU(),
        new MaxPool2d(3, { stride: 2 }),
      ],
      avgpool: new AdaptiveAvgPool2d(6),
      classifier: [
        new Dropout(dropout),
        new Linear(6 * 6 * maps5, units),
        new ReLU(),
        new Dropout(dropout),
        new Linear(units, units),
        new ReLU(),
        new Linear(units, numClasses),
      ],
    });
  }
}

export const alexnet = {
  ...imagenet,
  name: "alexnet",
  description: "AlexNet in one piece, as torchvision has it: 61,100,840 parameters",
  paper: {
    title: "One weird trick for parallelizing convolutional neural networks",
    authors: "Krizhevsky",
    year: 2014,
    url: "https://arxiv.org/abs/1404.5997",
  },
  minimumSize: 63,
  create: (options) => new AlexNet(options),
} as const satisfies ModelEntry;
