/** Training follows PyTorch's: optimizers, and a network with everything in it, compiled and uncompiled. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Adam,
  AdamW,
  add,
  compile,
  crossEntropy,
  linear,
  mseLoss,
  mul,
  type Optimizer,
  Parameter,
  SGD,
  type Shape,
  type Tensor,
  tanh,
} from "../../src/index.js";
import { kernelDevices, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { Network } from "../support/network.js";
import { assertClose } from "../support/numbers.js";

interface OptimizerCase {
  readonly kind: "SGD" | "Adam" | "AdamW";
  readonly lr: number;
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weight_decay?: number;
  readonly betas?: [number, number];
  readonly eps?: number;
}

function makeOptimizer(
  parameters: Parameter[],
  { kind, weight_decay: weightDecay, ...options }: OptimizerCase,
): Optimizer {
  const all = { ...options, ...(weightDecay !== undefined && { weightDecay }) };
  if (kind === "SGD") return new SGD(parameters, all);
  return kind === "Adam" ? new Adam(parameters, all) : new AdamW(parameters, all);
}

for (const { name, device, reason } of kernelDevices) {
  describe(`training like PyTorch on ${name}`, { skip: reason }, () => {
    const optimizers = new Golden<OptimizerCase>("optimizers");
    optimizers.cases.forEach((options, i) => {
      for (const compiled of [false, true]) {
        it(`${JSON.stringify(options)}, ${compiled ? "compiled" : "uncompiled"}`, async () => {
          if (device === undefined) return;
          useDevice(device);
          const parameters = ["w1", "b1", "w2"].map((key) => new Parameter(optimizers.tensor(key)));
          const [w1, b1, w2] = parameters;
          const optimizer = makeOptimizer(parameters, options);
          const [x, y] = [optimizers.tensor("x"), optimizers.tensor("y")];
          const step = () => {
            const loss = mseLoss(linear(tanh(linear(x, w1, b1)), w2), y);
            loss.backward();
            void optimizer.step();
            return loss;
          };
          const run = compiled ? compile(step) : async () => step();
          const losses: number[] = [];
          for (let n = 0; n < 20; n++) losses.push(await (await run()).item());
          assertClose(losses, optimizers.get(`${i}.losses`).data, 2e-5, "losses");
          for (const [n, key] of ["w1", "b1", "w2"].entries()) {
            assertClose(await parameters[n].value.data(), optimizers.get(`${i}.${key}`).data, 2e-5, key);
          }
        });
      }
    });

    it("a network with everything in it: the same bits compiled and uncompiled, and PyTorch's losses", async () => {
      if (device === undefined) return;
      useDevice(device);
      const golden = new Golden<number>("network");
      const train = async (compiled: boolean) => {
        const model = new Network();
        model.loadStateDict(golden.under("before"));
        const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 1e-3 });
        const step = (x: Tensor, labels: Tensor<Shape, "int32">, value: Tensor) => {
          const [scores, guess] = model(x);
          const loss = add(crossEntropy(scores, labels), mul(mseLoss(guess, value), 0.5)) as Tensor<[]>;
          loss.backward();
          void optimizer.step();
          return loss;
        };
        const run = compiled ? compile(step) : async (...args: Parameters<typeof step>) => step(...args);
        const losses: number[] = [];
        for (let n = 0; n < golden.cases.length; n++) {
          const loss = await run(golden.tensor(`${n}.x`), golden.labels(`${n}.labels`), golden.tensor(`${n}.value`));
          losses.push(await loss.item());
        }
        return { model, losses, weights: await model.stateDict() };
      };
      const uncompiled = await train(false);
      const compiled = await train(true);
      const expected = golden.get("losses").data;
      uncompiled.losses.forEach((loss, n) => {
        assert.ok(Math.abs(loss - expected[n]) < 1e-4, `step ${n}: the loss is ${loss}, PyTorch's ${expected[n]}`);
      });
      assert.deepEqual(compiled.losses, uncompiled.losses);
      for (const [key, { data }] of Object.entries(golden.under("after"))) {
        assert.deepEqual(compiled.weights[key].data, uncompiled.weights[key].data, key);
        assertClose(compiled.weights[key].data, data, 1e-3, key);
      }
      const { model } = compiled;
      model.eval();
      const [scores, guess] = model(golden.tensor("0.x"));
      assertClose(await scores.data(), golden.get("eval.scores").data, 1e-3, "scores when evaluating");
      assertClose(await guess.data(), golden.get("eval.guess").data, 1e-3, "guess when evaluating");
    });
  });
}
