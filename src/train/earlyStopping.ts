/** An end to training that has stopped getting anywhere. */

import { checkCount } from "../core/check.js";
import { ArgumentError } from "../core/errors.js";
import type { EpochRecord } from "./records.js";

export interface EarlyStoppingOptions {
  /** Epochs without progress after which to stop. Default 5. */
  readonly patience?: number;
  /** What is watched, of the validation set where there is one. Default the loss. */
  readonly measure?: "loss" | "accuracy";
  /** By how much it has to get better than the best so far. Default 0. */
  readonly threshold?: number;
}

/**
 * A callback that stops training when it makes no more progress. Told of all epochs so far, it knows where it was: that
 * is how it goes on after a break.
 *
 * @example
 * const onEpoch = earlyStopping({ patience: 3 });
 * await fit(model, train, { optimizer, epochs: 100, validation, callbacks: { onEpoch } });
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): (record: EpochRecord) => "stop" | undefined {
  const { measure = "loss", threshold = 0 } = options;
  const patience = checkCount("earlyStopping", "patience", options.patience ?? 5);
  if (measure !== "loss" && measure !== "accuracy")
    throw new ArgumentError(`earlyStopping: measure is ${JSON.stringify(measure)}. Expected "loss" or "accuracy".`);
  if (!(threshold >= 0)) throw new ArgumentError(`earlyStopping: threshold is ${threshold}. Expected 0 or more.`);
  const sign = measure === "loss" ? 1 : -1;
  let best = Number.POSITIVE_INFINITY;
  let waited = 0;
  return ({ train, validation }) => {
    const value = sign * (validation ?? train)[measure];
    waited = value < best - threshold ? 0 : waited + 1;
    if (waited === 0) best = value;
    return waited >= patience ? "stop" : undefined;
  };
}
