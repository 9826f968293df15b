/**
 * Network in Network: Lin, Chen & Yan, 2013; lecture L1. Behind each convolution works a small network across channels, two
 * 1×1 convolutions; and instead of fully connected layers the last maps, one for each class, are averaged. The sizes are
 * those of the networks that the authors published, for the paper does not give them.
 */

import type { Tensor } from "../graph/tensor.js";
import { initialize } from "../nn/initialize.js";
import { ReLU } from "../nn/layers/activation.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { Flatten, type Layer, Sequential } from "../nn/layers/container.js";
import { Conv2d, type ConvLayerOptions } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { AvgPool2d, MaxPool2d } from "../nn/layers/pooling.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import type { TensorLike } from "../ops/tensors.js";
import { heFanOut } from "./blocks.js";
import { featureInfoOf } from "./chain.js";
import { cifar10 } from "./cifar10.js";
import { imagenet } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, type Paper, scaleWidths } from "./registry.js";

/** A convolution and a network of two layers across the channels at each place. */
function group(
  inChannels: number,
  [first, second, third]: readonly [number, number, number],
  kernel: number,
  options: ConvLayerOptions,
): Layer[] {
  return [
    new Conv2d(inChannels, first, kernel, options),
    new ReLU(),
    new Conv2d(first, second, 1),
    new ReLU(),
    new Conv2d(second, third, 1),
    new ReLU(),
  ];
}

/** N×3×H×W → N×`numClasses` scores, none of them below 0. */
export class NIN extends Network {
  features: Sequential;
  classifier: Sequential;
  avgpool = new AdaptiveAvgPool2d(1);
  flatten = new Flatten();

  /** @param classifier ends with a 1×1 convolution, which gives a map for each class, and its rectifier */
  constructor(features: readonly Layer[], classifier: readonly Layer[]) {
    super();
    this.features = new Sequential(...features);
    this.classifier = new Sequential(...classifier);
    for (const [, module] of this.namedModules()) if (module instanceof Conv2d) initialize(module, heFanOut);
  }

  override get numClasses(): number {
    return this.#scores.outChannels;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return featureInfoOf(this.features);
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    return this.features(x);
  }

  override get headLayers(): readonly Layer[] {
    return [this.classifier, this.avgpool, this.flatten];
  }

  override resetClassifier(numClasses: number): void {
    const scores = new Conv2d(this.#scores.inChannels, numClasses, 1);
    initialize(scores, heFanOut);
    this.classifier[this.classifier.size - 2] = scores;
  }

  get #scores(): Conv2d {
    return this.classifier[this.classifier.size - 2] as Conv2d;
  }
}

function ninForImagenet(options: ModelOptions = {}): NIN {
  const { numClasses = 1000, inChannels = 3, dropout = 0.5, width = 1 } = options;
  const [maps1, maps2, maps3, maps4] = scaleWidths([96, 256, 384, 1024], width);
  const pool = () => new MaxPool2d(3, { stride: 2, ceilMode: true });
  return new NIN(
    [
      ...group(inChannels, [maps1, maps1, maps1], 11, { stride: 4 }), // 96×54×54
      pool(), // 96×27×27
      ...group(maps1, [maps2, maps2, maps2], 5, { padding: 2 }),
      pool(), // 256×13×13
      ...group(maps2, [maps3, maps3, maps3], 3, { padding: 1 }),
      pool(), // 384×6×6
    ],
    [new Dropout(dropout), ...group(maps3, [maps4, maps4, numClasses], 3, { padding: 1 })],
  );
}

function ninForCifar10(options: ModelOptions = {}): NIN {
  const { numClasses = 10, inChannels = 3, dropout = 0.5, width = 1 } = options;
  const [maps, less, least] = scaleWidths([192, 160, 96], width);
  return new NIN(
    [
      ...group(inChannels, [maps, less, least], 5, { padding: 2 }), // 96×32×32
      new MaxPool2d(3, { stride: 2, ceilMode: true }), // 96×16×16
      new Dropout(dropout),
      ...group(least, [maps, maps, maps], 5, { padding: 2 }),
      new AvgPool2d(3, { stride: 2, ceilMode: true }), // 192×8×8
    ],
    [new Dropout(dropout), ...group(maps, [maps, maps, numClasses], 3, { padding: 1 })],
  );
}

const paper = {
  title: "Network in network",
  authors: "Lin, Chen & Yan",
  year: 2013,
  url: "https://arxiv.org/abs/1312.4400",
} as const satisfies Paper;

export const nin = {
  ...imagenet,
  name: "nin",
  description: "Network in Network for ImageNet: 7,595,176 parameters",
  paper,
  minimumSize: 39,
  create: ninForImagenet,
} as const satisfies ModelEntry;

export const ninCifar10 = {
  ...cifar10,
  name: "nin-cifar10",
  description: "Network in Network for CIFAR-10: 966,986 parameters",
  paper,
  minimumSize: 4,
  create: ninForCifar10,
} as const satisfies ModelEntry;
