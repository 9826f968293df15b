/** A loss that looks after the group that fares worst. */

import { checkCount } from "../../core/check.js";
import { ArgumentError } from "../../core/errors.js";
import { State } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { full } from "../../ops/create.js";
import { div, mul } from "../../ops/elementwise/arithmetic.js";
import { exp } from "../../ops/elementwise/functions.js";
import { sum } from "../../ops/reduce/sum.js";
import { detach } from "../../ops/shape/reshape.js";
import type { TensorLike } from "../../ops/tensors.js";
import { type Groups, groupMeans } from "../losses/groups.js";
import { ModuleBase } from "../module.js";

export interface GroupRobustOptions {
  /** How fast weight moves to groups of high loss. Default 0.01. */
  readonly stepSize?: number;
}

export interface GroupRobustLoss {
  (losses: TensorLike, groups: Groups): Tensor<[]>;
}
/**
 * The mean losses of the groups, weighted: with each call while training, weight moves to the groups whose loss is high, so
 * that the worst one decides (group DRO: Sagawa et al., "Distributionally robust neural networks for group shifts", 2020,
 * algorithm 1). The paper adds strong weight decay or early stopping: a network that fits every sample has no worst group.
 *
 * @example
 * const robust = new nn.GroupRobustLoss(4);
 * const loss = robust(crossEntropy(logits, labels, { reduction: "none" }), groups);
 */
export class GroupRobustLoss extends ModuleBase {
  readonly stepSize: number;
  /** The weight of each group; they add up to 1. */
  groupWeights: State;

  constructor(
    readonly groups: number,
    { stepSize = 0.01 }: GroupRobustOptions = {},
  ) {
    super();
    checkCount("GroupRobustLoss", "the number of groups", groups);
    if (!(stepSize >= 0 && Number.isFinite(stepSize)))
      throw new ArgumentError(`GroupRobustLoss: stepSize is ${stepSize}. Expected a finite number of 0 or more.`);
    this.stepSize = stepSize;
    this.groupWeights = new State(full([groups], 1 / groups));
  }

  override forward(losses: TensorLike, groups: Groups): Tensor<[]> {
    const means = groupMeans(losses, groups, this.groups);
    if (this.training) {
      const raised = mul(this.groupWeights, exp(mul(detach(means), this.stepSize)));
      this.groupWeights.assign(div(raised, sum(raised)) as Tensor);
    }
    return sum(mul(means, this.groupWeights)) as Tensor<[]>;
  }

  override describe(): string {
    return `${this.groups} groups, stepSize ${this.stepSize}`;
  }
}
