/** Where recording happens: the current recording of `compile`, and the modules whose forward is running. */

import { FoveaError } from "../core/errors.js";
import type { AnyState } from "./state.js";
import type { AnyTensor } from "./tensor.js";

/**
 * One recording of a function by `compile`. Assignments to states are kept here until the program is made; checks
 * made while recording (guards) are repeated before the program is used again.
 */
export interface Trace {
  /** What each state holds at this point of the recording. */
  readonly states: Map<AnyState, TracedState>;
  /** Still true? If not, the function must be recorded anew. */
  readonly guards: (() => boolean)[];
  /** Parameters whose `.grad` this recording has set and no optimizer has used up. */
  readonly gradients: Set<{ grad: AnyTensor | null }>;
  /** Where the calls of modules are listed, in the order in which they begin. */
  readonly calls?: ModuleCall[];
}

export interface TracedState {
  /** The value that reads give. */
  current: AnyTensor;
  /** Whether it was assigned in this recording. */
  assigned: boolean;
}

let trace: Trace | null = null;

export function currentTrace(): Trace | null {
  return trace;
}

/** Runs `record` inside `next`; restores the outer recording whatever happens. */
export function withTrace<T>(next: Trace | null, record: () => T): T {
  const outer = trace;
  trace = next;
  try {
    return record();
  } finally {
    trace = outer;
  }
}

/** Has the current recording, if any, check `holds` before its program is used again. */
export function guard(holds: () => boolean): void {
  trace?.guards.push(holds);
}

/** A piece of the recording that is computed once more for its gradient (checkpoint.ts). */
export interface CheckpointRegion {
  /** What is kept of it all the same. */
  readonly results: Set<AnyTensor>;
}

let region: CheckpointRegion | null = null;

export function currentRegion(): CheckpointRegion | null {
  return region;
}

/** Makes what `body` records part of `next`; pieces within pieces belong to the outermost. */
export function withRegion<T>(next: CheckpointRegion, body: () => T): T {
  const outer = region;
  region ??= next;
  try {
    return body();
  } finally {
    region = outer;
  }
}

/** A call of a module: the chain of frames gives the path that errors name. */
export interface Frame {
  readonly parent: Frame | null;
  /** The module, and how its parent names it. */
  readonly module: object;
  readonly name: () => string;
  /** Parameters read inside the outermost call. */
  readonly parametersRead: Set<AnyState>;
  /** No advice is given: the network came ready-made. */
  readonly quiet?: true;
}

/** One call of a module in a recording. */
export interface ModuleCall {
  readonly frame: Frame;
  /** Tensors that had been made when it began: its place among those that are recorded. */
  readonly begin: number;
  /** What it returned; undefined while it runs. */
  output: unknown;
}

let frame: Frame | null = null;

export function currentFrame(): Frame | null {
  return frame;
}

/** Runs `body` as part of a module's call, and names the module in its errors. */
export function withFrame<T>(next: Frame, body: () => T): T {
  frame = next;
  try {
    return body();
  } catch (error) {
    throw error instanceof FoveaError ? error.at(pathOf(next)) : error;
  } finally {
    frame = next.parent;
  }
}

/** `features.3`; empty at the top level. */
export function pathOf(frame: Frame | null): string {
  const names: string[] = [];
  for (let at = frame; at !== null; at = at.parent) {
    const name = at.name();
    if (name !== "") names.push(name);
  }
  return names.reverse().join(".");
}
