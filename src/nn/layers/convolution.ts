/** Convolutional layers. N batch, H height, W width. */

import { ArgumentError } from "../../core/errors.js";
import type { Shape } from "../../core/shape.js";
import { Parameter } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { type Conv2dOptions, conv2d } from "../../ops/convolution/conv2d.js";
import { asPair, checkCount, type NumberOrPair, type Padding } from "../../ops/convolution/geometry.js";
import type { TensorLike } from "../../ops/tensors.js";
import { defaultUniform, fanIn } from "../initialize.js";
import { ModuleBase } from "../module.js";
import type { Channels, MustBe } from "../types.js";

export interface Conv2dLayerOptions extends Conv2dOptions {
  /** Add a learned number to each output channel. Default true. */
  readonly bias?: boolean;
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
export class Conv2d<In extends number = never, Out extends number = number> extends ModuleBase {
  readonly inChannels: number;
  readonly outChannels: Out;
  readonly kernelSize: NumberOrPair;
  readonly stride: NumberOrPair;
  readonly padding: Padding;
  readonly dilation: NumberOrPair;
  readonly groups: number;
  weight: Parameter;
  bias: Parameter | null;

  constructor(inChannels: In, outChannels: Out, kernelSize: NumberOrPair, options: Conv2dLayerOptions = {}) {
    super();
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
    const [kernelHeight, kernelWidth] = asPair("Conv2d", "the kernel size", kernelSize, 1);
    checkCount("Conv2d", "the number of input channels", inChannels);
    checkCount("Conv2d", "the number of output channels", outChannels);
    checkCount("Conv2d", "the number of groups", groups);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ArgumentError(
        `Conv2d: ${groups} groups do not divide ${inChannels} input and ${outChannels} output channels evenly. Expected groups to divide both.`,
      );
    }
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = padding;
    this.dilation = dilation;
    this.groups = groups;
    const shape: Shape = [outChannels, inChannels / groups, kernelHeight, kernelWidth];
    this.weight = new Parameter(defaultUniform(shape, fanIn(shape)));
    this.bias = bias ? new Parameter(defaultUniform<Shape>([outChannels], fanIn(shape))) : null;
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<[S[0], Out, number, number]> {
    const { stride, padding, dilation, groups } = this;
    const result: Tensor = conv2d(x, this.weight, this.bias, { stride, padding, dilation, groups });
    return result as Tensor<[S[0], Out, number, number]>;
  }

  override describe(): string {
    const parts = [`${this.inChannels}, ${this.outChannels}, kernel ${format(this.kernelSize)}`];
    if (format(this.stride) !== "1") parts.push(`stride ${format(this.stride)}`);
    if (format(this.padding) !== "0") parts.push(`padding ${format(this.padding)}`);
    if (format(this.dilation) !== "1") parts.push(`dilation ${format(this.dilation)}`);
    if (this.groups !== 1) parts.push(`groups ${this.groups}`);
    if (this.bias === null) parts.push("no bias");
    return parts.join(", ");
  }
}

function format(value: number | string | readonly number[]): string {
  return typeof value === "object" ? `[${value.join(", ")}]` : String(value);
}
