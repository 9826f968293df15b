/** State is written as early as that is safe: gradients take up no memory for longer, and failures still change nothing. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { summarize } from "../../src/analysis/index.js";
import type { Device } from "../../src/backends/backend.js";
import {
  Adam,
  add,
  compile,
  crossEntropy,
  DataError,
  manualSeed,
  matmul,
  models,
  mul,
  nn,
  type Optimizer,
  Parameter,
  SGD,
  type Shape,
  State,
  sqrt,
  sum,
  type Tensor,
  tensor,
  transpose,
  uniform,
} from "../../src/index.js";
import { anyDevice, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";

type Labels = Tensor<Shape, "int32">;

const labelsOf = (...labels: number[]): Labels => tensor(labels, { dtype: "int32" });

/** Bytes of the working memory that a compiled function takes. */
function workingMemory(explanation: string): number {
  const [, size, unit] = /working memory ([\d.]+) (\w+)/.exec(explanation) ?? [];
  return Number(size) * (unit === "MB" ? 1e6 : unit === "KB" ? 1e3 : 1);
}

describe("gradients", () => {
  for (const { name, device, reason } of kernelDevices) {
    it(`of large layers are used up as they are computed, on ${name}`, { skip: reason }, async () => {
      if (device === undefined) return;
      for (const make of [
        (parameters: Iterable<Parameter>) => new SGD(parameters, { lr: 0.1, momentum: 0.9 }),
        (parameters: Iterable<Parameter>) => new Adam(parameters, { lr: 0.1 }),
      ]) {
        useDevice(device);
        manualSeed(5);
        const model = new nn.Sequential(new nn.Linear(800, 810), new nn.ReLU(), new nn.Linear(810, 805));
        const optimizer = make(model.parameters());
        const step = compile((x: Tensor, labels: Labels) => {
          const loss = crossEntropy(model(x), labels);
          loss.backward();
          void optimizer.step();
          return loss;
        });
        await step(uniform([4, 800]), labelsOf(1, 2, 3, 4));
        // Each layer's gradient would take 2.6 MB.
        assert.ok(workingMemory(step.explain()) < 1.3e6, step.explain());
      }
    });

    it(`of wide convolutions are used up as they are computed, on ${name}`, { skip: reason }, async () => {
      if (device === undefined) return;
      useDevice(device);
      manualSeed(5);
      const model = new nn.Sequential(new nn.Conv2d(512, 512, 3, { padding: 1 }), new nn.Flatten());
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
      const step = compile((x: Tensor, labels: Labels) => {
        const loss = crossEntropy(model(x), labels);
        loss.backward();
        void optimizer.step();
        return loss;
      });
      await step(uniform([2, 512, 4, 4]), labelsOf(1, 2));
      const steps = step.explain();
      const places = new Set([...steps.matchAll(/\b\d+\+9437184\b/g)].map(([place]) => place));
      assert.equal(places.size, 0, `nothing as large as the gradient, 9.4 MB, lies in working memory\n${steps}`);
    });
  }

  it("of AlexNet take less memory than its activations, those of ResNet-18 no more", () => {
    useDevice(anyDevice());
    const training = (name: "alexnet" | "resnet18") =>
      summarize(models.create(name), [8, 3, 224, 224]).memory?.training ?? 0;
    const [alexnet, resnet] = [training("alexnet"), training("resnet18")];
    assert.ok(alexnet < 60e6, `${alexnet} bytes; the parameters alone are 244 MB`);
    assert.ok(resnet < 140e6, `${resnet} bytes; the convolutions' outputs are 76 MB`);
  });
});

/** Runs `build`'s program three times; gives what it returns, and all states after. */
async function outcome(device: Device, build: () => { states: readonly State[]; run: () => readonly Tensor[] }) {
  useDevice(device);
  manualSeed(7);
  const { states, run } = build();
  const step = compile(run);
  const found: number[] = [];
  for (let i = 0; i < 3; i++) for (const result of await step()) found.push(...(await result.data()));
  for (const state of states) found.push(...(await state.value.data()));
  return found;
}

describe("state that is written early", () => {
  const cases: Readonly<Record<string, () => { states: readonly State[]; run: () => readonly Tensor[] }>> = {
    "is read as it was before by whatever was recorded with it": () => {
      const weight = new Parameter(uniform<Shape>([20, 30]));
      const average = new State<Shape>(uniform([20, 30]));
      const previous = new State<Shape>(uniform([20, 30]));
      const x = uniform([8, 20]);
      const optimizer = new SGD([weight], { lr: 0.01, momentum: 0.5 });
      const run = () => {
        const before = weight.value;
        sum(matmul(x, weight)).backward();
        void optimizer.step();
        previous.assign(before);
        average.assign(add(mul(average, 0.5), mul(before, 0.5)) as Tensor);
        return [before, weight.value, matmul(x, before), add(before, 1) as Tensor];
      };
      return { states: [weight, average, previous], run };
    },
    "may be a factor of the gradient of another, or of its own": () => {
      const [a, b] = [new Parameter(uniform<Shape>([40, 30])), new Parameter(uniform<Shape>([30, 40]))];
      const c = new Parameter(uniform<Shape>([40, 40]));
      const optimizer = new SGD([a, b, c], { lr: 1e-8 });
      const run = () => {
        const product = matmul(matmul(a, b), matmul(c, transpose(c)));
        const loss = sum(mul(product, product)) as Tensor;
        loss.backward();
        void optimizer.step();
        return [loss];
      };
      return { states: [a, b, c], run };
    },
    "may wait for all gradients, where their common length is limited": () => {
      const weights = [new Parameter(uniform<Shape>([20, 30])), new Parameter(uniform<Shape>([30, 10]))];
      const x = uniform([8, 20]);
      const optimizer = new SGD(weights, { lr: 0.01 });
      const run = () => {
        const loss = sum(matmul(matmul(x, weights[0]), weights[1]));
        loss.backward();
        const squares = weights.map(({ grad }) => sum(mul(grad as Tensor, grad as Tensor)) as Tensor);
        const length = sqrt(add(squares[0], squares[1]));
        for (const weight of weights) weight.grad = (weight.grad as Tensor).div(length) as Tensor;
        void optimizer.step();
        return [loss, length];
      };
      return { states: weights, run };
    },
    "is used by a second step of the same program": () => {
      const weight = new Parameter(uniform<Shape>([20, 30]));
      const x = uniform([8, 20]);
      const optimizer = new SGD([weight], { lr: 0.01, momentum: 0.5 });
      const run = () =>
        [1, 2, 0].map((shift) => {
          const labels = labelsOf(...Array.from({ length: 8 }, (_, i) => i + shift));
          const loss = crossEntropy(matmul(x, weight), labels);
          loss.backward();
          void optimizer.step();
          return loss;
        });
      return { states: [weight], run };
    },
  };
  for (const [title, build] of Object.entries(cases)) {
    for (const { name, device, reason } of kernelDevices) {
      it(`${title}, on ${name}`, { skip: reason }, async () => {
        if (device === undefined) return;
        const [found, expected] = [await outcome(device, build), await outcome(referenceDevice, build)];
        assert.equal(found.length, expected.length);
        for (const [i, value] of found.entries()) {
          const off = Math.abs(value - expected[i]);
          assert.ok(off <= 1e-4 * Math.max(1, Math.abs(expected[i])), `number ${i} is ${value}, not ${expected[i]}`);
        }
      });
    }
  }
});

describe("a step that fails late", () => {
  for (const { name, device, reason } of [
    ...kernelDevices,
    { name: "the reference", device: referenceDevice, reason: undefined },
  ]) {
    it(`changes no state on ${name}`, { skip: reason }, async () => {
      if (device === undefined) return;
      useDevice(device);
      manualSeed(6);
      const model = new nn.Sequential(
        new nn.Conv2d(1, 4, 3),
        new nn.BatchNorm2d(4),
        new nn.MaxPool2d(2),
        new nn.Flatten(),
        new nn.Linear(36, 5),
      );
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
      const x = uniform([2, 1, 8, 8]);
      // Its second half starts from the weights that the first has made.
      const steps = compile((first: Labels, second: Labels) =>
        [first, second].map((labels) => {
          const loss = crossEntropy(model(x), labels);
          loss.backward();
          void optimizer.step();
          return loss;
        }),
      );
      const held = async () => [await model.stateDict(), (await optimizer.state()).slots];
      await steps(labelsOf(0, 1), labelsOf(2, 3));
      const before = await held();
      for (const labels of [[labelsOf(0, 1), labelsOf(2, 5)] as const, [labelsOf(-1, 1), labelsOf(2, 3)] as const]) {
        const [, second] = await steps(...labels);
        await assert.rejects(
          second.item().then(() => undefined),
          DataError,
        );
        assert.deepEqual(await held(), before);
      }
      const [loss] = await steps(labelsOf(0, 1), labelsOf(2, 3));
      assert.ok(Number.isFinite(await loss.item()));
      assert.notDeepEqual(await held(), before);
    });
  }

  it("is not expected of indices that pooling has found", async () => {
    useDevice(anyDevice());
    const model = new nn.Sequential(
      new nn.Conv2d(1, 4, 3),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(36, 5),
    );
    const optimizer: Optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const step = compile((x: Tensor, labels: Labels) => {
      const loss = crossEntropy(model(x), labels);
      loss.backward();
      void optimizer.step();
      return loss;
    });
    await step(uniform([2, 1, 8, 8]), labelsOf(0, 1));
    const text = step.explain();
    const start = Number(/state written from step (\d+)/.exec(text)?.[1]);
    const pooling = Number(/^(\d+) +scatterPlane/m.exec(text)?.[1]);
    assert.ok(start < pooling, text);
  });
});
