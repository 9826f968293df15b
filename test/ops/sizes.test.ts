/**
 * Kernels cut their work into vectors, tiles, blocks and bands; the samples of the ops are too small to meet all edges of
 * these. Here sizes are drawn at random, many of them next to such an edge, and results and gradients compared with the
 * definitions.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { RandomStream } from "../../src/core/philox.js";
import { avgPool2d, conv2d, grad, linear, matmul, max, maxPool2d, mul, sum, type Tensor } from "../../src/index.js";
import { tensorOver } from "../../src/ops/create.js";
import { transpose } from "../../src/ops/shape/permute.js";
import { delayed, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { assertClose, seed } from "../support/numbers.js";

/** Results, and the gradients of a weighted sum of them, are compared. */
const tolerance = 1e-5;

/** Inputs by their shape, and what is made of them. */
interface Case {
  readonly title: string;
  readonly shapes: readonly (readonly number[])[];
  readonly make: (...inputs: Tensor[]) => Tensor;
}

class Draw extends RandomStream {
  pick<T>(list: readonly T[]): T {
    return list[this.integer(list.length)];
  }

  /** From `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.integer(most - least + 1);
  }

  /** A length next to the end of a vector, a tile or a block, but for one time in three. */
  length(most: number): number {
    const near = [1, 4, 8, 16, 32, 48, 64, 128, 256, 512].filter((edge) => edge <= most);
    const length = this.integer(3) === 0 ? this.between(1, most) : this.pick(near) + this.between(-1, 1);
    return Math.max(1, Math.min(most, length));
  }
}

function matrixProduct(draw: Draw): Case {
  const kind = draw.pick(["linear", "matmul", "Aᵀ·B", "batch"] as const);
  const depth = draw.length(draw.pick([40, 700]));
  const [rows, columns] = [draw.length(draw.pick([6, 70])), draw.length(draw.pick([5, 70]))];
  const title = `${kind} ${rows}×${depth}×${columns}`;
  const [a, b] = [
    [rows, depth],
    [depth, columns],
  ];
  if (kind === "linear") return { title, shapes: [a, [columns, depth]], make: (x, w) => linear(x, w) };
  if (kind === "matmul") return { title, shapes: [a, b], make: matmul };
  if (kind === "Aᵀ·B") return { title, shapes: [[depth, rows], b], make: (x, y) => matmul(transpose(x), y) };
  const batch = draw.between(2, 4);
  return { title, shapes: [[batch, ...a], draw.integer(2) === 0 ? b : [batch, ...b]], make: matmul };
}

function convolution(draw: Draw): Case {
  const pair = (least: number, most: number): [number, number] => [
    draw.between(least, most),
    draw.between(least, most),
  ];
  const [kernel, stride, dilation, padding] = [pair(1, 5), pair(1, 3), pair(1, 2), pair(0, 3)];
  const groups = draw.pick([1, 1, 1, 2, 3]);
  const [inputs, outputs] = [draw.length(draw.pick([3, 18])), draw.length(draw.pick([3, 34]))];
  const size = [0, 1].map((axis) => (kernel[axis] - 1) * dilation[axis] + draw.between(1, draw.pick([4, 18])));
  const batch = draw.pick([1, 2, 3, 9]);
  const options = { stride, dilation, padding, groups };
  return {
    title: `convolution of ${batch}×${groups}·${inputs}×${size.join("×")} to ${groups}·${outputs} by ${kernel.join("×")}, ${JSON.stringify(options)}`,
    shapes: [
      [batch, inputs * groups, ...size],
      [outputs * groups, inputs, ...kernel],
    ],
    make: (x, w) => conv2d(x, w, null, options),
  };
}

/** As in training: many images, so that sums over the batch are cut up. */
function largeBatch(draw: Draw): Case {
  const [batch, inputs, outputs, size] = [draw.between(30, 70), draw.between(1, 6), draw.between(4, 20), 14];
  const padding = draw.between(0, 2);
  return {
    title: `convolution of ${batch}×${inputs}×${size}×${size} to ${outputs} by 5×5, padding ${padding}`,
    shapes: [
      [batch, inputs, size, size],
      [outputs, inputs, 5, 5],
    ],
    make: (x, w) => conv2d(x, w, null, { padding }),
  };
}

function pooling(draw: Draw): Case {
  const kind = draw.pick(["max", "average"] as const);
  const kernel: [number, number] = [draw.between(1, 4), draw.between(1, 4)];
  const stride: [number, number] = [draw.between(1, 3), draw.between(1, 3)];
  const padding: [number, number] = [
    draw.between(0, Math.floor(kernel[0] / 2)),
    draw.between(0, Math.floor(kernel[1] / 2)),
  ];
  const options = { stride, padding, ceilMode: draw.integer(2) === 0, countIncludePad: draw.integer(2) === 0 };
  const shape = [draw.between(1, 3), draw.between(1, 20), kernel[0] + draw.length(20), kernel[1] + draw.length(36)];
  return {
    title: `${kind} pooling of ${shape.join("×")} by ${kernel.join("×")}, ${JSON.stringify(options)}`,
    shapes: [shape],
    make: (x) => (kind === "max" ? maxPool2d(x, kernel, options) : avgPool2d(x, kernel, options)),
  };
}

function reduction(draw: Draw): Case {
  const shape = Array.from({ length: draw.between(1, 4) }, () => draw.length(draw.pick([5, 20])));
  shape[draw.integer(shape.length)] = draw.length(600);
  while (shape.reduce((a, b) => a * b) > 100_000) shape.splice(draw.integer(shape.length), 1);
  const axes = shape.map((_, axis) => axis).filter(() => draw.integer(2) === 0);
  const kind = draw.pick(["sum", "max"] as const);
  return {
    title: `${kind} of ${shape.join("×")} over axes ${axes.join(", ") || "all"}`,
    shapes: [shape],
    make: (x) => (kind === "sum" ? sum(x, axes.length > 0 ? axes : undefined) : max(x, axes[0] ?? 0)),
  };
}

/** How often each is drawn; with delays all that counts is that they are awaited. */
const families: readonly (readonly [(draw: Draw) => Case, count: number])[] = [
  [matrixProduct, 80],
  [convolution, 60],
  [largeBatch, 4],
  [pooling, 50],
  [reduction, 60],
];

async function compute(device: Device, { shapes, make }: Case, number: number) {
  useDevice(device);
  const random = new RandomStream(seed, number, 1);
  const filled = (shape: readonly number[]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensorOver(
      Float32Array.from({ length: size }, () => random.uniform(-1, 1)),
      shape,
      "float32",
    );
  };
  const inputs = shapes.map(filled);
  const result = make(...inputs);
  const gradients = grad(sum(mul(result, filled(result.shape)) as Tensor), inputs);
  return Promise.all([result, ...gradients].map((tensor) => tensor.data()));
}

/** What the definitions give, which takes longer than anything else here. */
const definitions = new Map<number, ReturnType<typeof compute>>();

for (const { name, device, reason } of kernelDevices) {
  describe(`any sizes on ${name} (seed ${seed})`, { skip: reason }, () => {
    families.forEach(([family, count], kind) => {
      const times = delayed ? Math.ceil(count / 5) : count;
      it(`${times} cases: ${family.name}`, async () => {
        if (device === undefined) return;
        for (let n = 0; n < times; n++) {
          const number = 1000 * kind + n;
          const drawn = family(new Draw(seed, number));
          const found = await compute(device, drawn, number);
          const definition = definitions.get(number) ?? compute(referenceDevice, drawn, number);
          definitions.set(number, definition);
          const expected = await definition;
          assert.equal(found.length, expected.length);
          found.forEach((values, i) => {
            const what = i === 0 ? "the result" : `the gradient of input ${i - 1}`;
            // Of sums that happen to be about 0, the number of terms, each of up to 1, says what an error is.
            const terms = Math.max(...drawn.shapes.map((shape) => shape.reduce((a, b) => a * b, 1)));
            const scale = Math.max(1, Math.sqrt(terms) / 20);
            assertClose(values, expected[i], tolerance, `${drawn.title}: ${what}`, scale);
          });
        }
      });
    });
  });
}
