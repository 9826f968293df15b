/** The part of the graph that a program is to compute, and its signature: what programs are found again by. */

import { choicesInUse } from "../core/algorithms.js";
import { dtypes } from "../core/dtype.js";
import { FoveaError, StaleValueError, TraceError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import { type CheckpointRegion, pathOf, type Trace } from "./context.js";
import type { AnyState } from "./state.js";
import type { AnyTensor } from "./tensor.js";

/** A state and the value that it is to hold after the program. */
export interface Update {
  readonly state: AnyState;
  readonly value: AnyTensor;
}

/** All tensors that `outputs` and `updates` depend on and that are not in memory yet, and those they start from. */
export interface Graph {
  /** In the order in which they were recorded, so inputs come first. */
  readonly nodes: readonly AnyTensor[];
  readonly indexOf: ReadonlyMap<AnyTensor, number>;
  readonly outputs: readonly AnyTensor[];
  readonly updates: readonly Update[];
}

/** The tensors that `tensor` is computed from in a program; none if it is where the program starts. */
export function dependencies(tensor: AnyTensor): readonly AnyTensor[] {
  if (tensor.storage !== undefined) return [];
  const origin = tensor.origin;
  if (origin.kind === "computed") return origin.inputs;
  if (origin.kind === "state" && origin.value !== undefined && origin.state.committed !== origin.version) {
    return [origin.value];
  }
  return [];
}

/** The states that a recording assigned, and what they hold at its end. */
export function updatesOf({ states }: Trace): readonly Update[] {
  return [...states]
    .filter(([, traced]) => traced.assigned)
    .map(([state, traced]) => ({ state, value: traced.current }));
}

export function collectGraph(outputs: readonly AnyTensor[], updates: readonly Update[]): Graph {
  const seen = new Set<AnyTensor>();
  const stack: AnyTensor[] = [...outputs, ...updates.map((update) => update.value)];
  for (let tensor = stack.pop(); tensor !== undefined; tensor = stack.pop()) {
    if (seen.has(tensor)) continue;
    seen.add(tensor);
    checkStart(tensor);
    for (const input of dependencies(tensor)) if (!seen.has(input)) stack.push(input);
  }
  const nodes = [...seen].sort((a, b) => a.order - b.order);
  return { nodes, indexOf: new Map(nodes.map((node, index) => [node, index])), outputs, updates };
}

/** Throws where a program would have to start from something that no longer exists. */
function checkStart(tensor: AnyTensor): void {
  const { origin } = tensor;
  if (tensor.storage !== undefined) return;
  if (origin.kind === "disposed") {
    throw new TraceError(`a tensor of ${formatShape(tensor.shape)} was needed after it had been disposed.`);
  }
  if (origin.kind === "state" && origin.value === undefined && tensor.trace === null) {
    if (origin.version !== origin.state.committed) throw staleValue(origin.state);
  }
  if (origin.kind === "state" && origin.version >= 0 && origin.version < origin.state.committed) {
    throw staleValue(origin.state);
  }
  if (origin.kind === "stored") throw new FoveaError("FOVEA_INTERNAL", "a stored tensor has no storage");
}

function staleValue(state: AnyState): StaleValueError {
  return new StaleValueError(
    `a value that was not computed in time depends on weights (${formatShape(state.shape)}) as they were before they changed. ` +
      "Nothing is computed until it is read, and the old weights are gone. " +
      "Fix: read it before optimizer.step(), or call `evaluate(loss, logits, …)` with everything you want to keep.",
  );
}

/** Where a tensor was made: its op, module and line. */
export function describeOrigin(tensor: AnyTensor): string {
  const { origin } = tensor;
  if (origin.kind !== "computed") return origin.kind;
  const path = pathOf(origin.frame);
  return path === "" ? origin.op.name : `${origin.op.name} in ${path}`;
}

const parameterIds = new Map<string, number>();

function parameterId(params: object): number {
  const text = JSON.stringify(params);
  let id = parameterIds.get(text);
  if (id === undefined) {
    id = parameterIds.size;
    parameterIds.set(text, id);
  }
  return id;
}

const originCodes = { computed: 0, data: 1, stored: 1, state: 2, number: 3, draw: 4, argument: 1, disposed: 5 };

/** Graphs with equal signatures have the same program: values, states and numbers may differ. */
export function signatureOf(graph: Graph): Int32Array<ArrayBuffer> {
  const words: number[] = [graph.nodes.length, choicesInUse()];
  const states = new Map<AnyState, number>();
  const numberOf = (state: AnyState): number => {
    const known = states.get(state);
    if (known !== undefined) return known;
    states.set(state, states.size);
    return states.size - 1;
  };
  const regions = new Map<CheckpointRegion, number>();
  for (const node of graph.nodes) {
    const inputs = dependencies(node);
    const { origin, region } = node;
    if (region !== null) {
      if (!regions.has(region)) regions.set(region, regions.size);
      words.push(-1 - (regions.get(region) ?? 0), region.results.has(node) ? 1 : 0);
    }
    words.push(dtypes.indexOf(node.dtype), node.shape.length);
    for (const length of node.shape) words.push(length);
    if (origin.kind === "computed" && node.storage === undefined) {
      words.push(10 + origin.op.id, parameterId(origin.params));
    } else {
      words.push(node.storage === undefined ? originCodes[origin.kind] : originCodes.stored);
      if (origin.kind === "state") words.push(numberOf(origin.state));
    }
    for (const input of inputs) words.push(graph.indexOf.get(input) ?? -1);
  }
  words.push(graph.outputs.length);
  for (const output of graph.outputs) words.push(graph.indexOf.get(output) ?? -1);
  for (const { state, value } of graph.updates) words.push(numberOf(state), graph.indexOf.get(value) ?? -1);
  return Int32Array.from(words);
}

export function hashOf(signature: Int32Array<ArrayBuffer>): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < signature.length; i++) hash = Math.imul(hash ^ signature[i], 0x01000193);
  return hash >>> 0;
}

export function sameSignature(a: Int32Array<ArrayBuffer>, b: Int32Array<ArrayBuffer>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
