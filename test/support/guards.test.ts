/** Guards find out steps that touch what is not theirs, and let others be. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Program } from "../../src/backends/backend.js";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import { withGuards } from "./guards.js";
import { longProgram, noScalars, ProgramBuilder, ramp, readFloats, unaryProgram } from "./programs.js";

const count = 21;

/** The program, with the buffers of its first step said to be shorter than what the step touches. */
function shortened(program: Program, role: "reads" | "writes", bytes: number): Program {
  for (const buffer of program.steps[0][role]) Object.assign(buffer, { bytes: buffer.bytes - bytes });
  return program;
}

describe("a device with guards", () => {
  const device = withGuards(createWasmDevice({ threads: 1 }));
  const plain = createWasmDevice({ threads: 1 });

  const run = async (program: Program, outputBytes = 4 * count) => {
    const loaded = device.load(program);
    const output = device.allocate(outputBytes);
    await device.submit(loaded, [device.upload(ramp(count)), output], noScalars);
    return readFloats(device, output, count);
  };

  it("computes what the device computes", async () => {
    const output = plain.allocate(4 * count);
    await plain.submit(plain.load(longProgram(plain, count, 5)), [plain.upload(ramp(count)), output], noScalars);
    assert.deepEqual(await run(longProgram(device, count, 5)), await readFloats(plain, output, count));
  });

  it("finds out a step that writes behind its output", async () => {
    const program = shortened(unaryProgram(device, "negate", count), "writes", 4);
    await assert.rejects(run(program, 4 * count - 4), /step 0 \(elementwise\), output 1: byte 80 of 80 was written/);
  });

  it("finds out a result that depends on what lies behind an input", async () => {
    const program = unaryProgram(device, "negate", count + 1);
    await assert.rejects(run(program, 4 * count + 4), /output 1: byte 8[4-7] of 88 depends on what lies outside/);
  });

  it("finds out what is only copied from behind an input", async () => {
    const copy = unaryProgram(device, "absolute", count + 1);
    await assert.rejects(run(copy, 4 * count + 4), /depends on what lies outside/);
  });

  it("finds out a result that depends on memory that nobody has written", async () => {
    const builder = new ProgramBuilder(device);
    const [input, output, unwritten] = [builder.binding([count]), builder.binding([count]), builder.arena([count])];
    const program = builder.elementwise("add", [input, unwritten], output).build();
    await assert.rejects(run(program), /output \d: byte 0 of 84 depends on .* never written/);
  });

  it("lets memory be that is written in part", async () => {
    const memory = device.allocate(8);
    await device.write(memory, 0, new Float32Array([2]));
    assert.equal(new Float32Array(await device.read(memory, 4))[0], 2);
  });
});
