/** What networks of several families are made of. */

import type { Tensor } from "../graph/tensor.js";
import { fanIn, fanOut, type Initializer, kaimingNormal } from "../nn/initialize.js";
import { BatchNorm2d } from "../nn/layers/batchNorm.js";
import { Conv2d, type ConvLayerOptions } from "../nn/layers/convolution.js";
import { LocalResponseNorm } from "../nn/layers/normalization.js";
import { Module } from "../nn/module.js";
import { relu } from "../ops/elementwise/functions.js";
import { normal } from "../ops/random/random.js";
import type { TensorLike } from "../ops/tensors.js";

/** He's initial weights, which keep the size of gradients. */
export const heFanOut: Initializer = (shape) => kaimingNormal(shape, fanOut(shape));

/** He's initial weights, which keep the size of activations. */
export const heFanIn: Initializer = (shape) => kaimingNormal(shape, fanIn(shape));

/** Initial weights from a normal distribution around 0. */
export function normalWeights(deviation: number): Initializer {
  return (shape) => normal(shape, 0, deviation);
}

/** Local response normalization with the constants of AlexNet's paper, whose alpha of 1e-4 is for each of 5 neighbours. */
export function imagenetResponseNorm(): LocalResponseNorm {
  return new LocalResponseNorm(5, { alpha: 5e-4, beta: 0.75, k: 2 });
}

/** A convolution, batch normalization and a rectifier: `conv` and `bn` as in torchvision's Inceptions. No bias unless asked for. */
export class ConvNormReLU extends Module {
  conv: Conv2d;
  bn: BatchNorm2d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [height: number, width: number],
    { bias = false, ...options }: ConvLayerOptions = {},
  ) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, kernelSize, { ...options, bias });
    this.bn = new BatchNorm2d(outChannels, { eps: 1e-3 });
  }

  override forward(x: TensorLike): Tensor {
    return relu(this.bn(this.conv(x)));
  }
}

/** A convolution with biases and a rectifier. */
export class ConvReLU extends Module {
  conv: Conv2d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [height: number, width: number],
    options: ConvLayerOptions = {},
  ) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, kernelSize, options);
  }

  override forward(x: TensorLike): Tensor {
    return relu(this.conv(x));
  }
}
