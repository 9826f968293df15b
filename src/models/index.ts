/** The networks, and the registry to build them by name. */

import { LeNet5, lenet5 } from "./lenet5.js";
import { findModel, type ModelEntry, type ModelOptions } from "./registry.js";

export type { ModelEntry, ModelOptions, Normalization, Paper, Resizing } from "./registry.js";
export { LeNet5 };

const entries: readonly ModelEntry[] = [lenet5];

/** All networks. */
export function list(): readonly ModelEntry[] {
  return entries;
}

/** The entry of a network: its input, normalization and classes. */
export function find(name: string): ModelEntry {
  return findModel(entries, name);
}

/** Builds a network by name. @example models.create("lenet5") */
export function create(name: string, options?: ModelOptions) {
  return find(name).create(options);
}
