/** Which layer each parameter belongs to: the first that uses it, or the module that has it where none does. */

import { dependencies } from "../graph/graph.js";
import { Parameter } from "../graph/state.js";
import type { ModuleBase } from "../nn/module.js";
import { joinPath, type Layer, makeLayer } from "./layer.js";

/** Gives the parameters that layers read to the first of them, and says with the others that they share them. */
export function claimParameters(leaves: readonly Layer[]): void {
  const claimed = new Set<Parameter>();
  for (const { nodes, own, shared } of leaves) {
    for (const { origin } of new Set(nodes.flatMap(dependencies))) {
      if (origin.kind !== "state" || !(origin.state instanceof Parameter) || own.has(origin.state)) continue;
      (claimed.has(origin.state) ? shared : own).add(origin.state);
      claimed.add(origin.state);
    }
  }
}

/**
 * Gives the parameters that no layer reads to their module's layer, and makes layers for modules that are never called:
 * those that hold others only if none inside is called either.
 */
export function claimUnused(model: ModuleBase, root: Layer, leaves: readonly Layer[]): Layer[] {
  const claimed = new Set(leaves.flatMap(({ own }) => [...own]));
  const leafOf = new Map<ModuleBase, Layer>();
  for (const leaf of leaves) if (leaf.module !== undefined && !leafOf.has(leaf.module)) leafOf.set(leaf.module, leaf);
  const reached = reachedModules(model, modulesIn(root));
  const unused: Layer[] = [];
  const addUnused = (module: ModuleBase, path: string): Layer => {
    const type = module.constructor.name;
    const layer = makeLayer(path === "" ? type : path, type, module, 0);
    unused.push(layer);
    return layer;
  };
  const walk = (module: ModuleBase, path: string) => {
    const isReached = reached.has(module);
    let layer = leafOf.get(module);
    for (const parameter of isReached ? ownParameters(module) : module.parameters()) {
      if (claimed.has(parameter)) continue;
      claimed.add(parameter);
      layer ??= addUnused(module, path);
      layer.own.add(parameter);
    }
    if (isReached) for (const [name, child] of module.namedChildren()) walk(child, joinPath(path, name));
    // One that has parameters and none of them left has lent them to others.
    else if (module.parameters().length === 0) addUnused(module, path);
  };
  walk(model, "");
  return unused;
}

/** The modules of a tree's layers. */
function modulesIn({ module, children }: Layer): Set<ModuleBase> {
  return new Set([...(module === undefined ? [] : [module]), ...children.flatMap((child) => [...modulesIn(child)])]);
}

/** The modules that are called, or that one is called inside of. */
function reachedModules(model: ModuleBase, called: ReadonlySet<ModuleBase>): Set<ModuleBase> {
  const reached = new Set<ModuleBase>();
  const reach = (module: ModuleBase): boolean => {
    const inside = [...module.namedChildren()].map(([, child]) => reach(child));
    const isReached = called.has(module) || inside.includes(true);
    if (isReached) reached.add(module);
    return isReached;
  };
  reach(model);
  return reached;
}

/** Those in the module's own fields, not in those of modules inside it. */
function ownParameters(module: ModuleBase): Parameter[] {
  const inside = new Set([...module.namedChildren()].flatMap(([, child]) => child.parameters()));
  return module.parameters().filter((parameter) => !inside.has(parameter));
}
