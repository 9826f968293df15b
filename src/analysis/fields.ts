/**
 * What the positions along an axis of a tensor depend on along one axis of the input: of each position the input's
 * positions exactly, and the rule behind them as far as there is one.
 *
 * The rule goes on beyond the borders of every map, as if there were no end and padding were picture: Dumoulin & Visin
 * ("A guide to convolution arithmetic for deep learning", 2016) and Araujo, Norris & Sim ("Computing receptive fields of
 * convolutional neural networks", Distill 2019) count so. In their chains of convolutions the field grows by
 * (kernel − 1) · dilation · stride so far, and the stride is the product of the layers'. Here the rule is a pattern that
 * repeats, so that going back up, where neighbours have different fields, is covered too.
 */

import type { Shape } from "../core/shape.js";

/** Positions of the input, as [first, last, first, last, …]: ascending, and with gaps between the pairs. */
export type Runs = readonly number[];

/** Position p + period sees what position p sees, `advance` further on. */
export interface Pattern {
  readonly period: number;
  readonly advance: number;
  /** Of positions 0 … period − 1 the first and last position seen: Infinity and −Infinity where nothing is. */
  readonly first: readonly number[];
  readonly last: readonly number[];
}

/** Position q + period reads what position q reads, `advance` further on. */
export interface ReadingRule {
  readonly period: number;
  readonly advance: number;
  /** What any position reads, also one beyond the borders. Default: as `Reads.at`. */
  at?(q: number): readonly number[];
}

/** How an op's output positions read its input's along one axis. */
export interface Reads {
  /** Undefined where there is none; `silent` for what does not count for the pattern: a border made of the map itself. */
  readonly rule: ReadingRule | "silent" | undefined;
  /** What position q reads. Positions beyond the input are padding. */
  at(q: number): readonly number[];
}

/** What a tensor depends on along one axis of the input. */
export class Field {
  #runs: readonly Runs[] | undefined;
  readonly #compute: () => readonly Runs[];

  constructor(
    /** The tensor's axis along which it changes; undefined where all positions depend on the same. */
    readonly axis: number | undefined,
    /** Length of the input's axis. */
    readonly extent: number,
    /** Position p of the axis sees run ⌊p / inner⌋ mod count. An axis that others were merged into has `inner` above 1. */
    readonly inner: number,
    readonly count: number,
    /** Of ⌊p / inner⌋; undefined where there is no rule. */
    readonly pattern: Pattern | undefined,
    runs: () => readonly Runs[],
  ) {
    this.#compute = pattern !== undefined && count > mostExact ? () => clipped(pattern, count, extent) : runs;
  }

  /** Computed when they are asked for. Of very long axes that follow a rule they have no gaps. */
  get runs(): readonly Runs[] {
    this.#runs ??= this.#compute();
    return this.#runs;
  }

  /** The same along another axis, or with other steps. */
  moved(axis: number, inner = this.inner): Field {
    return new Field(axis, this.extent, inner, this.count, this.pattern, () => this.runs);
  }
}

/** Positions whose exact runs can be had in no time; pictures have fewer. */
export const mostExact = 4096;

/** What the rule says, as far as it lies in the input. */
function clipped(pattern: Pattern, count: number, extent: number): readonly Runs[] {
  return Array.from({ length: count }, (_, p) => {
    const [first, last] = patternAt(pattern, p);
    return last < 0 || first >= extent ? nothing : [Math.max(0, first), Math.min(extent - 1, last)];
  });
}

const nothing: Runs = [];

/** The input itself along its axis `axis`. */
export function identityField(axis: number, length: number): Field {
  const pattern = { period: 1, advance: 1, first: [0], last: [0] };
  return new Field(axis, length, 1, length, pattern, () => Array.from({ length }, (_, p) => [p, p]));
}

/** The same for all positions of an axis. */
export function evenField({ extent, runs }: Field, axis: number, length: number): Field {
  return new Field(axis, extent, 1, length, undefined, () => Array.from({ length }, () => runs[0]));
}

/** The field of an axis that takes the place of `field.axis`, of which each position reads several. */
export function readField(field: Field, reads: Reads, length: number, axis: number): Field {
  const { pattern, extent } = field;
  return new Field(axis, extent, 1, length, pattern && composePattern(pattern, reads), () => {
    const { runs } = field;
    return Array.from({ length }, (_, q) => unionOfRuns(reads.at(q).map((p) => runs[p] ?? nothing)));
  });
}

/** Sees nothing anywhere. */
const silent: Pattern = { period: 1, advance: 0, first: [Number.POSITIVE_INFINITY], last: [Number.NEGATIVE_INFINITY] };

function composePattern(pattern: Pattern, { rule, at }: Reads): Pattern | undefined {
  if (rule === "silent") return silent;
  if (rule === undefined || pattern.period > longestPeriod) return undefined;
  const reads = rule.at ?? at;
  // The readers repeat once they have advanced by whole periods of what they read.
  const times = pattern.period / greatestCommonDivisor(pattern.period, Math.abs(rule.advance));
  const period = rule.period * times;
  const first: number[] = [];
  const last: number[] = [];
  for (let q = 0; q < period; q++) {
    const seen = reads(q).map((p) => patternAt(pattern, p));
    first.push(Math.min(...seen.map(([begin]) => begin)));
    last.push(Math.max(...seen.map(([, end]) => end)));
  }
  return { period, advance: (pattern.advance * rule.advance * times) / pattern.period, first, last };
}

/** Longer ones come of odd enlargements and say no more than the exact positions. */
const longestPeriod = 4096;

/** What position `p`, inside or outside the map, sees. */
export function patternAt({ period, advance, first, last }: Pattern, p: number): readonly [number, number] {
  const turns = Math.floor(p / period);
  const at = p - turns * period;
  return [first[at] + turns * advance, last[at] + turns * advance];
}

/** All positions together. */
export function mergedField(field: Field): Field {
  return new Field(undefined, field.extent, 1, 1, undefined, () => [unionOfRuns(field.runs)]);
}

/** The field with one run for each position of its axis in a tensor of `shape`. */
export function plainField(field: Field, shape: Shape): Field {
  const { axis, extent, inner, count } = field;
  if (axis === undefined) return field;
  const length = shape[axis];
  if (inner === 1 && count === length) return field;
  const position = (q: number) => Math.floor(q / inner);
  if (inner * count === length) {
    const rule = { period: inner, advance: 1 };
    return readField(field.moved(axis, 1), { rule, at: (q) => [position(q)] }, length, axis);
  }
  return new Field(axis, extent, 1, length, undefined, () => {
    return Array.from({ length }, (_, q) => field.runs[position(q) % count]);
  });
}

/** What two operands of an op depend on together. @param shape of its output, whose axes they have */
export function unionOfFields(a: Field, b: Field, shape: Shape): Field {
  if (a === b) return a;
  if (a.axis === undefined) return b.axis === undefined ? mergedFields(a, b) : withConstant(b, a);
  if (b.axis === undefined) return withConstant(a, b);
  if (a.axis !== b.axis) return mergedFields(a, b);
  if (a.inner !== b.inner || a.count !== b.count)
    return unionOfFields(plainField(a, shape), plainField(b, shape), shape);
  const pattern = a.pattern && b.pattern && unionOfPatterns(a.pattern, b.pattern);
  return new Field(a.axis, a.extent, a.inner, a.count, pattern, () => {
    return a.runs.map((each, p) => unionOfRuns([each, b.runs[p]]));
  });
}

function mergedFields(a: Field, b: Field): Field {
  return new Field(undefined, a.extent, 1, 1, undefined, () => [unionOfRuns([...a.runs, ...b.runs])]);
}

/** What sees all that any position does sees the same everywhere. */
function withConstant(field: Field, constant: Field): Field {
  const { axis, extent, inner, count } = field;
  const runs = field.runs.map((each) => unionOfRuns([each, ...constant.runs]));
  const [common] = constant.runs;
  const same = runs.every((each) => each.length === common.length && each.every((p, i) => p === common[i]));
  return same ? constant : new Field(axis, extent, inner, count, undefined, () => runs);
}

function unionOfPatterns(a: Pattern, b: Pattern): Pattern | undefined {
  if (a === silent) return b;
  if (b === silent) return a;
  const period = (a.period / greatestCommonDivisor(a.period, b.period)) * b.period;
  const advance = (a.advance * period) / a.period;
  if (advance !== (b.advance * period) / b.period || period > longestPeriod) return undefined;
  const ends = Array.from({ length: period }, (_, p) => [patternAt(a, p), patternAt(b, p)] as const);
  return {
    period,
    advance,
    first: ends.map(([one, other]) => Math.min(one[0], other[0])),
    last: ends.map(([one, other]) => Math.max(one[1], other[1])),
  };
}

/** All positions that are in any of `list`. */
export function unionOfRuns(list: readonly Runs[]): Runs {
  const [only] = list;
  if (list.length === 1) return only;
  const pairs = list.flatMap((runs) => {
    return Array.from({ length: runs.length / 2 }, (_, i) => [runs[2 * i], runs[2 * i + 1]] as const);
  });
  pairs.sort((a, b) => a[0] - b[0]);
  const union: number[] = [];
  for (const [first, last] of pairs) {
    const end = union.length - 1;
    if (union.length === 0 || first > union[end] + 1) union.push(first, last);
    else if (last > union[end]) union[end] = last;
  }
  return union;
}

/** Positions in `runs`. */
export function countOf(runs: Runs): number {
  let count = 0;
  for (let i = 0; i < runs.length; i += 2) count += runs[i + 1] - runs[i] + 1;
  return count;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
