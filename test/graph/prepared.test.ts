/** Weights that are rearranged for a kernel once and kept: nobody may notice but by the time it takes. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  compile,
  exp,
  manualSeed,
  matmul,
  minimum,
  mul,
  nn,
  normal,
  SGD,
  State,
  setMemory,
  type Tensor,
  transpose,
} from "../../src/index.js";
import { kernelDevices, useDevice } from "../support/devices.js";

/** Wide enough that its weights are transformed before use. */
function wideLayer(): nn.Conv2d {
  manualSeed(5);
  return new nn.Conv2d(32, 32, 3, { padding: 1 });
}

const energy = (y: Tensor): Tensor => mul(y, y).mean();

for (const { name, device, reason } of kernelDevices) {
  describe(`prepared weights on ${name}`, { skip: reason }, () => {
    it("follow every change of the weights", async () => {
      if (device === undefined) return;
      useDevice(device);
      const layer = wideLayer();
      const x = normal([1, 32, 8, 8]);
      const predict = compile((input: Tensor) => layer.forward(input));
      const before = await (await predict(x)).data();
      assert.match(predict.explain(), /values prepared once/);
      assert.deepEqual(await (await predict(x)).data(), before);

      const optimizer = new SGD(layer.parameters(), { lr: 0.5 });
      const loss = energy(layer.forward(x));
      loss.backward();
      optimizer.step();
      const after = await (await predict(x)).data();
      assert.notDeepEqual(after, before);
      // Recorded anew, nothing of it is kept from earlier runs.
      const fresh = compile((input: Tensor) => layer.forward(input));
      assert.deepEqual(await (await fresh(x)).data(), after);

      layer.weight.assign(layer.weight.value.mul(0));
      layer.bias?.assign(layer.bias.value.mul(0));
      assert.ok((await (await predict(x)).data()).every((value) => value === 0));
    });

    it("are those of fully connected layers, and not the matrices that each call brings", async () => {
      if (device === undefined) return;
      useDevice(device);
      const [layer, x] = [new nn.Linear(48, 40), normal([16, 48])];
      const predict = compile((input: Tensor) => layer.forward(input));
      await (await predict(x)).data();
      assert.match(predict.explain(), /values prepared once/);
      const product = compile((a: Tensor, b: Tensor) => matmul(a, b));
      await (await product(x, normal([48, 40]))).data();
      assert.doesNotMatch(product.explain(), /prepared/);
    });

    it("are one for all programs", async () => {
      if (device === undefined) return;
      useDevice(device);
      const layer = wideLayer();
      const run = async (batch: number) => {
        const predict = compile((input: Tensor) => layer.forward(input));
        const x = normal([batch, 32, 8, 8]);
        const y = await predict(x);
        await y.data();
        for (const each of [x, y]) each.dispose();
        return (await device.memory()).live;
      };
      const one = await run(4);
      const two = await run(5);
      // The transformed weights are 36/9 of the weights, or 16/9.
      assert.ok(two - one < 32 * 32 * 16 * 4, `${two - one} bytes more with a second program`);
    });

    it("are joined by what batch norm makes of its statistics, which follows every change of them", async () => {
      if (device === undefined) return;
      useDevice(device);
      manualSeed(5);
      const norm = new nn.BatchNorm2d(8);
      const network = new nn.Sequential(new nn.Conv2d(4, 8, 1), norm, new nn.ReLU());
      const x = normal([2, 4, 6, 6]);
      const predict = compile((input: Tensor) => network.forward(input));
      const run = async (f = predict) => (await f(x)).data();
      const fresh = () => run(compile((input: Tensor) => network.forward(input)));
      network.train();
      const inTraining = await run();
      network.eval();
      const first = await run();
      assert.notDeepEqual(first, inTraining);
      assert.doesNotMatch(predict.explain(), /sqrt/);
      assert.match(predict.explain(), /values prepared once and kept, .*elementwise/);
      assert.deepEqual(await run(), first);

      // One after the other: what the program is given, what another program has changed, what a file holds.
      norm.runningMean.assign(norm.runningMean.value.add(1));
      const second = await run();
      assert.notDeepEqual(second, first);
      assert.deepEqual(await fresh(), second);
      network.train();
      await run();
      network.eval();
      const third = await run();
      assert.notDeepEqual(third, second);
      assert.deepEqual(await fresh(), third);
      const saved = await network.stateDict();
      norm.runningVar.assign(norm.runningVar.value.mul(4));
      assert.notDeepEqual(await run(), third);
      network.loadStateDict(saved);
      assert.deepEqual(await run(), third);
    });

    it("are never worked on in place by what comes after them", async () => {
      if (device === undefined) return;
      useDevice(device);
      manualSeed(5);
      const [state, x] = [new State(normal([5, 3])), normal([5, 3])];
      // The sum keeps the factor a value of its own, and the minimum may then take its place.
      const compute = compile((input: Tensor) => {
        const factor = exp(state.value).neg();
        const lower = minimum(factor, input);
        return [factor.sum(1), matmul(lower, transpose(lower))];
      });
      const run = async () => Promise.all((await compute(x)).map((each) => each.data()));
      const first = await run();
      assert.deepEqual(await run(), first);
    });

    it("are each network's own where networks of one structure take turns", async () => {
      if (device === undefined) return;
      useDevice(device);
      const networks = [1, 2].map((seed) => {
        manualSeed(seed);
        const norm = new nn.BatchNorm2d(8);
        norm.runningMean.assign(norm.runningMean.value.add(seed));
        return new nn.Sequential(new nn.Conv2d(4, 8, 1), norm).eval();
      });
      const x = normal([2, 4, 6, 6]);
      // Not compiled, so that both run the program that belongs to their structure.
      const run = async (network: nn.Sequential) => network.forward(x).data();
      const [a, b] = [await run(networks[0]), await run(networks[1])];
      assert.notDeepEqual(a, b);
      for (let i = 0; i < 3; i++) {
        assert.deepEqual(await run(networks[0]), a);
        assert.deepEqual(await run(networks[1]), b);
      }
    });

    it("are not kept where memory is to be low, and those that were are given back", async () => {
      if (device === undefined) return;
      useDevice(device);
      const layer = wideLayer();
      const x = normal([1, 32, 8, 8]);
      const predict = compile((input: Tensor) => layer.forward(input));
      const run = async () => {
        const y = await predict(x);
        const values = await y.data();
        y.dispose();
        return values;
      };
      const expected = await run();
      const { live: fast } = await device.memory();
      // The transformed weights are 36/9 of the weights, or 16/9; programs take a little themselves.
      const copy = 32 * 32 * 16 * 4;
      const little = copy / 8;
      let low = fast;
      try {
        setMemory("low");
        assert.deepEqual(await run(), expected);
        assert.doesNotMatch(predict.explain(), /values prepared once/);
        low = (await device.memory()).live;
        assert.ok(low < fast - copy + little, `${fast - low} bytes less`);
        // What is not compiled keeps to it, too.
        const y = layer.forward(x);
        assert.deepEqual(await y.data(), expected);
        y.dispose();
        assert.ok((await device.memory()).live < low + little);
      } finally {
        setMemory("fast");
      }
      assert.deepEqual(await run(), expected);
      assert.ok((await device.memory()).live > low + copy - little);
    });

    it("do not keep what a step of training changes", async () => {
      if (device === undefined) return;
      useDevice(device);
      const layer = wideLayer();
      const optimizer = new SGD(layer.parameters(), { lr: 0.1 });
      const x = normal([2, 32, 8, 8]);
      const step = compile((input: Tensor) => {
        const loss = energy(layer.forward(input));
        loss.backward();
        optimizer.step();
        return loss;
      });
      const losses: number[] = [];
      for (let i = 0; i < 4; i++) losses.push(await (await step(x)).item());
      assert.doesNotMatch(step.explain(), /values prepared once/);
      for (let i = 1; i < 4; i++) assert.ok(losses[i] < losses[i - 1], `losses ${losses}`);
    });
  });
}

it("memory is fast or low", () => {
  // @ts-expect-error: there is no such mode
  assert.throws(() => setMemory("none"), /setMemory: got "none"\. Expected "fast" or "low"\./);
});
