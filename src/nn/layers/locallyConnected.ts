/** Convolution without shared weights. */

import { checkCount } from "../../core/check.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import { Parameter } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { perAxis } from "../../ops/convolution/geometry.js";
import { locallyConnected1d, locallyConnected2d, locallyConnected3d } from "../../ops/convolution/locallyConnected.js";
import { type UnfoldOptions, windowGrid } from "../../ops/convolution/unfold.js";
import type { TensorLike } from "../../ops/tensors.js";
import { defaultUniform } from "../initialize.js";
import { ModuleBase } from "../module.js";
import { format } from "./convolution.js";

export interface LocallyConnectedOptions extends UnfoldOptions {
  /** Add a learned number to each output channel at each place. Default true. */
  readonly bias?: boolean;
}

/** What the layers of one to three axes have in common. */
abstract class LocallyConnected extends ModuleBase {
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    layer: string,
    axes: number,
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: number | readonly number[],
    readonly inputSize: number | readonly number[],
    readonly options: LocallyConnectedOptions,
  ) {
    super();
    checkCount(layer, "the number of input channels", inChannels);
    checkCount(layer, "the number of output channels", outChannels);
    const size = perAxis(layer, "the size of the input", inputSize, axes, 1);
    const { kernel, counts } = windowGrid(layer, size, kernelSize, options);
    const inputs = inChannels * sizeOf(kernel);
    this.weight = new Parameter(defaultUniform<Shape>([sizeOf(counts), outChannels, inputs], inputs));
    this.bias =
      (options.bias ?? true) ? new Parameter(defaultUniform<Shape>([sizeOf(counts), outChannels], inputs)) : null;
  }

  override describe(): string {
    return `${this.inChannels}, ${this.outChannels}, kernel ${format(this.kernelSize)}, on ${format(this.inputSize)}`;
  }
}

export interface LocallyConnected1d {
  (x: TensorLike): Tensor;
}
/** Windows with weights of their own at each place of N×C×L: see `LocallyConnected2d`. @param inputSize L */
export class LocallyConnected1d extends LocallyConnected {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly number[],
    inputSize: number | readonly number[],
    options: LocallyConnectedOptions = {},
  ) {
    super("LocallyConnected1d", 1, inChannels, outChannels, kernelSize, inputSize, options);
  }

  override forward(x: TensorLike): Tensor {
    return locallyConnected1d(x, this.weight, this.bias, this.kernelSize, this.options);
  }
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
export class LocallyConnected2d extends LocallyConnected {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly number[],
    inputSize: number | readonly number[],
    options: LocallyConnectedOptions = {},
  ) {
    super("LocallyConnected2d", 2, inChannels, outChannels, kernelSize, inputSize, options);
  }

  override forward(x: TensorLike): Tensor {
    return locallyConnected2d(x, this.weight, this.bias, this.kernelSize, this.options);
  }
}

export interface LocallyConnected3d {
  (x: TensorLike): Tensor;
}
/** Windows with weights of their own at each place of N×C×D×H×W: see `LocallyConnected2d`. @param inputSize [D, H, W] */
export class LocallyConnected3d extends LocallyConnected {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly number[],
    inputSize: number | readonly number[],
    options: LocallyConnectedOptions = {},
  ) {
    super("LocallyConnected3d", 3, inChannels, outChannels, kernelSize, inputSize, options);
  }

  override forward(x: TensorLike): Tensor {
    return locallyConnected3d(x, this.weight, this.bias, this.kernelSize, this.options);
  }
}
