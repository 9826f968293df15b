/** Damaged programs are refused by the kernels themselves. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform } from "#platform";
import type { Device } from "../../src/backends/backend.js";
import type { EncodedProgram, Engine } from "../../src/backends/cpu/device.js";
import { encodeProgram } from "../../src/backends/cpu/encode.js";
import { slotFlags, stepFlags } from "../../src/backends/cpu/slots.js";
import { createNativeDevice } from "../../src/backends/native/device.js";
import { NativeEngine } from "../../src/backends/native/engine.js";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import { RemoteEngine } from "../../src/backends/wasm/remote.js";
import { ramp, unaryProgram } from "../support/programs.js";

const limit = 2 ** 28;

const engines: Readonly<Record<string, { device: () => Device; engine: () => Engine }>> = {
  native: {
    device: createNativeDevice,
    engine: () => new NativeEngine(platform.loadNativeAddon(), "sse2", 2, limit, "native-sse2"),
  },
  wasm: {
    device: createWasmDevice,
    engine: () => new RemoteEngine({ variant: "simd", threads: 1, memoryLimit: limit, memory: undefined }),
  },
};

/** Word numbers of the header: records.programHeader. */
const header = { magic: 0, schemaHash: 1, bytes: 2, slots: 3, commitStart: 4, stepsOffset: 5, stepCount: 6 };
/** Of the first step's entry, which follows. */
const entry = { kernel: 7, offset: 8 };

const damages: readonly (readonly [string, (words: Int32Array) => void, RegExp])[] = [
  ["another start", (words) => words.fill(1, header.magic, 1), /start like a program/],
  ["another schema", (words) => words.fill(1, header.schemaHash, 2), /schema/],
  ["another length", (words) => words.fill(words.length * 4 + 4, header.bytes, 3), /length/],
  ["another number of slots", (words) => words.fill(7, header.slots, 4), /slots/],
  ["too late a commit", (words) => words.fill(9, header.commitStart, 5), /steps/],
  ["a table outside", (words) => words.fill(1 << 20, header.stepsOffset, 6), /steps/],
  ["too many steps", (words) => words.fill(1 << 28, header.stepCount, 7), /steps|slots/],
  ["an unknown kernel", (words) => words.fill(9999, entry.kernel, 8), /steps/],
  ["a step outside", (words) => words.fill(words.length * 4 - 4, entry.offset, 9), /steps/],
  ["a step between words", (words) => words.fill(2, entry.offset, 9), /steps/],
];

for (const [name, make] of Object.entries(engines)) {
  let device: Device | undefined;
  let reason: string | false = false;
  try {
    device = make.device();
  } catch (error) {
    reason = String(error);
  }
  describe(`damaged programs on ${name}`, { skip: reason }, () => {
    it("are refused, each with its reason", async () => {
      if (device === undefined) return;
      const program = unaryProgram(device, "negate", 16);
      await device.close();
      const engine = make.engine();
      await engine.ready;
      const encoded: EncodedProgram = {
        bytes: encodeProgram(program),
        slots: program.slots,
        flags: new Uint8Array([...slotFlags(program), ...stepFlags(program)]),
        arenaBytes: 0,
        alone: true,
      };
      engine.upload(0, new Uint8Array(ramp(16).buffer));
      engine.allocate(1, 64);
      const run = async (loaded: EncodedProgram) => {
        engine.load(2, loaded);
        const done = engine.submit(2, new Uint32Array([0, 1]), new Uint8Array(0));
        engine.free(2);
        await done;
      };
      for (const [what, damage, message] of damages) {
        const bytes = encoded.bytes.slice();
        damage(new Int32Array(bytes.buffer));
        await assert.rejects(run({ ...encoded, bytes }), { code: "FOVEA_DEVICE", message }, what);
      }
      for (const length of [0, 4, 27, encoded.bytes.length - 4]) {
        await assert.rejects(run({ ...encoded, bytes: encoded.bytes.slice(0, length) }), { code: "FOVEA_DEVICE" });
      }
      await assert.rejects(run({ ...encoded, flags: encoded.flags.slice(1) }), { code: "FOVEA_DEVICE" });
      if (name === "wasm") {
        // What the check does not look at may lead outside the memory: the end of the device, not of the process.
        const lost = encoded.bytes.slice();
        const step = new Int32Array(lost.buffer)[entry.offset] / 4;
        new Int32Array(lost.buffer).fill(0x7fffffc0, step + 9, step + 10);
        const second = make.engine();
        second.upload(0, new Uint8Array(64));
        second.allocate(1, 64);
        second.load(2, { ...encoded, bytes: lost });
        const [before, during, after] = await Promise.allSettled([
          second.read(0, 4),
          second.submit(2, new Uint32Array([0, 1]), new Uint8Array(0)),
          second.read(0, 4),
        ]);
        assert.deepEqual(before, { status: "fulfilled", value: new ArrayBuffer(4) }, "what came before is answered");
        for (const { status } of [during, after]) assert.equal(status, "rejected");
        await assert.rejects(second.read(0, 4), { code: "FOVEA_DEVICE" });
        await second.close();
      }
      await run(encoded);
      assert.equal(new Float32Array(await engine.read(1, 64))[15], -2);
      await engine.close();
    });
  });
}
