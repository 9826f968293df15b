/** Damaged and hostile ONNX files: an error, and neither a crash, nor a hang, nor much memory. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { FoveaError } from "../../src/core/errors.js";
import { zeros } from "../../src/index.js";
import { GraphProto } from "../../src/interop/onnx/proto.js";
import { load } from "../../src/onnx.js";
import { anyDevice, delayed, useDevice } from "../support/devices.js";
import { seed } from "../support/numbers.js";
import { fuzzOnnx } from "../support/onnxFuzz.js";
import { int64s, model, node, tensorProto, valueInfo } from "../support/onnxModels.js";

useDevice(anyDevice());

const skip = delayed && "bytes are read without a device";

it("damaged models that can be loaded are run, or refused then", { skip }, async (t) => {
  const { ran, refused } = await fuzzOnnx(500, seed);
  t.diagnostic(`seed ${seed}: ${ran} ran, ${refused} refused`);
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
  await assert.rejects(onnx.run({ x: zeros([1, 1, 2]) }), (error) => error instanceof FoveaError);
});
