/** Cheap values that several pieces of work need are not kept, with the same results. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fovea from "../../src/index.js";
import { compile, manualSeed, nn, normal, Parameter, SGD, type Tensor, tensor } from "../../src/index.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";

/** Of the working memory that a compiled function takes. */
function megabytes(explanation: string): number {
  const [, size, unit] = /working memory ([\d.]+) (\w+)/.exec(explanation) ?? [];
  return Number(size) * (unit === "MB" ? 1 : unit === "KB" ? 1e-3 : 1e-6);
}

describe("values that are computed again", () => {
  for (const { name, device, reason } of kernelDevices) {
    it(`take no memory on ${name}`, { skip: reason }, async () => {
      if (device === undefined) return;
      useDevice(device);
      manualSeed(3);
      // The product is needed twice: for the means of its columns, and once these are there.
      const centred = (x: Tensor, factor: Tensor): readonly Tensor[] => {
        const scaled = fovea.mul(x, factor);
        return [fovea.sub(scaled, fovea.mean(scaled, 0)), scaled];
      };
      const [x, factor] = [normal([512, 1024]), normal([1024])];
      const again = compile((x: Tensor, factor: Tensor) => centred(x, factor)[0]);
      const kept = compile((x: Tensor, factor: Tensor) => [...centred(x, factor)]);
      const found = await (await again(x, factor)).data();
      const [expected] = await kept(x, factor);
      assert.deepEqual(found, await expected.data());
      assert.ok(megabytes(again.explain()) < 0.5, again.explain());
    });
  }

  for (const { name, device, reason } of kernelDevices) {
    it(`after a long time leave only what they are computed from, on ${name}`, { skip: reason }, async () => {
      if (device === undefined) return;
      const outcomes: number[][] = [];
      for (const each of [device, referenceDevice]) {
        useDevice(each);
        manualSeed(5);
        const layers = Array.from({ length: 5 }, (_, i) => [
          new nn.Conv2d(i === 0 ? 1 : 2, 2, 3, { padding: 1, bias: false }),
          new nn.BatchNorm2d(2),
          new nn.ReLU(),
        ]);
        const model = new nn.Sequential(...layers.flat(), new nn.MaxPool2d(2), new nn.Flatten(), new nn.Linear(512, 3));
        const optimizer = new SGD(model.parameters(), { lr: 0.1 });
        const labels = tensor([0, 1], { dtype: "int32" });
        const step = compile((x: Tensor) => {
          const loss = fovea.crossEntropy(model(x), labels);
          loss.backward();
          void optimizer.step();
          return loss;
        });
        const x = normal([2, 1, 32, 32]);
        const own: number[] = [];
        for (let i = 0; i < 3; i++) own.push(await (await step(x)).item());
        outcomes.push(own);
        // With all that the way forward computes it would be 0.24 MB.
        if (each === device) assert.ok(megabytes(step.explain()) < 0.2, step.explain());
      }
      const [found, expected] = outcomes;
      for (const [i, loss] of found.entries())
        assert.ok(Math.abs(loss - expected[i]) < 1e-3, `${found} or ${expected}`);
    });
  }

  it("may have factors that change in the same step", { skip: kernelDevices[0].reason }, async () => {
    const losses: number[][] = [];
    for (const device of [kernelDevices[0].device, referenceDevice]) {
      if (device === undefined) return;
      useDevice(device);
      manualSeed(4);
      const weight = new Parameter(fovea.ones([64]));
      const optimizer = new SGD([weight], { lr: 0.1 });
      const step = compile((x: Tensor) => {
        const scaled = fovea.mul(x, weight);
        const loss = fovea.mean(fovea.mul(fovea.sub(scaled, fovea.mean(scaled, 0)), fovea.add(scaled, 1)));
        loss.backward();
        void optimizer.step();
        return loss;
      });
      const x = normal([256, 64]);
      const own: number[] = [];
      for (let i = 0; i < 3; i++) own.push(await (await step(x)).item());
      losses.push(own);
    }
    const [found, expected] = losses;
    assert.ok(expected[2] < expected[1] && expected[1] < expected[0], String(expected));
    for (const [i, loss] of found.entries()) assert.ok(Math.abs(loss - expected[i]) < 1e-5, `${found} or ${expected}`);
  });
});
