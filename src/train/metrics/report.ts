/** All that the scores of a classifier tell, in one call. */

import { ArgumentError } from "../../core/errors.js";
import { brierScore, type Calibration, calibration } from "./calibration.js";
import { checkPairs, checkProbabilities, type ScoreRows } from "./checks.js";
import {
  accuracy,
  type ClassScores,
  confusionMatrix,
  precisionRecall,
  predictedClasses,
  topKAccuracy,
} from "./classification.js";
import { averagePrecisions, rocAreas } from "./curves.js";

export interface ClassReport extends ClassScores {
  readonly name: string;
  /** Under the receiver operating characteristic against all other classes; undefined where there are no samples of both. */
  readonly rocArea: number | undefined;
  readonly averagePrecision: number | undefined;
}

export interface ClassificationReport {
  readonly count: number;
  readonly accuracy: number;
  /** Accuracy for each k asked for. */
  readonly topK: readonly { readonly k: number; readonly accuracy: number }[];
  readonly classes: readonly ClassReport[];
  readonly macro: ClassScores;
  readonly weighted: ClassScores;
  /** Rows are true classes, columns predicted ones. */
  readonly confusion: readonly (readonly number[])[];
  readonly calibration: Calibration;
  readonly brier: number;
}

export interface ClassificationReportOptions {
  /** Default: numbers. */
  readonly classNames?: readonly string[];
  /** Default 1, 3 and 5, as far as there are more classes. */
  readonly topK?: readonly number[];
  /** Of the reliability diagram. Default 15. */
  readonly bins?: number;
}

/**
 * Accuracy, top-k, precision and recall, areas, confusions and calibration of a classifier.
 *
 * @param probabilities N rows of K, each adding up to 1
 * @example const { classes, confusion } = classificationReport(probabilities, labels, { classNames: test.classNames });
 */
export function classificationReport(
  probabilities: ScoreRows,
  labels: ArrayLike<number>,
  options: ClassificationReportOptions = {},
): ClassificationReport {
  checkPairs("classificationReport", probabilities, labels);
  const count = checkProbabilities("classificationReport", probabilities);
  const {
    classNames = Array.from({ length: count }, (_, k) => String(k)),
    topK = [1, 3, 5].filter((k) => k < count),
    bins = 15,
  } = options;
  if (classNames.length !== count) {
    throw new ArgumentError(
      `classificationReport: there are ${classNames.length} names for ${count} classes. Expected one for each.`,
    );
  }
  const predicted = predictedClasses(probabilities);
  const confusion = confusionMatrix(predicted, labels, count);
  const { classes, macro, weighted } = precisionRecall(confusion);
  // Curves take samples of more than one class.
  const mixed = classes.filter(({ support }) => support > 0).length > 1;
  const areas = mixed ? rocAreas(probabilities, labels).classes : [];
  const precisions = mixed ? averagePrecisions(probabilities, labels).classes : [];
  return {
    count: labels.length,
    accuracy: accuracy(predicted, labels),
    topK: topK.map((k) => ({ k, accuracy: topKAccuracy(probabilities, labels, k) })),
    classes: classes.map((scores, k) => ({
      name: classNames[k],
      ...scores,
      rocArea: areas[k],
      averagePrecision: precisions[k],
    })),
    macro,
    weighted,
    confusion,
    calibration: calibration(probabilities, labels, { bins }),
    brier: brierScore(probabilities, labels),
  };
}
