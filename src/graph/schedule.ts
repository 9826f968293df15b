/**
 * Third step of compilation: what runs in which order, and which memory each value gets, without its address yet.
 *
 * An elementwise unit that computes new weights writes them straight over the old ones where that is safe (commit.ts);
 * every other state is copied at the end.
 */

import type { Buffer } from "../backends/backend.js";
import { sizeBytes } from "../core/dtype.js";
import { FoveaError } from "../core/errors.js";
import { planCommit } from "./commit.js";
import type { Unit } from "./fuse.js";
import type { Graph } from "./graph.js";
import type { AnyState } from "./state.js";
import type { Value, ValueGraph } from "./values.js";

/** What the caller binds to a slot of the program at each submission. */
export type Binding =
  /** The value of a node that the program starts from. */
  | { readonly kind: "leaf"; readonly node: number }
  /** The memory of the state that `updates[update]` writes. */
  | { readonly kind: "state"; readonly update: number }
  /** What a preparation has made. */
  | { readonly kind: "prepared" }
  /** Fresh memory for an output. */
  | { readonly kind: "output"; readonly output: number; readonly bytes: number };

/** A number or a draw, sent along with each submission at `offset`. */
export interface ScalarSlot {
  readonly node: number;
  readonly offset: number;
}

export type Job =
  | { readonly kind: "unit"; readonly unit: Unit; readonly rawResult: Buffer | undefined }
  | { readonly kind: "copy"; readonly from: Value; readonly fromBuffer: Buffer; readonly to: Buffer };

export interface Schedule {
  readonly jobs: readonly Job[];
  /** Index of the first job that writes state. */
  readonly commitStart: number;
  readonly bufferOf: ReadonlyMap<Value, Buffer>;
  /** Lowering may add some. */
  readonly bindings: Binding[];
  readonly scalars: readonly ScalarSlot[];
  readonly scalarBytes: number;
  /** Buffers that the memory plan has to place. */
  readonly arena: Buffer[];
}

/** Slots of a program: the arena, the scalars, then one for each binding. */
export const arenaSlot = 0;
export const scalarSlot = 1;
export const firstBindingSlot = 2;

/** Every buffer starts at a multiple of this many bytes. */
export const alignment = 64;

/** Makes buffers that the memory plan will place in the arena. */
export class ArenaBuffers {
  readonly all: Buffer[] = [];

  allocate(bytes: number): Buffer {
    const buffer: Buffer = { id: this.all.length, bytes, slot: arenaSlot, offset: 0 };
    this.all.push(buffer);
    return buffer;
  }
}

export function schedule(graph: Graph, values: ValueGraph, units: readonly Unit[], arena: ArenaBuffers): Schedule {
  const slots = bindSlots(graph, values);
  const { bufferOf } = slots;
  const commit = planCommit(units, graph, values, slots.states);
  for (const [value, buffer] of commit.direct) bufferOf.set(value, buffer);
  values.outputs.forEach((value, output) => {
    if (value.op !== undefined && !bufferOf.has(value)) bufferOf.set(value, slots.outputs[output]);
  });
  const rawResults = placeResults(commit.units, values, bufferOf, arena);
  const jobs = commit.units.map((unit): Job => ({ kind: "unit", unit, rawResult: rawResults.get(unit) }));
  const memoryOf = (value: Value): Buffer => {
    const buffer = bufferOf.get(value);
    if (buffer === undefined) throw new FoveaError("FOVEA_INTERNAL", `value ${value.node} has no memory`);
    return buffer;
  };

  // States as they were before any is written; results; then what could not be written straight over the old state.
  const early: Job[] = [];
  const results: Job[] = [];
  const late: Job[] = [];
  values.outputs.forEach((from, output) => {
    const fromBuffer = memoryOf(from);
    const to = slots.outputs[output];
    if (fromBuffer !== to) (from.op === undefined ? early : results).push({ kind: "copy", from, fromBuffer, to });
  });
  graph.updates.forEach(({ state }, update) => {
    const from = values.updates[update];
    const to = slots.states.get(state);
    const fromBuffer = memoryOf(from);
    if (to === undefined || fromBuffer === to) return;
    if (from.op === undefined && from.tensor.origin.kind === "state") {
      const held = arena.allocate(to.bytes);
      early.push({ kind: "copy", from, fromBuffer, to: held });
      late.push({ kind: "copy", from, fromBuffer: held, to });
    } else {
      late.push({ kind: "copy", from, fromBuffer, to });
    }
  });
  const writesUnits = commit.direct.size > 0;
  const before = [...jobs.slice(0, commit.start), ...early];
  const after = [...jobs.slice(commit.start), ...results];
  return {
    ...slots,
    jobs: [...before, ...after, ...late],
    commitStart: before.length + (writesUnits ? 0 : after.length),
    arena: arena.all,
  };
}

interface Slots {
  readonly bindings: Binding[];
  readonly scalars: ScalarSlot[];
  readonly scalarBytes: number;
  readonly bufferOf: Map<Value, Buffer>;
  /** The memory of each state that the program reads or writes: bound once. */
  readonly states: Map<AnyState, Buffer>;
  readonly outputs: readonly Buffer[];
}

/** Gives everything that is bound at submission its slot. */
function bindSlots(graph: Graph, values: ValueGraph): Slots {
  const bindings: Binding[] = [];
  const scalars: ScalarSlot[] = [];
  const bufferOf = new Map<Value, Buffer>();
  const states = new Map<AnyState, Buffer>();
  const bind = (binding: Binding, bytes: number): Buffer => {
    bindings.push(binding);
    return { id: -1, bytes, slot: firstBindingSlot + bindings.length - 1, offset: 0 };
  };
  for (const value of values.values) {
    if (value.op !== undefined) continue;
    const { origin, storage } = value.tensor;
    const bytes = sizeBytes(value.dtype, value.size);
    if (storage === undefined && (origin.kind === "number" || origin.kind === "draw")) {
      const offset = scalars.length * alignment;
      scalars.push({ node: value.node, offset });
      bufferOf.set(value, { id: -1, bytes, slot: scalarSlot, offset });
      continue;
    }
    const buffer = bind({ kind: "leaf", node: value.node }, bytes);
    bufferOf.set(value, buffer);
    if (storage === undefined && origin.kind === "state") states.set(origin.state, buffer);
  }
  graph.updates.forEach(({ state }, update) => {
    if (states.has(state)) return;
    states.set(state, bind({ kind: "state", update }, sizeBytes(state.dtype, values.updates[update].size)));
  });
  const outputs = values.outputs.map(({ dtype, size }, output) => {
    const bytes = sizeBytes(dtype, size);
    return bind({ kind: "output", output, bytes }, bytes);
  });
  return { bindings, scalars, scalarBytes: scalars.length * alignment, bufferOf, states, outputs };
}

/**
 * Gives every result that leaves its unit its memory: that of an input that is not needed any more where an
 * elementwise unit can work in place, else memory of its own. Returns where kernels with an epilogue put their raw
 * result: under one of the epilogue's outputs if possible.
 */
function placeResults(
  units: readonly Unit[],
  values: ValueGraph,
  bufferOf: Map<Value, Buffer>,
  arena: ArenaBuffers,
): Map<Unit, Buffer> {
  const lastUse = new Map<Value, number>();
  units.forEach((unit, index) => {
    const members = unit.kernel === undefined ? unit.elementwise : [unit.kernel, ...unit.elementwise];
    for (const member of members) for (const use of member.inputs) lastUse.set(use.value, index);
  });
  for (const value of [...values.outputs, ...values.updates]) lastUse.set(value, Number.POSITIVE_INFINITY);

  const rawResults = new Map<Unit, Buffer>();
  units.forEach((unit, index) => {
    const { kernel, elementwise } = unit;
    if (kernel !== undefined && elementwise.length === 0) {
      if (!bufferOf.has(kernel)) bufferOf.set(kernel, arena.allocate(sizeBytes(kernel.dtype, kernel.size)));
      return;
    }
    const inside = new Set(elementwise);
    const results = elementwise.filter(
      (value) => lastUse.get(value) === Number.POSITIVE_INFINITY || value.users.some((user) => !inside.has(user)),
    );
    // What the kernel itself reads is still needed while its epilogue runs, and so is its raw result.
    const kept = new Set(kernel?.inputs.map((use) => bufferOf.get(use.value)));
    if (kernel !== undefined) {
      const bytes = sizeBytes(kernel.dtype, kernel.size);
      const read = new Set(elementwise.flatMap(({ inputs }) => inputs.map((use) => bufferOf.get(use.value))));
      const host = results.find((value) => {
        const buffer = bufferOf.get(value);
        // Not over a state's old value, which the epilogue still reads.
        return sizeBytes(value.dtype, value.size) === bytes && (buffer === undefined || !read.has(buffer));
      });
      const raw = (host && bufferOf.get(host)) ?? arena.allocate(bytes);
      if (host !== undefined) bufferOf.set(host, raw);
      rawResults.set(unit, raw);
      kept.add(raw);
    }
    for (const value of results) {
      if (bufferOf.has(value)) continue;
      const reusable = elementwise
        .flatMap((member) => member.inputs.map((use) => use.value))
        .find((input) => {
          const buffer = bufferOf.get(input);
          return (
            buffer !== undefined &&
            buffer.slot === arenaSlot &&
            lastUse.get(input) === index &&
            input.size === value.size &&
            sizeBytes(input.dtype, 1) === sizeBytes(value.dtype, 1) &&
            !kept.has(buffer)
          );
        });
      const buffer = reusable && bufferOf.get(reusable);
      const placed = buffer ?? arena.allocate(sizeBytes(value.dtype, value.size));
      kept.add(placed);
      bufferOf.set(value, placed);
    }
  });
  return rawResults;
}
