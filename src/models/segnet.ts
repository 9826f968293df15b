/**
 * SegNet: Badrinarayanan, Kendall & Cipolla, "SegNet: a deep convolutional encoder-decoder architecture for image
 * segmentation", 2015; the encoder–decoder with max-unpooling of lecture L4. Max-pooling remembers where its winners stood;
 * on the way up they are put back there, between zeros, and convolutions fill the gaps.
 */

import type { Tensor } from "../graph/tensor.js";
import { initialize } from "../nn/initialize.js";
import { type Layer, Sequential } from "../nn/layers/container.js";
import { Conv2d } from "../nn/layers/convolution.js";
import { type FeatureInfo, Network } from "../nn/network.js";
import { maxPool2dWithIndices, maxUnpool2d } from "../ops/pooling/unpool.js";
import { asTensor, type TensorLike } from "../ops/tensors.js";
import { ConvNormReLU, heFanIn } from "./blocks.js";
import { imagenet } from "./imagenet.js";
import { type ModelEntry, type ModelOptions, scaleWidths } from "./registry.js";

/** Output channels of the convolutions of each stage: VGG-16's on the way down, mirrored on the way up. */
const down = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
] as const;
const up = [[512, 512, 512], [512, 512, 256], [256, 256, 128], [128, 64], [64]] as const;

/**
 * N×3×360×480 (or another size) → N×`numClasses`×360×480 scores of each pixel, before softmax. The encoder is
 * VGG-16's, with batch normalization.
 */
export class SegNet extends Network {
  encoder: readonly Sequential[];
  decoder: readonly Sequential[];
  head: Conv2d;
  readonly #channels: readonly number[];

  constructor({ numClasses = 11, inChannels = 3, width = 1 }: ModelOptions = {}) {
    super();
    let channels = inChannels;
    const stage = (widths: readonly number[]) => {
      const layers = scaleWidths(widths, width).map((outChannels) => {
        const layer = new ConvNormReLU(channels, outChannels, 3, { padding: 1, bias: true });
        channels = outChannels;
        return layer;
      });
      return new Sequential(...layers);
    };
    this.encoder = down.map(stage);
    this.decoder = up.map(stage);
    this.#channels = scaleWidths(
      down.map((widths) => widths[0]),
      width,
    );
    for (const [, module] of this.namedModules()) if (module instanceof Conv2d) initialize(module, heFanIn);
    this.head = finalConvolution(channels, numClasses);
  }

  override get numClasses(): number {
    return this.head.outChannels;
  }

  override get featureInfo(): readonly FeatureInfo[] {
    const encoded = this.#channels.map((channels, i) => ({ name: `encoder.${i}`, channels, reduction: 2 ** i }));
    return [...encoded, { name: "decoder.4", channels: this.head.inChannels, reduction: 1 }];
  }

  protected override computeFeatures(x: TensorLike): Tensor {
    let maps: Tensor = asTensor("SegNet", x);
    const pooled = this.encoder.map((stage) => {
      const whole = stage(maps);
      const { values, indices } = maxPool2dWithIndices(whole, 2, { ceilMode: true });
      maps = values;
      return { indices, size: [whole.shape[2], whole.shape[3]] as const };
    });
    for (const stage of this.decoder) {
      const from = pooled.pop();
      maps = stage(from === undefined ? maps : maxUnpool2d(maps, from.indices, from.size));
    }
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
  const convolution = new Conv2d(inChannels, numClasses, 3, { padding: 1 });
  initialize(convolution, heFanIn);
  return convolution;
}

export const segnet = {
  name: "segnet",
  description: "SegNet, which tells the class of each pixel: 29,449,355 parameters",
  paper: {
    title: "SegNet: a deep convolutional encoder-decoder architecture for image segmentation",
    authors: "Badrinarayanan, Kendall & Cipolla",
    year: 2015,
    url: "https://arxiv.org/abs/1511.00561",
  },
  task: "segmentation",
  // CamVid's street scenes.
  inputShape: [3, 360, 480],
  minimumSize: 1,
  numClasses: 11,
  normalization: imagenet.normalization,
  create: (options?: ModelOptions) => new SegNet(options),
} as const satisfies ModelEntry;
