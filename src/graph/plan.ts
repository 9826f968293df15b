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

  const placed = new Placements();
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

interface Placed {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

/** What has been placed, by ascending address, in blocks: a network of thousands of layers has tens of thousands. */
class Placements {
  /** End of the highest one. */
  bytes = 0;
  readonly #blocks: Block[] = [new Block([])];

  /** The lowest address where `bytes` are free from step `first` to step `last`; they are taken from now on. */
  place(bytes: number, first: number, last: number): number {
    let offset = 0;
    for (const block of this.#blocks) {
      if (block.canSkip(offset, bytes, first, last)) {
        if (block.meets(first, last)) offset = Math.max(offset, block.end);
        continue;
      }
      const [reached, fits] = block.search(offset, bytes, first, last);
      offset = reached;
      if (fits) break;
    }
    this.#insert({ start: offset, end: offset + bytes, first, last });
    this.bytes = Math.max(this.bytes, offset + bytes);
    return offset;
  }

  #insert(placed: Placed): void {
    // Into the first block with something higher, or the last.
    let index = this.#blocks.findIndex((block) => block.lastStart > placed.start);
    if (index < 0) index = this.#blocks.length - 1;
    const entries = this.#blocks[index].with(placed);
    const half = entries.length >> 1;
    const parts = entries.length > 2 * blockSize ? [entries.slice(0, half), entries.slice(half)] : [entries];
    this.#blocks.splice(index, 1, ...parts.map((part) => new Block(part)));
  }
}

const blockSize = 64;

/** Neighbours by address, with what can be said of all of them at once. */
class Block {
  readonly end: number;
  readonly lastStart: number;
  readonly #start: number;
  /** The widest space between them, where all of them are alive. */
  readonly #widest: number;
  readonly #firsts: readonly [least: number, most: number];
  readonly #lasts: readonly [least: number, most: number];

  constructor(readonly entries: readonly Placed[]) {
    let [end, widest, leastFirst, mostFirst, leastLast, mostLast] = [0, 0, Infinity, -Infinity, Infinity, -Infinity];
    for (const entry of entries) {
      if (entry !== entries[0]) widest = Math.max(widest, entry.start - end);
      end = Math.max(end, entry.end);
      leastFirst = Math.min(leastFirst, entry.first);
      mostFirst = Math.max(mostFirst, entry.first);
      leastLast = Math.min(leastLast, entry.last);
      mostLast = Math.max(mostLast, entry.last);
    }
    this.end = end;
    this.#widest = widest;
    this.#start = entries[0]?.start ?? 0;
    this.lastStart = entries[entries.length - 1]?.start ?? 0;
    this.#firsts = [leastFirst, mostFirst];
    this.#lasts = [leastLast, mostLast];
  }

  /** Whether any may be alive between the two steps. */
  meets(first: number, last: number): boolean {
    return this.#firsts[0] <= last && this.#lasts[1] >= first;
  }

  /** Whether there is no place for `bytes` from `offset` on: because none is alive then, or all are and lie close together. */
  canSkip(offset: number, bytes: number, first: number, last: number): boolean {
    if (!this.meets(first, last)) return true;
    const all = this.#firsts[1] <= last && this.#lasts[0] >= first;
    return all && this.#widest < bytes && this.#start - offset < bytes;
  }

  /** The lowest address from `offset` on that is free of those here, and whether `bytes` fit before the next of them. */
  search(offset: number, bytes: number, first: number, last: number): [offset: number, fits: boolean] {
    let lowest = offset;
    for (const entry of this.entries) {
      if (entry.last < first || entry.first > last) continue;
      if (lowest + bytes <= entry.start) return [lowest, true];
      if (entry.end > lowest) lowest = entry.end;
    }
    return [lowest, false];
  }

  /** The entries with one more, after those that start at the same address. */
  with(placed: Placed): Placed[] {
    const place = this.entries.findIndex((entry) => entry.start > placed.start);
    return place < 0
      ? [...this.entries, placed]
      : [...this.entries.slice(0, place), placed, ...this.entries.slice(place)];
  }
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
