/** What a step of training with batch norm computes. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compile, grad, mul, nn, normal, sum, type Tensor } from "../../src/index.js";
import { kernelDevices, useDevice } from "../support/devices.js";

/** Sums that a compiled function takes, or parts of them. */
const countSums = (explanation: string) => explanation.match(/\bsum\b/g)?.length;

describe("batch norm in training", () => {
  for (const { name, device, reason } of kernelDevices) {
    it(`sums pictures as often on the way back as for mean and variance, on ${name}`, { skip: reason }, async () => {
      if (device === undefined) return;
      useDevice(device);
      const norm = new nn.BatchNorm2d(3);
      norm.train();
      const { weight, bias } = norm;
      assert.ok(weight !== null && bias !== null);
      const [x, upstream] = [normal([4, 3, 5, 5]), normal([4, 3, 5, 5])];
      const forward = compile((x: Tensor) => norm(x));
      const step = compile((x: Tensor, upstream: Tensor) => [...grad(sum(mul(norm(x), upstream)), [x, weight, bias])]);
      await (await forward(x)).data();
      await Promise.all((await step(x, upstream)).map((gradient) => gradient.data()));
      const sums = countSums(forward.explain());
      assert.ok(sums !== undefined && sums >= 2, forward.explain());
      assert.equal(countSums(step.explain()), 2 * sums, step.explain());
    });
  }
});
