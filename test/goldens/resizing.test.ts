/** Pooling and upsampling, forward and gradient, as PyTorch computes them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fovea from "../../src/index.js";
import { bedOfNails, grad, mean, mul, stochasticPool2d, sum, Tensor, tensor, zeros } from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

interface Case {
  readonly name: string;
  readonly arguments: readonly unknown[];
}

const golden = new Golden<Case>("resizing");

function apply({ name, arguments: rest }: Case, x: Tensor): Tensor {
  const found = Object.entries<unknown>({ ...fovea }).find(([key]) => key === name)?.[1];
  assert.ok(typeof found === "function", name);
  const result: unknown = Reflect.apply(found, undefined, [x, ...rest]);
  assert.ok(result instanceof Tensor);
  return result;
}

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`PyTorch's pooling and upsampling on ${name}`, { skip: reason }, () => {
    golden.cases.forEach((each, i) => {
      it(`${each.name} ${i} ${JSON.stringify(each.arguments)}`, async () => {
        if (device === undefined) return;
        useDevice(device);
        const x = golden.tensor(`${i}.x`);
        const y = apply(each, x);
        assert.deepEqual(y.shape, golden.get(`${i}.y`).shape);
        const [gradient] = grad(sum(mul(y, golden.tensor(`${i}.upstream`))), [x]);
        assertClose(await y.data(), golden.get(`${i}.y`).data, 1e-5, "output");
        assertClose(await gradient.data(), golden.get(`${i}.gx`).data, 1e-5, "gradient");
      });
    });

    it("stochastic pooling picks in proportion, and averages when evaluating", async () => {
      if (device === undefined) return;
      useDevice(device);
      fovea.manualSeed(7);
      const window = tensor([
        [
          [
            [1, 3],
            [0, -2],
          ],
        ],
      ]);
      // Σ a² / Σ a over the positive elements.
      assert.equal(await stochasticPool2d(window, 2, { training: false }).item(), 2.5);
      const many = fovea.expand(window, [4000, 1, 2, 2]);
      const picked = await stochasticPool2d(many, 2).data();
      const threes = picked.filter((value) => value === 3).length;
      assert.equal(picked.filter((value) => value === 1).length + threes, 4000);
      // 3000 expected, with a standard deviation of 27.
      assert.ok(Math.abs(threes - 3000) < 140, `${threes} of 4000`);
      fovea.manualSeed(7);
      assert.deepEqual(await stochasticPool2d(many, 2).data(), picked);
      assert.notDeepEqual(await stochasticPool2d(many, 2).data(), picked);
      assert.deepEqual(await stochasticPool2d(zeros([1, 1, 2, 2]), 2).array(), [[[[0]]]]);
      const [gradient] = grad(sum(stochasticPool2d(window, 2)), [window]);
      const shares = await gradient.data();
      assert.equal(
        shares.reduce((total, value) => total + value, 0),
        1,
      );
    });
  });
}

describe("pooling and upsampling", () => {
  useDevice(referenceDevice);

  it("puts elements on a bed of nails", async () => {
    const expected = [
      [
        [
          [1, 0, 2, 0],
          [0, 0, 0, 0],
        ],
      ],
    ];
    assert.deepEqual(await bedOfNails(tensor([[[[1, 2]]]]), 2).array(), expected);
  });

  it("averages channels over all places", () => {
    assert.deepEqual(fovea.globalAvgPool(zeros([2, 3, 4, 5, 6])).shape, [2, 3]);
    assert.deepEqual(mean(zeros([2, 3]), 1).shape, [2]);
  });

  const [picture, sound] = [zeros([1, 3, 8, 8]), zeros([1, 3, 8])];
  const mistakes: [string, () => unknown, RegExp][] = [
    ["a picture where there should be a sound", () => fovea.maxPool1d(picture, 2), /maxPool1d: .*Expected N×C×L/],
    [
      "a window larger than the input",
      () => fovea.avgPool1d(sound, 9),
      /a window of 9 does not fit into the input of 8/,
    ],
    ["too much padding", () => fovea.maxPool1d(sound, 2, { padding: 2 }), /more than half of the window/],
    ["no scale", () => fovea.upsample(picture, {}), /either a size or a scale/],
    ["a scale of nothing", () => fovea.upsample(picture, { scale: 0 }), /Expected a number above 0/],
    ["channels that cannot be shuffled", () => fovea.pixelShuffle(picture, 2), /2² = 4 divides/],
    ["an exponent below 0", () => fovea.lpPool2d(picture, 2, { p: -1 }), /a number above 0/],
    ["sizes of nothing", () => fovea.adaptiveAvgPool2d(picture, 0), /Expected an integer of 1 or more/],
  ];
  for (const [what, call, message] of mistakes) it(`refuse ${what}`, () => void assert.throws(call, message));
});
