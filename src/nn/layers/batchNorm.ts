/** Batch normalization. */

import { checkCount } from "../../core/check.js";
import { ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import { Parameter, State } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { composite } from "../../ops/composites.js";
import { ones, zeros } from "../../ops/create.js";
import { add, div, mul, sub } from "../../ops/elementwise/arithmetic.js";
import { sqrt } from "../../ops/elementwise/functions.js";
import { detach, reshape } from "../../ops/shape/reshape.js";
import { standardize } from "../../ops/standardize.js";
import { asFloats, type TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";
import type { KeepsShape } from "../types.js";

export interface BatchNormOptions {
  /** Added to the variance before its root. Default 1e-5. */
  readonly eps?: number;
  /** Share of the newest batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
  /** Learn a scale and a shift for each channel. Default true. */
  readonly affine?: boolean;
}

abstract class BatchNorm extends ModuleBase {
  readonly eps: number;
  readonly momentum: number;
  weight: Parameter | null;
  bias: Parameter | null;
  runningMean: State;
  runningVar: State;

  /** The layer's name, the ranks that its input may have, and that input's shape for errors. */
  protected abstract get expected(): {
    readonly layer: string;
    readonly ranks: readonly number[];
    readonly shape: string;
  };

  constructor(
    readonly numFeatures: number,
    { eps = 1e-5, momentum = 0.1, affine = true }: BatchNormOptions = {},
  ) {
    super();
    checkCount("BatchNorm", "the number of channels", numFeatures);
    this.eps = eps;
    this.momentum = momentum;
    const shape: Shape = [numFeatures];
    this.weight = affine ? new Parameter(ones(shape)) : null;
    this.bias = affine ? new Parameter(zeros(shape)) : null;
    this.runningMean = new State(zeros(shape));
    this.runningVar = new State(ones(shape));
  }

  override forward<S extends Shape>(input: TensorLike<S>): Tensor<S> {
    const { layer, ranks, shape } = this.expected;
    const x: Tensor = asFloats(layer, input);
    if (!ranks.includes(x.rank) || x.shape[1] !== this.numFeatures) {
      throw new ShapeError(
        `${layer}: the input is ${formatShape(x.shape)}. Expected ${shape}.` +
          (ranks.includes(x.rank) ? ` Fix: new ${layer}(${x.shape[1]}).` : ""),
      );
    }
    // Frozen statistics stay as they are: few pictures of another kind would spoil them for weights that cannot follow.
    if (!this.training || this.frozen) return this.#byRunningStatistics(x) as Tensor<S>;
    return this.#byBatch(x) as Tensor<S>;
  }

  /** One factor and one summand for each channel, so that a kernel before it can apply them to its results. */
  #byRunningStatistics(x: Tensor): Tensor {
    const [centre, spread] = [this.runningMean.value, this.runningVar.value];
    const deviation = sqrt(add(spread, this.eps));
    const scale = div(this.weight ?? 1, deviation) as Tensor;
    const shift = sub(this.bias ?? 0, mul(centre, scale)) as Tensor;
    const result = add(mul(x, this.#perChannel(scale, x)), this.#perChannel(shift, x)) as Tensor;
    const inputs = [x, centre, spread, this.weight?.value, this.bias?.value];
    return composite({ name: "batchNorm", inputs, params: { epsilon: this.eps } }, result);
  }

  /** By mean and variance of the batch, which also move the running statistics (with the unbiased variance). */
  #byBatch(x: Tensor): Tensor {
    const count = x.size / this.numFeatures;
    if (count < 2) {
      throw new ShapeError(
        `${this.expected.layer}: ${formatShape(x.shape)} has one value for each channel, whose variance is 0 while training. Expected a larger batch or picture; or call eval().`,
      );
    }
    const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
    const affine = {
      weight: this.weight === null ? undefined : this.#perChannel(this.weight, x),
      bias: this.bias === null ? undefined : this.#perChannel(this.bias, x),
    };
    const { result, mean, variance } = standardize(x, axes, this.eps, affine);
    const blend = (old: State, batch: Tensor) => {
      const newest = detach(reshape(batch, [this.numFeatures]));
      return add(mul(old, 1 - this.momentum), mul(newest, this.momentum)) as Tensor;
    };
    this.runningMean.assign(blend(this.runningMean, mean));
    this.runningVar.assign(blend(this.runningVar, mul(variance, count / (count - 1)) as Tensor));
    return result;
  }

  #perChannel(values: TensorLike, x: Tensor): Tensor {
    return reshape(
      values,
      x.shape.map((_, axis) => (axis === 1 ? this.numFeatures : 1)),
    );
  }

  override describe(): string {
    return `${this.numFeatures}, eps ${this.eps}, momentum ${this.momentum}`;
  }
}

export interface BatchNorm1d extends KeepsShape {}
/** Batch normalization of N×C or N×C×L: see `BatchNorm2d`. @example new nn.BatchNorm1d(100) */
export class BatchNorm1d extends BatchNorm {
  protected override get expected() {
    return { layer: "BatchNorm1d", ranks: [2, 3], shape: `N×${this.numFeatures} or N×${this.numFeatures}×L` };
  }
}

export interface BatchNorm2d extends KeepsShape {}
/**
 * Normalizes each channel of N×C×H×W to mean 0 and variance 1 (Ioffe & Szegedy 2015): over the batch while training,
 * by running statistics when evaluating, and when frozen.
 *
 * @example new nn.BatchNorm2d(64)
 */
export class BatchNorm2d extends BatchNorm {
  protected override get expected() {
    return { layer: "BatchNorm2d", ranks: [4], shape: `N×${this.numFeatures}×H×W` };
  }
}

export interface BatchNorm3d extends KeepsShape {}
/** Batch normalization of N×C×D×H×W: see `BatchNorm2d`. @example new nn.BatchNorm3d(64) */
export class BatchNorm3d extends BatchNorm {
  protected override get expected() {
    return { layer: "BatchNorm3d", ranks: [5], shape: `N×${this.numFeatures}×D×H×W` };
  }
}
