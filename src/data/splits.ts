/** Parts of a data set that are alike. */

import { ArgumentError } from "../core/errors.js";
import { checkFractions, splitIndices } from "./dataset.js";

/** A data set that can give some of its samples as another data set. */
export interface Divisible<Part> {
  readonly size: number;
  /** A class number for each sample. */
  readonly labels?: ArrayLike<number>;
  subset(indices: ArrayLike<number>): Part;
}

export interface SplitOptions {
  /** Equal seeds give equal parts. Default 0. */
  readonly seed?: number;
  /** Every part has each class's share, as nearly as whole samples allow. Default true where there are labels. */
  readonly stratify?: boolean;
}

/**
 * Deals the samples at random into one part for each fraction; fractions that add up to 1 leave nothing out.
 *
 * @throws ArgumentError for fractions below 0 or of more than 1 together, and for `stratify` without labels
 * @example const [train, validation, test] = splitDataset(photos, [0.8, 0.1, 0.1], { seed: 7 });
 */
export function splitDataset<Part>(
  dataset: Divisible<Part>,
  fractions: readonly number[],
  { seed = 0, stratify = dataset.labels !== undefined }: SplitOptions = {},
): Part[] {
  if (!stratify) return splitIndices(dataset.size, fractions, seed).map((indices) => dataset.subset(indices));
  if (dataset.labels === undefined)
    throw new ArgumentError("split: the data set has no labels to stratify by. Fix: leave out stratify.");
  return stratifiedIndices(dataset.labels, fractions, seed).map((indices) => dataset.subset(indices));
}

/**
 * Deals the numbers 0 … labels.length-1 at random into one list for each fraction, so that every list has each class's
 * share of samples to within two, and the lists have their own sizes to within one.
 *
 * @example const [train, test] = stratifiedIndices(labels, [0.9, 0.1], 7);
 */
export function stratifiedIndices(
  labels: ArrayLike<number>,
  fractions: readonly number[],
  seed = 0,
): Uint32Array<ArrayBuffer>[] {
  checkFractions(fractions);
  const [order] = splitIndices(labels.length, [1], seed);
  const byClass = order.slice().sort((a, b) => labels[a] - labels[b] || 0);
  const left = Math.max(0, 1 - fractions.reduce((sum, fraction) => sum + fraction, 0));
  const shares = [...fractions, left];
  const part = new Uint8Array(labels.length);
  const counts = shares.map(() => 0);
  // One class after the other, each sample goes where most is owed: nobody is ever owed a whole sample more.
  for (const [i, index] of byClass.entries()) {
    const owed = shares.map((share, k) => (share > 0 ? share * (i + 1) - counts[k] : Number.NEGATIVE_INFINITY));
    part[index] = owed.indexOf(Math.max(...owed));
    counts[part[index]]++;
  }
  return fractions.map((_, k) => order.filter((index) => part[index] === k));
}
