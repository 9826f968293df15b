/**
 * MobileNet v2, as in torchvision: Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018.
 */

import type { Tensor } from "../graph/tensor.js";
import { initialize } from "../nn/initialize.js";
import { ReLU6 } from "../nn/layers/activation.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { BatchNorm2d } from "../nn/layers/batchNorm.js";
import { Flatten, type Layer, Sequential } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { Linear } from "../nn/layers/linear.js";
import { Module } from "../nn/module.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import { add } from "../ops/elementwise/arithmetic.js";
import type { TensorLike } from "../ops/tensors.js";
import { heFanOut, normalWeights } from "./blocks.js";
import { imagenet } from "./imagenet.js";
import { checkWidth, type ModelEntry, type ModelOptions } from "./registry.js";

/** Channels times `width`, as a multiple of 8 that is not less than nine tenths of it. */
function widen(channels: number, width: number): number {
  const wanted = channels * width;
  const rounded = Math.max(8, 8 * Math.floor((wanted + 4) / 8));
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

/** A convolution without bias, batch normalization and a rectifier that stops at 6. */
function convNormReLU6(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  { stride = 1, groups = 1 } = {},
): Sequential {
  const padding = (kernelSize - 1) / 2;
  return new Sequential(
    new Conv2d(inChannels, outChannels, kernelSize, { stride, padding, groups, bias: false }),
    new BatchNorm2d(outChannels),
    new ReLU6(),
  );
}

/** More channels, each convolved by itself, then few, which nothing rectifies; with a shortcut where sizes stay. */
class InvertedResidual extends Module {
  conv: Sequential;
  readonly hasShortcut: boolean;

  constructor(inChannels: number, outChannels: number, stride: number, expansion: number) {
    super();
    const hidden = inChannels * expansion;
    const layers: Layer[] = expansion === 1 ? [] : [convNormReLU6(inChannels, hidden, 1)];
    this.conv = new Sequential(
      ...layers,
      convNormReLU6(hidden, hidden, 3, { stride, groups: hidden }),
      new Conv2d(hidden, outChannels, 1, { bias: false }),
      new BatchNorm2d(outChannels),
    );
    this.hasShortcut = stride === 1 && inChannels === outChannels;
  }

  override forward(x: Tensor): Tensor {
    const result = this.conv(x);
    return this.hasShortcut ? (add(x, result) as Tensor) : result;
  }
}

/** Table 2 of the paper: expansion, output channels, how many blocks, stride of the first. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * N×3×224×224 (or another size) → N×`numClasses` scores, before softmax. With a `width`, channels are multiples of 8, and
 * those of the last convolution do not become fewer.
 */
export class MobileNetV2 extends Network {
  features: Sequential;
  avgpool = new AdaptiveAvgPool2d(1);
  flatten = new Flatten();
  classifier: Sequential;
  readonly #featureInfo: readonly FeatureInfo[];
  #fc: Linear;

  constructor({ numClasses = 1000, inChannels = 3, dropout = 0.2, width = 1 }: ModelOptions = {}) {
    super();
    checkWidth(width);
    let channels = widen(32, width);
    let reduction = 2;
    const layers: Layer[] = [convNormReLU6(inChannels, channels, 3, { stride: 2 })];
    const featureInfo: FeatureInfo[] = [];
    for (const [expansion, base, count, firstStride] of stages) {
      const outChannels = widen(base, width);
      if (firstStride === 2) featureInfo.push({ name: `features.${layers.length - 1}`, channels, reduction });
      for (let i = 0; i < count; i++) {
        layers.push(new InvertedResidual(channels, outChannels, i === 0 ? firstStride : 1, expansion));
        channels = outChannels;
      }
      reduction *= firstStride;
    }
    const lastChannels = widen(1280, Math.max(1, width));
    layers.push(convNormReLU6(channels, lastChannels, 1));
    this.#featureInfo = [...featureInfo, { name: `features.${layers.length - 1}`, channels: lastChannels, reduction }];
    this.features = new Sequential(...layers);
    this.#fc = classify(lastChannels, numClasses);
    this.classifier = new Sequential(new Dropout(dropout), this.#fc);
    for (const [, module] of this.features.namedModules()) if (module instanceof Conv2d) initialize(module, heFanOut);
  }

  override get numClasses(): number {
    return this.#fc.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return this.#featureInfo;
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    return this.features(x);
  }

  override get headLayers(): readonly Layer[] {
    return [this.avgpool, this.flatten, this.classifier];
  }

  override resetClassifier(numClasses: number): void {
    this.#fc = classify(this.#fc.inFeatures, numClasses);
    this.classifier[1] = this.#fc;
  }
}

function classify(inFeatures: number, numClasses: number): Linear {
  const layer: Linear = new Linear(inFeatures, numClasses);
  initialize(layer, normalWeights(0.01));
  return layer;
}

export const mobilenetV2 = {
  name: "mobilenet_v2",
  description: "MobileNet v2, of inverted residuals: 3,504,872 parameters",
  paper: {
    title: "MobileNetV2: inverted residuals and linear bottlenecks",
    authors: "Sandler, Howard, Zhu, Zhmoginov & Chen",
    year: 2018,
    url: "https://arxiv.org/abs/1801.04381",
  },
  ...imagenet,
  minimumSize: 1,
  create: (options?: ModelOptions) => new MobileNetV2(options),
} as const satisfies ModelEntry;
