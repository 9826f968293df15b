/** Convolution without shared weights. */

import { checkCount } from "../../core/check.js";
import type { Shape } from "../../core/shape.js";
import { Parameter } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { asPair, type NumberOrPair, resolvePadding, windowCount } from "../../ops/convolution/geometry.js";
import { locallyConnected2d, type UnfoldOptions } from "../../ops/convolution/unfold.js";
import type { TensorLike } from "../../ops/tensors.js";
import { defaultUniform } from "../initialize.js";
import { ModuleBase } from "../module.js";
import { format } from "./convolution.js";

export interface LocallyConnectedOptions extends UnfoldOptions {
  /** Add a learned number to each output channel at each place. Default true. */
  readonly bias?: boolean;
}

export interface LocallyConnected2d {
  (x: TensorLike): Tensor;
}

/**
 * A layer of windows as in convolution, but with weights of its own at each place: N×`inChannels`×H×W →
 * N×`outChannels`×H′×W′. The weights are P×O×(C · rows · columns), of P places.
 *
 * @param inputSize [H, W] of the pictures, or one number for both
 * @example new nn.LocallyConnected2d(16, 8, 3, 14)
 */
export class LocallyConnected2d extends ModuleBase {
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: NumberOrPair,
    readonly inputSize: NumberOrPair,
    readonly options: LocallyConnectedOptions = {},
  ) {
    super();
    const layer = "LocallyConnected2d";
    checkCount(layer, "the number of input channels", inChannels);
    checkCount(layer, "the number of output channels", outChannels);
    const kernel = asPair(layer, "the kernel size", kernelSize, 1);
    const size = asPair(layer, "the size of the pictures", inputSize, 1);
    const stride = asPair(layer, "stride", options.stride ?? 1, 1);
    const dilation = asPair(layer, "dilation", options.dilation ?? 1, 1);
    const sides = resolvePadding(layer, options.padding ?? 0, { size, kernel, stride, dilation });
    const count = (axis: 0 | 1) =>
      windowCount(size[axis], kernel[axis], stride[axis], sides[2 * axis] + sides[2 * axis + 1], dilation[axis]);
    const places = checkCount(layer, "the number of places", Math.max(0, count(0)) * Math.max(0, count(1)));
    const inputs = inChannels * kernel[0] * kernel[1];
    this.weight = new Parameter(defaultUniform<Shape>([places, outChannels, inputs], inputs));
    this.bias = (options.bias ?? true) ? new Parameter(defaultUniform<Shape>([places, outChannels], inputs)) : null;
  }

  override forward(x: TensorLike): Tensor {
    return locallyConnected2d(x, this.weight, this.bias, this.kernelSize, this.options);
  }

  override describe(): string {
    return `${this.inChannels}, ${this.outChannels}, kernel ${format(this.kernelSize)}, on ${format(this.inputSize)}`;
  }
}
