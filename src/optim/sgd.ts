/** Stochastic gradient descent. */

import { ArgumentError } from "../core/errors.js";
import type { Parameter } from "../graph/state.js";
import type { Tensor } from "../graph/tensor.js";
import { add, mul, sub } from "../ops/elementwise/arithmetic.js";
import { varyingNumber } from "../ops/tensors.js";
import { checkRange, Optimizer } from "./optimizer.js";

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

  constructor(parameters: Iterable<Parameter>, { lr, momentum = 0, nesterov = false, weightDecay = 0 }: SGDOptions) {
    super(parameters, lr);
    this.momentum = checkRange("SGD", "momentum", momentum, 0, 1);
    this.nesterov = nesterov;
    this.weightDecay = checkRange("SGD", "weightDecay", weightDecay, 0, Number.POSITIVE_INFINITY);
    if (nesterov && momentum === 0) throw new ArgumentError("SGD: nesterov needs a momentum above 0, such as 0.9.");
  }

  protected override update(pairs: readonly { readonly parameter: Parameter; readonly gradient: Tensor }[]): void {
    const { device } = pairs[0].parameter;
    const hasMomentum = this.structural(() => this.momentum !== 0);
    const hasDecay = this.structural(() => this.weightDecay !== 0);
    const nesterov = this.structural(() => this.nesterov);
    const rate = varyingNumber(() => {
      this.steps++;
      return this.lr;
    }, device);
    const momentum = varyingNumber(() => this.momentum, device);
    const decay = varyingNumber(() => this.weightDecay, device);
    for (const { parameter, gradient } of pairs) {
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
