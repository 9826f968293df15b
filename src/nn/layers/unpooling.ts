/** Layers that undo max pooling, as far as that can be done. */

import { ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { perAxis, windowSpan } from "../../ops/convolution/geometry.js";
import { maxUnpool1d, maxUnpool2d, maxUnpool3d } from "../../ops/pooling/unpool.js";
import type { TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import { format } from "./convolution.js";

/** The settings of the pooling that is undone. */
export interface MaxUnpoolOptions {
  /** Default: the kernel size. */
  readonly stride?: number | readonly number[];
  /** Border on both sides of each axis. Default 0. */
  readonly padding?: number | readonly number[];
  /** Default 1. */
  readonly dilation?: number | readonly number[];
}

/** What unpooling along any number of axes has in common. */
abstract class MaxUnpool extends ModuleBase {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly kernelSize: readonly number[];
  readonly #layer: string;

  constructor(layer: string, axes: number, kernelSize: number | readonly number[], options: MaxUnpoolOptions) {
    super();
    this.kernelSize = perAxis(layer, "the kernel size", kernelSize, axes, 1);
    this.stride = perAxis(layer, "stride", options.stride ?? kernelSize, axes, 1);
    this.padding = perAxis(layer, "padding", options.padding ?? 0, axes, 0);
    this.dilation = perAxis(layer, "dilation", options.dilation ?? 1, axes, 1);
    this.#layer = layer;
  }

  /** The size before pooling: the smallest that gives x's, or the one that is asked for, if it can have. */
  protected sizeFor(x: TensorLike, asked: number | readonly number[] | undefined): readonly number[] {
    const axes = this.kernelSize.length;
    const least = x.shape.slice(2).map((count, axis) => {
      const span = windowSpan(this.kernelSize[axis], this.dilation[axis]);
      return (count - 1) * this.stride[axis] + span - 2 * this.padding[axis];
    });
    if (asked === undefined) return least;
    const size = perAxis(this.#layer, "the output size", asked, axes, 1);
    // With ceilMode the last window may have overhung.
    if (least.some((length, axis) => Math.abs(size[axis] - length) >= this.stride[axis])) {
      throw new ShapeError(
        `${this.#layer}: the output size is ${size.join("×")}, but pooling by ${this.kernelSize.join("×")} at steps of ${this.stride.join("×")} does not make ${formatShape(x.shape.slice(2))} of that. Expected ${least.join("×")}, or less than one step away. Fix: the size of what was pooled, and its settings.`,
      );
    }
    return size;
  }

  override describe(): string {
    const { kernelSize, stride, padding, dilation } = this;
    const parts = [`kernel ${format(kernelSize)}, stride ${format(stride)}`];
    if (padding.some((side) => side !== 0)) parts.push(`padding ${format(padding)}`);
    if (dilation.some((step) => step !== 1)) parts.push(`dilation ${format(dilation)}`);
    return parts.join(", ");
  }
}

export interface MaxUnpool1d {
  (x: TensorLike, indices: TensorLike<Shape, "int32">, outputSize?: number | readonly number[]): Tensor;
}
/** Puts the values of `maxPool1dWithIndices` back where they came from: see `MaxUnpool2d`. */
export class MaxUnpool1d extends MaxUnpool {
  constructor(kernelSize: number | readonly number[], options: MaxUnpoolOptions = {}) {
    super("MaxUnpool1d", 1, kernelSize, options);
  }

  override forward(
    x: TensorLike,
    indices: TensorLike<Shape, "int32">,
    outputSize?: number | readonly number[],
  ): Tensor {
    return maxUnpool1d(x, indices, this.sizeFor(x, outputSize));
  }
}

export interface MaxUnpool2d {
  (x: TensorLike, indices: TensorLike<Shape, "int32">, outputSize?: number | readonly number[]): Tensor;
}
/**
 * Puts pooled values back where they came from, by the indices of `maxPool2dWithIndices`, and zeros elsewhere (Zeiler &
 * Fergus 2014). Several sizes pool to the same one: give the right one as `outputSize` where it is not the smallest.
 *
 * @example
 * const { values, indices } = maxPool2dWithIndices(maps, 2);
 * const large = new nn.MaxUnpool2d(2)(values, indices, maps.shape.slice(2));
 */
export class MaxUnpool2d extends MaxUnpool {
  constructor(kernelSize: number | readonly number[], options: MaxUnpoolOptions = {}) {
    super("MaxUnpool2d", 2, kernelSize, options);
  }

  override forward(
    x: TensorLike,
    indices: TensorLike<Shape, "int32">,
    outputSize?: number | readonly number[],
  ): Tensor {
    return maxUnpool2d(x, indices, this.sizeFor(x, outputSize));
  }
}

export interface MaxUnpool3d {
  (x: TensorLike, indices: TensorLike<Shape, "int32">, outputSize?: number | readonly number[]): Tensor;
}
/** Puts the values of `maxPool3dWithIndices` back where they came from: see `MaxUnpool2d`. */
export class MaxUnpool3d extends MaxUnpool {
  constructor(kernelSize: number | readonly number[], options: MaxUnpoolOptions = {}) {
    super("MaxUnpool3d", 3, kernelSize, options);
  }

  override forward(
    x: TensorLike,
    indices: TensorLike<Shape, "int32">,
    outputSize?: number | readonly number[],
  ): Tensor {
    return maxUnpool3d(x, indices, this.sizeFor(x, outputSize));
  }
}
