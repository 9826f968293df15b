/** Every network of the registry as an ONNX file: computed by ONNX Runtime, read again, and written again. */

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { models, normal, onWarning, type Tensor } from "../../src/index.js";
import { exportModel } from "../../src/interop/onnx/export/export.js";
import { load } from "../../src/interop/onnx/load.js";
import { parameterCounts } from "../models/parameters.js";
import { anyDevice, delayed, useDevice } from "../support/devices.js";
import { loadOnnxRuntime } from "../support/onnxruntime.js";
import { fillByFormula } from "../support/torchvision.js";

const runtime = await loadOnnxRuntime();
const skip = delayed && "files are the same whatever the device; ops are tested with delays";
const [classes, channels] = [5, 2];

/** Whether `found` is `expected` but for rounding. */
function assertClose(found: ArrayLike<number | bigint>, expected: ArrayLike<number>, what: string): void {
  let [worst, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(Number(found[i]) - expected[i]));
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  assert.ok(scale > 0, `${what}: all scores are 0, which tells nothing`);
  assert.ok(worst <= 1e-4 * scale, `${what}: differs by ${worst / scale}`);
}

describe("networks as ONNX", { skip }, () => {
  before(() => {
    useDevice(anyDevice());
    onWarning(() => {});
  });

  for (const entry of models.list()) {
    it(entry.name, async (t) => {
      // Small enough to be quick, and wide enough that not every score is 0.
      const width = parameterCounts[entry.name] > 20e6 ? 1 / 8 : 1 / 4;
      const network = entry.create({ numClasses: classes, inChannels: channels, width }).eval();
      // Not fresh weights: in deep networks without training little but the last bias would arrive.
      fillByFormula(network);
      const [height, side] =
        entry.minimumSize === undefined ? entry.inputShape.slice(1) : [entry.minimumSize, entry.minimumSize + 7];
      const x = normal([2, channels, height, side]);
      const expected = await network(x).data();
      const bytes = await exportModel(network, { inputs: [1, channels, height, side] });

      if (typeof runtime === "string") t.diagnostic(`not compared with ONNX Runtime: ${runtime}`);
      else {
        const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: 3 });
        const { output } = await session.run({ input: new runtime.Tensor("float32", await x.data(), x.shape) });
        assertClose(output.data, expected, "ONNX Runtime");
      }

      const read = await load(bytes);
      const { output } = await read.run({ input: x });
      assertClose(await output.data(), expected, "read again");
      // Auxiliary classifiers are no part of it.
      const weights = await network.stateDict();
      for (const [name, { data }] of Object.entries(await read.stateDict()))
        assert.deepEqual(data, weights[name]?.data, `the weight ${name}`);
      const written = await exportModel(read);
      const again = await load(written);
      const { output: second } = await again.run({ input: x });
      assertClose(await (second as Tensor).data(), expected, "written again");
      assert.deepEqual(await exportModel(again), written, "the same file, however often it is read and written");
    });
  }
});
