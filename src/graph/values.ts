/**
 * First step of compilation: from the recorded nodes to distinct values. Nodes that only rename (reshape) become views
 * of what they rename, and nodes that repeat a computation become the node they repeat.
 */

import type { DType } from "../core/dtype.js";
import type { Layout } from "../core/layout.js";
import { type Shape, sameShape, sizeOf } from "../core/shape.js";
import { dependencies, type Graph } from "./graph.js";
import type { Operation } from "./operation.js";
import type { AnyState } from "./state.js";
import type { AnyTensor } from "./tensor.js";

/** A use of a value: the same elements, possibly under another shape. */
export interface Use {
  readonly value: Value;
  readonly shape: Shape;
}

/** Something that has memory of its own in a program. */
export interface Value {
  /** Index of its node in the graph. */
  readonly node: number;
  readonly tensor: AnyTensor;
  readonly shape: Shape;
  readonly size: number;
  readonly dtype: DType;
  /** Chosen by graph/layout.ts. */
  layout: Layout;
  /** The op that computes it, its parameters and inputs; undefined where the program starts. */
  readonly op: Operation | undefined;
  readonly params: object;
  readonly inputs: Use[];
  /** The values computed from it. */
  readonly users: Value[];
}

export interface ValueGraph {
  /** In an order in which they can be computed. */
  readonly values: readonly Value[];
  /** The value behind each node. */
  readonly valueAt: readonly Value[];
  readonly outputs: readonly Value[];
  readonly updates: readonly Value[];
  /** The states that the updates are for. */
  readonly states: readonly AnyState[];
}

const none = {};

export function distinctValues(graph: Graph): ValueGraph {
  const valueAt: Value[] = [];
  const byKey = new Map<string, Value>();
  const all: Value[] = [];
  for (const [node, tensor] of graph.nodes.entries()) {
    const { origin } = tensor;
    const computed = origin.kind === "computed" && tensor.storage === undefined ? origin : undefined;
    const inputs = dependencies(tensor).map((input): Use => {
      const use = { value: valueAt[graph.indexOf.get(input) ?? -1], shape: input.shape };
      return computed?.op.kind === "elementwise" ? unstretched(use) : use;
    });
    if (computed === undefined ? inputs.length === 1 : computed.op.kind === "alias") {
      valueAt.push(inputs[0].value);
      continue;
    }
    const key = keyOf(tensor, inputs);
    const known = key === undefined ? undefined : byKey.get(key);
    if (known !== undefined) {
      valueAt.push(known);
      continue;
    }
    const { shape, dtype } = tensor;
    const op = computed?.op;
    const params = computed?.params ?? none;
    const value: Value = {
      ...{ node, tensor, shape, size: sizeOf(shape), dtype, layout: "channelsFirst" },
      ...{ op, params, inputs, users: [] },
    };
    if (key !== undefined) byKey.set(key, value);
    valueAt.push(value);
    all.push(value);
  }
  const roots = (tensors: readonly AnyTensor[]) => tensors.map((tensor) => valueAt[graph.indexOf.get(tensor) ?? -1]);
  const outputs = roots(graph.outputs);
  const updates = roots(graph.updates.map((update) => update.value));
  const values = withoutDead(all, [...outputs, ...updates]);
  for (const value of values)
    for (const input of new Set(value.inputs.map((use) => use.value))) input.users.push(value);
  return { values, valueAt, outputs, updates, states: graph.updates.map(({ state }) => state) };
}

/** Elementwise ops stretch their inputs themselves, so what was stretched for them need not be written out. */
function unstretched(use: Use): Use {
  const { op, shape, inputs } = use.value;
  return op?.kind === "stretch" && sameShape(use.shape, shape) ? inputs[0] : use;
}

/** Equal keys, equal values; undefined where a value must be kept apart. */
function keyOf(tensor: AnyTensor, inputs: readonly Use[]): string | undefined {
  const { origin } = tensor;
  if (tensor.storage !== undefined) return undefined;
  if (origin.kind === "number" && origin.constant) return `number ${tensor.dtype} ${origin.read()}`;
  if (origin.kind !== "computed") return undefined;
  const uses = inputs.map((use) => `${use.value.node}:${use.shape.join("x")}`).join(" ");
  return `${origin.op.id} ${JSON.stringify(origin.params)} ${tensor.shape.join("x")} ${tensor.dtype} ${uses}`;
}

/** Repeated nodes may have been the only users of others. */
function withoutDead(values: readonly Value[], roots: readonly Value[]): Value[] {
  const alive = new Set<Value>(roots);
  for (let i = values.length - 1; i >= 0; i--) {
    if (alive.has(values[i])) for (const use of values[i].inputs) alive.add(use.value);
  }
  return values.filter((value) => alive.has(value));
}
