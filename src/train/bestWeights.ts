/** The weights of the best epoch, which is not always the last. */

import { ArgumentError } from "../core/errors.js";
import type { Layer } from "../nn/layers/container.js";
import type { NamedLayer } from "../nn/layers/multiHead.js";
import type { StateDict } from "../nn/state-dict.js";
import type { Optimizer } from "../optim/optimizer.js";
import { type ImprovementOptions, improvement } from "./improvement.js";
import type { EpochRecord } from "./records.js";

export interface BestWeightsOptions extends ImprovementOptions {
  /** What the model is trained with: needed where it keeps an average of the weights, which is what is validated. */
  readonly optimizer?: Optimizer | undefined;
}

export interface BestWeights {
  /** Told of each epoch, copies the weights of those that are better than all before. */
  readonly onEpoch: (record: EpochRecord) => Promise<void>;
  /** What the best epoch so far came to; undefined before the first. */
  readonly record: EpochRecord | undefined;
  /** The model's weights as they were then: the average of them, if the optimizer keeps one. */
  readonly weights: StateDict | undefined;
  /** Gives the model these weights again. @throws ArgumentError before the first epoch */
  restore(): Promise<void>;
}

/**
 * Keeps a copy of the weights of the best epoch so far: the one with the lowest validation loss, unless told otherwise. The last
 * epoch of a training that has begun to overfit is not its best.
 *
 * @example
 * const best = bestWeights(model, { measure: "accuracy" });
 * await fit(model, train, { optimizer, epochs: 30, validation, callbacks: best });
 * await best.restore();
 * console.log(`epoch ${best.record?.epoch}`);
 */
export function bestWeights(model: Layer | NamedLayer, options: BestWeightsOptions = {}): BestWeights {
  const isBest = improvement("bestWeights", options);
  const { optimizer } = options;
  const withAverage = <T>(work: () => Promise<T>) => (optimizer === undefined ? work() : optimizer.withAverage(work));
  let best: { readonly record: EpochRecord; readonly weights: StateDict } | undefined;
  return {
    async onEpoch(record) {
      if (isBest(record)) best = { record, weights: await withAverage(() => model.stateDict()) };
    },
    get record() {
      return best?.record;
    },
    get weights() {
      return best?.weights;
    },
    async restore() {
      const weights = best?.weights;
      if (weights === undefined)
        throw new ArgumentError(
          "bestWeights: there are no weights to restore. Expected an epoch before. Fix: give it to fit as callbacks.",
        );
      model.loadStateDict(weights);
      // Of an average too, which else would take their place when it is used.
      if (optimizer?.averages) await optimizer.withAverage(async () => model.loadStateDict(weights));
    },
  };
}
