/** The same program gives the same bits with any number of threads, more of them than cores included. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { createNativeDevice } from "../../src/backends/native/device.js";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import { longProgram, noScalars, ramp, readFloats } from "../support/programs.js";

const makers: Readonly<Record<string, (options: { threads: number }) => Device>> = {
  native: createNativeDevice,
  wasm: createWasmDevice,
};

for (const [name, make] of Object.entries(makers)) {
  describe(`threads on ${name}`, () => {
    it("give the same bits in any number", async (t) => {
      let first: Float32Array | undefined;
      for (const threads of [1, 2, 3, 8]) {
        let device: Device;
        try {
          device = make({ threads });
        } catch (error) {
          t.skip(String(error));
          return;
        }
        assert.equal(device.threads, threads);
        for (const count of [1, 1000, 70_001]) {
          const program = device.load(longProgram(device, count, 50));
          const [input, output] = [device.upload(ramp(count)), device.allocate(4 * count)];
          for (let i = 0; i < 20; i++) void device.submit(program, [input, output], noScalars);
          const result = await readFloats(device, output, count);
          if (count === 70_001) {
            first ??= result;
            assert.deepEqual(result, first);
          }
        }
        await device.close();
      }
    });
  });
}
