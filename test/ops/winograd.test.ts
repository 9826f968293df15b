/** Convolutions that are wide enough for Winograd's algorithm (kernels/winograd.c, winograd_columns.c), against float64. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { createNativeDevice } from "../../src/backends/native/device.js";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import { compile, conv2d, grad, setPrecision, square, sum, type Tensor, tensor } from "../../src/index.js";
import { kernelDevices, ordinary, referenceDevice, useDevice } from "../support/devices.js";

interface Case {
  readonly input: readonly [batch: number, channels: number, height: number, width: number];
  readonly outputs: number;
  readonly padding: number | readonly [number, number];
  readonly groups?: number;
  /** Default: 3×3. */
  readonly kernel?: readonly [number, number];
  readonly stride?: number | readonly [number, number];
}

const cases: readonly Case[] = [
  { input: [1, 48, 14, 14], outputs: 33, padding: 1 },
  { input: [2, 37, 13, 9], outputs: 50, padding: 0 },
  { input: [3, 32, 5, 7], outputs: 32, padding: 2 },
  // More padding than the kernel is wide, and unequal.
  { input: [1, 40, 6, 5], outputs: 34, padding: [4, 0] },
  // One window, and one row of them.
  { input: [2, 64, 3, 3], outputs: 64, padding: 0 },
  { input: [1, 64, 3, 40], outputs: 64, padding: 0 },
  { input: [2, 80, 9, 8], outputs: 96, padding: 1, groups: 2 },
  // Several chunks of strips in one image, and several images in a chunk.
  { input: [1, 32, 70, 34], outputs: 32, padding: 1 },
  { input: [17, 32, 7, 7], outputs: 32, padding: 1 },
  // One, two and three rows of the last tiles, two and three and one columns; and of several images.
  { input: [1, 32, 9, 10], outputs: 32, padding: 1 },
  { input: [1, 32, 10, 15], outputs: 48, padding: 1 },
  { input: [5, 40, 15, 13], outputs: 32, padding: 1 },
  { input: [2, 32, 13, 15], outputs: 32, padding: [3, 4] },
  // 5×5: whole tiles, and one and two rows or columns more; more padding than the kernel is wide; several images.
  { input: [1, 64, 27, 27], outputs: 96, padding: 2, kernel: [5, 5] },
  { input: [3, 64, 29, 28], outputs: 72, padding: 0, kernel: [5, 5] },
  { input: [2, 61, 19, 20], outputs: 64, padding: [5, 3], kernel: [5, 5] },
  { input: [2, 128, 20, 16], outputs: 128, padding: 2, kernel: [5, 5], groups: 2 },
  { input: [9, 64, 9, 8], outputs: 64, padding: 1, kernel: [5, 5] },
];

/** Kernels of four or five rows, or so many times the stride: only columns are transformed. */
const columnCases: readonly Case[] = [
  { input: [1, 6, 14, 14], outputs: 16, padding: 0, kernel: [5, 5] },
  { input: [2, 19, 27, 21], outputs: 33, padding: 2, kernel: [5, 5] },
  // Rows that leave something of the last strip, and one row only.
  { input: [3, 16, 9, 10], outputs: 24, padding: 0, kernel: [5, 5] },
  { input: [1, 40, 10, 11], outputs: 8, padding: 1, kernel: [5, 5] },
  { input: [2, 32, 13, 7], outputs: 17, padding: [6, 0], kernel: [5, 3] },
  { input: [1, 24, 16, 12], outputs: 16, padding: [2, 0], kernel: [5, 1] },
  { input: [2, 32, 11, 12], outputs: 48, padding: 2, kernel: [5, 5], groups: 2 },
  // Several bands, and sums in several parts.
  { input: [1, 64, 45, 40], outputs: 16, padding: 2, kernel: [5, 5] },
  { input: [1, 130, 12, 8], outputs: 16, padding: 2, kernel: [5, 5] },
  { input: [2, 20, 14, 15], outputs: 32, padding: 1, kernel: [4, 4] },
  // With a stride: phases of four and three rows, of five, of three and two, and of four times three.
  { input: [2, 3, 41, 38], outputs: 64, padding: 3, kernel: [7, 7], stride: 2 },
  { input: [1, 16, 30, 23], outputs: 48, padding: [4, 1], kernel: [10, 3], stride: 2 },
  { input: [2, 32, 21, 20], outputs: 40, padding: 2, kernel: [5, 5], stride: 2 },
  { input: [1, 3, 67, 70], outputs: 64, padding: 2, kernel: [11, 11], stride: 4 },
  { input: [2, 32, 29, 17], outputs: 64, padding: 3, kernel: [7, 5], stride: [2, 1], groups: 2 },
];

/** Strides whose phases, as channels, leave 3×3 kernels: of one, three and four channels; rows and columns left over; several images. */
const phaseCases: readonly Case[] = [
  { input: [1, 3, 224, 224], outputs: 64, padding: 2, kernel: [11, 11], stride: 4 },
  { input: [3, 3, 67, 70], outputs: 50, padding: [2, 5], kernel: [11, 11], stride: 4 },
  { input: [2, 1, 63, 61], outputs: 32, padding: 2, kernel: [5, 5], stride: 2 },
  { input: [2, 6, 63, 66], outputs: 64, padding: 0, kernel: [5, 5], stride: 2, groups: 2 },
  { input: [1, 2, 70, 67], outputs: 48, padding: [9, 4], kernel: [9, 9], stride: 3 },
];

function noise(size: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 31 - 1) * Math.sqrt(3);
  });
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** The convolution and both gradients, on the device in use. */
async function convolve(each: Case): Promise<Float32Array[]> {
  const { input, outputs, padding, groups = 1, kernel: size = [3, 3], stride = 1 } = each;
  const kernel = [outputs, input[1] / groups, ...size];
  const scale = 1 / Math.sqrt(product(kernel) / outputs);
  const x = tensor(noise(product(input), 1), [...input]);
  const weight = tensor(
    noise(product(kernel), 2).map((value) => value * scale),
    kernel,
  );
  const y = conv2d(x, weight, null, { padding, groups, stride });
  const gradients = grad(y, [x, weight], { upstream: tensor(noise(y.size, 3), y.shape) });
  return Promise.all([y, ...gradients].map((result) => result.data()));
}

/** Largest error over the largest value, and root mean square of the error over that of the values. */
function errors(found: Float32Array, expected: Float32Array): { largest: number; typical: number } {
  let [most, worst, squares, errorSquares] = [0, 0, 0, 0];
  expected.forEach((value, i) => {
    const error = Math.abs(found[i] - value);
    assert.ok(!Number.isNaN(error), `element ${i} is ${found[i]}, not ${value}`);
    most = Math.max(most, Math.abs(value));
    worst = Math.max(worst, error);
    squares += value * value;
    errorSquares += error * error;
  });
  return { largest: worst / most, typical: Math.sqrt(errorSquares / squares) };
}

const titleOf = ({ input, outputs, padding, groups = 1, kernel = [3, 3], stride = 1 }: Case) =>
  `${input.join("×")} to ${outputs} by ${kernel.join("×")}, padding ${padding}` +
  `${stride === 1 ? "" : `, stride ${stride}`}${groups > 1 ? `, ${groups} groups` : ""}`;

for (const { name, device, reason } of kernelDevices) {
  describe(`wide convolutions on ${name}`, { skip: reason }, () => {
    for (const each of [...cases, ...columnCases, ...phaseCases]) {
      it(titleOf(each), async () => {
        if (device === undefined) return;
        useDevice(referenceDevice);
        const expected = await convolve(each);
        useDevice(device);
        const found = await convolve(each);
        for (const [i, values] of expected.entries()) {
          const { largest, typical } = errors(found[i], values);
          // Tiles for kernels of five rows have more points than others.
          const most = each.kernel?.[0] === 5 ? 1e-5 : 4e-6;
          assert.ok(largest < most && typical < 3e-6, `result ${i} is off by ${largest}, typically ${typical}`);
        }
      });
    }

    it("512 channels stay within 1e-5 of the largest result, typically within 3e-6", async () => {
      if (device === undefined) return;
      const wide: Case = { input: [1, 512, 8, 8], outputs: 64, padding: 1 };
      useDevice(referenceDevice);
      const expected = await convolve(wide);
      useDevice(device);
      const found = await convolve(wide);
      for (const [i, values] of expected.entries()) {
        const { largest, typical } = errors(found[i], values);
        assert.ok(largest < 1e-5 && typical < 3e-6, `result ${i} is off by ${largest}, typically ${typical}`);
      }
    });

    it("is left out where results are to be exact, in programs compiled before, too", async () => {
      if (device === undefined) return;
      useDevice(device);
      const step = compile((x: Tensor, weight: Tensor) => conv2d(x, weight, null, { padding: 1 }));
      const inputs = [tensor(noise(32 * 64, 1), [1, 32, 8, 8]), tensor(noise(32 * 32 * 9, 2), [32, 32, 3, 3])] as const;
      const fast = await (await step(...inputs)).data();
      const eager = () => conv2d(...inputs, null, { padding: 1 }).data();
      assert.deepEqual(await eager(), fast);
      try {
        setPrecision("exact");
        const exact = await (await step(...inputs)).data();
        assert.doesNotMatch(step.explain(), /winograd/);
        assert.notDeepEqual(exact, fast);
        assert.deepEqual(await eager(), exact);
      } finally {
        setPrecision("fast");
      }
      assert.deepEqual(await (await step(...inputs)).data(), fast);
    });

    it("transforms weights that it does not keep where they are used, with the same result", async () => {
      if (device === undefined) return;
      useDevice(device);
      const large: Case = { input: [2, 512, 7, 7], outputs: 400, padding: 1 };
      for (const { input, outputs, padding, groups = 1, kernel = [3, 3] } of [large, ...cases]) {
        const x = tensor(noise(product(input), 1), [...input]);
        const shape = [outputs, input[1] / groups, ...kernel];
        const weight = tensor(noise(product(shape), 2), shape);
        const both = (a: Tensor, b: Tensor) => {
          const y = conv2d(a, b, null, { padding, groups });
          const [gradient] = grad(sum(square(y)), [a]);
          return [y, square(gradient)];
        };
        const kept = compile(both);
        const anew = compile((a: Tensor, b: Tensor) => both(a.neg(), b.neg()));
        const expected = await kept(x, weight);
        const found = await anew(x, weight);
        for (const [i, result] of expected.entries()) assert.deepEqual(await found[i].data(), await result.data());
        if (input[1] !== 512) continue;
        assert.match(kept.explain(), /2 values prepared once and kept.*: winogradWeights/);
        assert.doesNotMatch(anew.explain(), /winogradWeights/);
      }
    });

    it("is what the compiler chooses", async () => {
      if (device === undefined) return;
      useDevice(device);
      const step = compile((x: Tensor, weight: Tensor) => conv2d(x, weight, null, { padding: 1 }));
      await step(tensor(noise(32 * 64, 1), [1, 32, 8, 8]), tensor(noise(32 * 32 * 9, 2), [32, 32, 3, 3]));
      assert.match(step.explain(), /\bwinograd\b/);
      const tall = compile((x: Tensor, weight: Tensor) => conv2d(x, weight, null, { padding: 2 }));
      await tall(tensor(noise(16 * 144, 1), [1, 16, 12, 12]), tensor(noise(32 * 16 * 25, 2), [32, 16, 5, 5]));
      assert.match(tall.explain(), /\bwinogradColumns\b/);
      await tall(tensor(noise(64 * 576, 1), [1, 64, 24, 24]), tensor(noise(64 * 64 * 25, 2), [64, 64, 5, 5]));
      assert.match(tall.explain(), /\bwinograd\b/);
      const strided = compile((x: Tensor, weight: Tensor) => conv2d(x, weight, null, { padding: 2, stride: 4 }));
      await strided(tensor(noise(3 * 120 ** 2, 1), [1, 3, 120, 120]), tensor(noise(64 * 363, 2), [64, 3, 11, 11]));
      assert.match(strided.explain(), /\bwinograd\b/);
    });
  });
}

describe("any number of threads", { skip: ordinary ? false : "with other devices than their own" }, () => {
  const make: Record<string, (threads: number) => Device> = {
    native: (threads) => createNativeDevice({ threads }),
    wasm: (threads) => createWasmDevice({ threads }),
  };
  for (const { name, reason } of kernelDevices) {
    it(`gives the same bits on ${name}`, { skip: reason }, async () => {
      const results: Float32Array[][] = [];
      for (const threads of [1, 2, 3]) {
        const device = make[name](threads);
        try {
          useDevice(device);
          const square = await convolve({ input: [2, 64, 20, 18], outputs: 72, padding: 1 });
          results.push([
            ...square,
            ...(await convolve({ input: [2, 33, 30, 18], outputs: 56, padding: 2, kernel: [5, 5] })),
          ]);
        } finally {
          await device.close();
        }
      }
      assert.deepEqual(results[1], results[0]);
      assert.deepEqual(results[2], results[0]);
    });
  }
});
