/**
 * Uncompiled code. Nothing runs until something is read or an optimizer steps; then one program computes what was asked
 * for together with every pending assignment. Programs are found again by the structure of what they compute.
 */

import type { Device } from "../backends/backend.js";
import { FoveaError } from "../core/errors.js";
import { ExecutableCache } from "./cache.js";
import { Executable } from "./executable.js";
import { collectGraph, dependencies, type Graph, hashOf, sameSignature, signatureOf, type Update } from "./graph.js";
import type { AnyState } from "./state.js";
import type { Storage } from "./storage.js";
import type { AnyTensor } from "./tensor.js";

/** States with an assignment that no program has carried out yet. */
const dirty = new Set<AnyState>();

/** Values that the next program must compute because their inputs are about to change: losses that were differentiated. */
const kept = new Set<AnyTensor>();

export function markDirty(state: AnyState): void {
  dirty.add(state);
}

/** Forgets the assignment of a state whose memory has been replaced. */
export function markClean(state: AnyState): void {
  dirty.delete(state);
}

/** Has the next program on its device compute `tensor` too. */
export function keep(tensor: AnyTensor): void {
  kept.add(tensor);
}

/** Computes `tensors` and every pending assignment on their devices. */
export function evaluateTensors(tensors: readonly AnyTensor[]): void {
  const pending = tensors.filter((tensor) => needsProgram(tensor) || isOverwrittenNext(tensor));
  for (const device of new Set(pending.map((tensor) => tensor.device))) flush(device, tensors);
}

/** Computes `tensor` if need be, and says where its value lies. */
export function storageOf(tensor: AnyTensor): Storage {
  if (needsProgram(tensor)) evaluateTensors([tensor]);
  if (tensor.storage !== undefined) return tensor.storage;
  const { origin } = tensor;
  const storage =
    origin.kind === "state" && origin.state.committed === origin.version ? origin.state.storage : undefined;
  if (storage === undefined) throw new FoveaError("FOVEA_INTERNAL", `a computed ${origin.kind} has no storage`);
  return storage;
}

/** Carries out every pending assignment on `device`. */
export function flushStates(device: Device): void {
  flush(device, []);
}

function needsProgram({ storage, origin }: AnyTensor): boolean {
  if (storage !== undefined || origin.kind === "data") return false;
  return origin.kind !== "state" || origin.state.committed !== origin.version;
}

/**
 * Writes the first version of states that have none yet, in a program of its own: whatever fails later then leaves them
 * with that, and the program of a first step is that of all steps.
 */
function initialize(device: Device): void {
  const updates: Update[] = [];
  for (const state of dirty) {
    if (state.device === device && state.initial !== undefined) updates.push({ state, value: state.initial });
  }
  if (updates.length === 0) return;
  for (const { state } of updates) if (state.version === 0) dirty.delete(state);
  const graph = collectGraph([], updates);
  findExecutable(device, graph).run(graph);
  for (const { state } of updates) state.commitInitial();
}

function flush(device: Device, tensors: readonly AnyTensor[]): void {
  initialize(device);
  const updates: Update[] = [];
  for (const state of dirty) {
    if (state.device !== device) continue;
    const value = state.pending;
    if (value !== undefined) updates.push({ state, value });
  }
  const outputs: AnyTensor[] = [];
  for (const tensor of new Set([...kept, ...tensors])) {
    if (tensor.device !== device || isPendingState(tensor)) continue;
    if (needsProgram(tensor) || isOverwrittenNext(tensor)) outputs.push(tensor);
  }
  for (const tensor of kept) if (tensor.device === device) kept.delete(tensor);
  // Forgotten even if the program cannot be made: a broken assignment must not fail every later read.
  for (const { state } of updates) dirty.delete(state);
  if (outputs.length === 0 && updates.length === 0) return;

  const graph = collectGraph(outputs, updates);
  const stale = staleAfter(graph);
  const { outputs: storages } = findExecutable(device, graph).run(graph);
  for (const { state } of updates) state.commit();
  outputs.forEach((tensor, i) => {
    tensor.store(storages[i]);
    // Nothing can be differentiated through weights that are gone, so the graph may go too.
    if (stale.has(tensor)) tensor.origin = { kind: "stored" };
  });
}

/** The nodes that depend on a state's old value once the graph's updates have been carried out. */
function staleAfter(graph: Graph): Set<AnyTensor> {
  const stale = new Set<AnyTensor>();
  if (graph.updates.length === 0) return stale;
  const updated = new Set(graph.updates.map((update) => update.state));
  for (const node of graph.nodes) {
    const { origin } = node;
    const isState = origin.kind === "state";
    const gone = isState
      ? origin.version !== origin.state.version && updated.has(origin.state)
      : dependencies(node).some((input) => stale.has(input));
    if (gone) stale.add(node);
  }
  return stale;
}

/** Whether `tensor` stands for the newest version of a state: computing that state computes it too. */
function isPendingState({ origin }: AnyTensor): boolean {
  return origin.kind === "state" && origin.version === origin.state.version;
}

/** Whether `tensor` stands for what is in a state's memory, where a pending assignment will be written. */
function isOverwrittenNext({ storage, origin }: AnyTensor): boolean {
  if (storage !== undefined || origin.kind !== "state") return false;
  return origin.state.committed === origin.version && origin.state.pending !== undefined;
}

interface Entry {
  readonly signature: Int32Array<ArrayBuffer>;
  readonly executable: Executable;
}

const programs = new WeakMap<Device, Map<number, Entry[]>>();
const cache = new ExecutableCache((executable) => {
  for (const [hash, entries] of programs.get(executable.device) ?? []) {
    const others = entries.filter((entry) => entry.executable !== executable);
    if (others.length === 0) programs.get(executable.device)?.delete(hash);
    else programs.get(executable.device)?.set(hash, others);
  }
});

function findExecutable(device: Device, graph: Graph): Executable {
  const signature = signatureOf(graph);
  const hash = hashOf(signature);
  let byHash = programs.get(device);
  if (byHash === undefined) {
    byHash = new Map();
    programs.set(device, byHash);
  }
  const entries = byHash.get(hash) ?? [];
  const known = entries.find((entry) => sameSignature(entry.signature, signature));
  if (known !== undefined) {
    cache.touch(known.executable);
    return known.executable;
  }
  const executable = new Executable(device, graph);
  byHash.set(hash, [...entries, { signature, executable }]);
  cache.add(executable);
  return executable;
}
