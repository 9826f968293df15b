/**
 * The commit: from the first step that writes state on, a program neither fails nor can be cancelled, and nobody reads
 * what it has written over. It begins as early as that allows, right behind the last step that may fail, so that a
 * gradient lives no longer than until its parameter has changed.
 */

import type { Buffer } from "../backends/backend.js";
import { sizeBytes } from "../core/dtype.js";
import type { Unit } from "./fuse.js";
import type { Graph } from "./graph.js";
import { inputNames } from "./operation.js";
import type { AnyState } from "./state.js";
import type { Value, ValueGraph } from "./values.js";

/** Whether what computes a value may fail: where it checks indices, and they are not another op's that are always valid. */
export function canFail({ op, inputs, params }: Value): boolean {
  if (op?.indexLimit === undefined) return false;
  const names = inputNames(op, inputs.length);
  const indices = inputs[names.indexOf("indices")].value;
  const below = indices.op?.indexBelow?.(shapesOf(indices), indices.params);
  return below === undefined || below > op.indexLimit(shapesOf({ op, inputs }), params);
}

function shapesOf({ op, inputs }: Pick<Value, "op" | "inputs">) {
  const names = op === undefined ? [] : inputNames(op, inputs.length);
  return Object.fromEntries(names.map((name, i) => [name, inputs[i].shape]));
}

/** The states whose old value the program starts from, and the values that stand for it. */
function oldValues({ values }: ValueGraph): Map<AnyState, Value[]> {
  const found = new Map<AnyState, Value[]>();
  for (const value of values) {
    const { origin, storage } = value.tensor;
    if (origin.kind !== "state" || storage !== undefined || value.op !== undefined) continue;
    found.set(origin.state, [...(found.get(origin.state) ?? []), value]);
  }
  return found;
}

/**
 * Returns whether elementwise values that write state may finish a kernel's output. The kernel then runs after what may
 * fail and after whoever reads the old state: that must not keep more in memory than the output would take.
 */
export function commitHosts(
  graph: ValueGraph,
  position: ReadonlyMap<Value, number>,
): (kernel: Value, members: readonly Value[]) => boolean {
  const old = oldValues(graph);
  const overwritten = new Set(graph.states.flatMap((state) => old.get(state) ?? []));
  const statesOf = new Map<Value, AnyState[]>();
  for (const [update, value] of graph.updates.entries()) {
    statesOf.set(value, [...(statesOf.get(value) ?? []), graph.states[update]]);
  }
  const lastFailing = graph.values.reduce((last, value, index) => (canFail(value) ? index : last), -1);
  return (kernel, members) => {
    const at = position.get(kernel) ?? 0;
    const sources = [...new Set(kernel.inputs.map((use) => use.value))];
    if (at <= lastFailing || sources.some((source) => overwritten.has(source))) return false;
    const readers = members
      .flatMap((member) => statesOf.get(member) ?? [])
      .flatMap((state) => old.get(state) ?? [])
      .flatMap(({ users }) => users.filter((user) => !members.includes(user)));
    if (readers.every((reader) => (position.get(reader) ?? 0) < at)) return true;
    const bytes = (list: readonly Value[]) => list.reduce((sum, { dtype, size }) => sum + sizeBytes(dtype, size), 0);
    return bytes([kernel]) > bytes(sources);
  };
}

export interface Commit {
  /** All units, in the order in which they run. */
  readonly units: readonly Unit[];
  /** New values that are written straight over the state's old one, and where that is. */
  readonly direct: ReadonlyMap<Value, Buffer>;
  /** Index of the first unit that writes state so. */
  readonly start: number;
}

/**
 * Puts units that no kernel waits for where they can run first, those that write state behind all that may fail and all
 * that read the old one.
 */
export function planCommit(
  units: readonly Unit[],
  graph: Graph,
  values: ValueGraph,
  states: ReadonlyMap<AnyState, Buffer>,
): Commit {
  const unitOf = new Map(units.flatMap((unit) => membersOf(unit).map((value) => [value, unit] as const)));
  const committing = committingUnits(units, values);
  const old = oldValues(values);
  const direct = new Map<Value, Buffer>();
  const overwritten = new Map<Unit, Value[]>();
  graph.updates.forEach(({ state }, update) => {
    const value = values.updates[update];
    const unit = unitOf.get(value);
    const buffer = states.get(state);
    if (unit === undefined || buffer === undefined || !committing.has(unit) || direct.has(value)) return;
    const before = old.get(state) ?? [];
    if (!isSafe(value, unit, before, committing, unitOf)) return;
    direct.set(value, buffer);
    overwritten.set(unit, [...(overwritten.get(unit) ?? []), ...before]);
  });

  // By the place of the unit behind which each can run, and there: what others wait for, then results, then states.
  const places = new Map<Unit, number>();
  const kinds = new Map(units.map((unit) => [unit, committing.has(unit) ? 2 : isAwaited(unit) ? 0 : 1]));
  const placeOf = (value: Value) => places.get(unitOf.get(value) ?? units[-1]) ?? -1;
  const ready = (unit: Unit) =>
    Math.max(-1, ...membersOf(unit).flatMap(({ inputs }) => inputs.map((use) => placeOf(use.value))));
  units.filter(isAwaited).forEach((unit, index) => {
    places.set(unit, index);
  });
  for (const unit of units) if (kinds.get(unit) === 1) places.set(unit, ready(unit));
  const lastFailing = Math.max(
    -1,
    ...units.filter((unit) => membersOf(unit).some(canFail)).map((unit) => places.get(unit) ?? -1),
  );
  for (const unit of units) {
    if (!committing.has(unit)) continue;
    const before = overwritten.get(unit);
    const readers =
      before?.flatMap(({ users }) => users.filter((user) => unitOf.get(user) !== unit).map(placeOf)) ?? [];
    places.set(unit, Math.max(ready(unit), before === undefined ? -1 : lastFailing, ...readers));
  }
  const compare = (a: Unit, b: Unit) =>
    (places.get(a) ?? 0) - (places.get(b) ?? 0) || (kinds.get(a) ?? 0) - (kinds.get(b) ?? 0);
  const ordered = [...units].sort(compare);
  const first = ordered.findIndex((unit) => overwritten.has(unit));
  return { units: ordered, direct, start: first < 0 ? ordered.length : first };
}

const membersOf = ({ kernel, elementwise }: Unit) => (kernel === undefined ? elementwise : [kernel, ...elementwise]);

/** Whether a kernel needs a result of the unit. */
const isAwaited = ({ deadline }: Unit) => deadline !== Number.POSITIVE_INFINITY;

/** Units that compute new state, or from it, and nothing that a kernel needs. */
function committingUnits(units: readonly Unit[], { updates }: ValueGraph): Set<Unit> {
  const updated = new Set(updates);
  const committed = new Set<Value>();
  const committing = new Set<Unit>();
  for (const unit of units) {
    const { elementwise } = unit;
    const isNew = (value: Value) => updated.has(value) || value.inputs.some((use) => committed.has(use.value));
    if (isAwaited(unit) || !elementwise.some(isNew)) continue;
    committing.add(unit);
    for (const value of elementwise) committed.add(value);
  }
  return committing;
}

/**
 * Whether `value` can be written over the state's old one, which others that write state must not read, and the unit
 * itself only element for element.
 */
function isSafe(
  value: Value,
  unit: Unit,
  before: readonly Value[],
  committing: ReadonlySet<Unit>,
  unitOf: ReadonlyMap<Value, Unit>,
): boolean {
  return before.every(({ dtype, size, users }) => {
    if (dtype !== value.dtype) return false;
    return users.every((user) => {
      const reader = unitOf.get(user);
      if (reader === undefined || !committing.has(reader)) return true;
      return reader === unit && user !== unit.kernel && user.size === value.size && size === value.size;
    });
  });
}
