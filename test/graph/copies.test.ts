/** Copies of copies are done at once, with the same results. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { RandomStream } from "../../src/core/philox.js";
import * as fovea from "../../src/index.js";
import { compile, type DType, type Shape, type Tensor, type TypedArray, tensor } from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { seed } from "../support/numbers.js";

type Moved = Tensor<Shape, DType>;

/** A move of any tensor, with what it draws from `random`. */
const moves: Readonly<Record<string, (x: Moved, random: RandomStream) => Moved>> = {
  flip: (x, random) => fovea.flip(x, random.integer(x.rank)),
  roll: (x, random) => fovea.roll(x, random.integer(9) - 4, random.integer(x.rank)),
  rot90: (x, random) => fovea.rot90(x, 1 + random.integer(3)),
  permute: (x, random) => fovea.permute(x, [...random.permutation(x.rank)]),
  slice: (x, random) => {
    const step = [1, 1, -1, 2][random.integer(4)];
    const axis = random.integer(x.rank);
    return fovea.slice(x, ...x.shape.map((_, i) => (i === axis ? ([null, null, step] as const) : null)));
  },
  halves: (x, random) => {
    const axis = random.integer(x.rank);
    const [first, rest] = fovea.split(x, Math.ceil(x.shape[axis] / 2), axis);
    return rest === undefined ? first : fovea.concat([rest, first], axis);
  },
  twice: (x, random) => {
    const axis = random.integer(x.rank);
    return fovea.repeat(
      x,
      x.shape.map((_, i) => (i === axis ? 2 : 1)),
    );
  },
  merge: (x) => fovea.reshape(x, [x.shape[0] * x.shape[1], ...x.shape.slice(2), 1]),
};

const rounds = 60;

describe(`copies of copies (seed ${seed})`, () => {
  /** Some moves, one after the other; each of the results that is asked for. */
  function program(round: number): () => Moved[] {
    return () => {
      const random = new RandomStream(seed, round);
      const shape = Array.from({ length: 2 + random.integer(3) }, () => 1 + random.integer(round % 3 === 0 ? 40 : 9));
      const values = Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.integer(100));
      let x: Moved = tensor(round % 4 === 0 ? Uint8Array.from(values) : Float32Array.from(values), shape);
      const results: Moved[] = [];
      const names = Object.keys(moves);
      for (let count = 2 + random.integer(4); count > 0; count--) {
        x = moves[names[random.integer(names.length)]](x, random);
        if (random.integer(5) === 0) results.push(x);
      }
      return [...results, x];
    };
  }

  async function run(device: Device, round: number): Promise<{ shape: Shape; data: TypedArray }[]> {
    useDevice(device);
    const results = program(round)();
    await fovea.evaluate(...results);
    return Promise.all(results.map(async (result) => ({ shape: result.shape, data: await result.data() })));
  }

  for (const { name, device, reason } of kernelDevices) {
    it(`${rounds} programs on ${name}`, { skip: reason }, async () => {
      if (device === undefined) return;
      for (let round = 0; round < rounds; round++) {
        assert.deepEqual(await run(device, round), await run(referenceDevice, round), `program ${round}`);
      }
    });

    it(`rolling and turning take one pass on ${name}`, { skip: reason }, async () => {
      if (device === undefined) return;
      useDevice(device);
      const copies = async (move: (x: Tensor) => Tensor): Promise<number> => {
        const step = compile((x: Tensor) => ({ moved: move(x), first: move(x).sum() }));
        await (await step(fovea.normal([8, 40, 40]))).first.item();
        return step.explain().match(/ stridedCopy /g)?.length ?? 0;
      };
      assert.equal(await copies((x) => fovea.rot90(x)), 1);
      assert.equal(await copies((x) => fovea.rot90(x, -1)), 1);
      // A part for those that leave at one end, and one for the others.
      assert.equal(await copies((x) => fovea.roll(x, 3)), 2);
    });
  }
});
