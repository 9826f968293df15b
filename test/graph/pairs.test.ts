/**
 * Instructions that do what two would: the same bits. Each kind of operand meets each other kind in every place, in 16 of
 * the 64 choices of three kinds; which third goes with two changes from pair to pair and run to run. `npm run soak` takes all.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RandomStream } from "../../src/core/philox.js";
import * as fovea from "../../src/index.js";
import { compile, type DType, type Shape, type Tensor, tensor } from "../../src/index.js";
import { kernelDevices, useDevice } from "../support/devices.js";
import { seed } from "../support/numbers.js";

type AnyTensor = Tensor<Shape, DType>;

describe(`pairs of instructions (seed ${seed})`, () => {
  /** First and second step of each; alone, both results are asked for. */
  const pairs: Readonly<Record<string, (x: Tensor, y: Tensor, z: Tensor) => readonly [AnyTensor, Tensor]>> = {
    "a · b + c": (x, y, z) => both(fovea.mul(x, y), (t) => fovea.add(t, z)),
    "c + a · b": (x, y, z) => both(fovea.mul(x, y), (t) => fovea.add(z, t)),
    "a · b − c": (x, y, z) => both(fovea.mul(x, y), (t) => fovea.sub(t, z)),
    "c − a · b": (x, y, z) => both(fovea.mul(x, y), (t) => fovea.sub(z, t)),
    "a · b · c": (x, y, z) => both(fovea.mul(x, y), (t) => fovea.mul(t, z)),
    "(a + b) · c": (x, y, z) => both(fovea.add(x, y), (t) => fovea.mul(z, t)),
    "(a − b) · c": (x, y, z) => both(fovea.sub(x, y), (t) => fovea.mul(t, z)),
    "max(min(a, b), c)": (x, y, z) => both(fovea.minimum(x, y), (t) => fovea.maximum(t, z)),
    "max(c, min(a, b))": (x, y, z) => both(fovea.minimum(x, y), (t) => fovea.maximum(z, t)),
    "a < b ? c : a": (x, y, z) => both(fovea.less(x, y), (t) => fovea.where(t, z, x) as Tensor),
    "a ≤ b ? c : a": (x, y, z) => both(fovea.lessEqual(x, y), (t) => fovea.where(t, z, x) as Tensor),
  };

  function both<T extends AnyTensor>(first: T, second: (first: T) => Tensor): readonly [AnyTensor, Tensor] {
    return [first, second(first)];
  }

  /** Numbers, rows and whole tensors as operands, with infinities, NaN and zeros of both signs. */
  const shapes: readonly Shape[] = [[7, 203], [], [203], [7, 1]];
  const special = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-40, 3e38];

  function operand(shape: Shape, number: number): Tensor {
    const random = new RandomStream(17, number);
    const length = shape.reduce((a, b) => a * b, 1);
    const value = (i: number) => ((i * 13) % 11 === number ? special[i % special.length] : random.normal(0, 2));
    return tensor(
      Float32Array.from({ length }, (_, i) => value(i)),
      shape,
    ) as Tensor;
  }

  const thirds = process.env.FOVEA_SOAK === "1" ? shapes.length : 1;

  for (const { name, device, reason } of kernelDevices) {
    for (const [number, [what, pair]] of Object.entries(pairs).entries()) {
      it(`${what} gives the same bits as one after the other on ${name}`, { skip: reason }, async () => {
        if (device === undefined) return;
        useDevice(device);
        for (let choice = 0; choice < shapes.length ** 2 * thirds; choice++) {
          const [first, second, turn] = [choice % 4, Math.floor(choice / 4) % 4, Math.floor(choice / 16)];
          const own = [first, second, (first + second + number + seed + turn) % 4].map((each) => shapes[each]);
          const [x, y, z] = own.map(operand);
          const together = await compile((...of: Tensor[]) => pair(of[0], of[1], of[2])[1])(x, y, z);
          const [, apart] = await compile((...of: Tensor[]) => [...pair(of[0], of[1], of[2])])(x, y, z);
          const bits = async (of: AnyTensor) => new Uint8Array((await of.data()).buffer);
          assert.deepEqual(await bits(together), await bits(apart), own.map((shape) => `[${shape}]`).join(" "));
        }
      });
    }
  }
});
