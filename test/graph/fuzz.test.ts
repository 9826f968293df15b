/**
 * Random programs: fusion, in-place work, shared memory and state updates must never change a result. Each program mixes
 * elementwise ops with broadcasting, reductions, reshapes, matrix products, picking by index and assignments to states; the
 * devices with kernels must agree with the reference, which fuses nothing and shares no memory.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { RandomStream } from "../../src/core/philox.js";
import { type Shape, sizeOf } from "../../src/core/shape.js";
import * as fovea from "../../src/index.js";
import { State, type Tensor } from "../../src/index.js";
import { delayed, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { seed } from "../support/numbers.js";

interface Kind {
  readonly programs: number;
  /** Of the inputs. */
  readonly shapes: readonly Shape[];
  /** Elements of a value at most. */
  readonly most: number;
  /** Values of which the largest is taken as an operand. */
  readonly drawn: number;
  /** Lengths of a first axis that divide most sizes. */
  readonly rows: readonly number[];
}

const small: readonly Shape[] = [
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

/** Large enough to be worked on a few rows at a time. */
const large: readonly Shape[] = [
  [],
  [64, 1],
  [64, 1320],
  [64, 24, 55],
  [64, 1, 55],
  [64, 24, 1],
  [1320, 64],
  [1536, 55],
  [1536, 1],
  [24, 55],
  [55],
  [600],
];

const kinds: Readonly<Record<string, Kind>> = {
  small: { programs: delayed ? 40 : 150, shapes: small, most: 4000, drawn: 1, rows: [3, 5] },
  large: { programs: delayed ? 5 : 30, shapes: large, most: 64 * 1320, drawn: 4, rows: [64, 1536] },
};

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
function viewsOf(size: number, rows: readonly number[]): Shape[] {
  const matrices = rows.filter((count) => size % count === 0).map((count) => [count, size / count]);
  return [[size], [1, size], ...matrices];
}

const largest = (values: readonly Tensor[]) => values.reduce((a, b) => (b.size > a.size ? b : a));

/** The same program for the same stream, whatever the device. */
function buildProgram(random: RandomStream, kind: Kind, states: readonly State[], inputs: readonly Tensor[]): Tensor[] {
  const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)];
  // What the states hold before the program is there for all of it, also for what comes after they were assigned.
  const values: Tensor[] = [...inputs, ...states.map((state) => state.value)];
  const outputs: Tensor[] = [];
  const steps = 8 + random.integer(25);
  for (let n = 0; n < steps; n++) {
    const choice = random.integer(12);
    const a =
      random.integer(3) === 0
        ? values[values.length - 1]
        : largest(Array.from({ length: kind.drawn }, () => pick(values)));
    if (choice <= 2) values.push(pick(unary)(a));
    else if (choice <= 6) {
      const b = pick(values.filter((candidate) => broadcasts(a.shape, candidate.shape)));
      // Bounded, so that rounding errors cannot grow beyond what is compared.
      const result = fovea.clip(pick(binary)(a, b) as Tensor, -4, 4);
      if (result.size <= kind.most) values.push(result);
    } else if (choice === 7)
      values.push(fovea.mul(fovea.add(a, random.uniform(-1, 1)), random.uniform(-1, 1)) as Tensor);
    else if (choice === 8 && a.rank > 0) {
      values.push(fovea.mean(a, random.integer(a.rank), { keepdim: random.integer(2) === 0 }));
    } else if (choice === 10 && a.size >= 1000) {
      // As a normalization has it.
      values.push(fovea.sub(a, fovea.mean(a, a.rank - 1, { keepdim: true })) as Tensor);
    } else if (choice === 9) values.push(fovea.reshape(a, pick(viewsOf(a.size, kind.rows))));
    else if (choice === 10 && a.rank === 2 && a.size < 1000) {
      values.push(fovea.tanh(fovea.matmul(a, fovea.transpose(a))));
    } else if (choice === 8 && a.rank === 0) {
      // A step that could fail: until it has run no state may be written.
      const from = pick(values);
      const indices = fovea.tensor(
        Array.from({ length: 3 }, () => random.integer(from.size)),
        { dtype: "int32" },
      );
      values.push(fovea.take(fovea.reshape(from, [from.size]), indices));
    } else if (choice === 11) {
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
  /** The compiled program's steps. */
  readonly explanation: string;
}

const stateShapes: readonly Shape[] = [[3, 5], [600], [], [3, 3], [5, 5]];

/** What a program starts from: the values of its states, and those of its inputs. */
function startOf(kind: Kind, program: number): Float32Array<ArrayBuffer>[] {
  const random = new RandomStream(seed, program, 1);
  return [...stateShapes, ...kind.shapes].map((shape) =>
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-2, 2)),
  );
}

async function run(
  device: Device,
  kind: Kind,
  program: number,
  start: readonly Float32Array<ArrayBuffer>[],
  compiled: boolean,
): Promise<Outcome> {
  useDevice(device);
  const states = stateShapes.map((shape, i) => new State<Shape>(fovea.tensor(start[i], shape)));
  const inputs = kind.shapes.map((shape, i) => fovea.tensor(start[stateShapes.length + i], shape));
  const build = (...given: Tensor[]) => buildProgram(new RandomStream(seed, program), kind, states, given);
  let outputs: Tensor[];
  let explanation = "";
  if (compiled) {
    const call = fovea.compile(build);
    // Twice: the second run starts from the states that the first has left.
    await call(...inputs);
    outputs = await call(...inputs);
    explanation = call.explain();
  } else {
    await fovea.evaluate(...build(...inputs));
    outputs = build(...inputs);
    await fovea.evaluate(...outputs);
  }
  return {
    outputs: await Promise.all(outputs.map((output) => output.data())),
    states: await Promise.all(states.map((state) => state.value.data())),
    explanation,
  };
}

function largestDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(found[i] - expected[i]));
  return largest;
}

/** Start and results by the definitions, which take longer than anything else here, of each program of each kind. */
const definitions = new Map<Kind, { start: Float32Array<ArrayBuffer>[]; expected: Promise<Outcome> }[]>();

function definitionOf(kind: Kind, program: number) {
  const known = definitions.get(kind) ?? [];
  definitions.set(kind, known);
  if (known[program] === undefined) {
    const start = startOf(kind, program);
    known[program] = { start, expected: run(referenceDevice, kind, program, start, true) };
  }
  return known[program];
}

for (const { name, device, reason } of kernelDevices) {
  describe(`random programs on ${name} (seed ${seed})`, { skip: reason }, () => {
    for (const [size, kind] of Object.entries(kinds)) {
      it(`${kind.programs} ${size} programs, compiled and uncompiled`, async (t) => {
        if (device === undefined) return;
        let blocked = 0;
        for (let program = 0; program < kind.programs; program++) {
          const which = `program ${program} of seed ${seed}`;
          const definition = definitionOf(kind, program);
          const expected = await definition.expected;
          const { explanation, ...compiled } = await run(device, kind, program, definition.start, true);
          const { outputs, states } = await run(device, kind, program, definition.start, false);
          assert.deepEqual({ outputs, states }, compiled, `${which}: uncompiled and compiled differ`);
          for (const part of ["outputs", "states"] as const) {
            compiled[part].forEach((values, i) => {
              const error = largestDifference(values, expected[part][i]);
              assert.ok(error < 1e-4, `${which}: ${part}[${i}] is off by ${error}`);
            });
          }
          if (explanation.includes(" blocked ")) blocked++;
        }
        // Chance decides how many; that there is such a thing at all is the next test's.
        t.diagnostic(`${blocked} programs were worked on in blocks`);
      });
    }

    it("steps over the same long rows are worked on in blocks", async () => {
      if (device === undefined) return;
      useDevice(device);
      const call = fovea.compile((x: Tensor) => fovea.softmax(x));
      await (await call(fovea.normal([512, 1024]))).data();
      assert.match(call.explain(), / blocked /);
    });
  });
}
