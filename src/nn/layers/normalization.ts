/** Batch normalization. */

import { ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import { Parameter, State } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { ones, zeros } from "../../ops/create.js";
import { add, div, mul, sub } from "../../ops/elementwise/arithmetic.js";
import { sqrt } from "../../ops/elementwise/functions.js";
import { mean } from "../../ops/reduce/mean.js";
import { detach, reshape } from "../../ops/shape/reshape.js";
import { asTensor, type TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";

export interface BatchNormOptions {
  /** Added to the variance before its root. Default 1e-5. */
  readonly eps?: number;
  /** Share of the newest batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
  /** Learn a scale and a shift for each channel. Default true. */
  readonly affine?: boolean;
}

export interface BatchNorm2d {
  <S extends Shape>(x: TensorLike<S>): Tensor<S>;
}

/**
 * Normalizes each channel of N×C×H×W to mean 0 and variance 1 (Ioffe & Szegedy 2015): over the batch while training,
 * by running statistics when evaluating.
 *
 * @example new nn.BatchNorm2d(64)
 */
export class BatchNorm2d extends ModuleBase {
  readonly eps: number;
  readonly momentum: number;
  weight: Parameter | null;
  bias: Parameter | null;
  runningMean: State;
  runningVar: State;

  constructor(
    readonly numFeatures: number,
    { eps = 1e-5, momentum = 0.1, affine = true }: BatchNormOptions = {},
  ) {
    super();
    this.eps = eps;
    this.momentum = momentum;
    const shape: Shape = [numFeatures];
    this.weight = affine ? new Parameter(ones(shape)) : null;
    this.bias = affine ? new Parameter(zeros(shape)) : null;
    this.runningMean = new State(zeros(shape));
    this.runningVar = new State(ones(shape));
  }

  override forward<S extends Shape>(input: TensorLike<S>): Tensor<S> {
    const x: Tensor = asTensor("BatchNorm2d", input);
    if (x.rank !== 4 || x.shape[1] !== this.numFeatures) {
      throw new ShapeError(
        `BatchNorm2d: the input is ${formatShape(x.shape)}. Expected N×${this.numFeatures}×H×W.` +
          (x.rank === 4 ? ` Fix: new BatchNorm2d(${x.shape[1]}).` : ""),
      );
    }
    const [centre, spread] = this.training ? this.#batchStatistics(x) : [this.runningMean.value, this.runningVar.value];
    const perChannel = (values: TensorLike) => reshape(values, [1, this.numFeatures, 1, 1]);
    const normalized = div(sub(x, perChannel(centre)), sqrt(add(perChannel(spread), this.eps)));
    const scaled = this.weight === null ? normalized : mul(normalized, perChannel(this.weight));
    return (this.bias === null ? scaled : add(scaled, perChannel(this.bias))) as Tensor<S>;
  }

  /** Mean and variance of the batch, which also move the running statistics (with the unbiased variance). */
  #batchStatistics(x: Tensor): [mean: Tensor, variance: Tensor] {
    const count = x.size / this.numFeatures;
    if (count < 2) {
      throw new ShapeError(
        `BatchNorm2d: ${formatShape(x.shape)} has one value for each channel, whose variance is 0 while training. Expected a larger batch or picture; or call eval().`,
      );
    }
    const axes = [0, 2, 3];
    const centre = mean(x, axes);
    const deviation = sub(x, reshape(centre, [1, this.numFeatures, 1, 1])) as Tensor;
    const spread = mean(mul(deviation, deviation) as Tensor, axes);
    const blend = (old: State, batch: Tensor) =>
      add(mul(old, 1 - this.momentum), mul(detach(batch), this.momentum)) as Tensor;
    this.runningMean.assign(blend(this.runningMean, centre));
    this.runningVar.assign(blend(this.runningVar, mul(spread, count / (count - 1)) as Tensor));
    return [centre, spread];
  }

  override describe(): string {
    return `${this.numFeatures}, eps ${this.eps}, momentum ${this.momentum}`;
  }
}
