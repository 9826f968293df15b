/**
 * Residual networks for ImageNet: He, Zhang, Ren & Sun, "Deep residual learning for image recognition", 2015; lecture L4.
 * As in torchvision, whose bottlenecks stride in their 3×3 convolution. `resnet-cifar.ts` has those for CIFAR-10.
 */

import type { Tensor } from "../graph/tensor.js";
import { initialize } from "../nn/initialize.js";
import { ReLU } from "../nn/layers/activation.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { BatchNorm2d } from "../nn/layers/batchNorm.js";
import { Flatten, type Layer, Sequential } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Linear } from "../nn/layers/linear.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { Module } from "../nn/module.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import { zeros } from "../ops/create.js";
import { add } from "../ops/elementwise/arithmetic.js";
import { relu } from "../ops/elementwise/functions.js";
import type { TensorLike } from "../ops/tensors.js";
import { heFanOut } from "./blocks.js";
import { imagenet } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, type Paper, scaleWidths } from "./registry.js";

/** Brings what a block is given to the shape of what it computes; null where they have it already. */
function projection(inChannels: number, outChannels: number, stride: number): Sequential | null {
  if (inChannels === outChannels && stride === 1) return null;
  return new Sequential(new Conv2d(inChannels, outChannels, 1, { stride, bias: false }), new BatchNorm2d(outChannels));
}

/** Two 3×3 convolutions, whose result is added to what they were given. */
export class BasicBlock extends Module {
  static readonly expansion = 1;
  conv1: Conv2d;
  bn1: BatchNorm2d;
  conv2: Conv2d;
  bn2: BatchNorm2d;
  downsample: Sequential | null;

  constructor(inChannels: number, channels: number, stride: number) {
    super();
    this.conv1 = new Conv2d(inChannels, channels, 3, { stride, padding: 1, bias: false });
    this.bn1 = new BatchNorm2d(channels);
    this.conv2 = new Conv2d(channels, channels, 3, { padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(channels);
    this.downsample = projection(inChannels, channels, stride);
  }

  /** The last normalization: with a scale of 0 the block passes on what it is given. */
  get lastNorm(): BatchNorm2d {
    return this.bn2;
  }

  override forward(x: Tensor): Tensor {
    const inner = relu(this.bn1(this.conv1(x)));
    return relu(add(this.bn2(this.conv2(inner)), this.downsample?.(x) ?? x) as Tensor);
  }
}

/** 1×1 to fewer channels, 3×3, and 1×1 to four times as many; the result is added to what they were given. */
export class Bottleneck extends Module {
  static readonly expansion = 4;
  conv1: Conv2d;
  bn1: BatchNorm2d;
  conv2: Conv2d;
  bn2: BatchNorm2d;
  conv3: Conv2d;
  bn3: BatchNorm2d;
  downsample: Sequential | null;

  constructor(inChannels: number, channels: number, stride: number) {
    super();
    const outChannels = Bottleneck.expansion * channels;
    this.conv1 = new Conv2d(inChannels, channels, 1, { bias: false });
    this.bn1 = new BatchNorm2d(channels);
    this.conv2 = new Conv2d(channels, channels, 3, { stride, padding: 1, bias: false });
    this.bn2 = new BatchNorm2d(channels);
    this.conv3 = new Conv2d(channels, outChannels, 1, { bias: false });
    this.bn3 = new BatchNorm2d(outChannels);
    this.downsample = projection(inChannels, outChannels, stride);
  }

  get lastNorm(): BatchNorm2d {
    return this.bn3;
  }

  override forward(x: Tensor): Tensor {
    const reduced = relu(this.bn1(this.conv1(x)));
    const inner = relu(this.bn2(this.conv2(reduced)));
    return relu(add(this.bn3(this.conv3(inner)), this.downsample?.(x) ?? x) as Tensor);
  }
}

export interface ResNetOptions extends ModelOptions {
  /**
   * Start the last normalization of each block with a scale of 0, so that the untrained network is a shallow one
   * (Goyal et al. 2017). Default false.
   */
  readonly zeroInitResidual?: boolean;
}

/** What tells the networks of the family apart: the block, and how many of them work at each of four resolutions. */
export interface ResNetDesign {
  readonly block: typeof BasicBlock | typeof Bottleneck;
  readonly depths: readonly [number, number, number, number];
}

/**
 * N×3×224×224 (or another size) → N×`numClasses` scores, before softmax.
 *
 * @example new models.ResNet({ block: models.Bottleneck, depths: [3, 4, 6, 3] }, { zeroInitResidual: true }) // ResNet-50
 */
export class ResNet extends Network {
  conv1: Conv2d;
  bn1: BatchNorm2d;
  relu = new ReLU();
  maxpool = new MaxPool2d(3, { stride: 2, padding: 1 });
  layer1: Sequential;
  layer2: Sequential;
  layer3: Sequential;
  layer4: Sequential;
  avgpool = new AdaptiveAvgPool2d(1);
  flatten = new Flatten();
  fc: Linear;
  /** Channels of the stem and of the four layers. */
  readonly #channels: readonly number[];

  constructor({ block: Block, depths }: ResNetDesign, options: ResNetOptions = {}) {
    super();
    const { numClasses = 1000, inChannels = 3, width = 1, zeroInitResidual = false } = options;
    const widths = scaleWidths([64, 128, 256, 512], width);
    this.#channels = [widths[0], ...widths.map((channels) => Block.expansion * channels)];
    this.conv1 = new Conv2d(inChannels, widths[0], 7, { stride: 2, padding: 3, bias: false });
    this.bn1 = new BatchNorm2d(widths[0]);
    const [layer1, layer2, layer3, layer4] = widths.map((channels, layer) => {
      const blocks = Array.from({ length: depths[layer] }, (_, i) => {
        const stride = layer > 0 && i === 0 ? 2 : 1;
        return new Block(i === 0 ? this.#channels[layer] : Block.expansion * channels, channels, stride);
      });
      return new Sequential(...blocks);
    });
    this.layer1 = layer1;
    this.layer2 = layer2;
    this.layer3 = layer3;
    this.layer4 = layer4;
    this.fc = new Linear(this.#channels[4], numClasses);
    for (const [, module] of this.namedModules()) {
      if (module instanceof Conv2d) initialize(module, heFanOut);
      if (zeroInitResidual && (module instanceof BasicBlock || module instanceof Bottleneck))
        module.lastNorm.weight?.assign(zeros(module.lastNorm.weight.shape));
    }
  }

  override get numClasses(): number {
    return this.fc.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return ["relu", "layer1", "layer2", "layer3", "layer4"].map((name, i) => {
      return { name, channels: this.#channels[i], reduction: 2 ** (i + 1) };
    });
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    const stem = this.relu(this.bn1(this.conv1(x))); // N×64×112×112
    const maps1 = this.layer1(this.maxpool(stem)); // …×56×56
    const maps2 = this.layer2(maps1); // …×28×28
    const maps3 = this.layer3(maps2); // …×14×14
    return this.layer4(maps3); // …×7×7
  }

  override get headLayers(): readonly Layer[] {
    return [this.avgpool, this.flatten, this.fc];
  }

  override resetClassifier(numClasses: number): void {
    this.fc = new Linear(this.fc.inFeatures, numClasses);
  }
}

export const resnetPaper = {
  title: "Deep residual learning for image recognition",
  authors: "He, Zhang, Ren & Sun",
  year: 2015,
  url: "https://arxiv.org/abs/1512.03385",
} as const satisfies Paper;

function entry<const Name extends string>(name: Name, description: string, design: ResNetDesign) {
  return {
    name,
    description,
    paper: resnetPaper,
    ...imagenet,
    minimumSize: 1,
    create: (options?: ResNetOptions) => new ResNet(design, options),
  } as const satisfies ModelEntry;
}

export const resnets = [
  entry("resnet18", "ResNet-18: 11,689,512 parameters", { block: BasicBlock, depths: [2, 2, 2, 2] }),
  entry("resnet34", "ResNet-34: 21,797,672 parameters", { block: BasicBlock, depths: [3, 4, 6, 3] }),
  entry("resnet50", "ResNet-50, of bottlenecks: 25,557,032 parameters", { block: Bottleneck, depths: [3, 4, 6, 3] }),
  entry("resnet101", "ResNet-101: 44,549,160 parameters", { block: Bottleneck, depths: [3, 4, 23, 3] }),
  entry("resnet152", "ResNet-152: 60,192,808 parameters", { block: Bottleneck, depths: [3, 8, 36, 3] }),
] as const;
