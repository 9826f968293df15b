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

  const placed = new Placements(arena.length);
  const bySize = arena.filter((buffer) => lifetimes[buffer.id] !== undefined).sort((a, b) => b.bytes - a.bytes);
  for (const buffer of bySize) {
    const [first, last] = lifetimes[buffer.id];
    buffer.offset = placed.place(roundUp(buffer.bytes), first, last);
  }

  const change = new Float64Array(steps.length + 1);
  for (const { id, bytes } of bySize) {
    const [first, last] = lifetimes[id];
    change[first] += roundUp(bytes);
    change[last + 1] -= roundUp(bytes);
  }
  let alive = 0;
  let bound = 0;
  for (const difference of change) {
    alive += difference;
    bound = Math.max(bound, alive);
  }
  return { bytes: placed.bytes, bound, lifetimes };
}

/**
 * What has been placed, by ascending address. Every new buffer is compared with all of these, 10⁸ comparisons in a network
 * of thousands of layers: plain arrays of numbers make that a matter of a second.
 */
class Placements {
  /** End of the highest one. */
  bytes = 0;
  #count = 0;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #firsts: Int32Array;
  readonly #lasts: Int32Array;

  constructor(most: number) {
    this.#starts = new Float64Array(most);
    this.#ends = new Float64Array(most);
    this.#firsts = new Int32Array(most);
    this.#lasts = new Int32Array(most);
  }

  /** The lowest address where `bytes` are free from step `first` to step `last`; they are taken from now on. */
  place(bytes: number, first: number, last: number): number {
    const [starts, ends, firsts, lasts, count] = [this.#starts, this.#ends, this.#firsts, this.#lasts, this.#count];
    let offset = 0;
    for (let i = 0; i < count; i++) {
      if (lasts[i] < first || firsts[i] > last) continue;
      if (offset + bytes <= starts[i]) break;
      if (ends[i] > offset) offset = ends[i];
    }
    this.#insert(offset, bytes, first, last);
    return offset;
  }

  #insert(offset: number, bytes: number, first: number, last: number): void {
    const count = this.#count++;
    // After those that start at the same address.
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle] > offset) high = middle;
      else low = middle + 1;
    }
    for (const list of [this.#starts, this.#ends, this.#firsts, this.#lasts]) list.copyWithin(low + 1, low, count);
    this.#starts[low] = offset;
    this.#ends[low] = offset + bytes;
    this.#firsts[low] = first;
    this.#lasts[low] = last;
    this.bytes = Math.max(this.bytes, offset + bytes);
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
