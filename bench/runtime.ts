/**
 * What it costs to run a program at all: an empty submission, alone and among many, and the meeting of threads between
 * two steps. Best of many, in microseconds, since other processes only ever make it slower.
 *
 *   node dist/bench/runtime.js
 */

import type { Buffer, Device, Program, Step } from "../src/backends/backend.js";
import { createNativeDevice } from "../src/backends/native/device.js";
import { createWasmDevice } from "../src/backends/wasm/device.js";

const none = new Uint8Array(0);
const empty: Program = { steps: [], commitStart: 0, arenaBytes: 0, scalarBytes: 0, slots: 2 };

/** `steps` passes over so few elements that only their number counts; more than one thread does each. */
function tinySteps(device: Device, steps: number): Program {
  const bytes = 8192;
  const count = 64;
  const buffers: Buffer[] = [0, 1].map((id) => ({ id, bytes, slot: 0, offset: id * bytes }));
  const collected: Step[] = [];
  for (let i = 0; i < steps; i++) {
    const [from, to] = i % 2 === 0 ? buffers : [buffers[1], buffers[0]];
    device.compiler.lower(
      {
        kind: "elementwise",
        shape: [count],
        inputs: [{ buffer: from, shape: [count], dtype: "float32" }],
        instructions: [{ op: "negate", operands: [0], operandTypes: ["float32"], dtype: "float32" }],
        outputs: [{ operand: { buffer: to, shape: [count], dtype: "float32" }, value: 1 }],
      },
      {
        step: (step) => collected.push(step),
        temporary: () => buffers[0],
        isKept: () => false,
        isKeptState: () => false,
      },
    );
  }
  return { steps: collected, commitStart: steps, arenaBytes: 2 * bytes, scalarBytes: 0, slots: 2 };
}

/** Microseconds of `work`: the best and the median of `times`. */
async function time(times: number, work: () => Promise<unknown>): Promise<{ best: number; median: number }> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    await work();
    taken.push((performance.now() - begun) * 1000);
  }
  taken.sort((a, b) => a - b);
  return { best: taken[0], median: taken[Math.floor(times / 2)] };
}

async function measure(name: string, device: Device): Promise<void> {
  const begun = performance.now();
  await device.ready;
  const ready = performance.now() - begun;
  const program = device.load(empty);
  const together = 1000;
  await time(500, () => device.submit(program, [], none));
  const alone = await time(3000, () => device.submit(program, [], none));
  const pipelined = await time(30, () =>
    Promise.all(Array.from({ length: together }, () => device.submit(program, [], none))),
  );
  const steps = 200;
  const tiny = device.load(tinySteps(device, steps));
  const walked = await time(300, () => device.submit(tiny, [], none));
  const row = [ready / 1000, alone.best, alone.median, pipelined.best / together, (walked.best - alone.best) / steps];
  console.log(name.padEnd(28), ...row.map((value, i) => value.toFixed(i === 0 ? 3 : 2).padStart(12)));
  await device.close();
}

console.log(
  "".padEnd(28),
  ...["ready, s", "one, best", "one, median", "pipelined", "tiny step"].map((s) => s.padStart(12)),
);
for (const threads of [1, 2]) await measure(`native, ${threads} threads`, createNativeDevice({ threads }));
await measure("wasm, no shared memory", createWasmDevice({ shared: false }));
for (const threads of [1, 2]) await measure(`wasm, ${threads} threads`, createWasmDevice({ threads }));
