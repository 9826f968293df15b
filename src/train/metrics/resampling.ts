/** Drawing again what was drawn, to see how far a figure depends on chance. */

import { drawBeta } from "../../core/distributions.js";
import type { RandomStream } from "../../core/philox.js";

/**
 * How many of the samples drawn with replacement from categories of `counts` samples fall into each: one resample of the
 * bootstrap (Efron 1979). Takes the same time however many samples there are.
 */
export function resampleCounts<Counts extends readonly number[]>(
  counts: Counts,
  random: RandomStream,
): { readonly [I in keyof Counts]: number };
export function resampleCounts(counts: readonly number[], random: RandomStream): readonly number[] {
  let left = counts.reduce((sum, count) => sum + count, 0);
  let remaining = left;
  return counts.map((count) => {
    const drawn = remaining === 0 ? 0 : drawBinomial(left, count / remaining, random);
    remaining -= count;
    left -= drawn;
    return drawn;
  });
}

/** Below this, trials are made one by one. */
const fewTrials = 24;

/**
 * Successes in `trials` trials. The middle one of so many uniform numbers has a beta distribution, and tells how many are
 * left to decide on (Devroye, "Non-uniform random variate generation", 1986, X.4.3).
 */
export function drawBinomial(trials: number, probability: number, random: RandomStream): number {
  let [left, p, successes] = [trials, probability, 0];
  while (left >= fewTrials && p > 0 && p < 1) {
    const rank = 1 + Math.floor(left / 2);
    const middle = drawBeta(rank, left + 1 - rank, random);
    if (middle <= p) {
      successes += rank;
      left -= rank;
      p = (p - middle) / (1 - middle);
    } else {
      left = rank - 1;
      p /= middle;
    }
  }
  if (p <= 0) return successes;
  if (p >= 1) return successes + left;
  for (; left > 0; left--) if (random.uniform() < p) successes++;
  return successes;
}

/** The value below which `share` of sorted values lie, between neighbours in proportion; as NumPy's `quantile`. */
export function quantileOf(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
