/** Where buffers live: never two at one place at the same time, and each as low as it can. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Buffer, Step } from "../../src/backends/backend.js";
import { RandomStream } from "../../src/core/philox.js";
import { planMemory } from "../../src/graph/plan.js";
import { alignment, arenaSlot } from "../../src/graph/schedule.js";
import { seed } from "../support/numbers.js";

/** Steps that use some of the buffers each, few or many at a time. */
function randomSteps(random: RandomStream, buffers: readonly Buffer[]): Step[] {
  const count = 1 + random.integer(random.integer(2) === 0 ? 6 : buffers.length);
  const uses = Math.ceil(buffers.length / count) + 2;
  return Array.from({ length: count }, () => {
    const some = () => Array.from({ length: random.integer(uses) }, () => buffers[random.integer(buffers.length)]);
    return { name: "any", fields: {}, reads: some(), writes: some(), scratch: some() };
  });
}

describe("the plan of the memory", () => {
  it("keeps buffers apart that are alive together, and puts each at the lowest place left by larger ones", () => {
    const random = new RandomStream(seed, 1, 1);
    for (let round = 0; round < 300; round++) {
      // Some with more than are looked at one by one.
      const largest = round % 15 === 0 ? 400 : 50;
      const buffers = Array.from({ length: 1 + random.integer(largest) }, (_, id): Buffer => {
        const most = random.integer(30) === 0 ? 9000 : 300;
        return { id, bytes: random.integer(most), slot: arenaSlot, offset: 0 };
      });
      const { bytes, bound, lifetimes } = planMemory(randomSteps(random, buffers), buffers);
      const end = (buffer: Buffer) => buffer.offset + Math.ceil(buffer.bytes / alignment) * alignment;
      const used = buffers.filter(({ id }) => lifetimes[id] !== undefined).sort((a, b) => b.bytes - a.bytes);
      used.forEach((buffer, place) => {
        const [first, last] = lifetimes[buffer.id] ?? [0, 0];
        const earlier = used.slice(0, place).filter(({ id }) => {
          const [otherFirst, otherLast] = lifetimes[id] ?? [0, 0];
          return otherFirst <= last && first <= otherLast;
        });
        const size = end(buffer) - buffer.offset;
        const fits = (offset: number) =>
          earlier.every(
            (other) => offset + size <= other.offset || end(other) <= offset || end(other) === other.offset,
          );
        // Lowest places are at the start or behind another buffer.
        const places = [0, ...earlier.map(end)].filter(fits);
        assert.equal(buffer.offset, Math.min(...places), `seed ${seed}, round ${round}, buffer ${buffer.id}`);
        assert.equal(buffer.offset % alignment, 0);
      });
      assert.equal(bytes, Math.max(0, ...used.map(end)));
      assert.ok(bytes >= bound);
    }
  });

  it("finds a space in the middle, however many buffers lie below and above", () => {
    for (const above of [65, 100]) {
      for (let below = 1; below < 200; below++) {
        const sizes = [200 * 128, ...Array(above).fill(192), ...Array(below).fill(128), 64];
        const buffers = sizes.map((bytes, id): Buffer => ({ id, bytes, slot: arenaSlot, offset: 0 }));
        // The large one is gone when those come that are put in its place.
        const first = { name: "first", fields: {}, reads: [], writes: buffers.slice(0, 1 + above), scratch: [] };
        const second = { name: "second", fields: {}, reads: buffers.slice(1), writes: [], scratch: [] };
        planMemory([first, second], buffers);
        assert.equal(buffers[sizes.length - 1].offset, below * 128, `${below} below, ${above} above`);
      }
    }
  });
});
