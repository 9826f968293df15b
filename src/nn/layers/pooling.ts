/** Pooling layers: N×C×… → N×C×…, batch and channels stay. */

import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import type { NumberOrPair } from "../../ops/convolution/geometry.js";
import * as adaptive from "../../ops/pooling/adaptive.js";
import type { AvgPoolOptions, MaxPoolOptions } from "../../ops/pooling/geometry.js";
import * as pooling from "../../ops/pooling/pool.js";
import { stochasticPool2d } from "../../ops/pooling/stochastic.js";
import type { TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { Channels } from "../types.js";

type KernelSize = number | readonly number[];

/** The results of pooling one, two and three axes, as far as types can tell. */
type Pooled1d<S extends Shape> = Tensor<[S[0], Channels<S>, number]>;
type Pooled2d<S extends Shape> = Tensor<[S[0], Channels<S>, number, number]>;
type Pooled3d<S extends Shape> = Tensor<[S[0], Channels<S>, number, number, number]>;

/** A layer of windows of one size. */
abstract class WindowPool<Options extends object> extends ModuleBase {
  constructor(
    readonly kernelSize: KernelSize,
    readonly options: Options = {} as Options,
  ) {
    super();
  }

  override describe(): string {
    const parts = Object.entries(this.options).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    return [`kernel ${JSON.stringify(this.kernelSize)}`, ...parts].join(", ");
  }
}

/** A layer whose results have one size, whatever that of its inputs. */
abstract class AdaptivePool extends ModuleBase {
  constructor(readonly outputSize: number | readonly number[]) {
    super();
  }

  override describe(): string {
    return JSON.stringify(this.outputSize);
  }
}

export interface MaxPool1d {
  <S extends Shape>(x: TensorLike<S>): Pooled1d<S>;
}
/** The largest element of each window of N×C×L. @example new nn.MaxPool1d(2) */
export class MaxPool1d extends WindowPool<MaxPoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled1d<S> {
    const result: Tensor = pooling.maxPool1d(x, this.kernelSize, this.options);
    return result as Pooled1d<S>;
  }
}

export interface MaxPool2d {
  <S extends Shape>(x: TensorLike<S>): Pooled2d<S>;
}
/** The largest element of each window of N×C×H×W. @example new nn.MaxPool2d(2) */
export class MaxPool2d extends WindowPool<MaxPoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled2d<S> {
    const result: Tensor = pooling.maxPool2d(x, this.kernelSize, this.options);
    return result as Pooled2d<S>;
  }
}

export interface MaxPool3d {
  <S extends Shape>(x: TensorLike<S>): Pooled3d<S>;
}
/** The largest element of each window of N×C×D×H×W. @example new nn.MaxPool3d(2) */
export class MaxPool3d extends WindowPool<MaxPoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled3d<S> {
    const result: Tensor = pooling.maxPool3d(x, this.kernelSize, this.options);
    return result as Pooled3d<S>;
  }
}

export interface AvgPool1d {
  <S extends Shape>(x: TensorLike<S>): Pooled1d<S>;
}
/** The mean of each window of N×C×L. @example new nn.AvgPool1d(2) */
export class AvgPool1d extends WindowPool<AvgPoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled1d<S> {
    const result: Tensor = pooling.avgPool1d(x, this.kernelSize, this.options);
    return result as Pooled1d<S>;
  }
}

export interface AvgPool2d {
  <S extends Shape>(x: TensorLike<S>): Pooled2d<S>;
}
/** The mean of each window of N×C×H×W. @example new nn.AvgPool2d(2) */
export class AvgPool2d extends WindowPool<AvgPoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled2d<S> {
    const result: Tensor = pooling.avgPool2d(x, this.kernelSize, this.options);
    return result as Pooled2d<S>;
  }
}

export interface AvgPool3d {
  <S extends Shape>(x: TensorLike<S>): Pooled3d<S>;
}
/** The mean of each window of N×C×D×H×W. @example new nn.AvgPool3d(2) */
export class AvgPool3d extends WindowPool<AvgPoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled3d<S> {
    const result: Tensor = pooling.avgPool3d(x, this.kernelSize, this.options);
    return result as Pooled3d<S>;
  }
}

export interface MinPool2d {
  <S extends Shape>(x: TensorLike<S>): Pooled2d<S>;
}
/** The smallest element of each window of N×C×H×W. */
export class MinPool2d extends WindowPool<MaxPoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled2d<S> {
    const result: Tensor = pooling.minPool2d(x, this.kernelSize, this.options);
    return result as Pooled2d<S>;
  }
}

export interface LPPool1d {
  <S extends Shape>(x: TensorLike<S>): Pooled1d<S>;
}
/** The norm of each window of N×C×L, by default the root of the sum of squares. */
export class LPPool1d extends WindowPool<pooling.LpPoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled1d<S> {
    const result: Tensor = pooling.lpPool1d(x, this.kernelSize, this.options);
    return result as Pooled1d<S>;
  }
}

export interface LPPool2d {
  <S extends Shape>(x: TensorLike<S>): Pooled2d<S>;
}
/** The norm of each window of N×C×H×W, by default the root of the sum of squares. */
export class LPPool2d extends WindowPool<pooling.LpPoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled2d<S> {
    const result: Tensor = pooling.lpPool2d(x, this.kernelSize, this.options);
    return result as Pooled2d<S>;
  }
}

export interface AdaptiveAvgPool1d {
  <S extends Shape>(x: TensorLike<S>): Pooled1d<S>;
}
/** The means of `outputSize` even parts of N×C×L. @example new nn.AdaptiveAvgPool1d(1) */
export class AdaptiveAvgPool1d extends AdaptivePool {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled1d<S> {
    const result: Tensor = adaptive.adaptiveAvgPool1d(x, this.outputSize);
    return result as Pooled1d<S>;
  }
}

export interface AdaptiveAvgPool2d {
  <S extends Shape>(x: TensorLike<S>): Pooled2d<S>;
}
/** The means of `outputSize` even parts of N×C×H×W. @example new nn.AdaptiveAvgPool2d(1) */
export class AdaptiveAvgPool2d extends AdaptivePool {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled2d<S> {
    const result: Tensor = adaptive.adaptiveAvgPool2d(x, this.outputSize);
    return result as Pooled2d<S>;
  }
}

export interface AdaptiveAvgPool3d {
  <S extends Shape>(x: TensorLike<S>): Pooled3d<S>;
}
/** The means of `outputSize` even parts of N×C×D×H×W. @example new nn.AdaptiveAvgPool3d(1) */
export class AdaptiveAvgPool3d extends AdaptivePool {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled3d<S> {
    const result: Tensor = adaptive.adaptiveAvgPool3d(x, this.outputSize);
    return result as Pooled3d<S>;
  }
}

export interface AdaptiveMaxPool1d {
  <S extends Shape>(x: TensorLike<S>): Pooled1d<S>;
}
/** The largest elements of `outputSize` even parts of N×C×L. @example new nn.AdaptiveMaxPool1d(1) */
export class AdaptiveMaxPool1d extends AdaptivePool {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled1d<S> {
    const result: Tensor = adaptive.adaptiveMaxPool1d(x, this.outputSize);
    return result as Pooled1d<S>;
  }
}

export interface AdaptiveMaxPool2d {
  <S extends Shape>(x: TensorLike<S>): Pooled2d<S>;
}
/** The largest elements of `outputSize` even parts of N×C×H×W. @example new nn.AdaptiveMaxPool2d(1) */
export class AdaptiveMaxPool2d extends AdaptivePool {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled2d<S> {
    const result: Tensor = adaptive.adaptiveMaxPool2d(x, this.outputSize);
    return result as Pooled2d<S>;
  }
}

export interface AdaptiveMaxPool3d {
  <S extends Shape>(x: TensorLike<S>): Pooled3d<S>;
}
/** The largest elements of `outputSize` even parts of N×C×D×H×W. @example new nn.AdaptiveMaxPool3d(1) */
export class AdaptiveMaxPool3d extends AdaptivePool {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled3d<S> {
    const result: Tensor = adaptive.adaptiveMaxPool3d(x, this.outputSize);
    return result as Pooled3d<S>;
  }
}

export interface StochasticPool2d {
  <S extends Shape>(x: TensorLike<S>): Pooled2d<S>;
}
/**
 * One element of each window of N×C×H×W, picked with a probability in proportion to its size; when evaluating their mean
 * weighted by those probabilities (Zeiler & Fergus 2013).
 */
export class StochasticPool2d extends ModuleBase {
  constructor(
    readonly kernelSize: NumberOrPair,
    readonly options: { readonly stride?: NumberOrPair } = {},
  ) {
    super();
  }

  override forward<S extends Shape>(x: TensorLike<S>): Pooled2d<S> {
    const result: Tensor = stochasticPool2d(x, this.kernelSize, { ...this.options, training: this.training });
    return result as Pooled2d<S>;
  }

  override describe(): string {
    return `kernel ${JSON.stringify(this.kernelSize)}`;
  }
}
