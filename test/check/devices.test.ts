/** Every function with a gradient, result and gradients, on each device as by the definitions. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { type CheckCase, functionCases, randomTensor } from "../../src/check/catalogue/index.js";
import { RandomStream } from "../../src/core/philox.js";
import { onWarning } from "../../src/core/warnings.js";
import { evaluateTensors } from "../../src/graph/lazy.js";
import type { Tensor } from "../../src/graph/tensor.js";
import { tensorOver } from "../../src/ops/create.js";
import { add, mul } from "../../src/ops/elementwise/arithmetic.js";
import { grad } from "../../src/ops/gradient.js";
import { manualSeed } from "../../src/ops/random/generator.js";
import { sum } from "../../src/ops/reduce/sum.js";
import { kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { assertClose, seed } from "../support/numbers.js";

const tolerance = 2e-5;

async function compute(device: Device, { inputs, fn }: CheckCase, number: number) {
  useDevice(device);
  manualSeed(seed);
  const random = new RandomStream(seed, number, 4);
  const tensors = inputs.map((input) => randomTensor(input, random));
  const result = fn(...(tensors as never[]));
  const results: readonly Tensor[] = Array.isArray(result) ? result : [result];
  const weighted = results.map((each): Tensor => {
    const weights = Float32Array.from({ length: each.size }, () => random.uniform(-1, 1));
    return sum(mul(each, tensorOver(weights, each.shape, "float32")) as Tensor);
  });
  const targets = tensors.filter((tensor): tensor is Tensor => tensor.dtype === "float32");
  const gradients = grad(
    weighted.reduce((a, b) => add(a, b) as Tensor),
    targets,
    { allowUnused: true },
  );
  const all = [...results, ...gradients];
  evaluateTensors(all);
  return Promise.all(all.map((tensor) => tensor.data()));
}

const definitions = new Map<CheckCase, ReturnType<typeof compute>>();

for (const { name: deviceName, device, reason } of kernelDevices) {
  describe(`all functions on ${deviceName} (seed ${seed})`, { skip: reason }, () => {
    // Sizes that leave something out are meant to.
    onWarning(() => {});
    functionCases.forEach((each, number) => {
      it(`${each.name} ${each.setting}`.trim(), async () => {
        if (device === undefined) return;
        const expected = definitions.get(each) ?? compute(referenceDevice, each, number);
        definitions.set(each, expected);
        const found = await compute(device, each, number);
        const values = await expected;
        assert.equal(found.length, values.length);
        found.forEach((part, i) => {
          assertClose(part, values[i], tolerance, `${each.name} ${each.setting}: output ${i}`, 0.1);
        });
      });
    });
  });
}
