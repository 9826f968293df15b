/** Layers of windows that slide: N×C×… → N×C×…, batch and channels stay. */

import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import type { AvgPoolOptions, PoolOptions } from "../../ops/pooling/geometry.js";
import * as pooling from "../../ops/pooling/pool.js";
import * as stochastic from "../../ops/pooling/stochastic.js";
import type { TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { Pooled1d, Pooled2d, Pooled3d } from "../types.js";

type KernelSize = number | readonly number[];

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

export interface MaxPool1d {
  <S extends Shape>(x: TensorLike<S>): Pooled1d<S>;
}
/** The largest element of each window of N×C×L. @example new nn.MaxPool1d(2) */
export class MaxPool1d extends WindowPool<PoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled1d<S> {
    const result: Tensor = pooling.maxPool1d(x, this.kernelSize, this.options);
    return result as Pooled1d<S>;
  }
}

export interface MaxPool2d {
  <S extends Shape>(x: TensorLike<S>): Pooled2d<S>;
}
/** The largest element of each window of N×C×H×W. @example new nn.MaxPool2d(2) */
export class MaxPool2d extends WindowPool<PoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled2d<S> {
    const result: Tensor = pooling.maxPool2d(x, this.kernelSize, this.options);
    return result as Pooled2d<S>;
  }
}

export interface MaxPool3d {
  <S extends Shape>(x: TensorLike<S>): Pooled3d<S>;
}
/** The largest element of each window of N×C×D×H×W. @example new nn.MaxPool3d(2) */
export class MaxPool3d extends WindowPool<PoolOptions> {
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

export interface MinPool1d {
  <S extends Shape>(x: TensorLike<S>): Pooled1d<S>;
}
/** The smallest element of each window of N×C×L. */
export class MinPool1d extends WindowPool<PoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled1d<S> {
    const result: Tensor = pooling.minPool1d(x, this.kernelSize, this.options);
    return result as Pooled1d<S>;
  }
}

export interface MinPool2d {
  <S extends Shape>(x: TensorLike<S>): Pooled2d<S>;
}
/** The smallest element of each window of N×C×H×W. */
export class MinPool2d extends WindowPool<PoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled2d<S> {
    const result: Tensor = pooling.minPool2d(x, this.kernelSize, this.options);
    return result as Pooled2d<S>;
  }
}

export interface MinPool3d {
  <S extends Shape>(x: TensorLike<S>): Pooled3d<S>;
}
/** The smallest element of each window of N×C×D×H×W. */
export class MinPool3d extends WindowPool<PoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled3d<S> {
    const result: Tensor = pooling.minPool3d(x, this.kernelSize, this.options);
    return result as Pooled3d<S>;
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

export interface LPPool3d {
  <S extends Shape>(x: TensorLike<S>): Pooled3d<S>;
}
/** The norm of each window of N×C×D×H×W, by default the root of the sum of squares. */
export class LPPool3d extends WindowPool<pooling.LpPoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled3d<S> {
    const result: Tensor = pooling.lpPool3d(x, this.kernelSize, this.options);
    return result as Pooled3d<S>;
  }
}

export interface StochasticPool1d {
  <S extends Shape>(x: TensorLike<S>): Pooled1d<S>;
}
/** One element of each window of N×C×L, picked in proportion to its size: see `StochasticPool2d`. */
export class StochasticPool1d extends WindowPool<PoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled1d<S> {
    const result: Tensor = stochastic.stochasticPool1d(x, this.kernelSize, {
      ...this.options,
      training: this.training,
    });
    return result as Pooled1d<S>;
  }
}

export interface StochasticPool2d {
  <S extends Shape>(x: TensorLike<S>): Pooled2d<S>;
}
/**
 * One element of each window of N×C×H×W, picked with a probability in proportion to its size; when evaluating their mean
 * weighted by those probabilities (Zeiler & Fergus 2013).
 *
 * @example new nn.StochasticPool2d(2)
 */
export class StochasticPool2d extends WindowPool<PoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled2d<S> {
    const result: Tensor = stochastic.stochasticPool2d(x, this.kernelSize, {
      ...this.options,
      training: this.training,
    });
    return result as Pooled2d<S>;
  }
}

export interface StochasticPool3d {
  <S extends Shape>(x: TensorLike<S>): Pooled3d<S>;
}
/** One element of each window of N×C×D×H×W, picked in proportion to its size: see `StochasticPool2d`. */
export class StochasticPool3d extends WindowPool<PoolOptions> {
  override forward<S extends Shape>(x: TensorLike<S>): Pooled3d<S> {
    const result: Tensor = stochastic.stochasticPool3d(x, this.kernelSize, {
      ...this.options,
      training: this.training,
    });
    return result as Pooled3d<S>;
  }
}
