/**
 * Inception v3 as in torchvision: Szegedy, Vanhoucke, Ioffe, Shlens & Wojna, "Rethinking the Inception architecture for
 * computer vision", 2015; lecture L1. Large windows are factorized: 7×7 into 1×7 and 7×1.
 */

import type { Tensor } from "../graph/tensor.js";
import { initialize } from "../nn/initialize.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { Flatten, type Layer } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { Linear } from "../nn/layers/linear.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { Module } from "../nn/module.js";
import { type FeatureInfo, Network, type NetworkOutputs } from "../nn/network.js";
import { adaptiveAvgPool2d } from "../ops/pooling/adaptive.js";
import { avgPool2d } from "../ops/pooling/pool.js";
import type { TensorLike } from "../ops/tensors.js";
import { ConvNormReLU, normalWeights } from "./blocks.js";
import { imagenet, symmetricNormalization, toSymmetric } from "./imagenet.js";
import { InceptionA, InceptionB, InceptionC, InceptionD, InceptionE, type Widen } from "./inception-v3-modules.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

/** A classifier of the 17×17 maps, whose loss helps while training. */
class AuxiliaryClassifier extends Module {
  conv0: ConvNormReLU;
  conv1: ConvNormReLU;
  globalpool = new AdaptiveAvgPool2d(1);
  flatten = new Flatten();
  fc: Linear;

  constructor(inChannels: number, numClasses: number, widen: Widen) {
    super();
    const [inner, units] = widen(128, 768);
    this.conv0 = new ConvNormReLU(inChannels, inner, 1);
    this.conv1 = new ConvNormReLU(inner, units, 5);
    this.fc = new Linear(units, numClasses);
  }

  override forward(x: Tensor): Tensor {
    // The convolution needs 5×5, which smaller pictures than 299×299 are averaged to in another way.
    const fits = x.shape.slice(2).every((length) => length >= 17);
    const pooled = fits ? avgPool2d(x, 5, { stride: 3 }) : adaptiveAvgPool2d(x, 5);
    const maps = this.conv1(this.conv0(pooled)); // N×768×1×1
    return this.fc(this.flatten(this.globalpool(maps)));
  }
}

export interface InceptionV3Options extends ModelOptions {
  /** Build the auxiliary classifier, of which `outputs` gives the scores while training. Default true. */
  readonly auxiliary?: boolean;
  /** Whether pictures come normalized by ImageNet's means and deviations, as torchvision's; if not, −1 … 1. Default false. */
  readonly transformInput?: boolean;
}

/** The share of the auxiliary classifier's loss. */
const auxiliaryWeight = 0.3;

/** N×3×299×299 (or another size, from 75×75) → N×`numClasses` scores, before softmax. */
export class InceptionV3 extends Network {
  Conv2d_1a_3x3: ConvNormReLU;
  Conv2d_2a_3x3: ConvNormReLU;
  Conv2d_2b_3x3: ConvNormReLU;
  maxpool1 = new MaxPool2d(3, { stride: 2 });
  Conv2d_3b_1x1: ConvNormReLU;
  Conv2d_4a_3x3: ConvNormReLU;
  maxpool2 = new MaxPool2d(3, { stride: 2 });
  Mixed_5b: InceptionA;
  Mixed_5c: InceptionA;
  Mixed_5d: InceptionA;
  Mixed_6a: InceptionB;
  Mixed_6b: InceptionC;
  Mixed_6c: InceptionC;
  Mixed_6d: InceptionC;
  Mixed_6e: InceptionC;
  AuxLogits: AuxiliaryClassifier | null;
  Mixed_7a: InceptionD;
  Mixed_7b: InceptionE;
  Mixed_7c: InceptionE;
  avgpool = new AdaptiveAvgPool2d(1);
  dropout: Dropout;
  flatten = new Flatten();
  fc: Linear;
  transformInput: boolean;

  constructor(options: InceptionV3Options = {}) {
    super();
    const { numClasses = 1000, inChannels = 3, dropout = 0.5, width = 1 } = options;
    const { auxiliary = true, transformInput = false } = options;
    const widen: Widen = (...channels) => scaleWidths(channels, width);
    const [stem1, stem2, stem3, stem4, stem5] = widen(32, 32, 64, 80, 192);
    this.Conv2d_1a_3x3 = new ConvNormReLU(inChannels, stem1, 3, { stride: 2 });
    this.Conv2d_2a_3x3 = new ConvNormReLU(stem1, stem2, 3);
    this.Conv2d_2b_3x3 = new ConvNormReLU(stem2, stem3, 3, { padding: 1 });
    this.Conv2d_3b_1x1 = new ConvNormReLU(stem3, stem4, 1);
    this.Conv2d_4a_3x3 = new ConvNormReLU(stem4, stem5, 3);
    this.Mixed_5b = new InceptionA(stem5, 32, widen);
    this.Mixed_5c = new InceptionA(this.Mixed_5b.outChannels, 64, widen);
    this.Mixed_5d = new InceptionA(this.Mixed_5c.outChannels, 64, widen);
    this.Mixed_6a = new InceptionB(this.Mixed_5d.outChannels, widen);
    this.Mixed_6b = new InceptionC(this.Mixed_6a.outChannels, 128, widen);
    this.Mixed_6c = new InceptionC(this.Mixed_6b.outChannels, 160, widen);
    this.Mixed_6d = new InceptionC(this.Mixed_6c.outChannels, 160, widen);
    this.Mixed_6e = new InceptionC(this.Mixed_6d.outChannels, 192, widen);
    this.AuxLogits = auxiliary ? new AuxiliaryClassifier(this.Mixed_6e.outChannels, numClasses, widen) : null;
    this.Mixed_7a = new InceptionD(this.Mixed_6e.outChannels, widen);
    this.Mixed_7b = new InceptionE(this.Mixed_7a.outChannels, widen);
    this.Mixed_7c = new InceptionE(this.Mixed_7b.outChannels, widen);
    this.dropout = new Dropout(dropout);
    this.fc = new Linear(this.Mixed_7c.outChannels, numClasses);
    this.transformInput = transformInput;
    for (const [, module] of this.namedModules()) {
      if (module instanceof Conv2d || module instanceof Linear) initialize(module, normalWeights(0.1));
    }
    if (this.AuxLogits !== null) {
      initialize(this.AuxLogits.conv1.conv, normalWeights(0.01));
      initialize(this.AuxLogits.fc, normalWeights(0.001));
    }
  }

  override get numClasses(): number {
    return this.fc.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return [
      { name: "Conv2d_2b_3x3", channels: this.Conv2d_2b_3x3.conv.outChannels, reduction: 2 },
      { name: "Conv2d_4a_3x3", channels: this.Conv2d_4a_3x3.conv.outChannels, reduction: 4 },
      { name: "Mixed_5d", channels: this.Mixed_5d.outChannels, reduction: 8 },
      { name: "Mixed_6e", channels: this.Mixed_6e.outChannels, reduction: 16 },
      { name: "Mixed_7c", channels: this.Mixed_7c.outChannels, reduction: 32 },
    ];
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    return this.#upper(this.#lower(x));
  }

  override get headLayers(): readonly Layer[] {
    return [this.avgpool, this.dropout, this.flatten, this.fc];
  }

  protected override forwardOutputs(x: TensorLike): NetworkOutputs {
    const maps = this.#lower(x);
    const logits = this.forwardHead(this.#upper(maps));
    if (!this.training || this.AuxLogits === null) return { logits, auxiliary: [] };
    return { logits, auxiliary: [{ logits: this.AuxLogits(maps), weight: auxiliaryWeight }] };
  }

  override resetClassifier(numClasses: number): void {
    this.fc = new Linear(this.fc.inFeatures, numClasses);
    if (this.AuxLogits !== null) this.AuxLogits.fc = new Linear(this.AuxLogits.fc.inFeatures, numClasses);
  }

  /** The input → N×768×17×17, where the auxiliary classifier sits. */
  #lower(x: TensorLike): Tensor {
    const first = this.Conv2d_1a_3x3(this.transformInput ? toSymmetric(x) : x); // N×32×149×149
    const second = this.maxpool1(this.Conv2d_2b_3x3(this.Conv2d_2a_3x3(first))); // N×64×73×73
    const third = this.maxpool2(this.Conv2d_4a_3x3(this.Conv2d_3b_1x1(second))); // N×192×35×35
    const maps = this.Mixed_6a(this.Mixed_5d(this.Mixed_5c(this.Mixed_5b(third))));
    return this.Mixed_6e(this.Mixed_6d(this.Mixed_6c(this.Mixed_6b(maps))));
  }

  /** … → N×2048×8×8 */
  #upper(maps: Tensor): Tensor {
    return this.Mixed_7c(this.Mixed_7b(this.Mixed_7a(maps)));
  }
}

export const inceptionV3 = {
  name: "inception_v3",
  description: "Inception v3: 27,161,264 parameters, 23,834,568 without auxiliary classifier",
  paper: {
    title: "Rethinking the Inception architecture for computer vision",
    authors: "Szegedy, Vanhoucke, Ioffe, Shlens & Wojna",
    year: 2015,
    url: "https://arxiv.org/abs/1512.00567",
  },
  ...imagenet,
  inputShape: [3, 299, 299],
  minimumSize: 75,
  normalization: symmetricNormalization,
  resizing: { resize: 342, crop: 299, interpolation: "bilinear" },
  create: (options?: InceptionV3Options) => new InceptionV3(options),
} as const satisfies ModelEntry;
