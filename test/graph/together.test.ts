/** Convolutions and pooling that are done together, a few pictures at a time: nobody may notice but by the time it takes. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device } from "../../src/backends/backend.js";
import { createNativeDevice } from "../../src/backends/native/device.js";
import { createWasmDevice } from "../../src/backends/wasm/device.js";
import {
  avgPool2d,
  compile,
  conv2d,
  manualSeed,
  maxPool2d,
  normal,
  onWarning,
  relu,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.js";
import { kernelDevices, useDevice } from "../support/devices.js";

// Of windows that leave out rows.
onWarning(() => {});

interface Setting {
  readonly channels: number;
  readonly outputs: number;
  readonly size: readonly [number, number];
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly pool: (x: Tensor) => Tensor;
}

/** Lanes are pixels, channels, and channels of pixels side by side; rows and columns that leave something over. */
const settings: Readonly<Record<string, Setting>> = {
  "LeNet-5's first": { channels: 1, outputs: 6, size: [28, 28], kernel: 5, padding: 2, pool: (x) => avgPool2d(x, 2) },
  "LeNet-5's second": { channels: 6, outputs: 16, size: [14, 14], kernel: 5, pool: (x) => avgPool2d(x, 2) },
  "odd rows": { channels: 2, outputs: 5, size: [23, 31], kernel: 3, padding: 1, pool: (x) => maxPool2d(x, 2) },
  "a stride": {
    channels: 3,
    outputs: 17,
    size: [27, 21],
    kernel: 5,
    stride: 2,
    pool: (x) => maxPool2d(x, 3, { stride: 2 }),
  },
  "many channels": {
    channels: 19,
    outputs: 9,
    size: [13, 11],
    kernel: 3,
    stride: 2,
    padding: 1,
    pool: (x) => avgPool2d(x, 3, { stride: 1, padding: 1 }),
  },
  "single pixels": { channels: 4, outputs: 3, size: [9, 40], kernel: 1, pool: (x) => maxPool2d(x, 2, { padding: 1 }) },
};

const pictures = 37;

async function run(setting: Setting): Promise<{ together: Float32Array; alone: Float32Array; text: string }> {
  const { channels, outputs, size, kernel, stride = 1, padding = 0, pool } = setting;
  manualSeed(3);
  const weight = await normal([outputs, channels, kernel, kernel]).data();
  const bias = await normal([outputs]).data();
  const values = await normal([pictures, channels, ...size]).data();
  const one = values.length / pictures;
  // A picture whose NaN must not reach its neighbours.
  values[5 * one + 40] = Number.NaN;
  const forward = (x: Tensor) => {
    const y = conv2d(x, tensor(weight, [outputs, channels, kernel, kernel]), tensor(bias), { stride, padding });
    return relu(pool(tanh(y)));
  };
  const compiled = compile(forward);
  const together = await (await compiled(tensor(values, [pictures, channels, ...size]))).data();
  const alone = new Float32Array(together.length);
  for (let i = 0; i < pictures; i++) {
    const y = await forward(tensor(values.slice(i * one, (i + 1) * one), [1, channels, ...size])).data();
    alone.set(y, i * y.length);
  }
  return { together, alone, text: compiled.explain() };
}

for (const { name, device, reason } of kernelDevices) {
  describe(`pictures together on ${name}`, { skip: reason }, () => {
    for (const [title, setting] of Object.entries(settings)) {
      it(`${title}: the same bits as each by itself`, async () => {
        if (device === undefined) return;
        useDevice(device);
        const { together, alone, text } = await run(setting);
        assert.match(text, / blocked +conv2d\S*Pool2d/);
        assert.ok(together.some(Number.isNaN) && together.filter(Number.isNaN).length < together.length / pictures);
        assert.deepEqual(together, alone);
      });
    }
  });
}

describe("pictures together", () => {
  const makers: Readonly<Record<string, (threads: number) => Device>> = {
    native: (threads) => createNativeDevice({ threads }),
    wasm: (threads) => createWasmDevice({ threads }),
  };
  for (const [name, make] of Object.entries(makers)) {
    it(`have the same bits with any number of threads on ${name}`, async (t) => {
      for (const [title, setting] of Object.entries(settings)) {
        let first: Float32Array | undefined;
        for (const threads of [1, 2, 5]) {
          let device: Device;
          try {
            device = make(threads);
          } catch (error) {
            t.skip(String(error));
            return;
          }
          useDevice(device);
          const { together } = await run(setting);
          first ??= together;
          assert.deepEqual(together, first, title);
          await device.close();
        }
      }
    });
  }
});
