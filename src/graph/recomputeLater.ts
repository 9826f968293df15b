/**
 * What the way forward computes and the way back needs once more is computed anew there, where that costs little and what
 * it is computed from is kept anyway: of a convolution, its normalization and its ReLU only the first stays in memory.
 * Chen, Xu, Zhang & Guestrin, "Training deep nets with sublinear memory cost" (2016), section 3.
 */

import { sizeBytes } from "../core/dtype.js";
import { findDeadlines } from "./fuse.js";
import { fewer, isElementwise, replaceInput } from "./recompute.js";
import type { Value, ValueGraph } from "./values.js";

/** Ops that take less time than reading their operands. */
const light = new Set(["add", "subtract", "multiply", "maximum", "minimum", "relu"]);
/** Values of at least this share of the memory are worth it, where at least so much of the memory is in use meanwhile. */
const leastShare = 1 / 128;
const leastInUse = 1 / 2;
/** Values that are computed once more for one, and values as large as it that these are computed from, at most. */
const longestChain = 16;
const mostSources = 4;

/** When a value is computed and when it is needed, in positions of the kernels that do so. */
interface Times {
  readonly begin: (value: Value) => number;
  readonly uses: (value: Value) => readonly number[];
}

interface Pause {
  /** The last use before a long time without any, and the first after. */
  readonly before: number;
  readonly after: number;
}

/** Gives late users of such values copies of their own, which are computed right before they are needed. */
export function recomputeLater({ values, ...graph }: ValueGraph): ValueGraph {
  const needed = new Set([...graph.outputs, ...graph.updates]);
  const times = timesOf(values);
  const inUse = memoryInUse(values, times);
  const most = inUse.reduce((a, b) => Math.max(a, b), 0);
  const split = new Set<Value>();
  const copies = new Map<Value, Value[]>();
  const position = new Map(values.map((value, index) => [value, index]));
  for (const value of values) {
    if (!isElementwise(value) || needed.has(value) || bytesOf(value) < most * leastShare) continue;
    const pause = longestPause(times.uses(value));
    if (pause === undefined) continue;
    const meanwhile = inUse.subarray(pause.before + 1, pause.after).reduce((a, b) => Math.max(a, b), 0);
    const chain = meanwhile < most * leastInUse ? undefined : chainOf(value, pause.after, times, split);
    if (chain === undefined) continue;
    const late = value.users.filter((user) => times.begin(user) >= pause.after);
    split.add(value);
    const first = late.reduce((a, b) => ((position.get(b) ?? 0) < (position.get(a) ?? 0) ? b : a));
    copies.set(first, [...(copies.get(first) ?? []), ...copyChain(chain, value, late)]);
  }
  return { ...graph, values: values.flatMap((value) => [...(copies.get(value) ?? []), value]) };
}

const bytesOf = ({ dtype, size }: Value) => sizeBytes(dtype, size);

function timesOf(values: readonly Value[]): Times {
  const position = new Map(values.map((value, index) => [value, index]));
  const deadlines = findDeadlines(values, position, isElementwise);
  const begin = (value: Value) => {
    const own = position.get(value) ?? 0;
    const deadline = isElementwise(value) ? (deadlines.get(value) ?? own) : own;
    // What no kernel needs is computed as soon as it can be.
    return Number.isFinite(deadline) ? deadline : own;
  };
  return { begin, uses: ({ users }) => users.map(begin).sort((a, b) => a - b) };
}

/** Bytes of the values that are alive at each position, roughly: without kernels' working memory. */
function memoryInUse(values: readonly Value[], { begin, uses }: Times): Float64Array {
  const change = new Float64Array(values.length + 1);
  for (const value of values) {
    const [from, to] = [begin(value), uses(value).at(-1) ?? 0];
    if (value.op === undefined || to <= from) continue;
    change[from] += bytesOf(value);
    change[to + 1] -= bytesOf(value);
  }
  let alive = 0;
  return change.map((difference) => {
    alive += difference;
    return alive;
  });
}

function longestPause(uses: readonly number[]): Pause | undefined {
  let longest: Pause | undefined;
  for (let i = 1; i < uses.length; i++) {
    const [before, after] = [uses[i - 1], uses[i]];
    if (after - before > (longest === undefined ? 1 : longest.after - longest.before)) longest = { before, after };
  }
  return longest;
}

/** The elementwise values that `value` is computed with, inputs first, from what is in memory at time `at`; undefined where that is too much. */
function chainOf(value: Value, at: number, times: Times, split: ReadonlySet<Value>): readonly Value[] | undefined {
  const chain = new Set<Value>();
  const sources = new Set<Value>();
  const visit = (each: Value): boolean => {
    if (chain.has(each) || each.size * fewer <= value.size) return true;
    if (each !== value && !split.has(each) && isKept(each, at, times)) {
      sources.add(each);
      return sources.size <= mostSources;
    }
    if (!isElementwise(each) || !light.has(each.op?.name ?? "") || !each.inputs.every((use) => visit(use.value)))
      return false;
    chain.add(each);
    return chain.size <= longestChain;
  };
  return visit(value) ? [...chain] : undefined;
}

/** Whether a value is in memory at time `at` because somebody else needs it then or later. States change. */
function isKept(value: Value, at: number, { begin, uses }: Times): boolean {
  if (value.op === undefined) return value.tensor.origin.kind !== "state";
  return begin(value) < at && (uses(value).at(-1) ?? 0) >= at;
}

/** A copy of the chain, which ends in `value`, for those of its users. */
function copyChain(chain: readonly Value[], value: Value, users: readonly Value[]): Value[] {
  const copyOf = new Map<Value, Value>();
  for (const each of chain) {
    const inputs = each.inputs.map((use) => ({ ...use, value: copyOf.get(use.value) ?? use.value }));
    const copy: Value = { ...each, inputs, users: [] };
    for (const source of new Set(inputs.map((use) => use.value))) source.users.push(copy);
    copyOf.set(each, copy);
  }
  const last = copyOf.get(value) ?? value;
  for (const user of users) {
    value.users.splice(value.users.indexOf(user), 1);
    last.users.push(user);
    replaceInput(user, value, last);
  }
  return [...copyOf.values()];
}
