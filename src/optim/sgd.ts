/** Stochastic gradient descent. */

import { ArgumentError } from "../core/errors.js";
import type { Tensor } from "../graph/tensor.js";
import { add, mul, sub } from "../ops/elementwise/arithmetic.js";
import { varyingNumber } from "../ops/tensors.js";
import { checkRange, type GroupSettings, type Trainable } from "./groups.js";
import { Optimizer, type Slope } from "./optimizer.js";

export interface SGDOptions {
  /** Learning rate. */
  readonly lr: number;
  /** Share of the last step that is kept. Default 0. */
  readonly momentum?: number;
  /** Look ahead along the momentum (Nesterov 1983, in Sutskever's form of 2013). Default false. */
  readonly nesterov?: boolean;
  /** Pulls weights towards zero: this share of each is added to its gradient. Default 0. */
  readonly weightDecay?: number;
}

/**
 * v ← momentum · v + g;  w ← w − lr · v.
 *
 * @example new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 })
 */
export class SGD extends Optimizer {
  momentum: number;
  nesterov: boolean;
  weightDecay: number;

  constructor(parameters: Trainable, { lr, momentum = 0, nesterov = false, weightDecay = 0 }: SGDOptions) {
    super(parameters, lr);
    this.momentum = checkRange("SGD", "momentum", momentum, 0, 1);
    this.nesterov = nesterov;
    this.weightDecay = checkRange("SGD", "weightDecay", weightDecay, 0, Number.POSITIVE_INFINITY);
    if (nesterov && momentum === 0) throw new ArgumentError("SGD: nesterov needs a momentum above 0, such as 0.9.");
  }

  protected override update(slopes: readonly Slope[], group: GroupSettings, counts: boolean): void {
    const { device } = slopes[0].parameter;
    const weightDecay = () => group.weightDecay ?? this.weightDecay;
    const hasMomentum = this.structural(() => this.momentum !== 0);
    const hasDecay = this.structural(() => weightDecay() !== 0);
    const nesterov = this.structural(() => this.nesterov);
    const rate = varyingNumber(() => {
      if (counts) this.steps++;
      return this.lr * group.lrScale;
    }, device);
    const momentum = varyingNumber(() => this.momentum, device);
    const decay = varyingNumber(weightDecay, device);
    for (const { parameter, gradient } of slopes) {
      const slope = (hasDecay ? add(gradient, mul(parameter, decay)) : gradient) as Tensor;
      let direction = slope;
      if (hasMomentum) {
        const velocity = this.slot("momentum", parameter);
        const next = add(mul(velocity, momentum), slope) as Tensor;
        velocity.assign(next);
        direction = nesterov ? (add(slope, mul(next, momentum)) as Tensor) : next;
      }
      parameter.assign(sub(parameter, mul(direction, rate)) as Tensor);
    }
  }
}
