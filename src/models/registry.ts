/** Networks by name. */

import { ArgumentError } from "../core/errors.js";
import type { Layer } from "../nn/layers/container.js";

/** How pixels, scaled to 0 … 1, become a network's input: (x − mean) / std for each channel. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export interface ModelOptions {
  /** Number of classes that the head tells apart. Default: the network's own. */
  readonly numClasses?: number;
}

/** A network that can be built by name. */
export interface ModelEntry {
  readonly name: string;
  readonly description: string;
  /** C×H×W of one input. */
  readonly inputShape: readonly [channels: number, height: number, width: number];
  readonly numClasses: number;
  readonly normalization: Normalization;
  create(options?: ModelOptions): Layer;
}

/** Finds a network among `entries`. @throws ArgumentError that names the networks there are */
export function findModel(entries: readonly ModelEntry[], name: string): ModelEntry {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    throw new ArgumentError(
      `there is no model named "${name}". Expected one of: ${entries.map((each) => each.name).join(", ")}.`,
    );
  }
  return entry;
}
