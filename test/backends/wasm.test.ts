/** What only the WebAssembly device does: variants, shared memory or none, limits. */

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, it } from "node:test";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import { chooseVariant } from "../../src/backends/wasm/variants.js";
import { countThreads, hasFusedMultiplyAdd } from "../support/machine.js";
import { longProgram, noScalars, ramp, readFloats } from "../support/programs.js";

const nodeVersion = Number(process.versions.node.split(".")[0]);

describe("the WebAssembly device", () => {
  it("uses relaxed SIMD where it multiplies and adds with one rounding", (t) => {
    const fused = hasFusedMultiplyAdd();
    if (fused === undefined) t.skip("nobody can tell here");
    else assert.equal(chooseVariant(undefined), fused && nodeVersion >= 22 ? "relaxed" : "simd");
    assert.equal(chooseVariant("simd"), "simd");
  });

  it("gives the same bits with and without shared memory", async () => {
    const count = 10_007;
    const variant = chooseVariant(undefined);
    for (const each of new Set(["simd", variant] as const)) {
      const results: Float32Array[] = [];
      for (const options of [{ shared: false }, { shared: true, threads: 1 }, { shared: true, threads: 4 }]) {
        const device = createWasmDevice({ ...options, variant: each });
        assert.equal(device.variant, `wasm-${each}`);
        assert.equal(device.threads, options.threads ?? 1);
        const program = device.load(longProgram(device, count, 12));
        const output = device.allocate(4 * count);
        await device.submit(program, [device.upload(ramp(count)), output], noScalars);
        results.push(await readFloats(device, output, count));
        await device.close();
      }
      for (const result of results) assert.deepEqual(result, results[0]);
    }
  });

  it("runs programs that are submitted at once on the same threads, one after the other", async (t) => {
    if (process.platform !== "linux") return t.skip("only Linux lists a process's threads");
    const device = createWasmDevice({ threads: 3 });
    await device.ready;
    const ready = countThreads();
    const count = 20_000;
    const program = device.load(longProgram(device, count, 20));
    const [input, output] = [device.upload(ramp(count)), device.allocate(4 * count)];
    const submitted = Array.from({ length: 20 }, () => device.submit(program, [input, output], noScalars));
    await submitted[9];
    assert.ok(countThreads() <= ready, "more threads were started");
    await Promise.all(submitted);
    await device.close();
  });

  it("uses as many threads as the machine runs at once, or FOVEA_THREADS", async () => {
    const given = process.env.FOVEA_THREADS;
    try {
      delete process.env.FOVEA_THREADS;
      const device = createWasmDevice();
      assert.equal(device.threads, availableParallelism());
      await device.close();
      process.env.FOVEA_THREADS = "3";
      const three = createWasmDevice();
      assert.equal(three.threads, 3);
      await three.close();
    } finally {
      if (given === undefined) delete process.env.FOVEA_THREADS;
      else process.env.FOVEA_THREADS = given;
    }
  });

  it("refuses threads without shared memory", () => {
    assert.throws(() => createWasmDevice({ shared: false, threads: 2 }), { code: "FOVEA_ARGUMENT" });
  });

  it("uses as much of 4 GiB as it is asked for", async () => {
    const device = createWasmDevice({ shared: false });
    // Nothing is touched, so the machine need not have so much.
    const handles = [1.9e9, 1.9e9].map((bytes) => device.allocate(bytes));
    const { live, reserved } = await device.memory();
    assert.equal(live, 3.8e9);
    assert.ok(reserved <= 2 ** 32);
    for (const handle of handles) device.free(handle);
    // What two tensors held serves one.
    device.allocate(3.6e9);
    assert.equal((await device.memory()).live, 3.6e9);
    await device.close();
  });
});
