/**
 * Random programs: fusion, in-place work, shared memory and state updates must never change a result. Each program mixes
 * elementwise ops with broadcasting, reductions, reshapes, matrix products and assignments to states; the devices with
 * kernels must agree with the reference, which fuses nothing and shares no memory.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { RandomStream } from "../../src/core/philox.js";
import type { Shape } from "../../src/core/shape.js";
import * as fovea from "../../src/index.js";
import { State, type Tensor } from "../../src/index.js";
import { delayed, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { seed } from "../support/numbers.js";

const programs = delayed ? 40 : 150;
const shapes: readonly Shape[] = [
  [],
  [1],
  [5],
  [3, 1],
  [1, 5],
  [3, 5],
  [2, 3, 5],
  [2, 1, 5],
  [2, 3, 1],
  [600],
  [7, 130],
  [15, 1],
  [15],
  [5, 3],
  [3],
];

const unary = [
  fovea.neg,
  fovea.tanh,
  fovea.relu,
  fovea.sigmoid,
  fovea.abs,
  (x: Tensor) => fovea.exp(fovea.clip(x, -3, 2)),
];
const binary = [fovea.add, fovea.sub, fovea.mul, fovea.maximum, fovea.minimum];

function broadcasts(a: Shape, b: Shape): boolean {
  for (let i = 1; i <= Math.min(a.length, b.length); i++) {
    const [x, y] = [a[a.length - i], b[b.length - i]];
    if (x !== y && x !== 1 && y !== 1) return false;
  }
  return true;
}

/** Whether `shape` broadcasts to `target` without making it larger. */
function stretches(shape: Shape, target: Shape): boolean {
  const lead = target.length - shape.length;
  return lead >= 0 && shape.every((length, axis) => length === 1 || length === target[lead + axis]);
}

/** Shapes of so many elements. */
function viewsOf(size: number): Shape[] {
  const matrices = size % 15 === 0 ? [3, 5].map((rows) => [rows, size / rows]) : [];
  return [[size], [1, size], ...matrices];
}

/** The same program for the same stream, whatever the device. */
function buildProgram(random: RandomStream, states: readonly State[], inputs: readonly Tensor[]): Tensor[] {
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)];
  // What the states hold before the program is there for all of it, also for what comes after they were assigned.
  const values: Tensor[] = [...inputs, ...states.map((state) => state.value)];
  const outputs: Tensor[] = [];
  const steps = 8 + random.integer(25);
  for (let n = 0; n < steps; n++) {
    const kind = random.integer(12);
    const a = random.integer(3) === 0 ? values[values.length - 1] : pick(values);
    if (kind <= 2) values.push(pick(unary)(a));
    else if (kind <= 6) {
      const b = pick(values.filter((candidate) => broadcasts(a.shape, candidate.shape)));
      // Bounded, so that rounding errors cannot grow beyond what is compared.
      const result = fovea.clip(pick(binary)(a, b) as Tensor, -4, 4);
      if (result.size <= 4000) values.push(result);
    } else if (kind === 7) values.push(fovea.mul(fovea.add(a, random.uniform(-1, 1)), random.uniform(-1, 1)) as Tensor);
    else if (kind === 8 && a.rank > 0) {
      values.push(fovea.mean(a, random.integer(a.rank), { keepdim: random.integer(2) === 0 }));
    } else if (kind === 9) values.push(fovea.reshape(a, pick(viewsOf(a.size))));
    else if (kind === 10 && a.rank === 2 && a.size < 1000) {
      values.push(fovea.tanh(fovea.matmul(a, fovea.transpose(a))));
    } else if (kind === 11) {
      const state = pick(states);
      const fits = values.filter(({ shape }) => broadcasts(shape, state.shape) && stretches(shape, state.shape));
      if (fits.length > 0)
        state.assign(fovea.add(fovea.mul(state, 0.5), fovea.mul(fovea.tanh(pick(fits)), 0.5)) as Tensor);
      values.push(state.value);
    }
  }
  for (let n = 0; n < 4; n++) outputs.push(pick(values));
  return outputs;
}

interface Outcome {
  readonly outputs: ArrayLike<number>[];
  readonly states: ArrayLike<number>[];
}

async function run(device: Device, program: number, compiled: boolean): Promise<Outcome> {
  useDevice(device);
  const data = new RandomStream(seed, program, 1);
  const tensorOf = (shape: Shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return fovea.tensor(
      Float32Array.from({ length: size }, () => data.uniform(-2, 2)),
      shape,
    );
  };
  const states = [[3, 5], [600], []].map((shape) => new State<Shape>(tensorOf(shape)));
  const inputs = shapes.map(tensorOf);
  const build = (...given: Tensor[]) => buildProgram(new RandomStream(seed, program), states, given);
  let outputs: Tensor[];
  if (compiled) {
    const call = fovea.compile(build);
    // Twice: the second run starts from the states that the first has left.
    await call(...inputs);
    outputs = await call(...inputs);
  } else {
    await fovea.evaluate(...build(...inputs));
    outputs = build(...inputs);
    await fovea.evaluate(...outputs);
  }
  return {
    outputs: await Promise.all(outputs.map((output) => output.data())),
    states: await Promise.all(states.map((state) => state.value.data())),
  };
}

function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(found[i] - expected[i]));
  return largest;
}

for (const { name, device, reason } of kernelDevices) {
  describe(`random programs on ${name} (seed ${seed})`, { skip: reason }, () => {
    it(`${programs} programs, compiled and uncompiled`, async () => {
      if (device === undefined) return;
      for (let program = 0; program < programs; program++) {
        const expected = await run(referenceDevice, program, true);
        const compiled = await run(device, program, true);
        const uncompiled = await run(device, program, false);
        assert.deepEqual(uncompiled, compiled, `program ${program} of seed ${seed}: uncompiled and compiled differ`);
        for (const kind of ["outputs", "states"] as const) {
          compiled[kind].forEach((values, i) => {
            const error = largestDifference(values, expected[kind][i]);
            assert.ok(error < 1e-4, `program ${program} of seed ${seed}: ${kind}[${i}] is off by ${error}`);
          });
        }
      }
    });
  });
}
