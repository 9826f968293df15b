/** The second run of the suite is what it says: every operation is delayed, and no memory is shared. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import type { Device, MemoryUse, Program } from "../../src/backends/backend.js";
import { createReferenceDevice } from "../../src/backends/reference/device.js";
import { withDelays } from "./delays.js";

/** A device that does nothing but say what it was asked for. */
function listeningDevice(calls: string[]): Device {
  const note = <T>(call: string, value: T): T => {
    calls.push(call);
    return value;
  };
  const use: MemoryUse = { live: 0, arena: 0, reserved: 0, systemAllocations: 0, submissions: 0 };
  return {
    name: "listening",
    variant: "listening",
    threads: 1,
    memoryLimit: 0,
    compiler: createReferenceDevice().compiler,
    keepsArena: false,
    ready: Promise.resolve(),
    allocate: (bytes) => note(`allocate ${bytes}`, 7),
    upload: (data) => note(`upload ${new Float32Array(data.buffer)[0]}`, 8),
    write: async (handle, offset, data) => note(`write ${handle} ${offset}`, data.buffer),
    read: async (handle, bytes) => note(`read ${handle} ${bytes}`, new ArrayBuffer(bytes)),
    free: (handle) => note(`free ${handle}`, undefined),
    load: () => note("load", 9),
    submit: async (program, bindings, scalars) => note(`submit ${program} ${bindings} ${scalars[0]}`, undefined),
    abort: () => note("abort", undefined),
    memory: async () => note("memory", use),
    close: async () => note("close", undefined),
  };
}

describe("a device with delays", () => {
  it("passes every operation on later, in order, with what it was given at the call", async () => {
    const calls: string[] = [];
    const device = withDelays(listeningDevice(calls));
    const [data, scalars] = [new Float32Array([5]), new Uint8Array([6])];
    const program: Program = { steps: [], commitStart: 0, arenaBytes: 0, scalarBytes: 1, slots: 4 };

    const memory = device.allocate(3);
    const upload = device.upload(data);
    const loaded = device.load(program);
    const bindings = [memory, upload];
    const submitted = device.submit(loaded, bindings, scalars);
    const written = device.write(memory, 1, new Uint8Array(1));
    const read = device.read(memory, 2);
    data.fill(0);
    scalars.fill(0);
    bindings.length = 0;
    device.free(memory);
    device.abort();
    const use = device.memory();
    const closed = device.close();
    assert.deepEqual(calls, []);

    assert.equal((await read).byteLength, 2);
    assert.equal((await written).byteLength, 1);
    await Promise.all([submitted, use, closed, device.ready]);
    assert.deepEqual(calls, [
      "allocate 3",
      "upload 5",
      "load",
      "submit 9 7,8 6",
      "write 7 1",
      "read 7 2",
      "free 7",
      "abort",
      "memory",
      "close",
    ]);
    // Whoever adds an operation to the contract has to delay it as well.
    const operations = Object.entries(device).filter(([, value]) => typeof value === "function");
    assert.equal(operations.length, calls.length);
  });

  it("is the only one in the suite's second run, and shares no memory", async () => {
    const script = `
      const { Memory } = WebAssembly;
      WebAssembly.Memory = function (descriptor) {
        if (descriptor.shared) throw new Error("shared memory was asked for");
        return new Memory(descriptor);
      };
      const { kernelDevices } = await import(${JSON.stringify(new URL("devices.js", import.meta.url).href)});
      for (const { name, device } of kernelDevices) {
        await device.ready;
        const handle = device.upload(new Uint8Array([1, 2, 3]));
        console.log(name, "|", device.name, device.threads, new Uint8Array(await device.read(handle, 3)).join());
        await device.close();
      }`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, FOVEA_TEST_MODE: "delayed" },
    });
    assert.equal(stdout, "wasm, delayed, without shared memory | wasm 1 1,2,3\n");
  });
});
