/**
 * A recorded graph computed by the definitions of its ops, in float64 and without any device: what numbers should come out.
 * One input can be changed at a time, and only what depends on it is computed again.
 */

import { DataError, FoveaError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { inputNames, type ReferenceArray } from "../graph/op.js";
import type { AnyTensor } from "../graph/tensor.js";

type Data = ReferenceArray["data"];

/** An op with the arrays that it reads and writes. */
interface Step {
  readonly node: AnyTensor;
  readonly inputs: readonly AnyTensor[];
  /** Later runs leave its value alone: nothing is differentiated through it. */
  readonly held: boolean;
  run(): void;
}

export class ExactGraph {
  readonly #arrays = new Map<AnyTensor, ReferenceArray>();
  readonly #steps: Step[] = [];

  private constructor() {}

  /**
   * Computes everything that `roots` depend on.
   *
   * @param given values for some tensors in place of their own; changed by whoever calls `update`
   */
  static async compute(
    roots: readonly AnyTensor[],
    given: ReadonlyMap<AnyTensor, Float64Array<ArrayBuffer>>,
  ): Promise<ExactGraph> {
    const graph = new ExactGraph();
    for (const node of collect(roots, given)) {
      const { shape, dtype } = node;
      const inputs = given.has(node) ? [] : dependencies(node);
      const data = given.get(node) ?? (inputs.length > 0 || isConstantOp(node) ? empty(node) : await startOf(node));
      graph.#arrays.set(node, { shape, dtype, data });
      if (given.has(node) || (inputs.length === 0 && !isConstantOp(node))) continue;
      const step = graph.#stepOf(node, inputs);
      graph.#steps.push(step);
      step.run();
    }
    return graph;
  }

  /** Whether a random draw is among what was computed. */
  get draws(): boolean {
    return [...this.#arrays.keys()].some(({ origin }) => origin.kind === "draw");
  }

  valueOf(node: AnyTensor): Data {
    const array = this.#arrays.get(node);
    if (array === undefined) throw new FoveaError("FOVEA_INTERNAL", "a tensor outside the graph was asked for");
    return array.data;
  }

  /** A function that computes again what depends on `changed`, whose given values have been changed. */
  updater(changed: AnyTensor): () => void {
    const affected = new Set<AnyTensor>([changed]);
    const steps = this.#steps.filter(({ node, inputs, held }) => {
      if (held || !inputs.some((input) => affected.has(input))) return false;
      affected.add(node);
      return true;
    });
    return () => {
      for (const step of steps) step.run();
    };
  }

  #arrayOf(node: AnyTensor): ReferenceArray {
    const array = this.#arrays.get(node);
    if (array === undefined) throw new FoveaError("FOVEA_INTERNAL", "an op was met before its input");
    return array;
  }

  #stepOf(node: AnyTensor, inputs: readonly AnyTensor[]): Step {
    const output = this.#arrayOf(node);
    const arrays = inputs.map((input) => this.#arrayOf(input));
    const { origin } = node;
    // A state stands for what was assigned to it; gradients end there.
    if (origin.kind !== "computed")
      return { node, inputs, held: true, run: () => (output.data as Float64Array).set(arrays[0].data) };
    const { op, params } = origin;
    const named = Object.fromEntries(inputNames(op, inputs.length).map((name, i) => [name, arrays[i]]));
    const shapes = Object.fromEntries(Object.entries(named).map(([name, array]) => [name, array.shape]));
    const limit = op.indexLimit?.(shapes, params);
    const run = () => {
      if (limit !== undefined) checkIndices(op.name, named.indices.data, limit);
      op.reference(named, params, output);
    };
    return { node, inputs, held: op.name === "detach", run };
  }
}

/** All that `roots` depend on, inputs first. */
function collect(roots: readonly AnyTensor[], given: ReadonlyMap<AnyTensor, unknown>): AnyTensor[] {
  const seen = new Set<AnyTensor>(roots);
  const stack = [...roots];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (given.has(node)) continue;
    for (const input of dependencies(node)) {
      if (seen.has(input)) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  return [...seen].sort((a, b) => a.order - b.order);
}

/** What a tensor is computed from; nothing for one from outside of the recording, which has a value that can be read. */
function dependencies({ origin, trace }: AnyTensor): readonly AnyTensor[] {
  if (trace === null) return [];
  if (origin.kind === "computed") return origin.inputs;
  return origin.kind === "state" && origin.value !== undefined ? [origin.value] : [];
}

/** An op without inputs, such as counting. */
function isConstantOp({ origin, trace }: AnyTensor): boolean {
  return trace !== null && origin.kind === "computed" && origin.inputs.length === 0;
}

/** The value of a tensor that the recording starts from. */
async function startOf(node: AnyTensor): Promise<Data> {
  const { origin } = node;
  if (origin.kind === "number") {
    const data = empty(node);
    data.fill(origin.read());
    return data;
  }
  if (origin.kind === "draw") return origin.read();
  if (origin.kind === "data") return widen(origin.data);
  if (origin.kind === "state") return widen(await origin.state.value.data());
  return widen(await node.data());
}

function widen(values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): Data {
  return values instanceof Float32Array ? Float64Array.from(values) : values.slice();
}

function empty({ shape, dtype }: AnyTensor): Data {
  const size = sizeOf(shape);
  if (dtype === "float32") return new Float64Array(size);
  return dtype === "int32" ? new Int32Array(size) : new Uint8Array(size);
}

function checkIndices(op: string, indices: Data, limit: number): void {
  const bad = indices.findIndex((value) => value < 0 || value >= limit);
  if (bad >= 0) {
    throw new DataError(
      `${op}: index ${indices[bad]} (at position ${bad} of ${formatShape([indices.length])}) is outside 0 … ${limit - 1}.`,
    );
  }
}
