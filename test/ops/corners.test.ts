/** Inputs at which functions have nothing to hold on to: windows that see nothing, equal values, infinities. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  add,
  avgPool2d,
  cast,
  compile,
  conv2d,
  GradientError,
  grad,
  maxPool1d,
  maxPool2d,
  mul,
  normal,
  ones,
  ShapeError,
  std,
  sum,
  type Tensor,
  tensor,
  topk,
} from "fovea";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";

describe("pooling", () => {
  it("refuses dilated windows that step over the whole input", () => {
    useDevice(referenceDevice);
    const options = { dilation: 4, padding: 2, stride: 1 };
    assert.throws(
      () => maxPool2d(ones([1, 1, 1, 9]), 2, options),
      (error) => {
        assert.ok(error instanceof ShapeError);
        assert.match(error.message, /maxPool2d: .*height of 1.*4 apart.*Fix: a smaller dilation/);
        return true;
      },
    );
    assert.throws(() => maxPool1d(ones([1, 1, 2]), 2, { dilation: 3, padding: 1 }), /length of 2.*3 apart/);
    // The same dilation where every window sees something.
    assert.deepEqual(maxPool2d(ones([1, 1, 4, 9]), 2, options).shape, [1, 1, 4, 9]);
    assert.deepEqual(avgPool2d(ones([1, 1, 1, 1]), 3, { padding: 1, stride: 1 }).shape, [1, 1, 1, 1]);
  });
});

describe("gradients", () => {
  it("for what was drawn at random do not ask how it was drawn; what it was drawn from has none", async () => {
    useDevice(referenceDevice);
    const x = normal([3]);
    assert.deepEqual(await grad(sum(mul(x, 2)), [x])[0].array(), [2, 2, 2]);
    const y = tensor([1, 2]);
    assert.throws(() => grad(sum(cast(cast(y, "int32"), "float32")), [y]), GradientError);
  });
});

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`corners on ${name}`, { skip: reason }, () => {
    // Such rows are worked on together, each thread's beside those of another.
    it("columns that fill no vector are summed as soon as they are made", async () => {
      if (device === undefined) return;
      useDevice(device);
      const call = compile((x: Tensor) => {
        const doubled = add(x, x);
        return [doubled, sum(doubled, 1)];
      });
      const [length, columns] = [4, 9];
      const x = Float32Array.from({ length: 2000 * length * columns }, (_, i) => i % 101);
      const [doubled, sums] = await call(tensor(x, [2000, length, columns]));
      const expected = Float32Array.from({ length: 2000 * columns }, (_, i) => {
        const row = Math.floor(i / columns);
        return Array.from({ length }, (_, k) => 2 * x[(row * length + k) * columns + (i % columns)]).reduce(
          (a, b) => a + b,
        );
      });
      assert.deepEqual(await sums.data(), expected);
      assert.deepEqual(
        await doubled.data(),
        x.map((value) => 2 * value),
      );
    });

    it("one channel under a kernel of many taps has a gradient, too", async () => {
      if (device === undefined) return;
      const gradientsOf = async () => {
        const x = tensor(
          Float32Array.from({ length: 2 * 20 * 20 }, (_, i) => Math.sin(i)),
          [2, 1, 20, 20],
        );
        const weight = tensor(
          Float32Array.from({ length: 3 * 18 * 18 }, (_, i) => Math.cos(i)),
          [3, 1, 18, 18],
        );
        const y = conv2d(x, weight, null, { padding: 1 });
        return Promise.all(grad(sum(mul(y, y)), [x, weight]).map((gradient) => gradient.data()));
      };
      useDevice(referenceDevice);
      const expected = await gradientsOf();
      useDevice(device);
      for (const [i, values] of (await gradientsOf()).entries()) {
        const largest = Math.max(...expected[i].map(Math.abs));
        for (const [j, value] of values.entries()) assert.ok(Math.abs(value - expected[i][j]) < 1e-5 * largest);
      }
    });

    it("the gradient of the standard deviation of equal values is 0", async () => {
      if (device === undefined) return;
      useDevice(device);
      const x = ones([2, 4]);
      assert.deepEqual([...(await std(x, 1).data())], [0, 0]);
      assert.deepEqual([...(await grad(sum(std(x, 1)), [x])[0].data())], [0, 0, 0, 0, 0, 0, 0, 0]);
      assert.ok((await std(tensor([Number.NaN, 1, 2])).data()).every(Number.isNaN));
    });

    it("topk names each element once, infinite ones too", async () => {
      if (device === undefined) return;
      useDevice(device);
      const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
      const { values, indices } = topk(
        tensor([
          [low, low, 1, low],
          [2, high, low, high],
        ]),
        3,
      );
      assert.deepEqual([...(await indices.data())], [2, 0, 1, 1, 3, 0]);
      assert.deepEqual([...(await values.data())], [1, low, low, high, high, 2]);
    });
  });
}

describe("tensor", () => {
  it("takes a typed array as it is with copy: false, and copies it without", async () => {
    useDevice(referenceDevice);
    const values = Float32Array.of(1, 2, 3);
    const [taken, copied] = [tensor(values, [3], { copy: false }), tensor(values)];
    values[1] = 20;
    assert.deepEqual([...(await mul(taken, 2).data())], [2, 40, 6]);
    assert.deepEqual([...(await mul(copied, 2).data())], [2, 4, 6]);
    assert.equal(tensor(Int32Array.of(1), { copy: false }).dtype, "int32");
    assert.equal(tensor(new Uint8Array(4), [2, 2], { copy: false }).dtype, "uint8");
  });

  it("says why an array cannot be taken as it is", () => {
    const refused = /tensor: \w+Array cannot be \w+ without being copied\. Expected .*Fix: leave copy out\./;
    const options = { copy: false } as const;
    assert.throws(() => tensor(new Float64Array(3), options), refused);
    assert.throws(() => tensor(new Uint8Array(3), { dtype: "float32", ...options }), refused);
    assert.throws(() => tensor(new Uint8Array(3), { dtype: "bool", ...options }), refused);
    assert.throws(() => tensor(new Float32Array(new SharedArrayBuffer(8)), [2], options), refused);
    assert.throws(() => tensor(new Float32Array(3), [2], options), /3 values do not fill 2/);
  });
});
