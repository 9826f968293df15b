/** Convolutional layers. N batch; L, or D, H and W, the axes that windows slide along. */

import { checkCount } from "../../core/check.js";
import { ArgumentError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import { Parameter } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { type ConvOptions, conv1d, conv2d, conv3d } from "../../ops/convolution/convolve.js";
import { type Padding, perAxis } from "../../ops/convolution/geometry.js";
import type { TensorLike } from "../../ops/tensors.js";
import { defaultUniform, fanIn } from "../initialize.js";
import { ModuleBase } from "../module.js";
import type { Channels, MustBe } from "../types.js";

export interface ConvLayerOptions extends ConvOptions {
  /** Add a learned number to each output channel. Default true. */
  readonly bias?: boolean;
}

/** What convolutions along any number of axes have in common. */
export abstract class ConvBase<In extends number, Out extends number> extends ModuleBase {
  readonly inChannels: number;
  readonly outChannels: Out;
  readonly kernelSize: number | readonly number[];
  readonly stride: number | readonly number[];
  readonly padding: Padding;
  readonly paddingMode: NonNullable<ConvOptions["paddingMode"]>;
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
    options: ConvLayerOptions,
  ) {
    super();
    const { stride = 1, padding = 0, paddingMode = "zeros", dilation = 1, groups = 1, bias = true } = options;
    const kernel = perAxis(layer, "the kernel size", kernelSize, axes, 1);
    checkChannels(layer, inChannels, outChannels, groups);
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = padding;
    this.paddingMode = paddingMode;
    this.dilation = dilation;
    this.groups = groups;
    const shape: Shape = [outChannels, inChannels / groups, ...kernel];
    this.weight = new Parameter(defaultUniform(shape, fanIn(shape)));
    this.bias = bias ? new Parameter(defaultUniform<Shape>([outChannels], fanIn(shape))) : null;
  }

  override describe(): string {
    const parts = [`${this.inChannels}, ${this.outChannels}, kernel ${format(this.kernelSize)}`];
    if (format(this.stride) !== "1") parts.push(`stride ${format(this.stride)}`);
    if (format(this.padding) !== "0") parts.push(`padding ${format(this.padding)}`);
    if (this.paddingMode !== "zeros") parts.push(this.paddingMode);
    if (format(this.dilation) !== "1") parts.push(`dilation ${format(this.dilation)}`);
    if (this.groups !== 1) parts.push(`groups ${this.groups}`);
    if (this.bias === null) parts.push("no bias");
    return parts.join(", ");
  }
}

/** Throws unless the channels are counts that the groups divide. */
export function checkChannels(layer: string, inChannels: number, outChannels: number, groups: number): void {
  checkCount(layer, "the number of input channels", inChannels);
  checkCount(layer, "the number of output channels", outChannels);
  checkCount(layer, "the number of groups", groups);
  if (inChannels % groups !== 0 || outChannels % groups !== 0) {
    throw new ArgumentError(
      `${layer}: ${groups} groups do not divide ${inChannels} input and ${outChannels} output channels evenly. Expected groups to divide both.`,
    );
  }
}

/** A setting as the constructor takes it. */
export function format(value: number | string | readonly number[]): string {
  return typeof value === "object" ? `[${value.join(", ")}]` : String(value);
}

export interface Conv1d<In extends number = never, Out extends number = number> {
  <S extends Shape>(x: TensorLike<S> & MustBe<"channels", Channels<S>, In>): Tensor<[S[0], Out, number]>;
}

/**
 * Convolution with learned filters: N×`inChannels`×L → N×`outChannels`×L′.
 *
 * @param kernelSize a number
 * @example new nn.Conv1d(2, 8, 9, { stride: 4 })
 */
export class Conv1d<In extends number = never, Out extends number = number> extends ConvBase<In, Out> {
  constructor(
    inChannels: In,
    outChannels: Out,
    kernelSize: number | readonly number[],
    options: ConvLayerOptions = {},
  ) {
    super("Conv1d", 1, inChannels, outChannels, kernelSize, options);
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<[S[0], Out, number]> {
    const result: Tensor = conv1d(x, this.weight, this.bias, this);
    return result as Tensor<[S[0], Out, number]>;
  }
}

export interface Conv2d<In extends number = never, Out extends number = number> {
  <T extends TensorLike>(
    x: T & MustBe<"channels", Channels<T["shape"]>, In>,
  ): Tensor<[T["shape"][0], Out, number, number]>;
}

/**
 * Convolution with learned filters: N×`inChannels`×H×W → N×`outChannels`×H′×W′.
 *
 * @param kernelSize a number, or [height, width]
 * @example new nn.Conv2d(1, 6, 5, { padding: 2 })
 */
export class Conv2d<In extends number = never, Out extends number = number> extends ConvBase<In, Out> {
  constructor(
    inChannels: In,
    outChannels: Out,
    kernelSize: number | readonly number[],
    options: ConvLayerOptions = {},
  ) {
    super("Conv2d", 2, inChannels, outChannels, kernelSize, options);
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<[S[0], Out, number, number]> {
    const result: Tensor = conv2d(x, this.weight, this.bias, this);
    return result as Tensor<[S[0], Out, number, number]>;
  }
}

export interface Conv3d<In extends number = never, Out extends number = number> {
  <S extends Shape>(
    x: TensorLike<S> & MustBe<"channels", Channels<S>, In>,
  ): Tensor<[S[0], Out, number, number, number]>;
}

/**
 * Convolution with learned filters: N×`inChannels`×D×H×W → N×`outChannels`×D′×H′×W′.
 *
 * @param kernelSize a number, or [depth, height, width]
 * @example new nn.Conv3d(3, 16, 3, { padding: "same" })
 */
export class Conv3d<In extends number = never, Out extends number = number> extends ConvBase<In, Out> {
  constructor(
    inChannels: In,
    outChannels: Out,
    kernelSize: number | readonly number[],
    options: ConvLayerOptions = {},
  ) {
    super("Conv3d", 3, inChannels, outChannels, kernelSize, options);
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<[S[0], Out, number, number, number]> {
    const result: Tensor = conv3d(x, this.weight, this.bias, this);
    return result as Tensor<[S[0], Out, number, number, number]>;
  }
}
