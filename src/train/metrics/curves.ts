/** What every threshold would give: receiver operating characteristic, precision against recall. */

import { ArgumentError, DataError } from "../../core/errors.js";
import { checkClasses, checkFinite, checkPairs, checkRows, type ScoreRows } from "./checks.js";

/** Of two classes: 1 or true for the positive one, 0 or false for the other. */
export type BinaryLabels = ArrayLike<number | boolean>;

export interface RocCurve {
  /** From (0, 0) to (1, 1), a point for each threshold: samples with equal scores move together. */
  readonly falsePositiveRate: Float64Array;
  readonly truePositiveRate: Float64Array;
  /** Falling; samples with at least this score are called positive. The first, infinity, calls none so. */
  readonly thresholds: Float64Array;
  /** Under the curve: how likely a positive sample has a higher score than a negative one, equal scores counting half. */
  readonly area: number;
}

export interface PrecisionRecallCurve {
  /** Rising thresholds from left to right; a last point (recall 0, precision 1) belongs to none. */
  readonly precision: Float64Array;
  readonly recall: Float64Array;
  /** One fewer than points. */
  readonly thresholds: Float64Array;
  /** The sum over thresholds of precision times the step in recall, without interpolation. */
  readonly averagePrecision: number;
}

/**
 * The receiver operating characteristic of a score.
 *
 * @param scores higher for the positive class; probabilities, logits, anything that orders
 * @throws DataError where one of the two classes has no samples
 * @example const { area } = rocCurve(scores, labels);
 */
export function rocCurve(scores: ArrayLike<number>, labels: BinaryLabels): RocCurve {
  const { thresholds, truePositives, falsePositives, positives, negatives } = stepsOf("rocCurve", scores, labels);
  if (positives === 0 || negatives === 0) {
    throw new DataError(
      `rocCurve: all ${labels.length} labels are ${negatives === 0 ? "positive" : "negative"}. Expected samples of both classes.`,
    );
  }
  const falsePositiveRate = Float64Array.from([0, ...falsePositives], (count) => count / negatives);
  const truePositiveRate = Float64Array.from([0, ...truePositives], (count) => count / positives);
  return {
    falsePositiveRate,
    truePositiveRate,
    thresholds: Float64Array.from([Number.POSITIVE_INFINITY, ...thresholds]),
    area: areaUnder(falsePositiveRate, truePositiveRate),
  };
}

/**
 * Precision against recall for every threshold of a score.
 *
 * @param scores higher for the positive class
 * @throws DataError where no label is positive
 * @example const { averagePrecision } = precisionRecallCurve(scores, labels);
 */
export function precisionRecallCurve(scores: ArrayLike<number>, labels: BinaryLabels): PrecisionRecallCurve {
  const steps = stepsOf("precisionRecallCurve", scores, labels);
  const { thresholds, truePositives, falsePositives, positives } = steps;
  if (positives === 0) {
    throw new DataError(
      `precisionRecallCurve: all ${labels.length} labels are negative. Expected at least one positive sample.`,
    );
  }
  const count = thresholds.length;
  const precision = new Float64Array(count + 1);
  const recall = new Float64Array(count + 1);
  precision[count] = 1;
  let averagePrecision = 0;
  for (let step = 0; step < count; step++) {
    const at = count - 1 - step;
    precision[at] = truePositives[step] / (truePositives[step] + falsePositives[step]);
    recall[at] = truePositives[step] / positives;
    averagePrecision += (recall[at] - recall[at + 1]) * precision[at];
  }
  return { precision, recall, thresholds: Float64Array.from(thresholds).reverse(), averagePrecision };
}

/**
 * The area under a curve by the trapezoidal rule.
 *
 * @param x rising or falling
 */
export function areaUnder(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length || x.length < 2)
    throw new ArgumentError(
      `areaUnder: there are ${x.length} and ${y.length} coordinates. Expected two points or more.`,
    );
  let area = 0;
  for (let i = 1; i < x.length; i++) area += ((x[i] - x[i - 1]) * (y[i] + y[i - 1])) / 2;
  return x[x.length - 1] < x[0] ? -area : area;
}

/** The areas under each class's curve against all others. */
export interface OneVersusRest {
  /** Undefined for classes that have no samples, or all of them. */
  readonly classes: readonly (number | undefined)[];
  /** The plain mean over the classes that have one. */
  readonly macro: number;
  /** Their mean by number of samples. */
  readonly weighted: number;
}

/**
 * The area under the receiver operating characteristic of each class against the rest.
 *
 * @param scores N rows of K scores
 */
export function rocAreas(scores: ScoreRows, labels: ArrayLike<number>): OneVersusRest {
  return oneVersusRest("rocAreas", scores, labels, (column, binary) => rocCurve(column, binary).area);
}

/**
 * The average precision of each class against the rest.
 *
 * @param scores N rows of K scores
 */
export function averagePrecisions(scores: ScoreRows, labels: ArrayLike<number>): OneVersusRest {
  return oneVersusRest(
    "averagePrecisions",
    scores,
    labels,
    (column, binary) => precisionRecallCurve(column, binary).averagePrecision,
  );
}

function oneVersusRest(
  what: string,
  scores: ScoreRows,
  labels: ArrayLike<number>,
  measure: (column: Float64Array, binary: Uint8Array) => number,
): OneVersusRest {
  checkPairs(what, scores, labels);
  const classes = checkRows(what, scores);
  checkClasses(what, "label", labels, classes);
  const areas: (number | undefined)[] = [];
  let [sum, present, weightedSum] = [0, 0, 0];
  let counted = 0;
  for (let k = 0; k < classes; k++) {
    const binary = Uint8Array.from(labels, (label) => (label === k ? 1 : 0));
    const support = binary.reduce((total, each) => total + each, 0);
    if (support === 0 || support === labels.length) {
      areas.push(undefined);
      continue;
    }
    const area = measure(
      Float64Array.from(scores, (row) => row[k]),
      binary,
    );
    areas.push(area);
    sum += area;
    present++;
    weightedSum += area * support;
    counted += support;
  }
  if (present === 0)
    throw new DataError(`${what}: all ${labels.length} labels are of one class. Expected samples of two or more.`);
  return { classes: areas, macro: sum / present, weighted: weightedSum / counted };
}

interface Steps {
  /** Falling, without repetition. */
  readonly thresholds: readonly number[];
  /** Called positive at each threshold. */
  readonly truePositives: readonly number[];
  readonly falsePositives: readonly number[];
  readonly positives: number;
  readonly negatives: number;
}

/** Counts at each distinct score, from the highest down. */
function stepsOf(what: string, scores: ArrayLike<number>, labels: BinaryLabels): Steps {
  checkPairs(what, scores, labels);
  for (let i = 0; i < scores.length; i++) {
    checkFinite(what, `score ${i}`, scores[i]);
    const label = Number(labels[i]);
    if (label !== 0 && label !== 1)
      throw new DataError(
        `${what}: label ${i} is ${labels[i]}. Expected 1 for the positive class and 0 for the other.`,
      );
  }
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b] - scores[a]);
  const steps = { thresholds: [] as number[], truePositives: [] as number[], falsePositives: [] as number[] };
  let [positives, negatives] = [0, 0];
  for (let i = 0; i < order.length; i++) {
    if (labels[order[i]]) positives++;
    else negatives++;
    const score = scores[order[i]];
    if (i + 1 < order.length && scores[order[i + 1]] === score) continue;
    steps.thresholds.push(score);
    steps.truePositives.push(positives);
    steps.falsePositives.push(negatives);
  }
  return { ...steps, positives, negatives };
}
