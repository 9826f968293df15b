/** What training tells on its way, and what it goes on from. */

import type { StateDict } from "../nn/state-dict.js";
import type { OptimizerState } from "../optim/optimizer.js";
import type { ScheduleState } from "../optim/schedules.js";
import type { SavedSums, Scores } from "./sums.js";

/** Where training is: `batch` batches of epoch `epoch` (from 0) are done. */
export interface Position {
  readonly epoch: number;
  readonly batch: number;
}

export interface Progress extends Position {
  readonly epochs: number;
  readonly batches: number;
  readonly learningRate: number;
  readonly samplesPerSecond: number;
  /** Means over the epoch so far; undefined until they are first read. */
  readonly scores: Scores | undefined;
}

/** What one epoch came to. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number;
  readonly train: Scores;
  readonly validation: Scores | undefined;
  /** As it is at the end of the epoch. */
  readonly learningRate: number;
  /** Seconds of training in this epoch, without validation; also those before a break that it went on from. */
  readonly seconds: number;
  readonly samplesPerSecond: number;
}

/** Everything that training goes on from. The same state gives the same bits as an uninterrupted run. */
export interface TrainingState {
  readonly position: Position;
  /** Those to use the model with: their average, if the optimizer keeps one, which then has the last weights in its place. */
  readonly weights: StateDict;
  readonly optimizer: OptimizerState;
  readonly schedule: ScheduleState;
  readonly sums: SavedSums;
  readonly random: { readonly seed: number; readonly position: number };
  /** Of a `GroupRobustLoss`, where training is by groups. */
  readonly groupWeights?: readonly number[] | undefined;
  /** Logarithms of the tasks' variances, where task weights are learnt. */
  readonly taskWeights?: Readonly<Record<string, number>> | undefined;
  /** Spent training in the epoch at `position`. */
  readonly seconds: number;
}
