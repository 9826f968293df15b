/** Output sizes and what fills them: ⌊(i + 2p − k) / s⌋ + 1, its exceptions, and parameters counted by hand. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sizeOf } from "../../src/core/shape.js";
import {
  avgPool2d,
  conv1d,
  conv2d,
  maxPool1d,
  maxPool2d,
  nn,
  onWarning,
  type Padding,
  type Tensor,
  zeros,
} from "../../src/index.js";
import { referenceDevice, useDevice } from "../support/devices.js";

useDevice(referenceDevice);

/** Warnings about borders come once each; the first test here is not the only one that causes them. */
const warnings: string[] = [];
onWarning((message) => warnings.push(message));

/** The length that a convolution makes of `i` elements. */
function size(i: number, k: number, s: number, padding: Padding): number {
  return conv1d(zeros([1, 1, i]), zeros([1, 1, k]), null, { stride: s, padding }).shape[2];
}

function parametersOf(layer: nn.ModuleBase): number {
  return layer.parameters().reduce((total, { shape }) => total + sizeOf(shape), 0);
}

describe("sizes in the lectures", () => {
  for (const { deck, i, k, s, p, o } of [
    { deck: "L1", i: 6, k: 3, s: 1, p: 0, o: 4 },
    { deck: "L1", i: 8, k: 3, s: 1, p: 0, o: 6 },
    { deck: "L2, no padding", i: 4, k: 3, s: 1, p: 0, o: 2 },
    { deck: "L2, arbitrary padding", i: 5, k: 4, s: 1, p: 2, o: 6 },
    { deck: "L2, half padding", i: 5, k: 3, s: 1, p: 1, o: 5 },
    { deck: "L2, full padding (the deck forgets the + 1 and prints 6)", i: 5, k: 3, s: 1, p: 2, o: 7 },
    { deck: "L2, no padding, a stride", i: 5, k: 3, s: 2, p: 0, o: 2 },
    { deck: "L2, padding and a stride", i: 6, k: 3, s: 2, p: 1, o: 3 },
    { deck: "L4, stride 1", i: 7, k: 3, s: 1, p: 0, o: 5 },
    { deck: "L4, stride 2", i: 7, k: 3, s: 2, p: 0, o: 3 },
  ]) {
    it(`${deck}: ${i} elements, a kernel of ${k}, stride ${s}, padding ${p}: ${o}`, () => {
      assert.equal(size(i, k, s, p), o);
    });
  }

  it('L2: half padding and full padding have names: "same" and "full"', () => {
    assert.equal(size(5, 3, 1, "same"), 5);
    assert.equal(size(5, 3, 1, "full"), 5 + 2 * (3 - 1) - (3 - 1));
    assert.equal(size(5, 3, 1, "valid"), 3);
  });

  it("L4: (7 − 3) / 3 + 1 = 2.33 does not fit: the last column is left out, and a warning says so", () => {
    warnings.length = 0;
    assert.equal(size(7, 3, 3, 0), 2);
    assert.match(
      warnings.join(),
      /windows of 3 at steps of 3 leave out the last 1 of 7 elements\. Mend: 2 more of padding/,
    );
  });

  it("L3: 6×6 with 3×3 at a stride of 2 does not click: 2.5×2.5, of which 2×2 are computed", () => {
    warnings.length = 0;
    assert.deepEqual(conv2d(zeros([1, 1, 6, 6]), zeros([1, 1, 3, 3]), null, { stride: 2 }).shape, [1, 1, 2, 2]);
    assert.match(warnings.join(), /leave out the last 1 of 6 rows.*leave out the last 1 of 6 columns/s);
    // One zero on one side is enough.
    warnings.length = 0;
    const mended = conv2d(zeros([1, 1, 6, 6]), zeros([1, 1, 3, 3]), null, { stride: 2, padding: [0, 1, 0, 1] });
    assert.deepEqual([mended.shape, warnings], [[1, 1, 3, 3], []]);
  });

  it("L4 rounds pooling sizes up, L2 down: both exist", () => {
    for (const [n, p, s] of [
      [6, 3, 2],
      [7, 3, 3],
      [10, 4, 4],
      [8, 2, 2],
    ]) {
      const pooled = (ceilMode: boolean) => maxPool1d(zeros([1, 1, n]), p, { stride: s, ceilMode }).shape[2];
      assert.equal(pooled(false), Math.floor((n - p) / s) + 1);
      assert.equal(pooled(true), Math.ceil((n - p) / s) + 1);
    }
  });

  it("L4: padding an even kernel adds F/2 on one side and F/2 − 1 on the other", () => {
    const [x, w] = [zeros([1, 1, 9]), zeros([1, 1, 4])];
    assert.equal(conv1d(x, w, null, { padding: [1, 2] }).shape[2], 9);
    assert.equal(conv1d(x, w, null, { padding: "same" }).shape[2], 9);
  });

  it("L4's P = S⌈N/S⌉ − N leaves out the kernel: ⌈N/S⌉ outputs take max((⌈N/S⌉ − 1)·S + F − N, 0) zeros", () => {
    let wrong = 0;
    for (let n = 3; n <= 12; n++) {
      for (let f = 1; f <= 5; f++) {
        for (let s = 1; s <= 4; s++) {
          const wanted = Math.ceil(n / s);
          const total = Math.max((wanted - 1) * s + f - n, 0);
          const sides = [Math.floor(total / 2), Math.ceil(total / 2)];
          assert.equal(size(n, f, s, sides), wanted, `${n} elements, a kernel of ${f}, stride ${s}`);
          assert.equal(size(n, f, s, "same"), wanted);
          const printed = s * Math.ceil(n / s) - n;
          if (printed + n < f || size(n, f, s, [0, printed]) !== wanted) wrong++;
        }
      }
    }
    // The deck's formula fails already for its own example: 7 elements, a kernel of 3, stride 1 need 2 zeros, not 0.
    assert.equal(1 * Math.ceil(7 / 1) - 7, 0);
    assert.equal(size(7, 3, 1, 0), 5);
    assert.ok(wrong > 80, `${wrong} of 200 cases`);
  });

  it("L4: 32×32×3 through ten 5×5 filters with padding 2 stays 32×32, ten deep", () => {
    const layer = new nn.Conv2d(3, 10, 5, { padding: 2 });
    assert.deepEqual(layer(zeros([1, 3, 32, 32])).shape, [1, 10, 32, 32]);
  });

  it("L1: AlexNet begins with 227 → 55 → 27", () => {
    const conv = new nn.Conv2d(3, 96, 11, { stride: 4 });
    const maps: Tensor = conv(zeros([1, 3, 227, 227]));
    assert.deepEqual(maps.shape, [1, 96, 55, 55]);
    assert.deepEqual(maxPool2d(maps, 3, { stride: 2 }).shape, [1, 96, 27, 27]);
  });

  it("L4: pooling keeps the depth and has no parameters", () => {
    assert.deepEqual(avgPool2d(zeros([1, 64, 24, 24]), 2).shape, [1, 64, 12, 12]);
    assert.equal(parametersOf(new nn.MaxPool2d(2)), 0);
  });
});

describe("parameters in the lectures, counted from the layers", () => {
  const cases: readonly (readonly [string, () => nn.ModuleBase, number])[] = [
    ["L1: 100 filters of 3×3 on RGB, 3·3·3 + 1 = 28 each", () => new nn.Conv2d(3, 100, 3, { padding: 1 }), 2800],
    ["L1: AlexNet's first layer without biases", () => new nn.Conv2d(3, 96, 11, { stride: 4, bias: false }), 34_848],
    [
      "L1: GoogLeNet's first layer, 7·7·3·64 (its table says 2.7K)",
      () => new nn.Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false }),
      9408,
    ],
    [
      "L2: 200×200 → 500 → 200, fully connected, without biases",
      () => new nn.Sequential(new nn.Linear(200 * 200, 500, { bias: false }), new nn.Linear(500, 200, { bias: false })),
      20_100_000,
    ],
    ["L2: kernels of 5×3×8×8", () => new nn.Conv2d(3, 5, 8, { bias: false }), 960],
    [
      "L3: 7×7×3 filters, unshared, at 24×24 places, 5 deep",
      () => new nn.LocallyConnected2d(3, 5, 7, 30, { bias: false }),
      423_360,
    ],
    ["L4: ten 5×5 filters on RGB, 76 each", () => new nn.Conv2d(3, 10, 5, { padding: 2 }), 760],
    ["L4: one 7×7 layer of C = 16 channels, 49·C²", () => new nn.Conv2d(16, 16, 7, { bias: false }), 49 * 16 ** 2],
    [
      "L4: three 3×3 layers of C = 16 channels see as far with 27·C²",
      () => new nn.Sequential(...[0, 1, 2].map(() => new nn.Conv2d(16, 16, 3, { bias: false }))),
      27 * 16 ** 2,
    ],
  ];
  for (const [title, make, expected] of cases) it(title, () => assert.equal(parametersOf(make()), expected));

  it("L3: unshared filters have as many times the weights as there are places", () => {
    const shared = parametersOf(new nn.Conv2d(3, 5, 7, { bias: false }));
    assert.equal(423_360, 24 * 24 * shared);
  });
});
