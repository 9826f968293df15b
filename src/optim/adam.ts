/** Adam and AdamW. */

import type { Tensor } from "../graph/tensor.js";
import { add, div, mul, sub } from "../ops/elementwise/arithmetic.js";
import { sqrt } from "../ops/elementwise/functions.js";
import { varyingNumber } from "../ops/tensors.js";
import { checkRange, type GroupSettings, type Trainable } from "./groups.js";
import { Optimizer, type Slope } from "./optimizer.js";

export interface AdamOptions {
  /** Learning rate. Default 0.001. */
  readonly lr?: number;
  /** Shares of the old first and second moments that are kept. Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the second moment. Default 1e-8. */
  readonly eps?: number;
  /** Pulls weights towards zero. Default 0; AdamW 0.01. */
  readonly weightDecay?: number;
}

/**
 * Steps scaled by running moments of the gradient (Kingma & Ba 2015). Its weight decay is added to the gradient.
 *
 * @example new Adam(model.parameters(), { lr: 0.001 })
 */
export class Adam extends Optimizer {
  betas: readonly [number, number];
  eps: number;
  weightDecay: number;

  constructor(
    parameters: Trainable,
    { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: AdamOptions = {},
  ) {
    super(parameters, lr);
    const name = new.target.name;
    this.betas = [checkRange(name, "betas[0]", betas[0], 0, 1), checkRange(name, "betas[1]", betas[1], 0, 1)];
    this.eps = checkRange(name, "eps", eps, 0, Number.POSITIVE_INFINITY);
    this.weightDecay = checkRange(name, "weightDecay", weightDecay, 0, Number.POSITIVE_INFINITY);
  }

  /** Whether weight decay is added to the gradient, or shrinks the weights directly. */
  protected get decoupled(): boolean {
    return false;
  }

  protected override update(slopes: readonly Slope[], group: GroupSettings, counts: boolean): void {
    const { device } = slopes[0].parameter;
    const weightDecay = () => group.weightDecay ?? this.weightDecay;
    const hasDecay = this.structural(() => weightDecay() !== 0);
    const number = (read: () => number) => varyingNumber(read, device);
    // The step's corrections for moments that started at zero, in float64.
    const rate = number(() => {
      if (counts) this.steps++;
      return (this.lr * group.lrScale) / (1 - this.betas[0] ** this.steps);
    });
    const rootCorrection = number(() => Math.sqrt(1 - this.betas[1] ** this.steps));
    const [keep1, keep2] = [number(() => this.betas[0]), number(() => this.betas[1])];
    const [take1, take2] = [number(() => 1 - this.betas[0]), number(() => 1 - this.betas[1])];
    const eps = number(() => this.eps);
    const decay = number(weightDecay);
    const shrink = number(() => 1 - this.lr * group.lrScale * weightDecay());
    for (const { parameter, gradient } of slopes) {
      const slope = (hasDecay && !this.decoupled ? add(gradient, mul(parameter, decay)) : gradient) as Tensor;
      const first = this.slot("first", parameter);
      const second = this.slot("second", parameter);
      const nextFirst = add(mul(first, keep1), mul(slope, take1)) as Tensor;
      const nextSecond = add(mul(second, keep2), mul(mul(slope, slope), take2)) as Tensor;
      first.assign(nextFirst);
      second.assign(nextSecond);
      const denominator = add(div(sqrt(nextSecond), rootCorrection), eps);
      const weight = (hasDecay && this.decoupled ? mul(parameter, shrink) : parameter.value) as Tensor;
      parameter.assign(sub(weight, mul(div(nextFirst, denominator), rate)) as Tensor);
    }
  }
}

/**
 * Adam whose weight decay shrinks the weights directly (Loshchilov & Hutter 2019).
 *
 * @example new AdamW(model.parameters(), { lr: 0.001, weightDecay: 0.01 })
 */
export class AdamW extends Adam {
  constructor(parameters: Trainable, options: AdamOptions = {}) {
    super(parameters, { weightDecay: 0.01, ...options });
  }

  protected override get decoupled(): boolean {
    return true;
  }
}
