/** Damaged and hostile ONNX files: an error, and neither a crash, nor a hang, nor much memory. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { FoveaError } from "../../src/core/errors.js";
import { GraphProto } from "../../src/interop/onnx/proto.js";
import { load } from "../../src/onnx.js";
import { anyDevice, delayed, useDevice } from "../support/devices.js";
import { seed } from "../support/numbers.js";
import { fuzzOnnx } from "../support/onnxFuzz.js";
import { int64s, model, node, tensorProto, valueInfo } from "../support/onnxModels.js";

useDevice(anyDevice());

const skip = delayed && "bytes are read without a device";

it("5,000 damaged models are refused or loaded", { skip }, async (t) => {
  const before = process.memoryUsage();
  const { refused } = await fuzzOnnx(5000, seed, false);
  const after = process.memoryUsage();
  t.diagnostic(`seed ${seed}: ${refused} refused`);
  assert.ok(refused > 1000);
  assert.ok(after.arrayBuffers - before.arrayBuffers < 64 * 2 ** 20);
});

it("damaged models that can be loaded are run, or refused then", { skip }, async (t) => {
  const { ran, refused } = await fuzzOnnx(500, seed + 1, true);
  t.diagnostic(`seed ${seed + 1}: ${ran} ran, ${refused} refused`);
});

const fails = (pattern: RegExp) => (error: unknown) => error instanceof FoveaError && pattern.test(error.message);

it("graphs within graphs without end are refused", { skip }, async () => {
  let body = GraphProto.create({ name: "inner", output: [valueInfo("x", "float32")] });
  for (let i = 0; i < 40; i++) {
    const inner = { then_branch: body, else_branch: GraphProto.create({ output: [valueInfo("x", "float32")] }) };
    body = GraphProto.create({
      node: [node("If", 13, ["c"], [`y${i}`], inner)],
      output: [valueInfo(`y${i}`, "float32")],
    });
  }
  const input = [valueInfo("c", "bool", []), valueInfo("x", "float32", [1])];
  await assert.rejects(load(model({ ...body, input }, 13)), fails(/nested more than \d+ deep/));
});

it("tables that would fill the memory are refused", { skip }, async () => {
  const sizes = [1, 1, 2 ** 31 - 1];
  const resize = model(
    {
      node: [node("Resize", 13, ["x", "", "", "sizes"], ["y"], { mode: "linear" })],
      input: [valueInfo("x", "float32", [1, 1, 2])],
      initializer: [tensorProto("sizes", int64s(...sizes))],
      output: [valueInfo("y", "float32")],
    },
    13,
  );
  const onnx = await load(resize);
  const { zeros } = await import("../../src/index.js");
  await assert.rejects(onnx.run({ x: zeros([1, 1, 2]) }), (error) => error instanceof FoveaError);
});
