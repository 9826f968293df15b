/**
 * Cheap values that would be kept only because several pieces of work need them are computed anew by each: x − mean costs
 * less than writing it and reading it again. What they are computed from is in memory anyway, in place of them.
 */

import { sameShape } from "../core/shape.js";
import { stretchedShape } from "./fuse.js";
import type { Value, ValueGraph } from "./values.js";

const cheap = new Set(["add", "subtract", "multiply"]);
/** Elements for each of which an operand has at most one, so that it is as good as a number. */
export const fewer = 8;

/** Gives each user of such a value a copy of its own, which becomes part of its group (fuse.ts). */
export function recomputeCheap({ values, ...graph }: ValueGraph): ValueGraph {
  const needed = new Set([...graph.outputs, ...graph.updates]);
  return {
    ...graph,
    values: values.flatMap((value) => (isRecomputed(value, needed) ? copiesOf(value) : [value])),
  };
}

function isRecomputed(value: Value, needed: ReadonlySet<Value>): boolean {
  if (!isElementwise(value) || !cheap.has(value.op?.name ?? "") || needed.has(value)) return false;
  if (value.users.length < 2 || !value.users.every((user) => canHaveOwn(user, value))) return false;
  const large = new Set(value.inputs.map((use) => use.value).filter(({ size }) => size * fewer > value.size));
  const [source] = large;
  return large.size === 1 && source.size === value.size && isInMemory(source, needed);
}

/** Whether a user's group can take in what computes the value; other kernels than sums would need it in memory. */
function canHaveOwn(user: Value, { shape }: Value): boolean {
  if (!isElementwise(user)) return user.op?.name === "sum";
  return sameShape(stretchedShape(user) ?? shape, shape);
}

export const isElementwise = ({ op }: Value) => op?.kind === "elementwise";

/** Whether a value is in memory whatever becomes of its elementwise users. States change. */
function isInMemory(value: Value, needed: ReadonlySet<Value>): boolean {
  if (value.op === undefined) return value.tensor.origin.kind !== "state";
  return needed.has(value) || value.users.some((user) => !isElementwise(user));
}

function copiesOf(value: Value): Value[] {
  const sources = new Set(value.inputs.map((use) => use.value));
  for (const source of sources) source.users.splice(source.users.indexOf(value), 1);
  return value.users.map((user) => {
    const copy: Value = { ...value, inputs: [...value.inputs], users: [user] };
    for (const source of sources) source.users.push(copy);
    replaceInput(user, value, copy);
    return copy;
  });
}

/** Has `user` take `by` in place of `value`. */
export function replaceInput({ inputs }: Value, value: Value, by: Value): void {
  for (const [i, use] of inputs.entries()) if (use.value === value) inputs[i] = { ...use, value: by };
}
