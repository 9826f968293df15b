/**
 * Training needs no more memory the longer it goes on, and nobody frees anything. `npm run soak` takes ten thousand
 * steps, `npm test` fewer.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { compile, crossEntropy, manualSeed, models, SGD, type Shape, type Tensor, tensor } from "../../src/index.js";
import { delayed, kernelDevices, useDevice } from "../support/devices.js";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const steps = process.env.FOVEA_SOAK === "1" ? 10_000 : delayed ? 200 : 2_000;
const checkEvery = steps / 10;
const batch = 2;

for (const { name, device, reason } of kernelDevices) {
  describe(`memory over ${steps} steps on ${name}`, { skip: reason }, () => {
    for (const compiled of [true, false]) {
      it(compiled ? "compiled" : "in a plain loop", async () => {
        if (device === undefined) return;
        useDevice(device);
        manualSeed(0);
        const model = models.create("lenet5");
        const optimizer = new SGD(model.parameters(), { lr: 0.001, momentum: 0.9 });
        const body = (x: Tensor, y: Tensor<Shape, "int32">) => {
          const loss = crossEntropy(model(x), y);
          loss.backward();
          return { loss, stepped: optimizer.step() };
        };
        const step = compile((x: Tensor, y: Tensor<Shape, "int32">) => body(x, y).loss);
        const live: number[] = [];
        const resident: number[] = [];
        for (let n = 1; n <= steps; n++) {
          // New tensors at each step, as from a loader; none is disposed.
          const x = tensor(new Float32Array(batch * 784).fill((n % 10) / 10), [batch, 1, 28, 28]);
          const y = tensor(Int32Array.from({ length: batch }, (_, i) => (n + i) % 10));
          if (compiled) {
            const loss = await step(x, y);
            if (n % 100 === 0) assert.ok(Number.isFinite(await loss.item()));
          } else {
            const { loss, stepped } = body(x, y);
            await stepped;
            if (n % 100 === 0) assert.ok(Number.isFinite(await loss.item()));
          }
          if (n % checkEvery === 0) {
            const use = await device.memory();
            live.push(use.live);
            // Garbage is no growth, whenever the engine would have collected it.
            collectGarbage();
            resident.push(process.memoryUsage().rss);
          }
        }
        const mostLive = Math.max(...live.slice(5)) - Math.max(...live.slice(0, 5));
        assert.ok(mostLive < 2e6, `live memory grew by ${mostLive} bytes: ${live.join(", ")}`);
        const grown = Math.max(...resident.slice(5)) - Math.max(...resident.slice(0, 5));
        assert.ok(grown < 24e6, `resident memory grew by ${grown} bytes: ${resident.join(", ")}`);
      });
    }
  });
}
