/** Whether a model is right as often as it says. */

import { ArgumentError, DataError } from "../../core/errors.js";
import { checkClasses, checkPairs, checkProbabilities, checkProbability, type ScoreRows } from "./checks.js";
import { predictedClasses } from "./classification.js";
import type { BinaryLabels } from "./curves.js";

/** The samples about which a model was about equally sure. */
export interface ReliabilityBin {
  /** Bounds of confidence: above `from` (the first bin: from 0 on), up to and with `to`. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean confidence; undefined in an empty bin. */
  readonly confidence: number | undefined;
  /** Share of samples whose class was predicted; undefined in an empty bin. */
  readonly accuracy: number | undefined;
}

export interface Calibration {
  readonly bins: readonly ReliabilityBin[];
  /** The mean gap between confidence and accuracy, each bin as often as it has samples; 0 is best. */
  readonly expectedError: number;
  /** The largest gap of a bin. */
  readonly largestError: number;
}

export interface CalibrationOptions {
  /** Of equal width. Default 15. */
  readonly bins?: number;
}

/**
 * Reliability of the predicted class's probability, and the expected calibration error (Guo et al., "On calibration of
 * modern neural networks", 2017).
 *
 * @param probabilities N rows of K, each adding up to 1
 * @example const { expectedError } = calibration(probabilities, labels);
 */
export function calibration(
  probabilities: ScoreRows,
  labels: ArrayLike<number>,
  { bins = 15 }: CalibrationOptions = {},
): Calibration {
  checkPairs("calibration", probabilities, labels);
  const classes = checkProbabilities("calibration", probabilities);
  checkClasses("calibration", "label", labels, classes);
  if (!Number.isInteger(bins) || bins < 1)
    throw new ArgumentError(`calibration: bins is ${bins}. Expected an integer of 1 or more.`);
  const counts = new Array<number>(bins).fill(0);
  const confidences = new Array<number>(bins).fill(0);
  const hits = new Array<number>(bins).fill(0);
  const predicted = predictedClasses(probabilities);
  for (let i = 0; i < labels.length; i++) {
    const confidence = probabilities[i][predicted[i]];
    const bin = binOf(confidence, bins);
    counts[bin]++;
    confidences[bin] += confidence;
    if (predicted[i] === labels[i]) hits[bin]++;
  }
  const gaps = counts.map((count, bin) => (count === 0 ? 0 : Math.abs(confidences[bin] - hits[bin]) / count));
  return {
    bins: counts.map((count, bin) => ({
      from: bin / bins,
      to: (bin + 1) / bins,
      count,
      confidence: count === 0 ? undefined : confidences[bin] / count,
      accuracy: count === 0 ? undefined : hits[bin] / count,
    })),
    expectedError: gaps.reduce((sum, gap, bin) => sum + gap * counts[bin], 0) / labels.length,
    largestError: Math.max(...gaps),
  };
}

/** The bin whose upper bound is the first that is not below `value`. */
function binOf(value: number, bins: number): number {
  let bin = Math.min(bins - 1, Math.max(0, Math.ceil(value * bins) - 1));
  // The product may be rounded over a bound.
  if (bin > 0 && value <= bin / bins) bin--;
  else if (bin < bins - 1 && value > (bin + 1) / bins) bin++;
  return bin;
}

/**
 * The mean squared difference between probabilities and what came (Brier, "Verification of forecasts expressed in terms of
 * probability", 1950); 0 is best.
 *
 * @param probabilities N rows of K for class numbers (then the squares of all classes are added: 0 … 2), or N numbers, that
 * of the positive class, for labels of 0 and 1 (0 … 1)
 */
export function brierScore(probabilities: ScoreRows | ArrayLike<number>, labels: BinaryLabels): number {
  checkPairs("brierScore", probabilities, labels);
  const first = probabilities[0];
  if (typeof first === "number") return binaryBrier(probabilities as ArrayLike<number>, labels);
  const rows = probabilities as ScoreRows;
  const numbers = Array.from(labels, Number);
  const classes = checkProbabilities("brierScore", rows);
  checkClasses("brierScore", "label", numbers, classes);
  let sum = 0;
  for (let i = 0; i < rows.length; i++)
    for (let k = 0; k < classes; k++) sum += (rows[i][k] - (numbers[i] === k ? 1 : 0)) ** 2;
  return sum / rows.length;
}

function binaryBrier(probabilities: ArrayLike<number>, labels: BinaryLabels): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const label = Number(labels[i]);
    if (label !== 0 && label !== 1) throw new DataError(`brierScore: label ${i} is ${labels[i]}. Expected 0 or 1.`);
    checkProbability("brierScore", `sample ${i}`, probabilities[i]);
    sum += (probabilities[i] - label) ** 2;
  }
  return sum / labels.length;
}
