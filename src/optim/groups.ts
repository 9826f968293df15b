/** Parameters with settings of their own. */

import { ArgumentError } from "../core/errors.js";
import type { Parameter } from "../graph/state.js";

/** Parameters with settings of their own. */
export interface ParameterGroup {
  readonly parameters: Iterable<Parameter>;
  /** Multiplies the optimizer's learning rate. Default 1. */
  readonly lrScale?: number;
  /** Default: the optimizer's. */
  readonly weightDecay?: number;
}

/** What optimizers train: parameters, or groups of them; both may be mixed. */
export type Trainable = Iterable<Parameter | ParameterGroup>;

/** Settings of some parameters of an optimizer; they may be changed at any time, as its learning rate may. */
export interface GroupSettings {
  lrScale: number;
  /** Undefined: the optimizer's. */
  weightDecay: number | undefined;
}

export interface Group extends GroupSettings {
  readonly parameters: readonly Parameter[];
}

/** Each parameter once: those that were given without a group, if any, and then the groups. */
export function toGroups(what: string, trainables: Trainable): Group[] {
  const single: Parameter[] = [];
  const groups: Group[] = [];
  const seen = new Set<Parameter>();
  const unseen = (parameters: Iterable<Parameter>) => {
    const fresh = [...new Set(parameters)].filter((parameter) => !seen.has(parameter));
    for (const parameter of fresh) seen.add(parameter);
    return fresh;
  };
  for (const each of trainables) {
    if (!("parameters" in each)) {
      single.push(...unseen([each]));
      continue;
    }
    const { lrScale = 1, weightDecay } = each;
    checkRange(what, "lrScale", lrScale, 0, Number.POSITIVE_INFINITY);
    if (weightDecay !== undefined) checkRange(what, "weightDecay", weightDecay, 0, Number.POSITIVE_INFINITY);
    const given = [...each.parameters];
    const parameters = unseen(given);
    if (parameters.length < new Set(given).size)
      throw new ArgumentError(`${what}: a parameter is in two groups. Expected each in one. Fix: leave it out of one.`);
    if (parameters.length === 0)
      throw new ArgumentError(`${what}: a group has no parameters. Expected some, such as model.parameters().`);
    groups.push({ parameters, lrScale, weightDecay });
  }
  return single.length === 0 ? groups : [{ parameters: single, lrScale: 1, weightDecay: undefined }, ...groups];
}

/** Throws unless low ≤ value < high. */
export function checkRange(what: string, name: string, value: number, low: number, high: number): number {
  if (!(value >= low && value < high))
    throw new ArgumentError(`${what}: ${name} is ${value}. Expected ${low} ≤ ${name} < ${high}.`);
  return value;
}
