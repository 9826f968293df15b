/** How often predicted classes are right, and which are taken for which. */

import { ArgumentError } from "../../core/errors.js";
import { checkClasses, checkPairs, checkRows, type ScoreRows } from "./checks.js";

/** The class of the highest score in each row; of equal scores the first, as `argmax` takes it. */
export function predictedClasses(scores: ScoreRows): Int32Array<ArrayBuffer> {
  return Int32Array.from(scores, (row) => {
    let best = 0;
    for (let k = 1; k < row.length; k++) if (row[k] > row[best]) best = k;
    return best;
  });
}

/**
 * Share of samples whose class was predicted, 0 … 1.
 *
 * @param predicted a class number for each of N samples
 * @param labels the true classes
 */
export function accuracy(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  checkPairs("accuracy", predicted, labels);
  let right = 0;
  for (let i = 0; i < labels.length; i++) if (predicted[i] === labels[i]) right++;
  return right / labels.length;
}

/**
 * Share of samples whose class is among the k with the highest scores. Of equal scores the lower class number comes
 * first, so that the top one is what `predictedClasses` says.
 *
 * @param scores N rows of K scores
 * @param k at most K
 * @example topKAccuracy(probabilities, labels, 5)
 */
export function topKAccuracy(scores: ScoreRows, labels: ArrayLike<number>, k: number): number {
  checkPairs("topKAccuracy", scores, labels);
  const classes = checkRows("topKAccuracy", scores);
  checkClasses("topKAccuracy", "label", labels, classes);
  if (!Number.isInteger(k) || k < 1 || k > classes)
    throw new ArgumentError(
      `topKAccuracy: k is ${k}. Expected an integer from 1 to ${classes}, the number of classes.`,
    );
  let hits = 0;
  for (let i = 0; i < labels.length; i++) {
    const [row, label] = [scores[i], labels[i]];
    let before = 0;
    for (let other = 0; other < classes; other++)
      if (row[other] > row[label] || (row[other] === row[label] && other < label)) before++;
    if (before < k) hits++;
  }
  return hits / labels.length;
}

/**
 * How many samples of each class were taken for which.
 *
 * @returns K rows, one for each true class, of K counts, one for each predicted class
 * @example confusionMatrix([0, 1, 1], [0, 0, 1], 2) // [[1, 1], [0, 1]]
 */
export function confusionMatrix(predicted: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number[][] {
  checkPairs("confusionMatrix", predicted, labels);
  checkClasses("confusionMatrix", "prediction", predicted, classes);
  checkClasses("confusionMatrix", "label", labels, classes);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) counts[labels[i]][predicted[i]]++;
  return counts;
}

/** How well one class is told from the others, or the mean over classes. */
export interface ClassScores {
  /** Share of what was taken for the class that is of it; 0 where nothing was. */
  readonly precision: number;
  /** Share of the class that was recognised; 0 where there is none of it. */
  readonly recall: number;
  /** The harmonic mean of precision and recall; 0 where both are. */
  readonly f1: number;
  /** Samples of the class. */
  readonly support: number;
}

export interface PrecisionRecall {
  readonly classes: readonly ClassScores[];
  /** The plain mean over the classes: each counts the same. Classes that occur neither in labels nor in predictions are left out. */
  readonly macro: ClassScores;
  /** The mean over the classes, each as often as it has samples. */
  readonly weighted: ClassScores;
}

/**
 * Precision, recall and F1 of each class, and their means.
 *
 * @param confusion what `confusionMatrix` gives
 */
export function precisionRecall(confusion: readonly (readonly number[])[]): PrecisionRecall {
  const columns = confusion.map((_, k) => confusion.reduce((sum, row) => sum + row[k], 0));
  const classes = confusion.map((row, k): ClassScores => {
    const support = row.reduce((sum, count) => sum + count, 0);
    return {
      precision: share(row[k], columns[k]),
      recall: share(row[k], support),
      f1: share(2 * row[k], support + columns[k]),
      support,
    };
  });
  const present = classes.filter(({ support }, k) => support > 0 || columns[k] > 0);
  return {
    classes,
    macro: meanScores(present, () => 1),
    weighted: meanScores(present, ({ support }) => support),
  };
}

function meanScores(classes: readonly ClassScores[], weightOf: (scores: ClassScores) => number): ClassScores {
  const total = classes.reduce((sum, scores) => sum + weightOf(scores), 0);
  const mean = (of: (scores: ClassScores) => number) =>
    share(
      classes.reduce((sum, scores) => sum + weightOf(scores) * of(scores), 0),
      total,
    );
  return {
    precision: mean(({ precision }) => precision),
    recall: mean(({ recall }) => recall),
    f1: mean(({ f1 }) => f1),
    support: classes.reduce((sum, { support }) => sum + support, 0),
  };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
