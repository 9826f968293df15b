/** Max pooling with indices and unpooling, forward and gradient, as PyTorch computes them. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  grad,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2dWithIndices,
  maxPool3dWithIndices,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
  mul,
  nn,
  type PoolOptions,
  sum,
  tensor,
} from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";

interface Case {
  readonly axes: 1 | 2 | 3;
  readonly kernel: number | readonly number[];
  readonly options: PoolOptions & { readonly padding: number | readonly number[] };
  /** Whether no two windows have the same winner. */
  readonly unpool: boolean;
}

const golden = new Golden<Case>("unpooling");
const pools = { 1: maxPool1dWithIndices, 2: maxPool2dWithIndices, 3: maxPool3dWithIndices } as const;
const unpools = { 1: maxUnpool1d, 2: maxUnpool2d, 3: maxUnpool3d } as const;
const layers = { 1: nn.MaxUnpool1d, 2: nn.MaxUnpool2d, 3: nn.MaxUnpool3d } as const;

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`PyTorch's max pooling with indices on ${name}`, { skip: reason }, () => {
    golden.cases.forEach(({ axes, kernel, options, unpool }, i) => {
      const what = `${golden.get(`${i}.x`).shape.join("×")} by ${kernel}, ${JSON.stringify(options)}`;
      it(`of ${what}`, async () => {
        if (device === undefined) return;
        useDevice(device);
        const x = golden.tensor(`${i}.x`);
        const { values, indices } = pools[axes](x, kernel, options);
        const [gx] = grad(sum(mul(values, golden.tensor(`${i}.upstream`))), [x]);
        assert.deepEqual(values.shape, golden.get(`${i}.y`).shape);
        assert.deepEqual(
          [await values.data(), await indices.data()],
          [golden.get(`${i}.y`).data, golden.get(`${i}.indices`).data],
        );
        assertClose(await gx.data(), golden.get(`${i}.gx`).data, 1e-6, "gradient");
      });

      if (!unpool) return;
      it(`and back, from ${what}`, async () => {
        if (device === undefined) return;
        useDevice(device);
        const size = golden.get(`${i}.x`).shape.slice(2);
        const [values, indices] = [golden.tensor(`${i}.values`), golden.labels(`${i}.indices`)];
        const z = unpools[axes](values, indices, size);
        const [gv] = grad(sum(mul(z, golden.tensor(`${i}.back`))), [values]);
        assert.deepEqual(z.shape, golden.get(`${i}.z`).shape);
        assert.deepEqual(await z.data(), golden.get(`${i}.z`).data);
        assertClose(await gv.data(), golden.get(`${i}.gv`).data, 1e-6, "gradient");
        const layer = new layers[axes](kernel, options);
        assert.deepEqual(await layer(values, indices, size).data(), golden.get(`${i}.z`).data);
      });
    });

    it("adds values that share a position, and refuses positions outside", async () => {
      if (device === undefined) return;
      useDevice(device);
      const { values, indices } = maxPool1dWithIndices(tensor([[[1, 5, 2]]]), 2, { stride: 1 });
      assert.deepEqual(await maxUnpool1d(values, indices, 3).array(), [[[0, 10, 0]]]);
      assert.deepEqual(await maxPool1d(tensor([[[1, 5, 2]]]), 2, { stride: 1 }).array(), [[[5, 5]]]);
      for (const place of [3, -1]) {
        const wrong = tensor([[[0, place]]], { dtype: "int32" });
        await assert.rejects(
          async () => await maxUnpool1d(tensor([[[1, 2]]]), wrong, 3).data(),
          (error) =>
            error instanceof Error &&
            error.message.includes(String(place)) &&
            /expected 0 … 2\. Fix: the size of what was pooled/.test(error.message),
        );
      }
    });
  });
}

describe("MaxUnpool", () => {
  const back = (kernel: number, options: nn.MaxUnpoolOptions, size?: number) => {
    useDevice(referenceDevice);
    const { values, indices } = maxPool1dWithIndices(tensor([[[3, 1, 4, 1, 5, 9, 2]]]), kernel, options);
    return new nn.MaxUnpool1d(kernel, options)(values, indices, size);
  };

  it("gives the smallest size unless told another, and refuses one that cannot be", async () => {
    assert.deepEqual(await back(2, {}).array(), [[[3, 0, 4, 0, 0, 9]]]);
    assert.deepEqual(await back(2, {}, 7).array(), [[[3, 0, 4, 0, 0, 9, 0]]]);
    assert.deepEqual(back(3, { stride: 2, padding: 1 }).shape, [1, 1, 7]);
    assert.throws(
      () => back(2, {}, 8),
      /MaxUnpool1d: the output size is 8.*Expected 6, or less than one step away. Fix:/,
    );
    assert.throws(() => back(2, {}, 0), /the output size is 0. Expected an integer of 1 or more/);
  });

  it("shows its settings", () => {
    assert.equal(
      new nn.MaxUnpool2d(3, { stride: 2, padding: 1, dilation: 2 }).describe(),
      "kernel [3, 3], stride [2, 2], padding [1, 1], dilation [2, 2]",
    );
  });

  it("refuses values and indices that do not belong together", () => {
    useDevice(referenceDevice);
    const { values, indices } = maxPool2dWithIndices(
      tensor([
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
      ]),
      1,
    );
    assert.throws(
      () => maxUnpool2d(values, indices.slice(0).unsqueeze(0).slice(null, null, [0, 1]), [2, 2]),
      /maxUnpool2d: .*Expected N×C×H×W twice. Fix: pass on both results of maxPool2dWithIndices/,
    );
    assert.throws(() => maxUnpool1d(values, indices, 4), /Expected N×C×L twice/);
  });
});
