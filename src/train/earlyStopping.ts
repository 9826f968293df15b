/** An end to training that has stopped getting anywhere. */

import { checkCount } from "../core/check.js";
import { type ImprovementOptions, improvement } from "./improvement.js";
import type { EpochRecord } from "./records.js";

export interface EarlyStoppingOptions extends ImprovementOptions {
  /** Epochs without progress after which to stop. Default 5. */
  readonly patience?: number;
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
  const patience = checkCount("earlyStopping", "patience", options.patience ?? 5);
  const isBest = improvement("earlyStopping", options);
  let waited = 0;
  return (record) => {
    waited = isBest(record) ? 0 : waited + 1;
    return waited >= patience ? "stop" : undefined;
  };
}
