/**
 * GoogLeNet: Szegedy et al., "Going deeper with convolutions", 2014; lecture L1. `googlenet` is torchvision's, which normalizes
 * batches, and whose branches called 5×5 have 3×3 windows; `googlenet2014` is the paper's.
 */

import type { Tensor } from "../graph/tensor.js";
import { initialize } from "../nn/initialize.js";
import { ReLU } from "../nn/layers/activation.js";
import { AdaptiveAvgPool2d } from "../nn/layers/adaptivePooling.js";
import { Flatten, type Layer, Sequential } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { Dropout } from "../nn/layers/dropout.js";
import { Linear } from "../nn/layers/linear.js";
import { LocalResponseNorm } from "../nn/layers/normalization.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { Module } from "../nn/module.js";
import { type FeatureInfo, Network, type NetworkOutputs } from "../nn/network.js";
import { adaptiveAvgPool2d } from "../ops/pooling/adaptive.js";
import { avgPool2d } from "../ops/pooling/pool.js";
import { concat } from "../ops/shape/concat.js";
import type { TensorLike } from "../ops/tensors.js";
import { ConvNormReLU, ConvReLU, heFanIn, normalWeights } from "./blocks.js";
import { imagenet, symmetricNormalization, toSymmetric } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, type Paper, scaleWidths } from "./registry.js";

/** What tells the paper's network and torchvision's apart. */
export interface GoogLeNetDesign {
  /** Normalize batches after each convolution; if not, convolutions have biases and the stem normalizes responses. */
  readonly batchNorm: boolean;
  /** The true window of the branches that are called 5×5. */
  readonly fiveByFive: 3 | 5;
  /** The window of the last max-pooling. */
  readonly lastPool: 2 | 3;
  readonly dropout: number;
}

const torchvisionDesign: GoogLeNetDesign = { batchNorm: true, fiveByFive: 3, lastPool: 2, dropout: 0.2 };
const paperDesign: GoogLeNetDesign = { batchNorm: false, fiveByFive: 5, lastPool: 3, dropout: 0.4 };

type ConvBlock = ConvNormReLU | ConvReLU;

function convBlock(
  { batchNorm }: GoogLeNetDesign,
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  { stride = 1 } = {},
): ConvBlock {
  const options = { stride, padding: (kernelSize - 1) / 2 };
  const Block = batchNorm ? ConvNormReLU : ConvReLU;
  return new Block(inChannels, outChannels, kernelSize, options);
}

/** Channels of a module's branches, as a row of the paper's table: 1×1; reduction, 3×3; reduction, 5×5; after pooling. */
type Row = readonly [one: number, reduce3: number, three: number, reduce5: number, five: number, pool: number];

/** Four branches side by side, whose maps are put behind one another. */
class Inception extends Module {
  branch1: ConvBlock;
  branch2: Sequential;
  branch3: Sequential;
  branch4: Sequential;
  readonly outChannels: number;

  constructor(design: GoogLeNetDesign, inChannels: number, [one, reduce3, three, reduce5, five, pool]: Row) {
    super();
    this.branch1 = convBlock(design, inChannels, one, 1);
    this.branch2 = new Sequential(convBlock(design, inChannels, reduce3, 1), convBlock(design, reduce3, three, 3));
    this.branch3 = new Sequential(
      convBlock(design, inChannels, reduce5, 1),
      convBlock(design, reduce5, five, design.fiveByFive),
    );
    this.branch4 = new Sequential(new MaxPool2d(3, { stride: 1, padding: 1 }), convBlock(design, inChannels, pool, 1));
    this.outChannels = one + three + five + pool;
  }

  override forward(x: Tensor): Tensor {
    return concat([this.branch1(x), this.branch2(x), this.branch3(x), this.branch4(x)], 1);
  }
}

/** A classifier half way up, whose loss helps the layers below it to learn; nobody needs it afterwards. */
class AuxiliaryClassifier extends Module {
  conv: ConvBlock;
  flatten = new Flatten();
  fc1: Linear;
  relu = new ReLU();
  dropout: Dropout;
  fc2: Linear;
  /** Means of 5×5 windows, 3 apart, as in the paper, rather than of 4×4 even parts. */
  readonly #paperPooling: boolean;

  constructor(
    design: GoogLeNetDesign,
    inChannels: number,
    [channels, units]: readonly [number, number],
    numClasses: number,
    dropout: number,
  ) {
    super();
    this.conv = convBlock(design, inChannels, channels, 1);
    this.fc1 = new Linear(16 * channels, units);
    this.dropout = new Dropout(dropout);
    this.fc2 = new Linear(units, numClasses);
    this.#paperPooling = !design.batchNorm;
  }

  override forward(x: Tensor): Tensor {
    const maps = this.conv(this.#pool(x)); // N×128×4×4
    return this.fc2(this.dropout(this.relu(this.fc1(this.flatten(maps)))));
  }

  #pool(x: Tensor): Tensor {
    // The windows give the 4×4 that the classifier needs for maps of 14×14 to 16×16 only.
    const fits = x.shape.slice(2).every((length) => length >= 14 && length <= 16);
    return this.#paperPooling && fits ? avgPool2d(x, 5, { stride: 3 }) : adaptiveAvgPool2d(x, 4);
  }
}

export interface GoogLeNetOptions extends ModelOptions {
  /** Build the two auxiliary classifiers, of which `outputs` gives the scores while training. Default true. */
  readonly auxiliary?: boolean;
  /** Share of units that the auxiliary classifiers drop. Default: `dropout`, or else the paper's 0.7. */
  readonly auxiliaryDropout?: number;
  /** Whether pictures come normalized by ImageNet's means and deviations, as torchvision's; if not, −1 … 1. Default false. */
  readonly transformInput?: boolean;
}

/** The share of the auxiliary classifiers' losses in the paper. */
const auxiliaryWeight = 0.3;

/**
 * N×3×224×224 (or another size) → N×`numClasses` scores, before softmax: nine inception modules.
 *
 * @example
 * const network = models.create("googlenet", { auxiliary: false });
 * const { logits, auxiliary } = models.create("googlenet").outputs(images); // while training, two more classifiers
 */
export class GoogLeNet extends Network {
  conv1: ConvBlock;
  maxpool1 = new MaxPool2d(3, { stride: 2, ceilMode: true });
  norm1: LocalResponseNorm | null;
  conv2: ConvBlock;
  conv3: ConvBlock;
  norm2: LocalResponseNorm | null;
  maxpool2 = new MaxPool2d(3, { stride: 2, ceilMode: true });
  inception3a: Inception;
  inception3b: Inception;
  maxpool3 = new MaxPool2d(3, { stride: 2, ceilMode: true });
  inception4a: Inception;
  inception4b: Inception;
  inception4c: Inception;
  inception4d: Inception;
  inception4e: Inception;
  maxpool4: MaxPool2d;
  inception5a: Inception;
  inception5b: Inception;
  aux1: AuxiliaryClassifier | null;
  aux2: AuxiliaryClassifier | null;
  avgpool = new AdaptiveAvgPool2d(1);
  flatten = new Flatten();
  dropout: Dropout;
  fc: Linear;
  transformInput: boolean;

  constructor(design: GoogLeNetDesign, options: GoogLeNetOptions = {}) {
    super();
    const { numClasses = 1000, inChannels = 3, width = 1, auxiliary = true, transformInput = false } = options;
    const { dropout = design.dropout, auxiliaryDropout = options.dropout ?? 0.7 } = options;
    const [stem1, stem2, stem3] = scaleWidths([64, 64, 192], width);
    const inception = (before: number, ...row: Row) => new Inception(design, before, scaleWidths(row, width));
    this.conv1 = convBlock(design, inChannels, stem1, 7, { stride: 2 });
    this.norm1 = design.batchNorm ? null : new LocalResponseNorm(5);
    this.conv2 = convBlock(design, stem1, stem2, 1);
    this.conv3 = convBlock(design, stem2, stem3, 3);
    this.norm2 = design.batchNorm ? null : new LocalResponseNorm(5);
    this.inception3a = inception(stem3, 64, 96, 128, 16, 32, 32);
    this.inception3b = inception(this.inception3a.outChannels, 128, 128, 192, 32, 96, 64);
    this.inception4a = inception(this.inception3b.outChannels, 192, 96, 208, 16, 48, 64);
    this.inception4b = inception(this.inception4a.outChannels, 160, 112, 224, 24, 64, 64);
    this.inception4c = inception(this.inception4b.outChannels, 128, 128, 256, 24, 64, 64);
    this.inception4d = inception(this.inception4c.outChannels, 112, 144, 288, 32, 64, 64);
    this.inception4e = inception(this.inception4d.outChannels, 256, 160, 320, 32, 128, 128);
    this.maxpool4 = new MaxPool2d(design.lastPool, { stride: 2, ceilMode: true });
    this.inception5a = inception(this.inception4e.outChannels, 256, 160, 320, 32, 128, 128);
    this.inception5b = inception(this.inception5a.outChannels, 384, 192, 384, 48, 128, 128);
    const classifier = ({ outChannels }: Inception) =>
      new AuxiliaryClassifier(design, outChannels, scaleWidths([128, 1024], width), numClasses, auxiliaryDropout);
    this.aux1 = auxiliary ? classifier(this.inception4a) : null;
    this.aux2 = auxiliary ? classifier(this.inception4d) : null;
    this.dropout = new Dropout(dropout);
    this.fc = new Linear(this.inception5b.outChannels, numClasses);
    this.transformInput = transformInput;
    for (const [, module] of this.namedModules()) {
      // The paper does not tell its own; without normalization signals must keep their size from the start.
      if (module instanceof Conv2d) initialize(module, design.batchNorm ? normalWeights(0.01) : heFanIn);
      if (module instanceof Linear) initialize(module, normalWeights(0.01));
    }
  }

  override get numClasses(): number {
    return this.fc.outFeatures;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    return [
      { name: "conv1", channels: this.conv1.conv.outChannels, reduction: 2 },
      { name: "conv3", channels: this.conv3.conv.outChannels, reduction: 4 },
      { name: "inception3b", channels: this.inception3b.outChannels, reduction: 8 },
      { name: "inception4e", channels: this.inception4e.outChannels, reduction: 16 },
      { name: "inception5b", channels: this.inception5b.outChannels, reduction: 32 },
    ];
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    return this.#upper(this.#middle(this.#lower(x)));
  }

  override get headLayers(): readonly Layer[] {
    return [this.avgpool, this.flatten, this.dropout, this.fc];
  }

  protected override forwardOutputs(x: TensorLike): NetworkOutputs {
    const maps4a = this.#lower(x);
    const maps4d = this.#middle(maps4a);
    const logits = this.forwardHead(this.#upper(maps4d));
    if (!this.training || this.aux1 === null || this.aux2 === null) return { logits, auxiliary: [] };
    const auxiliary = [this.aux1(maps4a), this.aux2(maps4d)].map((scores) => ({
      logits: scores,
      weight: auxiliaryWeight,
    }));
    return { logits, auxiliary };
  }

  override resetClassifier(numClasses: number): void {
    this.fc = new Linear(this.fc.inFeatures, numClasses);
    for (const classifier of [this.aux1, this.aux2]) {
      if (classifier !== null) classifier.fc2 = new Linear(classifier.fc2.inFeatures, numClasses);
    }
  }

  /** The input → N×512×14×14, where the first auxiliary classifier sits. */
  #lower(x: TensorLike): Tensor {
    let maps: Tensor = this.maxpool1(this.conv1(this.transformInput ? toSymmetric(x) : x)); // N×64×56×56
    maps = this.conv3(this.conv2(this.norm1?.(maps) ?? maps));
    maps = this.maxpool2(this.norm2?.(maps) ?? maps); // N×192×28×28
    maps = this.maxpool3(this.inception3b(this.inception3a(maps))); // N×480×14×14
    return this.inception4a(maps);
  }

  /** … → N×528×14×14, where the second auxiliary classifier sits. */
  #middle(maps: Tensor): Tensor {
    return this.inception4d(this.inception4c(this.inception4b(maps)));
  }

  /** … → N×1024×7×7 */
  #upper(maps: Tensor): Tensor {
    return this.inception5b(this.inception5a(this.maxpool4(this.inception4e(maps))));
  }
}

const paper = {
  title: "Going deeper with convolutions",
  authors: "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke & Rabinovich",
  year: 2014,
  url: "https://arxiv.org/abs/1409.4842",
} as const satisfies Paper;

export const googlenet = {
  name: "googlenet",
  description:
    "GoogLeNet with batch normalization, as in torchvision: 13,004,888 parameters, 6,624,904 without auxiliary classifiers",
  paper,
  ...imagenet,
  normalization: symmetricNormalization,
  minimumSize: 15,
  create: (options?: GoogLeNetOptions) => new GoogLeNet(torchvisionDesign, options),
} as const satisfies ModelEntry;

export const googlenet2014 = {
  name: "googlenet2014",
  description: "GoogLeNet as in the paper: 13,378,280 parameters, 6,998,552 without auxiliary classifiers",
  paper,
  ...imagenet,
  minimumSize: 31,
  create: (options?: GoogLeNetOptions) => new GoogLeNet(paperDesign, options),
} as const satisfies ModelEntry;
