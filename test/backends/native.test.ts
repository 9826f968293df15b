/** What only the native device does: instruction sets, memory that goes back to the system. */

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { platform } from "#platform";
import { createNativeDevice } from "../../src/backends/native/device.js";
import { countThreads } from "../support/machine.js";
import { longProgram, noScalars, ramp, readFloats } from "../support/programs.js";

let isas: readonly string[] = [];
let reason: string | false = false;
try {
  isas = platform.loadNativeAddon().isas();
} catch (error) {
  reason = String(error);
}

/** Creates a device with an environment variable set. */
function withVariable(name: string, value: string): ReturnType<typeof createNativeDevice> {
  const before = process.env[name];
  process.env[name] = value;
  try {
    return createNativeDevice();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

/** Whether a promise settles without a turn of the event loop. */
async function settlesByItself(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  for (let i = 0; i < 20; i++) await undefined;
  return settled;
}

describe("the native device", { skip: reason }, () => {
  it("runs with each instruction set that the processor has, to within rounding", async () => {
    const count = 1003;
    let first: Float32Array | undefined;
    for (const isa of isas) {
      const device = withVariable("FOVEA_ISA", isa);
      assert.equal(device.variant, `native-${isa}`);
      const program = device.load(longProgram(device, count, 8));
      const output = device.allocate(4 * count);
      await device.submit(program, [device.upload(ramp(count)), output], noScalars);
      const values = await readFloats(device, output, count);
      first ??= values;
      for (const [i, value] of values.entries()) assert.ok(Math.abs(value - first[i]) < 1e-5, `${isa}: element ${i}`);
      await device.close();
    }
  });

  it("uses the best instruction set unless told otherwise, and FOVEA_THREADS threads", async () => {
    if (process.env.FOVEA_ISA === undefined) {
      const device = createNativeDevice();
      assert.equal(device.variant, `native-${isas[0]}`);
      await device.close();
    }
    const device = withVariable("FOVEA_THREADS", "3");
    assert.equal(device.threads, 3);
    await device.close();
    assert.throws(
      () => withVariable("FOVEA_THREADS", "many"),
      /^ArgumentError: FOVEA_THREADS is "many"\. Expected an integer/,
    );
  });

  it("uses as many threads as the machine runs at once, unless told otherwise", async (t) => {
    if (process.env.FOVEA_THREADS) return t.skip("FOVEA_THREADS is set");
    const device = createNativeDevice();
    assert.equal(device.threads, availableParallelism());
    await device.close();
  });

  it("runs programs that are submitted at once on the same threads, one after the other", async (t) => {
    if (process.platform !== "linux") return t.skip("only Linux lists a process's threads");
    const before = countThreads();
    const device = createNativeDevice({ threads: 3 });
    const count = 50_000;
    const program = device.load(longProgram(device, count, 20));
    const [input, output] = [device.upload(ramp(count)), device.allocate(4 * count)];
    const submitted = Array.from({ length: 40 }, () => device.submit(program, [input, output], noScalars));
    assert.equal(countThreads() - before, 3);
    await Promise.all(submitted);
    assert.equal(countThreads() - before, 3);
    await device.close();
    // A thread that has ended may be listed a moment longer.
    for (let wait = 0; countThreads() > before && wait < 100; wait++) await setTimeout(10);
    assert.equal(countThreads(), before);
  });

  for (const threads of [1, 2, 3]) {
    it(`has run short programs of ${threads} threads when the call returns, where each result was waited for`, async () => {
      const device = createNativeDevice({ threads });
      const count = 20_000;
      const program = device.load(longProgram(device, count, 3));
      const [input, output] = [device.upload(ramp(count)), device.allocate(4 * count)];
      const first = await submitAndRead();
      for (let i = 0; i < 50; i++) assert.deepEqual(await submitAndRead(), first);
      assert.ok(await settlesByItself(device.submit(program, [input, output], noScalars)));
      // Nobody has waited for that one: whoever asks on may have other things to do meanwhile.
      assert.ok(!(await settlesByItself(device.submit(program, [input, output], noScalars))));
      assert.deepEqual(await readFloats(device, output, count), first);
      await device.close();

      async function submitAndRead(): Promise<Float32Array> {
        await device.submit(program, [input, output], noScalars);
        return readFloats(device, output, count);
      }
    });
  }

  it("leaves the event loop its turns between short programs", async () => {
    const device = createNativeDevice();
    const count = 1000;
    const program = device.load(longProgram(device, count, 3));
    const [input, output] = [device.upload(ramp(count)), device.allocate(4 * count)];
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const end = performance.now() + 100;
    let results = 0;
    while (performance.now() < end) {
      await device.submit(program, [input, output], noScalars);
      await readFloats(device, output, count);
      results++;
    }
    clearInterval(timer);
    assert.ok(turns >= 5, `${turns} turns in 100 ms, for ${results} results`);
    await device.close();
  });

  it("does not run long programs while JavaScript waits", async () => {
    const device = createNativeDevice();
    const count = 2_000_000;
    const program = device.load(longProgram(device, count, 20));
    const [input, output] = [device.upload(ramp(count)), device.allocate(4 * count)];
    for (let i = 0; i < 3; i++) {
      assert.ok(!(await settlesByItself(device.submit(program, [input, output], noScalars))));
      await readFloats(device, output, count);
    }
    await device.close();
  });

  it("refuses an instruction set or a number of threads that it does not have", () => {
    assert.throws(() => withVariable("FOVEA_ISA", "avx9000"), { code: "FOVEA_DEVICE", message: /avx9000/ });
    for (const threads of [0, -1, 1.5, 1e9, Number.NaN]) {
      assert.throws(() => createNativeDevice({ threads }), { code: "FOVEA_ARGUMENT" });
    }
  });

  it("gives large blocks back when much has long been unused", async () => {
    const device = createNativeDevice({ threads: 1 });
    const handles = Array.from({ length: 20 }, () => device.allocate(20e6));
    const { reserved: most } = await device.memory();
    assert.ok(most > 400e6);
    for (const handle of handles) device.free(handle);
    for (let i = 0; i < 3000; i++) device.free(device.allocate(100));
    device.free(device.allocate(20e6));
    const { reserved, live } = await device.memory();
    assert.equal(live, 0);
    assert.ok(reserved < 150e6, `${reserved} bytes are still held`);
    await device.close();
  });
});
