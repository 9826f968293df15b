/** ZFNet: Zeiler & Fergus, "Visualizing and understanding convolutional networks", 2014; lecture L1. */

import { initialize } from "../nn/initialize.js";
import { ReLU } from "../nn/layers/activation.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { Linear } from "../nn/layers/linear.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { imagenetResponseNorm, normalWeights } from "./blocks.js";
import { ChainNetwork } from "./chain.js";
import { imagenet } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, type Paper, scaleWidths } from "./registry.js";

/**
 * N×3×224×224 → N×`numClasses` scores: AlexNet in one piece that looks closer, by 7×7 filters at steps of 2 instead of
 * 11×11 at steps of 4.
 *
 * @param maps channels of the third to fifth convolution
 */
export class ZFNet extends ChainNetwork {
  constructor(
    maps: readonly [conv3: number, conv4: number, conv5: number] = [384, 384, 256],
    { numClasses = 1000, inChannels = 3, dropout = 0.5, width = 1 }: ModelOptions = {},
  ) {
    const [maps1, maps2, units] = scaleWidths([96, 256, 4096], width);
    const [maps3, maps4, maps5] = scaleWidths(maps, width);
    super({
      features: [
        new Conv2d(inChannels, maps1, 7, { stride: 2, padding: 1 }), // 96×110×110
        new ReLU(),
        new MaxPool2d(3, { stride: 2, ceilMode: true }), // 96×55×55
        imagenetResponseNorm(),
        new Conv2d(maps1, maps2, 5, { stride: 2 }), // 256×26×26
        new ReLU(),
        new MaxPool2d(3, { stride: 2, ceilMode: true }), // 256×13×13
        imagenetResponseNorm(),
        new Conv2d(maps2, maps3, 3, { padding: 1 }),
        new ReLU(),
        new Conv2d(maps3, maps4, 3, { padding: 1 }),
        new ReLU(),
        new Conv2d(maps4, maps5, 3, { padding: 1 }),
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
    for (const [, module] of this.namedModules())
      if (module instanceof Conv2d || module instanceof Linear) initialize(module, normalWeights(0.01));
  }
}

const paper = {
  title: "Visualizing and understanding convolutional networks",
  authors: "Zeiler & Fergus",
  year: 2014,
  url: "https://arxiv.org/abs/1311.2901",
} as const satisfies Paper;

export const zfnet = {
  ...imagenet,
  name: "zfnet",
  description: "ZFNet as in its paper, with 384, 384 and 256 maps: 62,357,608 parameters",
  paper,
  create: (options) => new ZFNet([384, 384, 256], options),
} as const satisfies ModelEntry;

export const zfnet512 = {
  ...imagenet,
  name: "zfnet512",
  description: "ZFNet as lectures tell it, with 512, 1024 and 512 maps: 107,627,624 parameters",
  paper,
  create: (options) => new ZFNet([512, 1024, 512], options),
} as const satisfies ModelEntry;
