/**
 * Residual networks for CIFAR-10: section 4.2 of He, Zhang, Ren & Sun, "Deep residual learning for image recognition",
 * 2015; lecture L4. Their shortcuts have no parameters (option A). Names as in akamaster's weights for PyTorch.
 */

import { ArgumentError } from "../core/errors.js";
import type { Tensor } from "../graph/tensor.js";
import { initialize } from "../nn/initialize.js";
import { ReLU } from "../nn/layers/activation.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { BatchNorm2d } from "../nn/layers/batchNorm.js";
import { Flatten, type Layer, Sequential } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Linear } from "../nn/layers/linear.js";
import { Module } from "../nn/module.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import { add } from "../ops/elementwise/arithmetic.js";
import { relu } from "../ops/elementwise/functions.js";
import { pad } from "../ops/shape/pad.js";
import { slice } from "../ops/shape/slice.js";
import type { TensorLike } from "../ops/tensors.js";
import { heFanIn } from "./blocks.js";
import { imagenet } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";
import { resnetPaper } from "./resnet.js";

/** Two 3×3 convolutions beside a shortcut that takes every `stride`-th pixel and fills up the channels with zeros. */
class PaddedBlock extends Module {
  conv1: Conv2d;
  bn1: BatchNorm2d;
  conv2: Conv2d;
  bn2: BatchNorm2d;
  readonly stride: number;

  constructor(inChannels: number, channels: number, stride: number) {
    super();
    this.conv1 = new Conv2d(inChannels, channels, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(channels);
    this.conv2 = new Conv2d(channels, channels, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(channels);
    this.stride = stride;
  }

  override forward(x: Tensor): Tensor {
    const inner = relu(this.bn1(this.conv1(x)));
    return relu(add(this.bn2(this.conv2(inner)), this.#shortcut(x)) as Tensor);
  }

  #shortcut(x: Tensor): Tensor {
    const more = this.conv1.outChannels - this.conv1.inChannels;
    const pixels = slice(x, null, null, [null, null, this.stride], [null, null, this.stride]);
    const before = Math.floor(more / 2);
    return pad(pixels, [
      [before, more - before],
      [0, 0],
      [0, 0],
    ]);
  }
}

/**
 * N×3×32×32 (or another size) → N×`numClasses` scores, before softmax: a convolution and three stacks of (`depth` − 2) / 6
 * blocks, with 16, 32 and 64 channels.
 *
 * @param depth number of layers with weights: 20, 32, 44, 56, 110 in the paper
 */
export class CifarResNet extends Network {
  conv1: Conv2d;
  bn1: BatchNorm2d;
  relu = new ReLU();
  layer1: Sequential;
  layer2: Sequential;
  layer3: Sequential;
  avgpool = new AdaptiveAvgPool2d(1);
  flatten = new Flatten();
  linear: Linear;
  readonly #widths: readonly [number, number, number];

  constructor(depth: number, { numClasses = 10, inChannels = 3, width = 1 }: ModelOptions = {}) {
    super();
    const blocks = (depth - 2) / 6;
    if (!Number.isInteger(blocks) || blocks < 1) {
      throw new ArgumentError(
        `CifarResNet: a depth of ${depth}. Expected 6n + 2 layers, such as 20 or 56: a convolution, three stacks of n blocks of two, and the classifier.`,
      );
    }
    const widths = scaleWidths([16, 32, 64], width);
    this.#widths = widths;
    this.conv1 = new Conv2d(inChannels, widths[0], 3, { padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(widths[0]);
    const stack = (before: number, channels: number, stride: number) => {
      const rest = Array.from({ length: blocks - 1 }, () => new PaddedBlock(channels, channels, 1));
      return new Sequential(new PaddedBlock(before, channels, stride), ...rest);
    };
    this.layer1 = stack(widths[0], widths[0], 1);
    this.layer2 = stack(widths[0], widths[1], 2);
    this.layer3 = stack(widths[1], widths[2], 2);
    this.linear = new Linear(widths[2], numClasses);
    for (const [, module] of this.namedModules()) if (module instanceof Conv2d) initialize(module, heFanIn);
  }

  override get numClasses(): number {
    return this.linear.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return this.#widths.map((channels, i) => ({ name: `layer${i + 1}`, channels, reduction: 2 ** i }));
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    const maps1 = this.layer1(this.relu(this.bn1(this.conv1(x)))); // N×16×32×32
    const maps2 = this.layer2(maps1); // N×32×16×16
    return this.layer3(maps2); // N×64×8×8
  }

  override get headLayers(): readonly Layer[] {
    return [this.avgpool, this.flatten, this.linear];
  }

  override resetClassifier(numClasses: number): void {
    this.linear = new Linear(this.linear.inFeatures, numClasses);
  }
}

function entry<const Name extends string>(name: Name, depth: number, parameters: string) {
  return {
    name,
    description: `ResNet of ${depth} layers for CIFAR-10: ${parameters} parameters`,
    paper: resnetPaper,
    inputShape: [3, 32, 32],
    minimumSize: 1,
    numClasses: 10,
    // Those of ImageNet, as akamaster's weights expect.
    normalization: imagenet.normalization,
    classes: "cifar10",
    create: (options?: ModelOptions) => new CifarResNet(depth, options),
  } as const satisfies ModelEntry;
}

export const cifarResnets = [
  entry("resnet20", 20, "269,722"),
  entry("resnet32", 32, "464,154"),
  entry("resnet44", 44, "658,586"),
  entry("resnet56", 56, "853,018"),
  entry("resnet110", 110, "1,727,962"),
] as const;
