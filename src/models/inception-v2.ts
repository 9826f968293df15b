/**
 * Inception v2, the network of Ioffe & Szegedy, "Batch normalization: accelerating deep network training by reducing internal
 * covariate shift", 2015; lecture L1. It follows the table in the paper's appendix, with these decisions:
 *
 * - The pooling branches of 4c and 4d have 96 channels. With the 128 of their rows they would give 608, not the 576 of the
 *   same rows, and 4e not the 1,024 of its own.
 * - Windows that overhang the maps see padding, so that sizes halve as in the table.
 * - The first convolution is separable with a multiplier of 8, as the text says: nothing between its two parts.
 * - No dropout and no response normalization, which the paper removes; no auxiliary classifiers, which it does not mention.
 * - He's initial weights: the paper does not tell its own.
 */

import type { Tensor } from "../graph/tensor.js";
import { initialize } from "../nn/initialize.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { Flatten, type Layer, Sequential } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Linear } from "../nn/layers/linear.js";
import { AvgPool2d, MaxPool2d } from "../nn/layers/pooling.js";
import { Module } from "../nn/module.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import { concat } from "../ops/shape/concat.js";
import type { TensorLike } from "../ops/tensors.js";
import { ConvNormReLU, heFanOut } from "./blocks.js";
import { imagenet, symmetricNormalization } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

/**
 * A row of the table: 1×1; reduction, 3×3; reduction, two 3×3; after pooling. Without 1×1 and after pooling, the module halves
 * the maps.
 */
type Row = readonly [one: number, reduce3: number, three: number, reduceDouble: number, double: number, pool: number];

/** Four branches side by side, or three that halve the maps. */
class Inception extends Module {
  branch1: ConvNormReLU | null;
  branch2: Sequential;
  branch3: Sequential;
  branch4: Layer;
  readonly outChannels: number;

  constructor(inChannels: number, row: Row, pooling: "average" | "max", width: number) {
    super();
    const [one, reduce3, three, reduceDouble, double, pool] = scaleWidths(row, width);
    const halves = row[0] === 0;
    const stride = halves ? 2 : 1;
    this.branch1 = halves ? null : new ConvNormReLU(inChannels, one, 1);
    this.branch2 = new Sequential(
      new ConvNormReLU(inChannels, reduce3, 1),
      new ConvNormReLU(reduce3, three, 3, { stride, padding: 1 }),
    );
    this.branch3 = new Sequential(
      new ConvNormReLU(inChannels, reduceDouble, 1),
      new ConvNormReLU(reduceDouble, double, 3, { padding: 1 }),
      new ConvNormReLU(double, double, 3, { stride, padding: 1 }),
    );
    const Pool = pooling === "max" ? MaxPool2d : AvgPool2d;
    const pooled = new Pool(3, { stride, padding: 1 });
    this.branch4 = halves ? pooled : new Sequential(pooled, new ConvNormReLU(inChannels, pool, 1));
    this.outChannels = halves ? three + double + inChannels : one + three + double + pool;
  }

  override forward(x: Tensor): Tensor {
    const wide = [this.branch2(x), this.branch3(x), this.branch4(x)];
    return concat(this.branch1 === null ? wide : [this.branch1(x), ...wide], 1);
  }
}

/** A 7×7 convolution of each channel by itself, eight times, and a 1×1 that mixes them. */
function separableStem(inChannels: number, outChannels: number): Sequential {
  // Not more channels between the two than the second makes.
  const multiplier = Math.max(1, Math.min(8, Math.floor(outChannels / inChannels)));
  const middle = multiplier * inChannels;
  return new Sequential(
    new Conv2d(inChannels, middle, 7, { stride: 2, padding: 3, groups: inChannels, bias: false }),
    new ConvNormReLU(middle, outChannels, 1),
  );
}

/** N×3×224×224 (or another size) → N×`numClasses` scores, before softmax: ten inception modules. */
export class InceptionV2 extends Network {
  conv1: Sequential;
  maxpool1 = new MaxPool2d(3, { stride: 2, padding: 1 });
  conv2: ConvNormReLU;
  conv3: ConvNormReLU;
  maxpool2 = new MaxPool2d(3, { stride: 2, padding: 1 });
  inception3a: Inception;
  inception3b: Inception;
  inception3c: Inception;
  inception4a: Inception;
  inception4b: Inception;
  inception4c: Inception;
  inception4d: Inception;
  inception4e: Inception;
  inception5a: Inception;
  inception5b: Inception;
  avgpool = new AdaptiveAvgPool2d(1);
  flatten = new Flatten();
  fc: Linear;
  readonly #stem: readonly [number, number, number];

  constructor({ numClasses = 1000, inChannels = 3, width = 1 }: ModelOptions = {}) {
    super();
    const stem = scaleWidths([64, 64, 192], width);
    this.#stem = stem;
    this.conv1 = separableStem(inChannels, stem[0]);
    this.conv2 = new ConvNormReLU(stem[0], stem[1], 1);
    this.conv3 = new ConvNormReLU(stem[1], stem[2], 3, { padding: 1 });
    const average = (before: number, ...row: Row) => new Inception(before, row, "average", width);
    const max = (before: number, ...row: Row) => new Inception(before, row, "max", width);
    this.inception3a = average(stem[2], 64, 64, 64, 64, 96, 32);
    this.inception3b = average(this.inception3a.outChannels, 64, 64, 96, 64, 96, 64);
    this.inception3c = max(this.inception3b.outChannels, 0, 128, 160, 64, 96, 0);
    this.inception4a = average(this.inception3c.outChannels, 224, 64, 96, 96, 128, 128);
    this.inception4b = average(this.inception4a.outChannels, 192, 96, 128, 96, 128, 128);
    this.inception4c = average(this.inception4b.outChannels, 160, 128, 160, 128, 160, 96);
    this.inception4d = average(this.inception4c.outChannels, 96, 128, 192, 160, 192, 96);
    this.inception4e = max(this.inception4d.outChannels, 0, 128, 192, 192, 256, 0);
    this.inception5a = average(this.inception4e.outChannels, 352, 192, 320, 160, 224, 128);
    this.inception5b = max(this.inception5a.outChannels, 352, 192, 320, 192, 224, 128);
    this.fc = new Linear(this.inception5b.outChannels, numClasses);
    for (const [, module] of this.namedModules()) if (module instanceof Conv2d) initialize(module, heFanOut);
  }

  override get numClasses(): number {
    return this.fc.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return [
      { name: "conv1", channels: this.#stem[0], reduction: 2 },
      { name: "conv3", channels: this.#stem[2], reduction: 4 },
      { name: "inception3b", channels: this.inception3b.outChannels, reduction: 8 },
      { name: "inception4d", channels: this.inception4d.outChannels, reduction: 16 },
      { name: "inception5b", channels: this.inception5b.outChannels, reduction: 32 },
    ];
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    const stem = this.conv3(this.conv2(this.maxpool1(this.conv1(x)))); // N×192×56×56
    const maps3 = this.inception3b(this.inception3a(this.maxpool2(stem))); // N×320×28×28
    const half = this.inception4b(this.inception4a(this.inception3c(maps3)));
    const maps4 = this.inception4d(this.inception4c(half)); // N×576×14×14
    return this.inception5b(this.inception5a(this.inception4e(maps4))); // N×1024×7×7
  }

  override get headLayers(): readonly Layer[] {
    return [this.avgpool, this.flatten, this.fc];
  }

  override resetClassifier(numClasses: number): void {
    this.fc = new Linear(this.fc.inFeatures, numClasses);
  }
}

export const inceptionV2 = {
  name: "inception_v2",
  description: "Inception v2, the network of the paper on batch normalization: 11,188,288 parameters",
  paper: {
    title: "Batch normalization: accelerating deep network training by reducing internal covariate shift",
    authors: "Ioffe & Szegedy",
    year: 2015,
    url: "https://arxiv.org/abs/1502.03167",
  },
  ...imagenet,
  minimumSize: 1,
  normalization: symmetricNormalization,
  create: (options?: ModelOptions) => new InceptionV2(options),
} as const satisfies ModelEntry;
