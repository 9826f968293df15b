/**
 * VGG: Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition", 2014; lecture L1.
 * Configurations A to E of the paper's table 1, and A, B, D and E with batch normalization, as in torchvision.
 */

import { initialize } from "../nn/initialize.js";
import { ReLU } from "../nn/layers/activation.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { BatchNorm2d } from "../nn/layers/batchNorm.js";
import type { Layer } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { Linear } from "../nn/layers/linear.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { heFanOut, imagenetResponseNorm, normalWeights } from "./blocks.js";
import { ChainNetwork } from "./chain.js";
import { imagenet } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, type Paper, scaleWidths } from "./registry.js";

/** Channels of a 3×3 convolution; `1x1` before them where it is a 1×1 one; local response normalization. */
type Step = number | `1x1 ${number}` | "LRN";

/** The columns of table 1: five blocks, each followed by pooling. */
const configurations = {
  A: [[64], [128], [256, 256], [512, 512], [512, 512]],
  "A-LRN": [[64, "LRN"], [128], [256, 256], [512, 512], [512, 512]],
  B: [
    [64, 64],
    [128, 128],
    [256, 256],
    [512, 512],
    [512, 512],
  ],
  C: [
    [64, 64],
    [128, 128],
    [256, 256, "1x1 256"],
    [512, 512, "1x1 512"],
    [512, 512, "1x1 512"],
  ],
  D: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
  E: [
    [64, 64],
    [128, 128],
    [256, 256, 256, 256],
    [512, 512, 512, 512],
    [512, 512, 512, 512],
  ],
} as const satisfies Record<string, readonly (readonly Step[])[]>;

/** A column of the paper's table 1. */
export type VGGConfiguration = keyof typeof configurations;

export interface VGGOptions extends ModelOptions {
  /** Batch normalization after each convolution. Default false. */
  readonly batchNorm?: boolean;
}

/**
 * N×3×H×W → N×`numClasses` scores, for pictures of 32×32 or more; made for 224×224.
 *
 * @example new models.VGG("D", { batchNorm: true })
 */
export class VGG extends ChainNetwork {
  constructor(configuration: VGGConfiguration, options: VGGOptions = {}) {
    const { numClasses = 1000, inChannels = 3, dropout = 0.5, width = 1, batchNorm = false } = options;
    const features: Layer[] = [];
    let channels = inChannels;
    for (const block of configurations[configuration]) {
      for (const step of block) {
        if (step === "LRN") {
          features.push(imagenetResponseNorm());
          continue;
        }
        const kernel = typeof step === "number" ? 3 : 1;
        const [maps] = scaleWidths([Number(String(step).replace("1x1 ", ""))], width);
        features.push(new Conv2d(channels, maps, kernel, { padding: kernel === 3 ? 1 : 0 }));
        if (batchNorm) features.push(new BatchNorm2d(maps));
        features.push(new ReLU());
        channels = maps;
      }
      features.push(new MaxPool2d(2));
    }
    const [units] = scaleWidths([4096], width);
    super({
      features,
      avgpool: new AdaptiveAvgPool2d(7),
      classifier: [
        new Linear(7 * 7 * channels, units),
        new ReLU(),
        new Dropout(dropout),
        new Linear(units, units),
        new ReLU(),
        new Dropout(dropout),
        new Linear(units, numClasses),
      ],
    });
    for (const [, module] of this.namedModules()) {
      if (module instanceof Conv2d) initialize(module, heFanOut);
      if (module instanceof Linear) initialize(module, normalWeights(0.01));
    }
  }
}

const paper = {
  title: "Very deep convolutional networks for large-scale image recognition",
  authors: "Simonyan & Zisserman",
  year: 2014,
  url: "https://arxiv.org/abs/1409.1556",
} as const satisfies Paper;

function entry<const Name extends string>(
  name: Name,
  description: string,
  configuration: VGGConfiguration,
  batchNorm = false,
) {
  return {
    ...imagenet,
    name,
    description,
    paper,
    minimumSize: 32,
    create: (options?: ModelOptions) => new VGG(configuration, { ...options, batchNorm }),
  } as const satisfies ModelEntry;
}

export const vggs = [
  entry("vgg-a", "VGG's configuration A, with 11 layers that have weights: 132,863,336 parameters", "A"),
  entry("vgg-a-lrn", "VGG's configuration A with local response normalization: 132,863,336 parameters", "A-LRN"),
  entry("vgg-b", "VGG's configuration B, with 13 layers that have weights: 133,047,848 parameters", "B"),
  entry("vgg-c", "VGG's configuration C, with 1×1 convolutions among 16 layers: 133,638,952 parameters", "C"),
  entry("vgg-d", "VGG's configuration D, with 16 layers that have weights: 138,357,544 parameters", "D"),
  entry("vgg-e", "VGG's configuration E, with 19 layers that have weights: 143,667,240 parameters", "E"),
  entry("vgg11", "VGG-11, which is vgg-a under torchvision's name: 132,863,336 parameters", "A"),
  entry("vgg13", "VGG-13, which is vgg-b under torchvision's name: 133,047,848 parameters", "B"),
  entry("vgg16", "VGG-16, which is vgg-d under torchvision's name: 138,357,544 parameters", "D"),
  entry("vgg19", "VGG-19, which is vgg-e under torchvision's name: 143,667,240 parameters", "E"),
  entry("vgg11_bn", "VGG-11 with batch normalization: 132,868,840 parameters", "A", true),
  entry("vgg13_bn", "VGG-13 with batch normalization: 133,053,736 parameters", "B", true),
  entry("vgg16_bn", "VGG-16 with batch normalization: 138,365,992 parameters", "D", true),
  entry("vgg19_bn", "VGG-19 with batch normalization: 143,678,248 parameters", "E", true),
] as const;
