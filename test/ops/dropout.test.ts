/** Dropout of elements and of whole feature maps. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dropout, featureDropout, manualSeed, nn, ones, zeros } from "../../src/index.js";
import { kernelDevices, useDevice } from "../support/devices.js";

for (const { name, device, reason } of kernelDevices) {
  describe(`dropout on ${name}`, { skip: reason }, () => {
    it("drops a share of the elements and scales the others", async () => {
      if (device === undefined) return;
      useDevice(device);
      manualSeed(3);
      const values = await dropout(ones([100, 100]), 0.2).data();
      const dropped = values.filter((value) => value === 0).length;
      // 2000 expected, with a standard deviation of 40.
      assert.ok(Math.abs(dropped - 2000) < 200, `${dropped} of 10000`);
      assert.ok(values.every((value) => value === 0 || value === 1.25));
    });

    it("of feature maps drops all of a map or nothing, as the seed says", async () => {
      if (device === undefined) return;
      useDevice(device);
      const layer = new nn.FeatureDropout(0.5);
      const maps = ones([20, 10, 3, 4]);
      const drop = async () => {
        const values = await layer(maps).data();
        return Array.from({ length: 200 }, (_, map) => [...values.subarray(map * 12, map * 12 + 12)]);
      };
      manualSeed(5);
      const first = await drop();
      for (const map of first) assert.ok(map.every((value) => value === map[0] && (value === 0 || value === 2)));
      const kept = first.filter(([value]) => value === 2).length;
      assert.ok(kept > 70 && kept < 130, `${kept} of 200 maps were kept`);
      assert.notDeepEqual(await drop(), first);
      manualSeed(5);
      assert.deepEqual(await drop(), first);
      layer.eval();
      assert.ok((await layer(maps).data()).every((value) => value === 1));
    });
  });
}

describe("dropout", () => {
  it("refuses probabilities that are none, and inputs without maps", () => {
    assert.throws(() => dropout(zeros([2]), 1.5), /probability is 1.5. Expected 0 … 1/);
    assert.throws(() => new nn.FeatureDropout(-1), /probability is -1/);
    assert.throws(() => featureDropout(zeros([2, 3])), /Expected N×C×…/);
  });
});
