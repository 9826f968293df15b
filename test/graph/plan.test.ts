/** Where buffers live: never two at one place at the same time, and each as low as it can. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Buffer, Step } from "../../src/backends/backend.js";
import { RandomStream } from "../../src/core/philox.js";
import { planMemory } from "../../src/graph/plan.js";
import { alignment, arenaSlot } from "../../src/graph/schedule.js";
import { seed } from "../support/numbers.js";

/** Steps that use some of the buffers each. */
function randomSteps(random: RandomStream, buffers: readonly Buffer[]): Step[] {
  return Array.from({ length: 1 + random.integer(40) }, () => {
    const some = () => Array.from({ length: random.integer(3) }, () => buffers[random.integer(buffers.length)]);
    return { name: "any", fields: {}, reads: some(), writes: some(), scratch: some() };
  });
}

describe("the plan of the memory", () => {
  it("keeps buffers apart that are alive together, and puts each at the lowest place left by larger ones", () => {
    const random = new RandomStream(seed, 1, 1);
    for (let round = 0; round < 300; round++) {
      const buffers = Array.from({ length: 1 + random.integer(50) }, (_, id): Buffer => {
        return { id, bytes: random.integer(12) * random.integer(50), slot: arenaSlot, offset: 0 };
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
});
