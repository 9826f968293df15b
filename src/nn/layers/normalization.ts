/** Normalization within each sample. */

import { checkCount } from "../../core/check.js";
import type { Shape } from "../../core/shape.js";
import { Parameter } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { ones, zeros } from "../../ops/create.js";
import * as normalization from "../../ops/normalization.js";
import type { TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { KeepsShape } from "../types.js";
import { checkPlaces } from "./rank.js";

export interface NormOptions {
  /** Added to the variance before its root. Default 1e-5. */
  readonly eps?: number;
  /** Learn a scale and a shift. Default true, but false for `InstanceNorm`. */
  readonly affine?: boolean;
}

export interface LayerNorm extends KeepsShape {}
/**
 * Brings each sample to mean 0 and variance 1 over its last axes (Ba et al. 2016).
 *
 * @param normalizedShape lengths of those axes; a number for the last alone
 * @example new nn.LayerNorm(256)
 */
export class LayerNorm extends ModuleBase {
  readonly normalizedShape: Shape;
  readonly eps: number;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(normalizedShape: number | Shape, { eps = 1e-5, affine = true }: NormOptions = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    for (const length of this.normalizedShape) checkCount("LayerNorm", "a normalized length", length);
    this.eps = eps;
    this.weight = affine ? new Parameter(ones(this.normalizedShape)) : null;
    this.bias = affine ? new Parameter(zeros(this.normalizedShape)) : null;
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return normalization.layerNorm(x, this.normalizedShape, this);
  }

  override describe(): string {
    return `${this.normalizedShape.join("×")}, eps ${this.eps}`;
  }
}

export interface GroupNorm extends KeepsShape {}
/**
 * Brings groups of channels of each sample to mean 0 and variance 1 (Wu & He 2018).
 *
 * @example new nn.GroupNorm(8, 64)
 */
export class GroupNorm extends ModuleBase {
  readonly eps: number;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    { eps = 1e-5, affine = true }: NormOptions = {},
  ) {
    super();
    checkCount("GroupNorm", "the number of groups", numGroups);
    checkCount("GroupNorm", "the number of channels", numChannels);
    this.eps = eps;
    this.weight = affine ? new Parameter(ones<Shape>([numChannels])) : null;
    this.bias = affine ? new Parameter(zeros<Shape>([numChannels])) : null;
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return normalization.groupNorm(x, this.numGroups, this);
  }

  override describe(): string {
    return `${this.numGroups}, ${this.numChannels}, eps ${this.eps}`;
  }
}

export interface InstanceNorm extends KeepsShape {}
/**
 * Brings each channel of each sample, N×C×…, to mean 0 and variance 1 (Ulyanov et al. 2016), in any number of dimensions;
 * without running statistics, as PyTorch's by default.
 *
 * @example new nn.InstanceNorm(64)
 */
export class InstanceNorm extends ModuleBase {
  readonly eps: number;
  weight: Parameter | null;
  bias: Parameter | null;

  constructor(
    readonly numFeatures: number,
    { eps = 1e-5, affine = false }: NormOptions = {},
  ) {
    super();
    checkCount("InstanceNorm", "the number of channels", numFeatures);
    this.eps = eps;
    this.weight = affine ? new Parameter(ones<Shape>([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros<Shape>([numFeatures])) : null;
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return normalization.instanceNorm(x, this);
  }

  override describe(): string {
    return `${this.numFeatures}, eps ${this.eps}`;
  }
}

export interface InstanceNorm1d extends KeepsShape {}
/** Brings each channel of each sample of N×C×L to mean 0 and variance 1: see `InstanceNorm`. @example new nn.InstanceNorm1d(64) */
export class InstanceNorm1d extends InstanceNorm {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    checkPlaces("InstanceNorm1d", x, 1);
    return super.forward(x);
  }
}

export interface InstanceNorm2d extends KeepsShape {}
/** Brings each channel of each sample of N×C×H×W to mean 0 and variance 1: see `InstanceNorm`. @example new nn.InstanceNorm2d(64) */
export class InstanceNorm2d extends InstanceNorm {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    checkPlaces("InstanceNorm2d", x, 2);
    return super.forward(x);
  }
}

export interface InstanceNorm3d extends KeepsShape {}
/** Brings each channel of each sample of N×C×D×H×W to mean 0 and variance 1: see `InstanceNorm`. @example new nn.InstanceNorm3d(64) */
export class InstanceNorm3d extends InstanceNorm {
  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    checkPlaces("InstanceNorm3d", x, 3);
    return super.forward(x);
  }
}

export interface LocalResponseNorm extends KeepsShape {}
/**
 * Active neurons inhibit those beside them (Krizhevsky et al. 2012): see the function `localResponseNorm`.
 *
 * @example new nn.LocalResponseNorm(5, { k: 2 })
 */
export class LocalResponseNorm extends ModuleBase {
  constructor(
    readonly size: number,
    readonly options: normalization.LocalResponseNormOptions = {},
  ) {
    super();
    checkCount("LocalResponseNorm", "the size", size);
  }

  override forward<S extends Shape>(x: TensorLike<S>): Tensor<S> {
    return normalization.localResponseNorm(x, this.size, this.options);
  }

  override describe(): string {
    return [`${this.size}`, ...Object.entries(this.options).map(([name, value]) => `${name} ${value}`)].join(", ");
  }
}
