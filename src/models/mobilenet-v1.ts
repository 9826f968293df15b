/**
 * MobileNet: Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision applications", 2017. Each
 * convolution is split into one of each channel by itself and a 1×1 that mixes the channels.
 */

import type { Tensor } from "../graph/tensor.js";
import { initialize } from "../nn/initialize.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { Flatten, type Layer, Sequential } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Linear } from "../nn/layers/linear.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import type { TensorLike } from "../ops/tensors.js";
import { ConvNormReLU, heFanOut } from "./blocks.js";
import { imagenet } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

/** Output channels and stride of each pair of convolutions: table 1 of the paper. */
const pairs = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

/** A convolution of each channel by itself, and one that mixes them. */
function separable(inChannels: number, outChannels: number, stride: number): Sequential {
  return new Sequential(
    new ConvNormReLU(inChannels, inChannels, 3, { stride, padding: 1, groups: inChannels }),
    new ConvNormReLU(inChannels, outChannels, 1),
  );
}

/**
 * N×3×224×224 (or another size) → N×`numClasses` scores, before softmax. The paper's α is `width`; its ρ is the size of the
 * pictures.
 */
export class MobileNetV1 extends Network {
  features: Sequential;
  avgpool = new AdaptiveAvgPool2d(1);
  flatten = new Flatten();
  fc: Linear;
  readonly #featureInfo: readonly FeatureInfo[];

  constructor({ numClasses = 1000, inChannels = 3, width = 1 }: ModelOptions = {}) {
    super();
    let [channels] = scaleWidths([32], width);
    let reduction = 2;
    const layers: Layer[] = [new ConvNormReLU(inChannels, channels, 3, { stride: 2, padding: 1 })];
    const featureInfo: FeatureInfo[] = [];
    for (const [base, stride] of pairs) {
      if (stride === 2) featureInfo.push({ name: `features.${layers.length - 1}`, channels, reduction });
      const [outChannels] = scaleWidths([base], width);
      layers.push(separable(channels, outChannels, stride));
      channels = outChannels;
      reduction *= stride;
    }
    this.#featureInfo = [...featureInfo, { name: `features.${pairs.length}`, channels, reduction }];
    this.features = new Sequential(...layers);
    this.fc = new Linear(channels, numClasses);
    for (const [, module] of this.namedModules()) if (module instanceof Conv2d) initialize(module, heFanOut);
  }

  override get numClasses(): number {
    return this.fc.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return this.#featureInfo;
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    return this.features(x);
  }

  override get headLayers(): readonly Layer[] {
    return [this.avgpool, this.flatten, this.fc];
  }

  override resetClassifier(numClasses: number): void {
    this.fc = new Linear(this.fc.inFeatures, numClasses);
  }
}

export const mobilenetV1 = {
  name: "mobilenet_v1",
  description: "MobileNet, of separable convolutions: 4,231,976 parameters",
  paper: {
    title: "MobileNets: efficient convolutional neural networks for mobile vision applications",
    authors: "Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto & Adam",
    year: 2017,
    url: "https://arxiv.org/abs/1704.04861",
  },
  ...imagenet,
  minimumSize: 1,
  create: (options?: ModelOptions) => new MobileNetV1(options),
} as const satisfies ModelEntry;
