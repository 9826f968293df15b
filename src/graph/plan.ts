/**
 * Fifth step of compilation: where in the arena each buffer lives. Buffers that are never alive at the same step may
 * share addresses. Largest first, each at the lowest place where it fits between those already placed (Pisarchyk & Lee,
 * "Efficient memory management for deep neural net inference", 2020).
 */

import type { Buffer, Step } from "../backends/backend.js";
import { alignment, arenaSlot } from "./schedule.js";

export interface MemoryPlan {
  /** Bytes of the arena. */
  readonly bytes: number;
  /** The most bytes alive at any one step: no plan of these steps can do with less. */
  readonly bound: number;
  /** First and last step of each buffer, by its id. */
  readonly lifetimes: readonly (readonly [first: number, last: number] | undefined)[];
}

/** Sets `offset` of every buffer in `arena`. */
export function planMemory(steps: readonly Step[], arena: readonly Buffer[]): MemoryPlan {
  const lifetimes: [number, number][] = [];
  steps.forEach((step, index) => {
    for (const buffer of [...step.reads, ...step.writes, ...step.scratch]) {
      if (buffer.slot !== arenaSlot) continue;
      const known = lifetimes[buffer.id];
      if (known === undefined) lifetimes[buffer.id] = [index, index];
      else known[1] = index;
    }
  });

  const placed: { readonly buffer: Buffer; readonly first: number; readonly last: number; readonly end: number }[] = [];
  const bySize = arena.filter((buffer) => lifetimes[buffer.id] !== undefined).sort((a, b) => b.bytes - a.bytes);
  let total = 0;
  for (const buffer of bySize) {
    const [first, last] = lifetimes[buffer.id];
    const bytes = roundUp(buffer.bytes);
    let offset = 0;
    for (const other of placed) {
      if (other.last < first || other.first > last) continue;
      if (offset + bytes <= other.buffer.offset) break;
      offset = Math.max(offset, other.end);
    }
    buffer.offset = offset;
    total = Math.max(total, offset + bytes);
    const at = placed.findIndex((other) => other.buffer.offset > offset);
    placed.splice(at < 0 ? placed.length : at, 0, { buffer, first, last, end: offset + bytes });
  }

  const change = new Float64Array(steps.length + 1);
  for (const { buffer, first, last } of placed) {
    change[first] += roundUp(buffer.bytes);
    change[last + 1] -= roundUp(buffer.bytes);
  }
  let alive = 0;
  let bound = 0;
  for (const difference of change) {
    alive += difference;
    bound = Math.max(bound, alive);
  }
  return { bytes: total, bound, lifetimes };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
