/** Whom a classifier fails: its scores for each group of people, and how far they differ by more than chance. */

import { ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import { checkClasses, checkPairs } from "./checks.js";
import { type Attributes, type Grouping, groupBy, noAttribute } from "./groups.js";
import { quantileOf, resampleCounts } from "./resampling.js";

/** Keeps the stream of resamples apart from other uses of the same seed. */
const RESAMPLE_STREAM = 0x626f6f74;

/** A share of samples, and between what bounds it would lie on other samples of the same kind. */
export interface Estimate {
  readonly value: number;
  /** Bounds of the bootstrap interval. */
  readonly low: number;
  readonly high: number;
  /** Samples that it is a share of. */
  readonly count: number;
}

/** What is compared between groups. All but accuracy speak of one class, the positive one. */
export const rateNames = [
  "accuracy",
  "baseRate",
  "positiveRate",
  "truePositiveRate",
  "falsePositiveRate",
  "precision",
] as const;

export type RateName = (typeof rateNames)[number];

/**
 * `accuracy`: share of right answers. `baseRate`: share whose label is positive. `positiveRate`: share called positive
 * (equal among groups: demographic parity). `truePositiveRate`: share of the positive called so (equal: equal opportunity,
 * Hardt et al. 2016). `falsePositiveRate`: share of the others called positive. `precision`: share of those called positive
 * that are. Left out where it would be a share of nothing, and all but accuracy where no class is the positive one.
 */
export type Rates = { readonly [Name in RateName]?: Estimate };

export interface Subgroup {
  /** Such as `gender=f, smile=1`. */
  readonly name: string;
  /** The value of each attribute. */
  readonly values: Readonly<Record<string, string>>;
  readonly count: number;
  /** Too few samples to say anything: kept out of comparisons. */
  readonly tooSmall: boolean;
  readonly rates: Rates;
}

/** The highest rate less the lowest, between groups that are large enough. */
export interface Difference {
  readonly highest: string;
  readonly lowest: string;
  readonly value: number;
  /** Bounds of the bootstrap interval; where `low` is not above 0, the difference may be chance. */
  readonly low: number;
  readonly high: number;
}

/** Groups by the same attributes. */
export interface Partition {
  readonly by: readonly string[];
  readonly groups: readonly Subgroup[];
  /** Left out where fewer than two groups are large enough. */
  readonly differences: { readonly [Name in RateName]?: Difference };
  /** The group of the lowest accuracy among those that are large enough; undefined where none is. */
  readonly worst: Subgroup | undefined;
}

export interface SubgroupReport {
  /** All samples together. */
  readonly overall: Subgroup;
  /** For each attribute, then for all of them combined. */
  readonly partitions: readonly Partition[];
  /** What the figures do not allow to say. */
  readonly warnings: readonly string[];
}

export interface SubgroupOptions {
  /** Attributes to group by. */
  readonly by: readonly string[];
  /** Number of the class that rates speak of; null for none. Default: 1 where all labels and predictions are 0 or 1. */
  readonly positive?: number | null | undefined;
  /** Groups with fewer samples are called too small; so are shares of fewer. Default 30. */
  readonly smallest?: number;
  /** Resamples for the intervals. Default 1000. */
  readonly resamples?: number;
  /** How much of them an interval covers. Default 0.95. */
  readonly confidence?: number;
  /** Decides the resamples. Default 0. */
  readonly seed?: number;
}

/**
 * Count, accuracy and rates for each subgroup and for the combinations of attributes, with bootstrap intervals (percentiles),
 * differences and the worst group.
 *
 * @param predictions a class number for each of N samples
 * @param labels the true classes
 * @param attributes values for each of the N samples
 * @example
 * const report = subgroupReport(predictions, labels, { gender, smile }, { by: ["gender", "smile"] });
 * console.log(report.partitions.at(-1)?.worst?.name);
 */
export function subgroupReport(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  attributes: Attributes,
  options: SubgroupOptions,
): SubgroupReport {
  const what = "subgroupReport";
  checkPairs(what, predictions, labels);
  checkClasses(what, "prediction", predictions, Number.MAX_SAFE_INTEGER);
  checkClasses(what, "label", labels, Number.MAX_SAFE_INTEGER);
  const { by, smallest = 30, resamples = 1000, confidence = 0.95, seed = 0 } = options;
  checkOptions(smallest, resamples, confidence);
  const { positive = isBinary(predictions) && isBinary(labels) ? 1 : null } = options;
  const combined = by.length > 1 ? [by] : [];
  if (by.length === 0) throw noAttribute(what, attributes);
  const groupings = [...by.map((name) => [name]), ...combined].map((names) => ({
    names,
    grouping: groupBy(attributes, names),
  }));
  const warnings: string[] = [];
  const settings = { positive, smallest, resamples, confidence };
  const all: Grouping = {
    groups: new Int32Array(labels.length),
    values: [{}],
    names: ["all"],
    counts: [labels.length],
  };
  const [overall] = scoreGroups(predictions, labels, all, settings, new RandomStream(seed, RESAMPLE_STREAM));
  const partitions = groupings.map(({ names, grouping }, place) => {
    if (grouping.groups.length !== labels.length) {
      throw new ArgumentError(
        `${what}: ${names[0]} has ${grouping.groups.length} values for ${labels.length} samples. Expected one for each.`,
      );
    }
    const random = new RandomStream(seed, RESAMPLE_STREAM, place + 1);
    const scored = scoreGroups(predictions, labels, grouping, settings, random);
    warnings.push(...warningsOf(scored, smallest));
    if (names.length > 1) warnings.push(...absentOf(names, grouping, groupings));
    return partitionOf(names, scored, settings);
  });
  return { overall: overall.group, partitions, warnings };
}

function checkOptions(smallest: number, resamples: number, confidence: number): void {
  if (!(smallest >= 0))
    throw new ArgumentError(`subgroupReport: smallest is ${smallest}. Expected a number of 0 or more.`);
  if (!Number.isInteger(resamples) || resamples < 10 || resamples > 1e5)
    throw new ArgumentError(`subgroupReport: resamples is ${resamples}. Expected an integer from 10 to 100,000.`);
  if (!(confidence > 0 && confidence < 1))
    throw new ArgumentError(
      `subgroupReport: confidence is ${confidence}. Expected a number between 0 and 1, such as 0.95.`,
    );
}

function isBinary(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0 && values[i] !== 1) return false;
  return true;
}

/**
 * Samples of a group by outcome: positive called so, positive missed, others called positive, others named rightly, and
 * others named wrongly but not positive. All rates follow from these. Without a positive class only the last two are used.
 */
type Outcomes = readonly [hit: number, missed: number, alarm: number, right: number, wrong: number];

/** What a rate is a share of, and how much of it. */
const shares: Readonly<Record<RateName, (outcomes: Outcomes) => readonly [part: number, whole: number]>> = {
  accuracy: ([hit, missed, alarm, right, wrong]) => [hit + right, hit + missed + alarm + right + wrong],
  baseRate: ([hit, missed, alarm, right, wrong]) => [hit + missed, hit + missed + alarm + right + wrong],
  positiveRate: ([hit, missed, alarm, right, wrong]) => [hit + alarm, hit + missed + alarm + right + wrong],
  truePositiveRate: ([hit, missed]) => [hit, hit + missed],
  falsePositiveRate: ([, , alarm, right, wrong]) => [alarm, alarm + right + wrong],
  precision: ([hit, , alarm]) => [hit, hit + alarm],
};

interface Settings {
  readonly positive: number | null;
  readonly smallest: number;
  readonly resamples: number;
  readonly confidence: number;
}

/** A group, and what its rates came to in each resample (NaN where a rate was a share of nothing). */
interface ScoredGroup {
  readonly group: Subgroup;
  readonly resampled: { readonly [Name in RateName]?: Float64Array };
}

function scoreGroups(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  { groups, names, values }: Grouping,
  { positive, smallest, resamples, confidence }: Settings,
  random: RandomStream,
): ScoredGroup[] {
  const outcomes = names.map((): [number, number, number, number, number] => [0, 0, 0, 0, 0]);
  for (let i = 0; i < labels.length; i++) outcomes[groups[i]][outcomeOf(predictions[i], labels[i], positive)]++;
  const spoken: readonly RateName[] = positive === null ? ["accuracy"] : rateNames;
  return outcomes.map((counts, i) => {
    const again = Array.from({ length: resamples }, () => resampleCounts(counts, random));
    const rates: { [Name in RateName]?: Estimate } = {};
    const resampled: { [Name in RateName]?: Float64Array } = {};
    for (const name of spoken) {
      const [part, whole] = shares[name](counts);
      if (whole === 0) continue;
      const drawn = Float64Array.from(again, (each) => {
        const [some, of] = shares[name](each);
        return some / of;
      });
      resampled[name] = drawn;
      rates[name] = { value: part / whole, ...intervalOf(drawn, confidence), count: whole };
    }
    const count = counts.reduce((sum, each) => sum + each, 0);
    return { group: { name: names[i], values: values[i], count, tooSmall: count < smallest, rates }, resampled };
  });
}

function outcomeOf(predicted: number, label: number, positive: number | null): 0 | 1 | 2 | 3 | 4 {
  if (label === positive) return predicted === label ? 0 : 1;
  if (predicted === positive) return 2;
  return predicted === label ? 3 : 4;
}

function intervalOf(drawn: Float64Array, confidence: number): { readonly low: number; readonly high: number } {
  const sorted = [...drawn.filter((value) => !Number.isNaN(value)).sort()];
  if (sorted.length === 0) return { low: 0, high: 1 };
  const tail = (1 - confidence) / 2;
  return { low: quantileOf(sorted, tail), high: quantileOf(sorted, 1 - tail) };
}

function partitionOf(
  by: readonly string[],
  scored: readonly ScoredGroup[],
  { smallest, confidence }: Settings,
): Partition {
  const large = scored.filter(({ group }) => !group.tooSmall);
  const differences: { [Name in RateName]?: Difference } = {};
  for (const name of rateNames) {
    const ranked = large
      .flatMap(({ group, resampled }) => {
        const [rate, drawn] = [group.rates[name], resampled[name]];
        if (rate === undefined || drawn === undefined || rate.count < smallest) return [];
        return [{ name: group.name, value: rate.value, drawn }];
      })
      .sort((a, b) => b.value - a.value);
    if (ranked.length < 2) continue;
    const [highest, lowest] = [ranked[0], ranked[ranked.length - 1]];
    const drawn = highest.drawn.map((value, i) => value - lowest.drawn[i]);
    differences[name] = {
      highest: highest.name,
      lowest: lowest.name,
      value: highest.value - lowest.value,
      ...intervalOf(drawn, confidence),
    };
  }
  let worst: Subgroup | undefined;
  for (const { group } of large) if (worst === undefined || accuracyOf(group) < accuracyOf(worst)) worst = group;
  return { by, groups: scored.map(({ group }) => group), differences, worst };
}

function accuracyOf({ rates }: Subgroup): number {
  return rates.accuracy?.value ?? 0;
}

function warningsOf(scored: readonly ScoredGroup[], smallest: number): string[] {
  return scored.flatMap(({ group: { name, count, tooSmall, rates } }) => {
    if (tooSmall) {
      return [`${name}: ${samples(count)}, too few to say (fewer than ${smallest}). It is left out of comparisons.`];
    }
    const { truePositiveRate, falsePositiveRate } = rates;
    return [
      ...tooFew(name, "positive samples", truePositiveRate?.count, smallest, "true-positive"),
      ...tooFew(name, "negative samples", falsePositiveRate?.count, smallest, "false-positive"),
    ];
  });
}

/** Where there are none at all, as in groups by the label itself, there is no rate to warn of. */
function tooFew(name: string, what: string, count: number | undefined, smallest: number, rate: string): string[] {
  if (count === undefined || count >= smallest) return [];
  return [`${name}: ${count} ${what}, too few for its ${rate} rate (fewer than ${smallest}).`];
}

function samples(count: number): string {
  return `${count} sample${count === 1 ? "" : "s"}`;
}

/** Combinations of values that do not occur together. */
function absentOf(
  by: readonly string[],
  combined: Grouping,
  groupings: readonly { readonly names: readonly string[]; readonly grouping: Grouping }[],
): string[] {
  const single = by.map((name) => groupings.find(({ names }) => names.length === 1 && names[0] === name)?.grouping);
  const possible = single.reduce((product, grouping) => product * (grouping?.names.length ?? 1), 1);
  const missing = possible - combined.names.length;
  if (missing === 0) return [];
  const [are, s] = missing === 1 ? ["does", ""] : ["do", "s"];
  return [
    `${missing} of ${possible} combinations of ${by.join(", ")} ${are} not occur: nothing is known of such group${s}.`,
  ];
}
