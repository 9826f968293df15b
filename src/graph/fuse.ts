/**
 * Second step of compilation: gathers elementwise values into groups that are evaluated together, element by element,
 * and hangs such a group onto the kernel that produces its main input.
 *
 * When is it right to compute two elementwise values together? When they are needed at the same time. Each value has a
 * deadline: the position of the first kernel that needs it. Values with equal deadlines and sizes fuse; a derivative
 * such as 1 - y², needed only in the backward pass, stays out of the forward group that computes y, so that nothing is
 * kept in memory only because it was convenient to compute early.
 */

import { type Shape, sameShape } from "../core/shape.js";
import { commitHosts } from "./commit.js";
import type { Value, ValueGraph } from "./values.js";

/** What runs as one: a kernel with its epilogue, or a group of elementwise values. */
export interface Unit {
  /** The value that a kernel of its own computes; undefined for a purely elementwise unit. */
  readonly kernel: Value | undefined;
  /** Elementwise values in order; with a kernel they are its epilogue. */
  readonly elementwise: readonly Value[];
  /** The elementwise values' common iteration space. */
  readonly shape: Shape;
  /** Position of the first kernel that needs a result; infinite if only the program's caller does. */
  readonly deadline: number;
}

/** The kernels' limits on one group (kernels/elementwise.c). */
const maxInputs = 24;
const maxInstructions = 96;
const maxOutputs = 8;

export interface FusionOptions {
  readonly fusesElementwise: boolean;
  takesEpilogue(op: string): boolean;
}

interface Group {
  readonly members: Value[];
  /** What the members need from outside the group. */
  readonly inputs: ReadonlySet<Value>;
  readonly deadline: number;
  /** The shape that stretched inputs refer to; undefined while there are none. */
  shape: Shape | undefined;
}

export function fuse(graph: ValueGraph, options: FusionOptions): Unit[] {
  const position = new Map(graph.values.map((value, index) => [value, index]));
  const isElementwise = (value: Value) => options.fusesElementwise && value.op?.kind === "elementwise";
  const deadlines = findDeadlines(graph.values, position, isElementwise);
  const needed = new Set([...graph.outputs, ...graph.updates]);
  const groupOf = new Map<Value, Group>();

  for (const value of graph.values) {
    if (!isElementwise(value)) continue;
    const deadline = deadlines.get(value) ?? Number.POSITIVE_INFINITY;
    const inputs = new Set(value.inputs.map((use) => use.value));
    let group: Group = { members: [value], inputs, deadline, shape: stretchedShape(value) };
    const candidates = new Set(value.inputs.map((use) => groupOf.get(use.value)));
    for (const candidate of candidates) {
      if (candidate === undefined || candidate.deadline !== deadline) continue;
      const merged = merge(candidate, group, groupOf, needed);
      if (merged !== undefined) {
        group = merged;
        for (const member of group.members) groupOf.set(member, group);
      }
    }
    groupOf.set(value, group);
  }

  const groups = new Set(groupOf.values());
  const hosts = chooseHosts(groups, groupOf, position, graph, options);
  const units: Unit[] = [];
  const hosted = new Set(hosts.values());
  for (const group of groups) {
    const kernel = hosts.get(group);
    const shape = group.shape ?? group.members[group.members.length - 1].shape;
    units.push({ kernel, elementwise: group.members, shape, deadline: group.deadline });
  }
  for (const value of graph.values) {
    if (value.op === undefined || isElementwise(value) || hosted.has(value)) continue;
    units.push({ kernel: value, elementwise: [], shape: value.shape, deadline: position.get(value) ?? 0 });
  }
  return orderUnits(units, position);
}

/** For each elementwise value the position of the first kernel that needs it, directly or through others. */
export function findDeadlines(
  values: readonly Value[],
  position: ReadonlyMap<Value, number>,
  isElementwise: (value: Value) => boolean,
): Map<Value, number> {
  const deadlines = new Map<Value, number>();
  for (let i = values.length - 1; i >= 0; i--) {
    const value = values[i];
    let deadline = Number.POSITIVE_INFINITY;
    for (const user of value.users) {
      const users = isElementwise(user) ? deadlines.get(user) : position.get(user);
      deadline = Math.min(deadline, users ?? deadline);
    }
    deadlines.set(value, deadline);
  }
  return deadlines;
}

/** The value's shape if one of its inputs is stretched to it (a single element stretches to any shape). */
export function stretchedShape(value: Value): Shape | undefined {
  const stretched = value.inputs.some((use) => use.value.size !== 1 && use.value.size !== value.size);
  return stretched ? value.shape : undefined;
}

/** Both groups as one, or undefined where that is not possible. */
function merge(a: Group, b: Group, groupOf: ReadonlyMap<Value, Group>, needed: ReadonlySet<Value>): Group | undefined {
  if (a.members[0].size !== b.members[0].size || a.members[0].layout !== b.members[0].layout) return undefined;
  if (a.shape !== undefined && b.shape !== undefined && !sameShape(a.shape, b.shape)) return undefined;
  const members = [...a.members, ...b.members].sort((x, y) => x.node - y.node);
  const inside = new Set(members);
  const inputs = new Set([...a.inputs, ...b.inputs].filter((value) => !inside.has(value)));
  const outputs = members.filter((member) => needed.has(member) || member.users.some((user) => !inside.has(user)));
  if (inputs.size > maxInputs || members.length > maxInstructions || outputs.length > maxOutputs) return undefined;
  if (dependsThroughOthers(inside, inputs, a.deadline, groupOf)) return undefined;
  return { members, inputs, deadline: a.deadline, shape: a.shape ?? b.shape };
}

/**
 * Whether one of `inputs` is computed from one of `inside` by way of other groups: the merged group would wait for
 * itself. A kernel cannot lie on such a path, for its result would have a later deadline than its input.
 */
function dependsThroughOthers(
  inside: ReadonlySet<Value>,
  inputs: ReadonlySet<Value>,
  deadline: number,
  groupOf: ReadonlyMap<Value, Group>,
): boolean {
  const seen = new Set<Group>();
  const stack = [...inputs];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    const group = groupOf.get(value);
    if (group === undefined || group.deadline !== deadline || seen.has(group)) continue;
    seen.add(group);
    for (const input of group.inputs) {
      if (inside.has(input)) return true;
      stack.push(input);
    }
  }
  return false;
}

/** Whether the group comes after all kernels, because it needs another's result that no kernel needs. */
function comesLast(group: Group, groupOf: ReadonlyMap<Value, Group>): boolean {
  if (group.deadline !== Number.POSITIVE_INFINITY) return false;
  return group.members.some((member) =>
    member.inputs.some(({ value }) => {
      const source = groupOf.get(value);
      return source !== undefined && source !== group && source.deadline === group.deadline;
    }),
  );
}

/** For each group the kernel that it is to finish, if there is one: the last computed of its inputs that qualify. */
function chooseHosts(
  groups: ReadonlySet<Group>,
  groupOf: ReadonlyMap<Value, Group>,
  position: ReadonlyMap<Value, number>,
  graph: ValueGraph,
  options: FusionOptions,
): Map<Group, Value> {
  const updates = new Set(graph.updates);
  const needed = new Set([...graph.outputs, ...graph.updates]);
  const mayCommit = commitHosts(graph, position);
  const hosts = new Map<Group, Value>();
  for (const group of groups) {
    if (comesLast(group, groupOf)) continue;
    const writesState = group.members.some((member) => updates.has(member));
    for (const member of group.members) {
      for (const { value } of member.inputs) {
        const qualifies =
          value.op !== undefined &&
          value.op.kind !== "elementwise" &&
          options.takesEpilogue(value.op.name) &&
          value.size === member.size &&
          value.dtype === "float32" &&
          !needed.has(value) &&
          !(writesState && !mayCommit(value, group.members)) &&
          value.users.every((user) => groupOf.get(user) === group) &&
          value.users.every((user) => user.inputs.every((use) => use.value !== value || value.size === user.size));
        const best = hosts.get(group);
        const later = best === undefined || (position.get(value) ?? 0) > (position.get(best) ?? 0);
        if (qualifies && later) hosts.set(group, value);
      }
    }
  }
  return hosts;
}

/** Units in an order in which they can run: each elementwise group just before the first kernel that needs it. */
function orderUnits(units: readonly Unit[], position: ReadonlyMap<Value, number>): Unit[] {
  const unitOf = new Map<Value, Unit>();
  for (const unit of units) {
    for (const value of unit.elementwise) unitOf.set(value, unit);
    if (unit.kernel !== undefined) unitOf.set(unit.kernel, unit);
  }
  const first = (unit: Unit) => position.get(unit.elementwise[0] ?? unit.kernel) ?? 0;
  const isGroup = (unit: Unit) => (unit.elementwise.length > 0 ? 0 : 1);
  const sorted = [...units].sort(
    (a, b) => compare(a.deadline, b.deadline) || isGroup(a) - isGroup(b) || first(a) - first(b),
  );
  const ordered: Unit[] = [];
  const state = new Map<Unit, "open" | "done">();
  const visit = (unit: Unit) => {
    if (state.has(unit)) return;
    state.set(unit, "open");
    const inputs = [...unit.elementwise, ...(unit.kernel === undefined ? [] : [unit.kernel])].flatMap((v) => v.inputs);
    for (const { value } of inputs) {
      const source = unitOf.get(value);
      if (source !== undefined && source !== unit) visit(source);
    }
    state.set(unit, "done");
    ordered.push(unit);
  };
  for (const unit of sorted) visit(unit);
  return ordered;
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
