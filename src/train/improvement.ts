/** When an epoch is better than those before it. */

import { ArgumentError } from "../core/errors.js";
import type { EpochRecord } from "./records.js";

export interface ImprovementOptions {
  /** What is watched, of the validation set where there is one. Default the loss. */
  readonly measure?: "loss" | "accuracy" | undefined;
  /** By how much it has to get better than the best so far. Default 0. */
  readonly threshold?: number;
}

/** Tells of each epoch whether it is the best so far. Told of all of them again, it knows where it was. */
export function improvement(caller: string, options: ImprovementOptions): (record: EpochRecord) => boolean {
  const { measure = "loss", threshold = 0 } = options;
  if (measure !== "loss" && measure !== "accuracy")
    throw new ArgumentError(`${caller}: measure is ${JSON.stringify(measure)}. Expected "loss" or "accuracy".`);
  if (!(threshold >= 0)) throw new ArgumentError(`${caller}: threshold is ${threshold}. Expected 0 or more.`);
  const sign = measure === "loss" ? 1 : -1;
  let best = Number.POSITIVE_INFINITY;
  return ({ train, validation }) => {
    const value = sign * (validation ?? train)[measure];
    const isBest = value < best - threshold;
    if (isBest) best = value;
    return isBest;
  };
}
