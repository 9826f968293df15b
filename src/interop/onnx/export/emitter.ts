/** Turning what was recorded into nodes: each tensor once, its inputs first. */

import { ArgumentError } from "../../../core/errors.js";
import { formatShape } from "../../../core/shape.js";
import { pathOf } from "../../../graph/context.js";
import type { AnyState } from "../../../graph/state.js";
import type { AnyTensor, Origin } from "../../../graph/tensor.js";
import type { Composite } from "../../../ops/composites.js";
import type { GraphBuilder, Length } from "./builder.js";
import { emitComposite } from "./composites.js";
import { primitiveRules } from "./primitives.js";

/** A tensor that is to become nodes, and what its rule may ask. */
export interface Emission {
  readonly builder: GraphBuilder;
  readonly tensor: AnyTensor;
  /** The version of ONNX's set of operators. */
  readonly opset: number;
  /** The module that computes it. */
  readonly path: string;
  /** The name of a tensor's value. */
  value(tensor: AnyTensor): string;
  /** Adds a node, and returns its value's name. */
  node: (opType: string, inputs: readonly string[], attributes?: Parameters<GraphBuilder["node"]>[3]) => string;
  /** A tensor's lengths, which may vary with the batch. */
  lengths(tensor: AnyTensor): readonly Length[];
  /** Says that it cannot be exported. */
  fail(why: string): never;
}

/** A recording, and the same with another number of samples. */
export interface Recorded {
  readonly tensors: readonly AnyTensor[];
  readonly composites: ReadonlyMap<AnyTensor, Composite>;
}

/** What the recordings were made with. */
export interface Batches {
  readonly first: number;
  readonly second: number;
}

/** Where a value comes from that nodes do not compute. */
export interface Sources {
  readonly inputs: ReadonlyMap<AnyTensor, string>;
  /** The name of a parameter or other state; undefined for one that no module names. */
  readonly stateName: (state: AnyState) => string | undefined;
}

export class Emitter {
  readonly #builder: GraphBuilder;
  readonly #opset: number;
  readonly #composites: ReadonlyMap<AnyTensor, Composite>;
  readonly #sources: Sources;
  readonly #names = new Map<AnyTensor, string>();
  /** The same tensor in the recording with another batch; empty when all lengths are fixed. */
  readonly #twins = new Map<AnyTensor, AnyTensor>();
  readonly #batches: Batches | undefined;
  readonly #stateNames = new Map<AnyState, string>();
  /** Values that are to be read from the device and become initializers. */
  readonly weights: { readonly name: string; readonly tensor: AnyTensor }[] = [];

  constructor(
    builder: GraphBuilder,
    opset: number,
    recorded: Recorded,
    sources: Sources,
    twin: { readonly recorded: Recorded; readonly batches: Batches } | undefined,
  ) {
    this.#builder = builder;
    this.#opset = opset;
    this.#composites = recorded.composites;
    this.#sources = sources;
    this.#batches = twin?.batches;
    if (twin !== undefined) this.#pair(recorded.tensors, twin.recorded);
  }

  /** Adds what `output` needs; returns the name of its value. */
  emit(output: AnyTensor): string {
    // With a stack of its own: networks are deeper than calls may be.
    const stack: AnyTensor[] = [output];
    while (stack.length > 0) {
      const tensor = stack[stack.length - 1];
      if (this.#names.has(tensor)) {
        stack.pop();
        continue;
      }
      const waiting = this.#inputsOf(tensor).filter((input) => !this.#names.has(input));
      if (waiting.length > 0) {
        stack.push(...waiting.reverse());
        continue;
      }
      this.#names.set(tensor, this.#emitOne(tensor));
      stack.pop();
    }
    return this.#nameOf(output);
  }

  /** Lengths of a tensor of the first recording. */
  lengths(tensor: AnyTensor): readonly Length[] {
    const other = this.#twins.get(tensor);
    if (this.#batches === undefined || other === undefined) return tensor.shape;
    const { first, second } = this.#batches;
    return tensor.shape.map((length, axis): Length => {
      const twin = other.shape[axis];
      if (twin === length) return length;
      if (length % first === 0 && (length / first) * second === twin) return { perSample: length / first };
      throw new ArgumentError(
        `onnx.export: ${formatShape(tensor.shape)} for ${first} samples becomes ${formatShape(other.shape)} for ${second}, which a graph for any number of samples cannot say. Fix: { dynamicBatch: false }.`,
      );
    });
  }

  #nameOf(tensor: AnyTensor): string {
    const name = this.#names.get(tensor);
    if (name === undefined) throw new Error("an input has no name yet");
    return name;
  }

  #inputsOf(tensor: AnyTensor): readonly AnyTensor[] {
    const form = this.#composites.get(tensor);
    return form === undefined ? operandsOf(tensor) : form.inputs.filter((input) => input !== undefined);
  }

  #emitOne(tensor: AnyTensor): string {
    const input = this.#sources.inputs.get(tensor);
    if (input !== undefined) return input;
    const { origin } = tensor;
    if (origin.kind === "number" || origin.kind === "data") this.#checkFixed(tensor);
    if (origin.kind === "number") return this.#builder.filled(origin.read(), tensor.shape, tensor.dtype);
    if (origin.kind === "state" && tensor.storage === undefined)
      return isAssigned(origin) ? this.#nameOf(origin.value) : this.#stateOf(origin.state);
    if (origin.kind === "data") return this.#builder.constant(tensor.shape, tensor.dtype, origin.data);
    if (origin.kind !== "computed" || tensor.storage !== undefined) return this.#weight("/Stored", tensor);
    const path = pathOf(origin.frame);
    const where = path === "" ? "" : ` in ${path}`;
    const emission: Emission = {
      builder: this.#builder,
      tensor,
      opset: this.#opset,
      path,
      value: (each) => this.#nameOf(each),
      node: (opType, inputs, attributes) => this.#builder.node(path, opType, inputs, attributes),
      lengths: (each) => this.lengths(each),
      fail: (why) => {
        throw new ArgumentError(`onnx.export: ${origin.op.name}${where} cannot be exported: ${why}`);
      },
    };
    const form = this.#composites.get(tensor);
    if (form !== undefined) return emitComposite(emission, form);
    const rule = primitiveRules[origin.op.name];
    if (rule === undefined)
      return emission.fail("ONNX has no operator for it. Fix: export the model evaluating, without its gradients.");
    return rule(emission, origin.inputs, origin.params);
  }

  #stateOf(state: AnyState): string {
    let name = this.#stateNames.get(state);
    if (name === undefined) {
      name = this.#weight(this.#sources.stateName(state) ?? "/State", state.value);
      this.#stateNames.set(state, name);
    }
    return name;
  }

  /** Throws for a constant that is another one for another number of samples. */
  #checkFixed(tensor: AnyTensor): void {
    const twin = this.#twins.get(tensor);
    if (twin === undefined) return;
    const [own, other] = [constantOf(tensor), constantOf(twin)];
    if (own.length === other.length && own.every((value, i) => Object.is(value, other[i]))) return;
    throw new ArgumentError(
      `onnx.export: a constant (${formatShape(tensor.shape)}) depends on the number of samples, which a graph for any number of them cannot say. Fix: { dynamicBatch: false }.`,
    );
  }

  #weight(wish: string, tensor: AnyTensor): string {
    const name = this.#builder.unique(wish);
    this.weights.push({ name, tensor });
    return name;
  }

  /** Finds for each tensor the one that the other recording made in its place. */
  #pair(first: readonly AnyTensor[], { tensors: second }: Recorded): void {
    const stack = first.map((tensor, i) => [tensor, second[i]] as const);
    for (let pair = stack.pop(); pair !== undefined; pair = stack.pop()) {
      const [a, b] = pair;
      if (this.#twins.has(a) || a === b) continue;
      this.#twins.set(a, b);
      const [from, to] = [operandsOf(a), operandsOf(b)];
      if (from.length !== to.length || opName(a) !== opName(b)) {
        throw new ArgumentError(
          `onnx.export: the model does other things for other numbers of samples (${opName(a)} here, ${opName(b)} there). Fix: { dynamicBatch: false }.`,
        );
      }
      for (const [i, input] of from.entries()) stack.push([input, to[i]]);
    }
  }
}

function operandsOf({ origin, storage }: AnyTensor): readonly AnyTensor[] {
  if (storage !== undefined) return [];
  if (origin.kind === "state") return isAssigned(origin) ? [origin.value] : [];
  return origin.kind === "computed" ? origin.inputs : [];
}

type StateOrigin = Extract<Origin, { kind: "state" }>;

/** Whether the recording itself computed what a state holds here. */
function isAssigned(origin: StateOrigin): origin is StateOrigin & { readonly value: AnyTensor } {
  return origin.value !== undefined && origin.version < 0;
}

function constantOf({ origin }: AnyTensor): readonly number[] {
  if (origin.kind === "number") return [origin.read()];
  return origin.kind === "data" ? Array.from(origin.data) : [];
}

function opName({ origin }: AnyTensor): string {
  return origin.kind === "computed" ? origin.op.name : origin.kind;
}
