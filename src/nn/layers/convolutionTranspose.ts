/** Layers that reverse convolutions' sizes. */

import type { Shape } from "../../core/shape.js";
import { Parameter } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { perAxis } from "../../ops/convolution/geometry.js";
import {
  type ConvTransposeOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "../../ops/convolution/transpose.js";
import type { TensorLike } from "../../ops/tensors.js";
import { defaultUniform, fanIn } from "../initialize.js";
import { ModuleBase } from "../module.js";
import type { Channels, MustBe } from "../types.js";
import { checkChannels, format } from "./convolution.js";

export interface ConvTransposeLayerOptions extends ConvTransposeOptions {
  /** Add a learned number to each output channel. Default true. */
  readonly bias?: boolean;
}

/** What transposed convolutions along any number of axes have in common. */
abstract class ConvTransposeBase<In extends number, Out extends number> extends ModuleBase {
  readonly inChannels: number;
  readonly outChannels: Out;
  readonly kernelSize: number | readonly number[];
  readonly stride: number | readonly number[];
  readonly padding: number | readonly number[];
  readonly outputPadding: number | readonly number[];
  readonly dilation: number | readonly number[];
  readonly groups: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    layer: string,
    axes: number,
    inChannels: In,
    outChannels: Out,
    kernelSize: number | readonly number[],
    options: ConvTransposeLayerOptions,
  ) {
    super();
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1, bias = true } = options;
    const kernel = perAxis(layer, "the kernel size", kernelSize, axes, 1);
    checkChannels(layer, inChannels, outChannels, groups);
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = padding;
    this.outputPadding = outputPadding;
    this.dilation = dilation;
    this.groups = groups;
    const shape: Shape = [inChannels, outChannels / groups, ...kernel];
    this.weight = new Parameter(defaultUniform(shape, fanIn(shape)));
    this.bias = bias ? new Parameter(defaultUniform<Shape>([outChannels], fanIn(shape))) : null;
  }

  override describe(): string {
    const parts = [`${this.inChannels}, ${this.outChannels}, kernel ${format(this.kernelSize)}`];
    if (format(this.stride) !== "1") parts.push(`stride ${format(this.stride)}`);
    if (format(this.padding) !== "0") parts.push(`padding ${format(this.padding)}`);
    if (format(this.outputPadding) !== "0") parts.push(`output padding ${format(this.outputPadding)}`);
    if (format(this.dilation) !== "1") parts.push(`dilation ${format(this.dilation)}`);
    if (this.groups !== 1) parts.push(`groups ${this.groups}`);
    if (this.bias === null) parts.push("no bias");
    return parts.join(", ");
  }
}

export interface ConvTranspose1d<In extends number = never, Out extends number = number> {
  <S extends Shape>(x: TensorLike<S> & MustBe<"channels", Channels<S>, In>): Tensor<[S[0], Out, number]>;
}

/**
 * Learned upsampling, the transpose of a convolution: N×`inChannels`×L → N×`outChannels`×L′.
 *
 * @param kernelSize a number
 * @example new nn.ConvTranspose1d(8, 2, 4, { stride: 2, padding: 1 }) // twice the length
 */
export class ConvTranspose1d<In extends number = never, Out extends number = number> extends ConvTransposeBase<
  In,
  Out
> {
  constructor(
    inChannels: In,
    outChannels: Out,
    kernelSize: number | readonly number[],
    options: ConvTransposeLayerOptions = {},
  ) {
    super("ConvTranspose1d", 1, inChannels, outChannels, kernelSize, options);
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<[S[0], Out, number]> {
    const result: Tensor = convTranspose1d(x, this.weight, this.bias, this);
    return result as Tensor<[S[0], Out, number]>;
  }
}

export interface ConvTranspose2d<In extends number = never, Out extends number = number> {
  <S extends Shape>(x: TensorLike<S> & MustBe<"channels", Channels<S>, In>): Tensor<[S[0], Out, number, number]>;
}

/**
 * Learned upsampling, the transpose of a convolution: N×`inChannels`×H×W → N×`outChannels`×H′×W′.
 *
 * @param kernelSize a number, or [height, width]
 * @example new nn.ConvTranspose2d(64, 32, 2, { stride: 2 }) // twice the height and width
 */
export class ConvTranspose2d<In extends number = never, Out extends number = number> extends ConvTransposeBase<
  In,
  Out
> {
  constructor(
    inChannels: In,
    outChannels: Out,
    kernelSize: number | readonly number[],
    options: ConvTransposeLayerOptions = {},
  ) {
    super("ConvTranspose2d", 2, inChannels, outChannels, kernelSize, options);
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<[S[0], Out, number, number]> {
    const result: Tensor = convTranspose2d(x, this.weight, this.bias, this);
    return result as Tensor<[S[0], Out, number, number]>;
  }
}

export interface ConvTranspose3d<In extends number = never, Out extends number = number> {
  <S extends Shape>(
    x: TensorLike<S> & MustBe<"channels", Channels<S>, In>,
  ): Tensor<[S[0], Out, number, number, number]>;
}

/**
 * Learned upsampling, the transpose of a convolution: N×`inChannels`×D×H×W → N×`outChannels`×D′×H′×W′.
 *
 * @param kernelSize a number, or [depth, height, width]
 * @example new nn.ConvTranspose3d(16, 8, 2, { stride: 2 })
 */
export class ConvTranspose3d<In extends number = never, Out extends number = number> extends ConvTransposeBase<
  In,
  Out
> {
  constructor(
    inChannels: In,
    outChannels: Out,
    kernelSize: number | readonly number[],
    options: ConvTransposeLayerOptions = {},
  ) {
    super("ConvTranspose3d", 3, inChannels, outChannels, kernelSize, options);
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<[S[0], Out, number, number, number]> {
    const result: Tensor = convTranspose3d(x, this.weight, this.bias, this);
    return result as Tensor<[S[0], Out, number, number, number]>;
  }
}
