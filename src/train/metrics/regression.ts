/** How far predicted numbers are from the right ones. */

import { checkPairs } from "./checks.js";

export interface RegressionReport {
  readonly count: number;
  /** Mean of the absolute differences, in the unit of the numbers. */
  readonly meanAbsoluteError: number;
  /** Root of the mean square of the differences. */
  readonly rootMeanSquaredError: number;
  /** Mean of prediction − target: what is predicted too much. */
  readonly bias: number;
  /** Share of the targets' variance that is explained (R²): 1 for right, 0 for always the mean; NaN where all targets are alike. */
  readonly explained: number;
}

/**
 * Errors of predicted numbers.
 *
 * @example metrics.regressionReport([31, 58], [29, 64]).meanAbsoluteError // 4
 */
export function regressionReport(predictions: ArrayLike<number>, targets: ArrayLike<number>): RegressionReport {
  checkPairs("regressionReport", predictions, targets);
  const count = targets.length;
  let [sum, absolute, squared, difference] = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const error = predictions[i] - targets[i];
    sum += targets[i];
    difference += error;
    absolute += Math.abs(error);
    squared += error ** 2;
  }
  const mean = sum / count;
  let spread = 0;
  for (let i = 0; i < count; i++) spread += (targets[i] - mean) ** 2;
  return {
    count,
    meanAbsoluteError: absolute / count,
    rootMeanSquaredError: Math.sqrt(squared / count),
    bias: difference / count,
    explained: spread === 0 ? Number.NaN : 1 - squared / spread,
  };
}
