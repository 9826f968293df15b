/** Ops of ONNX models, compared with what ONNX Runtime makes of them (test/goldens/onnx.ts). */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dtypeOf } from "../../src/interop/onnx/elementTypes.js";
import { load } from "../../src/onnx.js";
import { kernelDevices, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { assertClose } from "../support/numbers.js";
import { tensorOf } from "../support/onnxCases.js";
import { modelOf } from "../support/onnxModels.js";
import { onnxCases } from "./cases/index.js";

const golden = new Golden<string>("onnx");
const byName = new Map(onnxCases.map((each) => [each.name, each]));

describe("ONNX Runtime's results", () => {
  it("are there for the calls in test/onnx/cases, as they are now", () => {
    assert.equal(byName.size, onnxCases.length, "two calls have the same name");
    const names = onnxCases.map(({ name }) => name);
    assert.deepEqual(golden.cases, names, "out of date. Fix: node dist/test/goldens/onnx.js");
  });

  for (const { name, device, reason } of kernelDevices) {
    describe(`on ${name}`, { skip: reason }, () => {
      for (const [number, title] of golden.cases.entries()) {
        it(title, async () => {
          const each = byName.get(title);
          if (device === undefined || each === undefined) return;
          useDevice(device);
          const model = await load(modelOf(each));
          const inputs = each.inputs.flatMap((input, i) =>
            input === undefined || "constant" in input ? [] : [[`x${i}`, tensorOf(input)] as const],
          );
          const outputs = await model.run(Object.fromEntries(inputs));
          for (const { name: output, dtype } of model.outputs) {
            const expected = golden.get(`${number}.${output}`);
            const found = outputs[output];
            assert.deepEqual(found.shape, expected.shape);
            assert.equal(found.dtype, dtypeOf(dtype));
            assertClose(await found.data(), expected.data, each.tolerance ?? 1e-5, output);
          }
        });
      }
    });
  }
});
