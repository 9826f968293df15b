/** What depends on what: receptive fields, how often pixels are used, and pictures that move. */

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { sizeOf } from "../../src/core/shape.js";
import {
  conv1d,
  conv2d,
  equivarianceError,
  grad,
  manualSeed,
  maxPool2d,
  moves,
  nn,
  normal,
  ones,
  relu,
  sum,
  type Tensor,
  tensor,
  vision,
  zeros,
} from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { assertGrid } from "./grid.js";

before(() => {
  useDevice(anyDevice());
  manualSeed(3);
});

/** How many rows and columns of the input have a part in the middle of the output: those with a gradient. */
async function receptiveField(net: (x: Tensor) => Tensor, side = 33): Promise<[rows: number, columns: number]> {
  const x = normal([1, 1, side, side]);
  const y = net(x);
  const [row, column] = y.shape.slice(2).map((length) => Math.floor(length / 2));
  const [gradient] = grad(sum(y.slice(null, null, [row, row + 1], [column, column + 1])), [x]);
  const values = await gradient.data();
  const seen = [...values].flatMap((value, i) => (value === 0 ? [] : [i]));
  const span = (places: readonly number[]) => Math.max(...places) - Math.min(...places) + 1;
  return [span(seen.map((i) => Math.floor(i / side))), span(seen.map((i) => i % side))];
}

const layers = (count: number, kernel: number, options: { stride?: number; dilation?: number } = {}) =>
  new nn.Sequential(...Array.from({ length: count }, () => new nn.Conv2d(1, 1, kernel, options)));

describe("receptive fields in the lectures, as gradients show them", () => {
  for (const [depth, expected] of [
    [1, 3],
    [2, 5],
    [3, 7],
  ]) {
    it(`L4: after ${depth} layers of 3×3 it is ${expected}×${expected}, 1 + L·(K − 1)`, async () => {
      const net = layers(depth, 3);
      assert.deepEqual(await receptiveField((x) => net(x)), [expected, expected]);
      assert.equal(1 + depth * (3 - 1), expected);
    });
  }

  it("L4: one layer of 7×7 sees as far as three of 3×3", async () => {
    const net = layers(1, 7);
    assert.deepEqual(await receptiveField((x) => net(x)), [7, 7]);
  });

  it("L4: a stride or pooling between makes it grow faster", async () => {
    const strided = layers(3, 3, { stride: 2 });
    assert.deepEqual(await receptiveField((x) => strided(x)), [15, 15]);
    const [first, second] = [new nn.Conv2d(1, 1, 3), new nn.Conv2d(1, 1, 3)];
    // Pooling takes one of four elements, so the gradient reaches 3 + 1 … of what is seen: the field is at most 8.
    const [rows] = await receptiveField((x) => second(maxPool2d(relu(first(x).add(9) as Tensor), 2)));
    assert.ok(rows > 5 && rows <= 8, `${rows} rows`);
  });

  it("L0: dilation widens it without more weights", async () => {
    const net = layers(1, 3, { dilation: 4 });
    assert.deepEqual(await receptiveField((x) => net(x)), [9, 9]);
    assert.equal(sizeOf(net.parameters()[0].shape), 9);
  });

  it("L1: with a kernel of 3, h₃ depends on x₂, x₃ and x₄ only", async () => {
    const x = normal([1, 1, 5]);
    const h = conv1d(x, tensor([[[1, 2, 3]]]), null, { padding: 1 });
    const [gradient] = grad(sum(h.slice(0, 0, 2)), [x]);
    await assertGrid(gradient.reshape([1, 5]), "0 1 2 3 0");
  });
});

describe("L4, how often each pixel is used", () => {
  // The gradient of the sum of all outputs counts the windows that cover a pixel.
  for (const [kernel, expected] of [
    [1, "1 1 1 1 1\n1 1 1 1 1\n1 1 1 1 1\n1 1 1 1 1\n1 1 1 1 1"],
    [2, "1 2 2 2 1\n2 4 4 4 2\n2 4 4 4 2\n2 4 4 4 2\n1 2 2 2 1"],
    [3, "1 2 3 2 1\n2 4 6 4 2\n3 6 9 6 3\n2 4 6 4 2\n1 2 3 2 1"],
  ] as const) {
    it(`by ${kernel}×${kernel} kernels: borders get less attention`, async () => {
      const x = zeros([1, 1, 5, 5]);
      const [uses] = grad(sum(conv2d(x, ones([1, 1, kernel, kernel]))), [x]);
      await assertGrid(uses, expected);
    });
  }

  it("with padding 1 and 3×3 it is 4 in the corners, 6 at the sides, 9 inside", async () => {
    const x = zeros([1, 1, 4, 4]);
    const [uses] = grad(sum(conv2d(x, ones([1, 1, 3, 3]), null, { padding: 1 })), [x]);
    await assertGrid(uses, "4 6 6 4\n6 9 9 6\n6 9 9 6\n4 6 6 4");
  });
});

describe("L1 and L4, moved pictures", () => {
  const inputs = () => normal([2, 1, 12, 12]);
  const conv = (x: Tensor) => vision.applyKernel(x, vision.emboss(), { paddingMode: "circular" });

  it("convolution moves with the picture (equivariance)", async () => {
    assert.ok((await equivarianceError(conv, moves.shift(2, 3), { inputs: inputs() })) < 1e-6);
  });

  it("convolution does not turn or grow with it", async () => {
    assert.ok((await equivarianceError(conv, moves.rotate90(1), { inputs: inputs() })) > 0.1);
    assert.ok((await equivarianceError(conv, moves.scale(2), { inputs: inputs() })) > 0.1);
  });

  it("a fully connected layer does neither", async () => {
    const layer = new nn.Linear(144, 144);
    const net = (x: Tensor) => layer(x.reshape([-1, 144])).reshape([-1, 1, 12, 12]);
    assert.ok((await equivarianceError(net, moves.shift(2, 3), { inputs: inputs() })) > 0.1);
  });

  it("the largest response does not change at all (invariance)", async () => {
    const net = (x: Tensor) => maxPool2d(conv(x), 12);
    assert.equal(await equivarianceError(net, moves.shift(5, 1), { inputs: inputs(), invariant: true }), 0);
  });

  it("L1: in time, a timeline of when the feature appeared: an event that comes later is found later", async () => {
    const event = [0, 1, -1, 0];
    const at = (time: number) => tensor([[Array.from({ length: 12 }, (_, t) => event[t - time] ?? 0)]]);
    const when = async (time: number) =>
      await conv1d(at(time), tensor([[event]]))
        .argmax(2)
        .item();
    assert.deepEqual([await when(0), await when(3), await when(7)], [0, 3, 7]);
  });
});
