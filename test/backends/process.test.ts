/** Devices and the life of a process: it ends by itself, at once when told to, and worker threads have their own. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, it } from "node:test";
import { createNativeDevice } from "../../src/backends/native/device.js";
import { createWasmDevice } from "../../src/backends/wasm/device.js";

const makers = { native: createNativeDevice, wasm: createWasmDevice };

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  /** From its last word, or its beginning, to its end. */
  readonly seconds: number;
}

/** Some seconds of work on one core; few steps, for those are prepared one by one. */
const long = [2_000_000, 2000];

/** Runs a module in a process of its own, with the makers of devices and programs at hand. */
function run(body: string): Promise<Outcome> {
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const source = `
    import { Worker, isMainThread } from "node:worker_threads";
    import { createNativeDevice as native } from ${at("../../src/backends/native/device.js")};
    import { createWasmDevice as wasm } from ${at("../../src/backends/wasm/device.js")};
    import { longProgram, noScalars, ramp, readFloats, unaryProgram } from ${at("../support/programs.js")};
    const long = (device) => {
      const program = device.load(longProgram(device, ${long}));
      return device.submit(program, [device.upload(ramp(${long[0]})), device.allocate(${4 * long[0]})], noScalars);
    };
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let heard = performance.now();
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    heard = performance.now();
    output += text;
  });
  const killer = setTimeout(() => child.kill("SIGKILL"), 300_000);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearTimeout(killer);
      resolve({ code, output: output.trim(), seconds: (performance.now() - heard) / 1000 });
    });
  });
}

for (const [name, make] of Object.entries(makers)) {
  let reason: string | false = false;
  try {
    void make().close();
  } catch (error) {
    reason = String(error);
  }
  describe(`a process with ${name}`, { skip: reason, concurrency: true }, () => {
    it("ends by itself though the device was not closed", async () => {
      const { code, output } = await run(`
        const device = ${name}();
        const program = device.load(unaryProgram(device, "negate", 1000));
        const output = device.allocate(4000);
        await device.submit(program, [device.upload(ramp(1000)), output], noScalars);
        console.log((await readFloats(device, output, 1000))[0]);`);
      assert.deepEqual({ code, output }, { code: 0, output: "2" });
    });

    it("ends by itself after a device that did nothing", async () => {
      assert.equal((await run(`const device = ${name}(); await device.ready;`)).code, 0);
      assert.equal((await run(`${name}().upload(ramp(10));`)).code, 0);
    });

    it("waits for what is pending", async () => {
      const { code, output } = await run(`
        const device = ${name}();
        const program = device.load(longProgram(device, 100000, 300));
        const input = device.upload(ramp(100000));
        device.submit(program, [input, device.allocate(400000)], noScalars).then(() => console.log("done"));`);
      assert.deepEqual({ code, output }, { code: 0, output: "done" });
    });

    it("ends at once in the middle of a program", async () => {
      const { code, output, seconds } = await run(`
        const device = ${name}({ threads: 2 });
        long(device).catch(() => {});
        await device.ready;
        setTimeout(() => {
          console.log("now");
          process.exit(7);
        }, 100);`);
      assert.deepEqual({ code, output }, { code: 7, output: "now" });
      assert.ok(seconds < 30, `it took ${seconds} s`);
    });

    it("has garbage collected before memory runs out", async () => {
      const { code, output } = await run(`
        const device = ${name}({ memoryLimit: 1e8 });
        const handles = new FinalizationRegistry((handle) => device.free(handle));
        for (let i = 0; i < 1000; i++) {
          const handle = device.upload(new Float32Array(1e5));
          handles.register({}, handle);
          if (i % 10 === 9) await device.read(handle, 4);
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        console.log("done");`);
      assert.deepEqual({ code, output }, { code: 0, output: "done" });
    });

    it("survives the end of worker threads in the middle of a program", async () => {
      const { code, output } = await run(`
        const source = \`
          import(${JSON.stringify(new URL(`../../src/backends/${name}/device.js`, import.meta.url).href)}).then(async (m) => {
            const device = m[${JSON.stringify(make.name)}]({ threads: 2 });
            const { longProgram, noScalars, ramp } = await import(${JSON.stringify(new URL("../support/programs.js", import.meta.url).href)});
            const program = device.load(longProgram(device, ${long}));
            const bindings = [device.upload(ramp(${long[0]})), device.allocate(${4 * long[0]})];
            device.submit(program, bindings, noScalars).catch(() => {});
            await device.ready;
            require("node:worker_threads").parentPort.postMessage("begun");
          });\`;
        for (let i = 0; i < 3; i++) {
          const worker = new Worker(source, { eval: true, execArgv: [] });
          await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
          await worker.terminate();
        }
        const device = ${name}();
        console.log((await readFloats(device, device.upload(ramp(5)), 5))[0]);`);
      assert.deepEqual({ code, output }, { code: 0, output: "-2" });
    });
  });
}
