/** Pooling layers without windows to choose: to a given size, over all places, across channels. */

import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import * as adaptive from "../../ops/pooling/adaptive.js";
import * as crossChannel from "../../ops/pooling/crossChannel.js";
import type { TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { Channels, Pooled1d, Pooled2d, Pooled3d } from "../types.js";

/** A layer whose results have one size, whatever that of its inputs. */
abstract class AdaptivePool extends ModuleBase {
  constructor(readonly outputSize: number | readonly number[]) {
    super();
  }

  override describe(): string {
    return JSON.stringify(this.outputSize);
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

/** The results of layers over all places, as far as types can tell. */
type PerChannel<S extends Shape> = Tensor<[S[0], Channels<S>]>;

export interface GlobalAvgPool {
  <S extends Shape>(x: TensorLike<S>): PerChannel<S>;
}
/** The mean of each channel over all places, N×C×… → N×C (Lin et al. 2013). @example new nn.GlobalAvgPool() */
export class GlobalAvgPool extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): PerChannel<S> {
    const result: Tensor = adaptive.globalAvgPool(x);
    return result as PerChannel<S>;
  }
}

export interface GlobalMaxPool {
  <S extends Shape>(x: TensorLike<S>): PerChannel<S>;
}
/** The largest element of each channel, N×C×… → N×C: whether a feature is there, wherever it is. */
export class GlobalMaxPool extends ModuleBase {
  override forward<S extends Shape>(x: TensorLike<S>): PerChannel<S> {
    const result: Tensor = adaptive.globalMaxPool(x);
    return result as PerChannel<S>;
  }
}

/** A layer that makes one channel of several neighbours. */
abstract class CrossChannelPool extends ModuleBase {
  constructor(
    readonly pieces: number,
    readonly axis = 1,
  ) {
    super();
  }

  override describe(): string {
    return `${this.pieces}, axis ${this.axis}`;
  }
}

export interface Maxout {
  (x: TensorLike): Tensor;
}
/** The largest of each `pieces` neighbouring channels (Goodfellow et al. 2013): a learned activation behind a linear layer. */
export class Maxout extends CrossChannelPool {
  override forward(x: TensorLike): Tensor {
    return crossChannel.maxout(x, this.pieces, this.axis);
  }
}

export interface CrossChannelAvgPool {
  (x: TensorLike): Tensor;
}
/** The mean of each `pieces` neighbouring channels. @example new nn.CrossChannelAvgPool(2) // half the channels */
export class CrossChannelAvgPool extends CrossChannelPool {
  override forward(x: TensorLike): Tensor {
    return crossChannel.crossChannelAvgPool(x, this.pieces, this.axis);
  }
}
