/**
 * U-Net: Ronneberger, Fischer & Brox, "U-Net: convolutional networks for biomedical image segmentation", 2015; the
 * encoder–decoder of lecture L4. The maps of each resolution on the way down are put beside those on the way up.
 */

import { ArgumentError } from "../core/errors.js";
import type { Tensor } from "../graph/tensor.js";
import { initialize, kaimingNormal } from "../nn/initialize.js";
import { BatchNorm2d } from "../nn/layers/batchNorm.js";
import type { Layer } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { ConvTranspose2d } from "../nn/layers/convolutionTranspose.js";
import { Dropout } from "../nn/layers/dropout.js";
import { MaxPool2d } from "../nn/layers/pooling.js";
import { Module } from "../nn/module.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import { relu } from "../ops/elementwise/functions.js";
import { concat } from "../ops/shape/concat.js";
import { pad } from "../ops/shape/pad.js";
import type { TensorLike } from "../ops/tensors.js";
import { heFanIn } from "./blocks.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

/** What all convolutions have in common. */
interface Style {
  readonly padding: number;
  readonly batchNorm: boolean;
}

/** Two 3×3 convolutions with rectifiers. */
class DoubleConv extends Module {
  conv1: Conv2d;
  conv2: Conv2d;

  norm1: BatchNorm2d | undefined;
  norm2: BatchNorm2d | undefined;

  constructor(inChannels: number, outChannels: number, { padding, batchNorm }: Style) {
    super();
    this.conv1 = new Conv2d(inChannels, outChannels, 3, { padding, bias: !batchNorm });
    this.conv2 = new Conv2d(outChannels, outChannels, 3, { padding, bias: !batchNorm });
    if (!batchNorm) return;
    this.norm1 = new BatchNorm2d(outChannels);
    this.norm2 = new BatchNorm2d(outChannels);
  }

  override forward(x: TensorLike): Tensor {
    const first = this.conv1(x);
    const second = this.conv2(relu(this.norm1?.(first) ?? first));
    return relu(this.norm2?.(second) ?? second);
  }
}

/** Twice the resolution and half the channels, beside the maps of that resolution from the way down. */
class UpBlock extends Module {
  up: ConvTranspose2d;
  conv: DoubleConv;

  constructor(inChannels: number, outChannels: number, style: Style) {
    super();
    this.up = new ConvTranspose2d(inChannels, outChannels, 2, { stride: 2 });
    this.conv = new DoubleConv(2 * outChannels, outChannels, style);
  }

  override forward(x: Tensor, skipped: Tensor): Tensor {
    const larger = this.up(x);
    const [height, width] = [skipped.shape[2] - larger.shape[2], skipped.shape[3] - larger.shape[3]];
    // Convolutions without padding leave less than was skipped, which is cut all around. With padding there may be a row or
    // column too many, because pooling rounds up.
    const fits =
      this.conv.conv1.padding === 0
        ? [pad(skipped, [halves(-height), halves(-width)]), larger]
        : [
            skipped,
            pad(larger, [
              [0, height],
              [0, width],
            ]),
          ];
    return this.conv(concat(fits, 1));
  }
}

/** A number of elements as two parts, one for each end. */
function halves(count: number): [before: number, after: number] {
  const before = Math.ceil(count / 2);
  return [before, count - before];
}

export interface UNetOptions extends ModelOptions {
  /**
   * `same`: convolutions see zeros around the picture, and scores come out in its size, whatever that is. `valid`: as in the
   * paper, only pixels whose whole surroundings are known get scores: 388×388 of 572×572. Default `same`.
   */
  readonly padding?: "same" | "valid";
  /** How often the resolution is halved, 1 … 6; two or three do for pictures of 32 to 64 pixels. Default 4, as in the paper. */
  readonly depth?: number;
  /** Normalizes after each 3×3 convolution, which then has no bias: learns faster. Default false, as in the paper. */
  readonly batchNorm?: boolean;
}

/**
 * N×1×572×572 (or another size) → N×`numClasses`×572×572 scores of each pixel, before softmax.
 *
 * Dropout, 0.5 unless said otherwise, comes at the end of the way down, as in the paper, which does not tell how much.
 *
 * @example
 * const network = models.create("unet", { padding: "valid" });
 * const loss = crossEntropy(network(images), labels); // N×388×388 class numbers
 */
export class UNet extends Network {
  down: readonly DoubleConv[];
  pool = new MaxPool2d(2, { ceilMode: true });
  bottom: DoubleConv;
  dropout: Dropout;
  up: readonly UpBlock[];
  head: Conv2d;

  constructor(options: UNetOptions = {}) {
    super();
    const {
      numClasses = 2,
      inChannels = 1,
      dropout = 0.5,
      width = 1,
      padding = "same",
      depth = 4,
      batchNorm = false,
    } = options;
    if (!Number.isInteger(depth) || depth < 1 || depth > 6)
      throw new ArgumentError(`UNet: the depth is ${depth}. Expected an integer from 1 to 6.`);
    if (padding !== "same" && padding !== "valid")
      throw new ArgumentError(`UNet: the padding is ${JSON.stringify(padding)}. Expected "same" or "valid".`);
    const style: Style = { padding: padding === "same" ? 1 : 0, batchNorm };
    const channels = Array.from({ length: depth + 1 }, (_, i) => 64 * 2 ** i);
    const widths = scaleWidths(channels, width);
    this.down = widths
      .slice(0, depth)
      .map((channels, i) => new DoubleConv(i === 0 ? inChannels : widths[i - 1], channels, style));
    this.bottom = new DoubleConv(widths[depth - 1], widths[depth], style);
    this.dropout = new Dropout(dropout);
    this.up = this.down.map((_, i) => depth - 1 - i).map((i) => new UpBlock(widths[i + 1], widths[i], style));
    for (const [, module] of this.namedModules()) {
      if (module instanceof Conv2d) initialize(module, heFanIn);
      // Windows do not overlap, so each pixel comes of one pixel's channels.
      if (module instanceof ConvTranspose2d) initialize(module, (shape) => kaimingNormal(shape, shape[0]));
    }
    this.head = finalConvolution(widths[0], numClasses);
  }

  override get numClasses(): number {
    return this.head.outChannels;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    const down = this.down.map((block, i) => ({
      name: `down.${i}`,
      channels: block.conv2.outChannels,
      reduction: 2 ** i,
    }));
    const bottom = { name: "bottom", channels: this.bottom.conv2.outChannels, reduction: 2 ** down.length };
    return [...down, bottom, { name: `up.${down.length - 1}`, channels: this.head.inChannels, reduction: 1 }];
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    const skipped: Tensor[] = [];
    for (const block of this.down) {
      const before = skipped.at(-1);
      const maps = block(before === undefined ? x : this.pool(before));
      skipped.push(skipped.length === this.down.length - 1 ? this.dropout(maps) : maps);
    }
    const last = skipped.length - 1;
    let maps = this.dropout(this.bottom(this.pool(skipped[last])));
    for (const [i, block] of this.up.entries()) maps = block(maps, skipped[last - i]);
    return maps;
  }

  override get headLayers(): readonly Layer[] {
    return [this.head];
  }

  override resetClassifier(numClasses: number): void {
    this.head = finalConvolution(this.head.inChannels, numClasses);
  }
}

function finalConvolution(inChannels: number, numClasses: number): Conv2d {
  const convolution = new Conv2d(inChannels, numClasses, 1);
  initialize(convolution, heFanIn);
  return convolution;
}

export const unet = {
  name: "unet",
  description: "U-Net, which tells the class of each pixel: 31,030,658 parameters",
  paper: {
    title: "U-Net: convolutional networks for biomedical image segmentation",
    authors: "Ronneberger, Fischer & Brox",
    year: 2015,
    url: "https://arxiv.org/abs/1505.04597",
  },
  task: "segmentation",
  inputShape: [1, 572, 572],
  minimumSize: 1,
  numClasses: 2,
  // The paper says nothing of it: grey values to −1 … 1.
  normalization: { mean: [0.5], std: [0.5] },
  create: (options?: UNetOptions) => new UNet(options),
} as const satisfies ModelEntry;
