/**
 * SqueezeNet, as in torchvision: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and < 0.5 MB
 * model size", 2016.
 */

import type { Tensor } from "../graph/tensor.js";
import { fanIn, initialize, kaimingUniform } from "../nn/initialize.js";
import { ReLU } from "../nn/layers/activation.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { Flatten, type Layer, Sequential } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { Module } from "../nn/module.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import { relu } from "../ops/elementwise/functions.js";
import { concat } from "../ops/shape/concat.js";
import type { TensorLike } from "../ops/tensors.js";
import { normalWeights } from "./blocks.js";
import { imagenet } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, type Paper, scaleWidths } from "./registry.js";

/** Few channels by 1×1 windows, then many, half of them by 1×1 and half by 3×3. */
class Fire extends Module {
  squeeze: Conv2d;
  expand1x1: Conv2d;
  expand3x3: Conv2d;

  constructor(inChannels: number, squeezed: number, expanded: number) {
    super();
    this.squeeze = new Conv2d(inChannels, squeezed, 1);
    this.expand1x1 = new Conv2d(squeezed, expanded, 1);
    this.expand3x3 = new Conv2d(squeezed, expanded, 3, { padding: 1 });
  }

  override forward(x: Tensor): Tensor {
    const few = relu(this.squeeze(x));
    return concat([relu(this.expand1x1(few)), relu(this.expand3x3(few))], 1);
  }
}

/** A first convolution, and what follows it: pooling, or a Fire module of so many squeezed and expanded channels. */
interface Design {
  readonly stem: { readonly channels: number; readonly kernelSize: number };
  readonly layers: readonly ("pool" | readonly [squeezed: number, expanded: number])[];
}

const version1_0: Design = {
  stem: { channels: 96, kernelSize: 7 },
  layers: [
    "pool",
    [16, 64],
    [16, 64],
    [32, 128],
    "pool",
    [32, 128],
    [48, 192],
    [48, 192],
    [64, 256],
    "pool",
    [64, 256],
  ],
};

/** Pools earlier, for 2.4 times fewer multiply-adds. */
const version1_1: Design = {
  stem: { channels: 64, kernelSize: 3 },
  layers: [
    "pool",
    [16, 64],
    [16, 64],
    "pool",
    [32, 128],
    [32, 128],
    "pool",
    [48, 192],
    [48, 192],
    [64, 256],
    [64, 256],
  ],
};

/** N×3×224×224 (or another size) → N×`numClasses` scores, before softmax: a score is the mean of a map. */
export class SqueezeNet extends Network {
  features: Sequential;
  classifier: Sequential;
  flatten = new Flatten();
  numClasses: number;
  readonly #featureInfo: readonly FeatureInfo[];

  constructor(
    { stem, layers }: Design,
    { numClasses = 1000, inChannels = 3, dropout = 0.5, width = 1 }: ModelOptions = {},
  ) {
    super();
    let [channels] = scaleWidths([stem.channels], width);
    const built: Layer[] = [new Conv2d(inChannels, channels, stem.kernelSize, { stride: 2 }), new ReLU()];
    const featureInfo: FeatureInfo[] = [];
    const remember = () =>
      featureInfo.push({ name: `features.${built.length - 1}`, channels, reduction: 2 ** (featureInfo.length + 1) });
    for (const layer of layers) {
      if (layer === "pool") {
        remember();
        built.push(new MaxPool2d(3, { stride: 2, ceilMode: true }));
      } else {
        const [squeezed, expanded] = scaleWidths(layer, width);
        built.push(new Fire(channels, squeezed, expanded));
        channels = 2 * expanded;
      }
    }
    remember();
    this.#featureInfo = featureInfo;
    this.features = new Sequential(...built);
    this.numClasses = numClasses;
    this.classifier = new Sequential(
      new Dropout(dropout),
      finalConvolution(channels, numClasses),
      new ReLU(),
      new AdaptiveAvgPool2d(1),
    );
    for (const [, module] of this.features.namedModules())
      if (module instanceof Conv2d) initialize(module, (shape) => kaimingUniform(shape, fanIn(shape)));
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return this.#featureInfo;
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    return this.features(x);
  }

  override get headLayers(): readonly Layer[] {
    return [this.classifier, this.flatten];
  }

  override resetClassifier(numClasses: number): void {
    this.numClasses = numClasses;
    this.classifier[1] = finalConvolution(this.featureInfo[this.featureInfo.length - 1].channels, numClasses);
  }
}

function finalConvolution(inChannels: number, numClasses: number): Conv2d {
  const convolution = new Conv2d(inChannels, numClasses, 1);
  initialize(convolution, normalWeights(0.01));
  return convolution;
}

const paper = {
  title: "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and < 0.5 MB model size",
  authors: "Iandola, Han, Moskewicz, Ashraf, Dally & Keutzer",
  year: 2016,
  url: "https://arxiv.org/abs/1602.07360",
} as const satisfies Paper;

export const squeezenet1_0 = {
  name: "squeezenet1_0",
  description: "SqueezeNet: 1,248,424 parameters",
  paper,
  ...imagenet,
  minimumSize: 21,
  create: (options?: ModelOptions) => new SqueezeNet(version1_0, options),
} as const satisfies ModelEntry;

export const squeezenet1_1 = {
  name: "squeezenet1_1",
  description: "SqueezeNet 1.1, which pools earlier: 1,235,496 parameters",
  paper,
  ...imagenet,
  minimumSize: 17,
  create: (options?: ModelOptions) => new SqueezeNet(version1_1, options),
} as const satisfies ModelEntry;
