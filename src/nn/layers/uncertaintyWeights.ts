/** How much each of several tasks counts, learnt with them. */

import { ArgumentError } from "../../core/errors.js";
import { Parameter } from "../../graph/state.js";
import type { Tensor } from "../../graph/tensor.js";
import { zeros } from "../../ops/create.js";
import { add, mul } from "../../ops/elementwise/arithmetic.js";
import { exp, neg } from "../../ops/elementwise/functions.js";
import { asFloats, type TensorLike } from "../../ops/tensors.js";
import { ModuleBase } from "../module.js";

/** Whether a task is to name a class or to give a number. */
export type TaskKind = "classification" | "regression";

type Named<Value> = Readonly<Record<string, Value>>;

export interface UncertaintyWeights {
  (losses: Named<TensorLike>, present?: Named<TensorLike>): Tensor<[]>;
}

/**
 * The sum of several tasks' losses, in which each counts the less the noisier it is found to be. With s for the logarithm of a
 * task's variance, which is learnt, a classification adds e⁻ˢ·loss + s/2 and a regression e⁻ˢ·loss/2 + s/2 (Kendall, Gal &
 * Cipolla, "Multi-task learning using uncertainty to weigh losses for scene geometry and semantics", 2018). Its parameters are
 * for the optimizer, best without weight decay, which would pull all weights to 1.
 *
 * @example
 * const weights = new nn.UncertaintyWeights({ smile: "classification", age: "regression" });
 * const optimizer = new Adam([...model.parameters(), ...weights.parameters()], { lr: 0.001 });
 * const loss = weights({ smile: crossEntropy(smile, smiles), age: mseLoss(age, ages) });
 */
export class UncertaintyWeights extends ModuleBase {
  readonly kinds: Named<TaskKind>;
  /** The logarithm of each task's variance; 0 at the beginning, where every task has the weight 1 (or ½). */
  readonly logVariances: Named<Parameter<[]>>;

  constructor(kinds: Named<TaskKind>) {
    super();
    const entries = Object.entries(kinds);
    if (entries.length === 0)
      throw new ArgumentError(
        'UncertaintyWeights: there are no tasks. Expected at least one: { smile: "classification" }.',
      );
    for (const [name, kind] of entries) {
      if (kind !== "classification" && kind !== "regression")
        throw new ArgumentError(
          `UncertaintyWeights: ${name} is ${JSON.stringify(kind)}. Expected "classification" or "regression".`,
        );
    }
    this.kinds = { ...kinds };
    this.logVariances = Object.fromEntries(entries.map(([name]) => [name, new Parameter(zeros([]))]));
  }

  /**
   * @param losses one number for each task
   * @param present for each task 0 where there was nothing to learn from, so that its variance stays, else 1. Default: 1
   */
  override forward(losses: Named<TensorLike>, present?: Named<TensorLike>): Tensor<[]> {
    let total: Tensor | undefined;
    for (const [name, kind] of Object.entries(this.kinds)) {
      const loss = losses[name];
      if (loss === undefined)
        throw new ArgumentError(
          `UncertaintyWeights: there is no loss of ${name}, only of ${Object.keys(losses).join(", ") || "none"}. Expected one of each task.`,
        );
      const logVariance: Tensor = this.logVariances[name].value;
      const half = mul(logVariance, 0.5);
      const penalty = present === undefined ? half : mul(half, asFloats("UncertaintyWeights", present[name]));
      const share = mul(asFloats("UncertaintyWeights", loss), kind === "regression" ? 0.5 : 1);
      const term = add(mul(share, exp(neg(logVariance))), penalty);
      total = total === undefined ? term : add(total, term);
    }
    return total as Tensor<[]>;
  }

  /** What each task's loss is multiplied with now: e⁻ˢ, or half of it for regressions. */
  async weights(): Promise<Record<string, number>> {
    const entries = Object.entries(this.kinds).map(async ([name, kind]) => {
      const logVariance = await this.logVariances[name].value.item();
      return [name, Math.exp(-logVariance) * (kind === "regression" ? 0.5 : 1)] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  override describe(): string {
    return Object.keys(this.kinds).join(", ");
  }
}
