/** What every device with kernels promises: order, memory, failures, cancellation (src/backends/backend.ts). */

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { type Device, KernelFault } from "../../src/backends/backend.js";
import { createNativeDevice } from "../../src/backends/native/device.js";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import { RandomStream } from "../../src/core/philox.js";
import {
  countingProgram,
  longProgram,
  noScalars,
  ProgramBuilder,
  ramp,
  readFloats,
  scalarOne,
  unaryProgram,
} from "../support/programs.js";

const makers: readonly (readonly [string, (options: { memoryLimit?: number }) => Device])[] = [
  ["native, one thread", (options) => createNativeDevice({ ...options, threads: 1 })],
  ["native, three threads", (options) => createNativeDevice({ ...options, threads: 3 })],
  ["wasm, no shared memory", (options) => createWasmDevice({ ...options, shared: false })],
  ["wasm, one thread", (options) => createWasmDevice({ ...options, threads: 1 })],
  ["wasm, three threads", (options) => createWasmDevice({ ...options, threads: 3 })],
];

const MB = 2 ** 20;

/** Why a device cannot be had here. */
function missing(make: (options: object) => Device): string | false {
  try {
    void make({}).close();
    return false;
  } catch (error) {
    return String(error);
  }
}

for (const [name, make] of makers) {
  describe(`the contract on ${name}`, { skip: missing(make) }, () => {
    const opened: Device[] = [];
    const open = (options: { memoryLimit?: number } = {}) => {
      const device = make(options);
      opened.push(device);
      return device;
    };
    after(() => Promise.all(opened.map((device) => device.close())));

    it("gives back what was uploaded, also in part and of nothing", async () => {
      const device = open();
      const data = ramp(1001);
      const handle = device.upload(data);
      const bytes = device.upload(new Uint8Array([1, 2, 3, 4, 5]).subarray(1, 4));
      const nothing = device.upload(new Float32Array(0));
      data.fill(0);
      assert.deepEqual(await readFloats(device, handle, 1001), ramp(1001));
      assert.deepEqual(await readFloats(device, handle, 10), ramp(1001).slice(0, 10));
      assert.deepEqual(new Uint8Array(await device.read(bytes, 3)), new Uint8Array([2, 3, 4]));
      assert.equal((await device.read(nothing, 0)).byteLength, 0);
    });

    it("fills memory piece by piece, and gives the pieces' buffers back", async () => {
      const device = open();
      const values = ramp(1000);
      const handle = device.allocate(4000);
      const first = device.write(handle, 0, values.slice(0, 600));
      await assert.rejects(device.read(handle, 4), { code: "FOVEA_DEVICE" }, "before its end has been written");
      const buffer = await first;
      assert.equal(buffer.byteLength, 2400);
      const second = new Float32Array(buffer, 8, 400);
      second.set(values.subarray(600));
      await device.write(handle, 2400, second);
      assert.deepEqual(await readFloats(device, handle, 1000), values);
      await device.write(handle, 4, new Float32Array([-1]));
      assert.deepEqual(await readFloats(device, handle, 3), Float32Array.of(values[0], -1, values[2]));
      await device.write(device.allocate(0), 0, new Uint8Array(0));
    });

    it("does everything in order, without being waited for", async () => {
      const device = open();
      const program = device.load(unaryProgram(device, "negate", 64));
      const results: Promise<Float32Array>[] = [];
      for (let i = 0; i < 300; i++) {
        const input = device.upload(new Float32Array(64).fill(i));
        const output = device.allocate(256);
        void device.submit(program, [input, output], noScalars);
        results.push(readFloats(device, output, 64));
        device.free(input);
        device.free(output);
      }
      for (const [i, result] of (await Promise.all(results)).entries()) assert.equal(result[63], -i);
      assert.equal((await device.memory()).submissions, 300);
    });

    it("sends scalars along", async () => {
      const device = open();
      const builder = new ProgramBuilder(device);
      const [x, scale] = [builder.binding([100]), builder.scalar()];
      const program = device.load(builder.elementwise("multiply", [x, scale], builder.binding([100])).build());
      const [input, output] = [device.upload(ramp(100)), device.allocate(400)];
      const scalars = new Float32Array(16);
      for (const factor of [2, 3]) {
        scalars[0] = factor;
        const done = device.submit(program, [input, output], new Uint8Array(scalars.buffer));
        scalars[0] = 100;
        await done;
        const expected = ramp(100).map((value) => value * factor);
        assert.deepEqual(await readFloats(device, output, 100), expected);
      }
    });

    it("asks the system for nothing once a loop has found its rhythm", async () => {
      const device = open();
      const program = device.load(longProgram(device, 50_000, 2));
      const values = ramp(50_000);
      const step = async () => {
        const input = device.upload(values);
        const output = device.allocate(200_000);
        const small = device.upload(new Float32Array(1));
        await device.submit(program, [input, output], noScalars);
        await device.read(output, 4);
        for (const handle of [input, output, small]) device.free(handle);
      };
      // Uploads take memory when they are called, perhaps before that of the last step is free again.
      for (let i = 0; i < 10; i++) await Promise.all([step(), step(), step()]);
      const before = await device.memory();
      for (let i = 0; i < 200; i++) await step();
      const later = await device.memory();
      assert.equal(later.systemAllocations, before.systemAllocations);
      assert.equal(later.live, before.live);
      assert.equal(later.reserved, before.reserved);
    });

    it("keeps apart what lives at the same time, whatever comes and goes", async () => {
      const device = open();
      const random = new RandomStream(3);
      const sizes = [1, 3, 64, 65, 700, 5000, 60_000, 70_000, 300_000, 3_000_000];
      const held: { handle: number; bytes: number; seed: number }[] = [];
      const pattern = (bytes: number, seed: number) => new Uint8Array(bytes).fill(seed % 251);
      const check = async ({ handle, bytes, seed }: (typeof held)[number]) => {
        assert.ok(Buffer.from(await device.read(handle, bytes)).equals(pattern(bytes, seed)));
        device.free(handle);
      };
      let most = 0;
      for (let i = 0; i < 600; i++) {
        const size = sizes[random.integer(sizes.length)];
        const bytes = Math.ceil(size * random.uniform(0.7, 1));
        held.push({ handle: device.upload(pattern(bytes, i)), bytes, seed: i });
        most = Math.max(most, (await device.memory()).live);
        if (held.length > 30) await check(held.splice(random.integer(held.length), 1)[0]);
      }
      for (const each of held) await check(each);
      const { live, reserved } = await device.memory();
      assert.equal(live, 0);
      assert.ok(reserved < 3 * most + 8 * MB, `${reserved} bytes for at most ${most}`);
    });

    it("counts what is held and frees in the order of the queue", async () => {
      const device = open();
      const before = await device.memory();
      const handles = [1, 100, 100_000, 3_000_000].map((bytes) => device.upload(new Uint8Array(bytes)));
      const during = await device.memory();
      assert.equal(during.live - before.live, 3_100_101);
      assert.ok(during.reserved >= during.live);
      const last = device.read(handles[2], 100_000);
      for (const handle of handles) device.free(handle);
      assert.equal((await last).byteLength, 100_000);
      assert.equal((await device.memory()).live, before.live);
    });

    it("keeps one arena, as large as the loaded programs need", async () => {
      const device = open();
      const small = device.load(longProgram(device, 1000, 2));
      const { arena } = await device.memory();
      const large = device.load(longProgram(device, 1_000_000, 2));
      assert.equal((await device.memory()).arena, 2 * 4_000_000);
      device.free(large);
      assert.equal((await device.memory()).arena, arena);
      const [input, output] = [device.upload(ramp(1000)), device.allocate(4000)];
      await device.submit(small, [input, output], noScalars);
    });

    it("refuses handles that were freed, of the wrong kind or too small", async () => {
      const device = open();
      const program = device.load(unaryProgram(device, "negate", 64));
      const [input, output, short] = [device.upload(ramp(64)), device.allocate(256), device.allocate(255)];
      const refused = { code: "FOVEA_DEVICE" };
      await assert.rejects(device.read(program, 1), refused);
      await assert.rejects(device.read(short, 256), refused);
      await assert.rejects(device.write(program, 0, new Uint8Array(1)), refused);
      await assert.rejects(device.write(short, 255, new Uint8Array(1)), refused);
      await assert.rejects(device.write(short, -1, new Uint8Array(1)), refused);
      await assert.rejects(device.submit(input, [input, output], noScalars), refused);
      await assert.rejects(device.submit(program, [input], noScalars), refused);
      await assert.rejects(device.submit(program, [input, short], noScalars), refused);
      device.free(input);
      assert.throws(() => device.free(input), refused);
      await assert.rejects(device.submit(program, [input, output], noScalars), refused);
      const again = device.upload(ramp(64));
      assert.notEqual(again, input);
      await device.submit(program, [again, output], noScalars);
    });

    it("never gives a handle out twice, and keeps to numbers that JavaScript is quick with", () => {
      const device = open();
      const handles = Array.from({ length: 1000 }, () => {
        const handle = device.allocate(4);
        device.free(handle);
        return handle;
      });
      assert.equal(new Set(handles).size, handles.length);
      // Integers of 31 bits: for any others, V8 and others make objects, and compile code anew when they first come along.
      assert.ok(Math.max(...handles) < 2 ** 30);
    });

    it("says so when there is no memory, and goes on", async () => {
      const device = open({ memoryLimit: 64 * MB });
      const program = device.load(unaryProgram(device, "negate", 1000));
      const outOfMemory = { code: "FOVEA_MEMORY", message: /100\.0 MB/ };
      const input = device.upload(ramp(1000));
      const tooLarge = device.allocate(100e6);
      await assert.rejects(device.read(tooLarge, 4), outOfMemory);
      await assert.rejects(device.write(tooLarge, 0, new Uint8Array(4)), outOfMemory);
      await assert.rejects(device.submit(program, [input, tooLarge], noScalars), outOfMemory);
      device.free(tooLarge);
      const absurd = device.allocate(2 ** 50);
      await assert.rejects(device.read(absurd, 4), { code: "FOVEA_MEMORY" });
      const builder = new ProgramBuilder(device);
      builder.elementwise("negate", [builder.binding([4])], builder.binding([4]));
      const greedy = device.load(builder.build(100e6));
      const outputs = [device.allocate(16), device.allocate(4000)];
      await assert.rejects(device.submit(greedy, [input, outputs[0]], noScalars), outOfMemory);
      // Blocks that are freed make room for larger ones.
      for (let i = 0; i < 20; i++) device.free(device.allocate((i + 1) * 2e6));
      await device.submit(program, [input, outputs[1]], noScalars);
      const result = await readFloats(device, outputs[1], 1000);
      assert.equal(result[0], 2);
    });

    for (const [size, planes] of [
      ["small", 3],
      ["shared among threads", 24],
    ] as const) {
      it(`reports the first bad index of a ${size} step, and changes no state`, async () => {
        const device = open();
        const builder = new ProgramBuilder(device);
        const [count, shape] = [planes * 1024, [1, planes, 32, 32]] as const;
        const [values, indices, state] = [
          builder.binding(shape),
          builder.binding(shape, "int32"),
          builder.binding(shape),
        ];
        const [copied, gathered] = [builder.arena(shape), builder.arena(shape)];
        builder.elementwise("negate", [values], copied);
        builder.op("gatherPlane", { input: copied, indices }, {}, gathered);
        // What follows a bad step would find another reason to complain.
        builder.op("gatherPlane", { input: gathered, indices }, {}, copied);
        const program = device.load(builder.commit().elementwise("negate", [copied], state).build());
        const good = Int32Array.from({ length: count }, (_, i) => (i * 7) % 1024);
        const before = device.upload(new Float32Array(count).fill(5));
        for (const bad of [[count - 1], [1500, 2999, count - 2], [0, count - 1], [3071, 3070]]) {
          const damaged = good.slice();
          for (const [i, element] of bad.entries()) damaged[element] = i % 2 === 0 ? 1024 : -1;
          const element = Math.min(...bad);
          const expected = { step: 1, element, value: damaged[element], limit: 1024, kind: "indexOutOfRange" };
          const bindings = [device.upload(ramp(count)), device.upload(damaged), before];
          await assert.rejects(device.submit(program, bindings, noScalars), (error) => {
            assert.ok(error instanceof KernelFault);
            const { step, element, value, limit, kind } = error;
            assert.deepEqual({ step, element, value, limit, kind }, expected);
            return true;
          });
          assert.equal((await readFloats(device, before, count))[count - 1], 5);
        }
        await device.submit(program, [device.upload(ramp(count)), device.upload(good), before], noScalars);
        assert.equal((await readFloats(device, before, count))[0], -2);
      });
    }

    it("cancels what has not reached its commit, and changes no state", { timeout: 300_000 }, async () => {
      const device = open();
      // Large steps rather than many, which would be prepared one by one.
      const count = 2_000_000;
      const state = device.upload(new Float32Array(count));
      const quick = device.load(countingProgram(device, count, 1));
      const slow = device.load(countingProgram(device, count, name.includes("no shared") ? 100 : 2000));
      await device.submit(quick, [state], scalarOne());
      const pending = [1, 2, 3].map(() => device.submit(slow, [state], scalarOne()));
      const settled = Promise.allSettled(pending);
      // By now the first is under way, which without shared memory cannot be stopped any more.
      await new Promise((resolve) => setTimeout(resolve, 100));
      device.abort();
      const outcomes = (await settled).map((outcome) =>
        outcome.status === "rejected" ? outcome.reason.code : outcome.status,
      );
      assert.deepEqual(outcomes.slice(1), ["FOVEA_ABORTED", "FOVEA_ABORTED"]);
      if (!name.includes("no shared")) assert.equal(outcomes[0], "FOVEA_ABORTED");
      const ran = outcomes.filter((outcome) => outcome === "fulfilled").length;
      assert.equal((await readFloats(device, state, count))[count - 1], 1 + ran);
      await device.submit(quick, [state], scalarOne());
      assert.equal((await readFloats(device, state, count))[0], 2 + ran);
    });

    it("cancels at once what was submitted in the same turn", async () => {
      const device = open();
      const state = device.upload(new Float32Array(1000));
      const program = device.load(countingProgram(device, 1000, 1));
      const cancelled = device.submit(program, [state], scalarOne());
      device.abort();
      const kept = device.submit(program, [state], scalarOne());
      await cancelled.then(
        // The engine may have been that quick.
        () => {},
        (error) => assert.equal(error.code, "FOVEA_ABORTED"),
      );
      await kept;
      const [value] = await readFloats(device, state, 1000);
      assert.ok(value === 1 || value === 2);
    });

    it("lets nobody read what a cancelled program should have written", async () => {
      const device = open();
      const count = 1_000_000;
      const slow = device.load(longProgram(device, count, 500));
      const quick = device.load(unaryProgram(device, "negate", count));
      const [input, middle, output] = [
        device.upload(ramp(count)),
        device.allocate(4 * count),
        device.allocate(4 * count),
      ];
      await assert.rejects(device.read(middle, 4), { code: "FOVEA_DEVICE" });
      await device.submit(quick, [input, middle], noScalars);
      const outcomes = Promise.allSettled([
        // The second is cancelled even where the first cannot be stopped.
        device.submit(slow, [input, output], noScalars),
        device.submit(slow, [input, middle], noScalars),
      ]);
      device.abort();
      const dependent = assert.rejects(device.submit(quick, [middle, output], noScalars), { code: "FOVEA_DEVICE" });
      const [, second] = await outcomes;
      assert.equal(second.status, "rejected");
      await dependent;
      await assert.rejects(device.read(middle, 4), { code: "FOVEA_DEVICE" });
      await assert.rejects(device.read(output, 4), { code: "FOVEA_DEVICE" });
      await device.submit(quick, [input, middle], noScalars);
      await device.submit(quick, [middle, output], noScalars);
      assert.deepEqual(await readFloats(device, output, count), ramp(count));
    });

    it("answers what is pending when it is closed, and nothing after", async () => {
      const device = make({});
      const handle = device.upload(ramp(10));
      const reading = readFloats(device, handle, 10);
      const closing = device.close();
      assert.deepEqual(await reading, ramp(10));
      await closing;
      await device.close();
      assert.throws(() => device.allocate(1), { code: "FOVEA_DEVICE" });
      await assert.rejects(device.read(handle, 4), { code: "FOVEA_DEVICE" });
      await assert.rejects(device.memory(), { code: "FOVEA_DEVICE" });
      device.free(handle);
      device.abort();
    });

    it("works beside other devices", async () => {
      const devices = [open(), open(), open()];
      const results = await Promise.all(
        devices.map(async (device, i) => {
          const program = device.load(longProgram(device, 10_000, 10));
          const [input, output] = [device.upload(ramp(10_000)), device.allocate(40_000)];
          for (let k = 0; k < 5 * (i + 1); k++) await device.submit(program, [input, output], noScalars);
          return readFloats(device, output, 10_000);
        }),
      );
      for (const result of results) assert.deepEqual(result, results[0]);
    });
  });
}
