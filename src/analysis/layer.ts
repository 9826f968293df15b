/** A node of a recording's tree of layers. */

import type { Parameter } from "../graph/state.js";
import type { AnyTensor } from "../graph/tensor.js";
import type { ModuleBase } from "../nn/module.js";

/** A call of a module, or an op. */
export interface Layer {
  /** The module's path, such as `features.0`; of an op the path of what applies it, and its name: `layer1.0.add`. */
  readonly name: string;
  /** The module's class, or the op's name. */
  readonly type: string;
  readonly kind: "module" | "function";
  /** 1 for the first of this name, 2 for the next call of the same module; 0 for a module that is never called. */
  readonly call: number;
  readonly module: ModuleBase | undefined;
  readonly children: Layer[];
  /** What it computes itself, in order. */
  readonly nodes: AnyTensor[];
  outputs: readonly AnyTensor[];
  /** The parameters that it is the first to use, or the only one to have. */
  readonly own: Set<Parameter>;
  /** Those that an earlier layer uses too, where they have been counted. */
  readonly shared: Set<Parameter>;
}

/** A layer with nothing in it yet; without a module it is an op. */
export function makeLayer(name: string, type: string, module: ModuleBase | undefined, call = 1): Layer {
  const collections = { children: [], nodes: [], outputs: [], own: new Set<Parameter>(), shared: new Set<Parameter>() };
  return { name, type, kind: module === undefined ? "function" : "module", call, module, ...collections };
}

/** A path and a name in it. */
export function joinPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
