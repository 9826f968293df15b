/** `benchmark`: what a model is like afterwards. Its numbers are in test/cli/bench.test.ts. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { benchmark } from "../../src/analysis/index.js";
import { nn, normal } from "../../src/index.js";
import { kernelDevices, useDevice } from "../support/devices.js";

/** Its convolution goes by Winograd's algorithm, whose transformed weights are kept from run to run. */
const build = () =>
  new nn.Sequential(
    ...[new nn.Conv2d(32, 32, 3, { padding: 1 }), new nn.BatchNorm2d(32), new nn.ReLU()],
    ...[new nn.Flatten(), new nn.Linear(32 * 8 * 8, 3)],
  );

for (const { name, device, reason } of kernelDevices) {
  describe(`benchmark on ${name}`, { skip: reason }, () => {
    it("leaves a model that evaluates as it was", async () => {
      if (device !== undefined) useDevice(device);
      const [model, x] = [build().eval(), normal([2, 32, 8, 8])];
      const [scores, saved] = [await model(x).data(), await model.stateDict()];
      await benchmark(model, [2, 32, 8, 8], { rounds: 1 });
      assert.deepEqual(await model(x).data(), scores);
      assert.deepEqual(await model.stateDict(), saved);
      assert.equal(model.training, false);
    });

    it("trains a model, which then evaluates with its new weights", async () => {
      if (device !== undefined) useDevice(device);
      const [model, x] = [build().eval(), normal([2, 32, 8, 8])];
      const before = await model(x).data();
      const { work } = await benchmark(model, [2, 32, 8, 8], { training: true, rounds: 1 });
      assert.ok(
        work.some(({ ops }) => ops.includes("conv2dWeightGradient")),
        "no gradient of weights",
      );
      assert.equal(model.training, false);
      const after = await model(x).data();
      assert.notDeepEqual(after, before);
      const copy = build().eval();
      copy.loadStateDict(await model.stateDict());
      assert.deepEqual(await copy(x).data(), after);
    });

    it("refuses numbers of rounds that are none", async () => {
      if (device !== undefined) useDevice(device);
      await assert.rejects(benchmark(build(), [2, 32, 8, 8], { rounds: 1.5 }), /benchmark: rounds is 1\.5\. Expected/);
    });
  });
}
