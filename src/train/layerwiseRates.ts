/** Learning rates that fall from a network's head to its input. */

import { ArgumentError } from "../core/errors.js";
import type { ModuleBase } from "../nn/module.js";
import { Network } from "../nn/network.js";
import type { ParameterGroup } from "../optim/groups.js";

export interface LayerwiseOptions {
  /** What each stage's rate is of that of the stage above it, 0 … 1. Default 0.5. */
  readonly decay?: number;
}

/**
 * Groups of parameters for an optimizer: the head learns at its rate, each stage below `decay` times as fast as the one above,
 * for what lies nearest the input is the same for most pictures (Howard & Ruder 2018). Stages end where `featureInfo` says;
 * models without it have one for each module directly inside. Frozen parameters are in no group.
 *
 * @throws ArgumentError where everything is frozen
 * @example new SGD(layerwiseRates(network, { decay: 0.3 }), { lr: 0.01, momentum: 0.9 })
 */
export function layerwiseRates(model: ModuleBase, { decay = 0.5 }: LayerwiseOptions = {}): ParameterGroup[] {
  if (!(decay >= 0 && decay <= 1)) throw new ArgumentError(`layerwiseRates: decay is ${decay}. Expected 0 … 1.`);
  const stages = stagesOf(model);
  const groups = stages.map((parameters, stage) => ({ parameters, lrScale: decay ** (stages.length - 1 - stage) }));
  const trained = groups
    .map(({ parameters, lrScale }) => ({ parameters: parameters.filter(({ requiresGrad }) => requiresGrad), lrScale }))
    .filter(({ parameters }) => parameters.length > 0);
  if (trained.length > 0) return trained;
  throw new ArgumentError(
    "layerwiseRates: everything is frozen. Expected a parameter to train. Fix: unfreeze a layer.",
  );
}

/** Parameters from the input on, up to each place where features can be taken, and behind the last. */
function stagesOf(model: ModuleBase) {
  const modules = [...model.namedModules()];
  const ends =
    model instanceof Network
      ? model.featureInfo.map(({ name }) => name)
      : [...model.namedChildren()].slice(0, -1).map(([name]) => name);
  const last = ends.map((end) => modules.findLastIndex(([name]) => name === end || name.startsWith(`${end}.`)));
  const owners = new Map(modules.map(([name], place) => [name, place]));
  const stages = [...last, modules.length].map(() => [] as ReturnType<ModuleBase["parameters"]>);
  for (const [name, parameter] of model.namedParameters()) {
    const place = placeOf(name, owners);
    stages[last.filter((end) => end < place).length].push(parameter);
  }
  return stages;
}

/** Of the module that has the parameter; fields may be lists, so that more than the last part of the name is the field's. */
function placeOf(parameter: string, owners: ReadonlyMap<string, number>): number {
  for (let name = parameter; name !== ""; ) {
    name = name.slice(0, Math.max(0, name.lastIndexOf(".")));
    const place = owners.get(name);
    if (place !== undefined) return place;
  }
  return 0;
}
