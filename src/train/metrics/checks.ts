/** What metrics ask of their arguments. */

import { ArgumentError, DataError } from "../../core/errors.js";

/** Scores of K classes for each of N samples, as `predict` gives them. */
export type ScoreRows = readonly ArrayLike<number>[];

/** @throws ArgumentError unless there is one label for each sample, and at least one sample */
export function checkPairs(what: string, samples: ArrayLike<unknown>, labels: ArrayLike<unknown>): void {
  if (samples.length !== labels.length) {
    throw new ArgumentError(
      `${what}: there are ${samples.length} predictions but ${labels.length} labels. Expected one label for each prediction.`,
    );
  }
  if (labels.length === 0) throw new ArgumentError(`${what}: there are no samples. Expected at least one.`);
}

/** @throws DataError unless all are integers of 0 … classes−1 */
export function checkClasses(what: string, name: string, values: ArrayLike<number>, classes: number): void {
  if (!Number.isInteger(classes) || classes < 1)
    throw new ArgumentError(`${what}: the number of classes is ${classes}. Expected an integer of 1 or more.`);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isInteger(value) && value >= 0 && value < classes) continue;
    throw new DataError(
      `${what}: ${name} ${i} is ${value}. Expected a class number from 0 to ${classes - 1}. Fix: number the classes from 0, or leave the sample out.`,
    );
  }
}

/** @returns K @throws DataError unless all rows are finite and as long as the first */
export function checkRows(what: string, rows: ScoreRows): number {
  const classes = rows[0].length;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (row.length !== classes) {
      throw new DataError(
        `${what}: row ${i} has ${row.length} scores, but row 0 has ${classes}. Expected a score for each class in every row.`,
      );
    }
    for (let k = 0; k < classes; k++) checkFinite(what, `the score of class ${k} for sample ${i}`, row[k]);
  }
  return classes;
}

/** @throws DataError unless all rows are probabilities: 0 … 1, adding up to 1 */
export function checkProbabilities(what: string, rows: ScoreRows): number {
  const classes = checkRows(what, rows);
  for (let i = 0; i < rows.length; i++) {
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      checkProbability(what, `class ${k} of sample ${i}`, rows[i][k]);
      sum += rows[i][k];
    }
    if (Math.abs(sum - 1) > 1e-3) {
      throw new DataError(
        `${what}: the probabilities of sample ${i} add up to ${sum}. Expected 1. Fix: apply softmax to the model's output.`,
      );
    }
  }
  return classes;
}

/** Rounding may lead a little beyond 0 and 1. */
const slack = 1e-6;

export function checkProbability(what: string, name: string, value: number): void {
  if (value >= -slack && value <= 1 + slack) return;
  throw new DataError(
    `${what}: the probability of ${name} is ${value}. Expected 0 … 1. Fix: apply softmax or sigmoid to the model's output.`,
  );
}

export function checkFinite(what: string, name: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw new DataError(`${what}: ${name} is ${value}. Expected a finite number. Fix: check the model's weights.`);
}
