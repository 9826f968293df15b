/** `checkpoint`: a piece of a network whose values are not kept for the way back, but computed there once more. */

import { kindOf } from "../core/check.js";
import { ArgumentError, TraceError } from "../core/errors.js";
import { type CheckpointRegion, withRegion } from "./context.js";
import type { Graph } from "./graph.js";
import { isPromise } from "./reading.js";
import { replaceInput } from "./recompute.js";
import type { AnyTensor } from "./tensor.js";
import type { Value, ValueGraph } from "./values.js";

/**
 * Calls `fn` with `inputs`. Of what it computes only what it returns is kept for the gradient; the way back computes the
 * rest once more from `inputs`, right before it is needed: the same numbers, random ones too, for less memory and more
 * time. States that it assigns, such as running statistics, change once. Chen, Xu, Zhang & Guestrin, "Training deep nets
 * with sublinear memory cost" (2016).
 *
 * @param fn a module, or a function of tensors that returns one or several
 * @returns what `fn` returns
 *
 * @example
 * let h = x;
 * for (const block of blocks) h = checkpoint(block, h);
 */
export function checkpoint<Inputs extends readonly AnyTensor[], Result extends AnyTensor | readonly AnyTensor[]>(
  fn: (...inputs: Inputs) => Result,
  ...inputs: Inputs
): Result {
  if (typeof fn !== "function") {
    throw new ArgumentError(
      `checkpoint() was given ${kindOf(fn)} where a module or a function of tensors belongs. Fix: checkpoint(block, x).`,
    );
  }
  const region: CheckpointRegion = { results: new Set() };
  const result = withRegion(region, () => fn(...inputs));
  if (isPromise(result)) {
    throw new TraceError("checkpoint() was given an asynchronous function. Fix: make it synchronous; return tensors.");
  }
  for (const tensor of Array.isArray(result) ? result : [result]) region.results.add(tensor);
  return result;
}

/** Gives those who need what lies inside a checkpointed piece later copies of their own. */
export function recomputeCheckpoints(graph: Graph, all: ValueGraph): ValueGraph {
  const { valueAt, values, ...rest } = all;
  const kept = new Set([...all.outputs, ...all.updates]);
  for (const [node, { region }] of graph.nodes.entries()) {
    if (region?.results.has(graph.nodes[node])) kept.add(valueAt[node]);
  }
  const isInside = (value: Value, region: CheckpointRegion) =>
    value.op !== undefined && value.tensor.region === region && !kept.has(value);
  const copies = new Map<CheckpointRegion, Map<Value, Value>>();
  const ordered: Value[] = [];
  const copyOf = (value: Value, region: CheckpointRegion): Value => {
    const known = copies.get(region)?.get(value);
    if (known !== undefined) return known;
    const inputs = value.inputs.map((use) =>
      isInside(use.value, region) ? { ...use, value: copyOf(use.value, region) } : use,
    );
    const copy: Value = { ...value, inputs, users: [] };
    for (const source of new Set(inputs.map((use) => use.value))) source.users.push(copy);
    copies.set(region, (copies.get(region) ?? new Map<Value, Value>()).set(value, copy));
    ordered.push(copy);
    return copy;
  };
  for (const value of values) {
    for (const source of new Set(value.inputs.map((use) => use.value))) {
      const { region } = source.tensor;
      if (region === null || value.tensor.region === region || !isInside(source, region)) continue;
      const copy = copyOf(source, region);
      source.users.splice(source.users.indexOf(value), 1);
      copy.users.push(value);
      replaceInput(value, source, copy);
    }
    ordered.push(value);
  }
  return { ...rest, valueAt, values: ordered };
}
