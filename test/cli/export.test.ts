/** `fovea export`. */

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { models, normal, normalizePixels, SGD, Trainer, tensor, writeCheckpoint } from "../../src/index.js";
import { loadOnnxRuntime } from "../support/onnxruntime.js";
import { skipCommand, temporaryFolder } from "./command.js";
import { inOneProcess } from "./session.js";

const run = inOneProcess();

describe("fovea export", { skip: skipCommand }, () => {
  let folder: string;

  before(async () => {
    folder = await temporaryFolder();
    await models.create("lenet5").save(join(folder, "ten.safetensors"));
  });

  it("writes what ONNX Runtime computes as the model does", async (t) => {
    const runtime = await loadOnnxRuntime();
    if (typeof runtime === "string") return t.skip(runtime);
    const args = ["export", "lenet5", "--weights", "ten.safetensors", "--out", "ten.onnx", "--json"];
    const { status, stdout, stderr } = await run(args, { cwd: folder });
    assert.equal(status, 0, stderr);
    const bytes = await readFile(join(folder, "ten.onnx"));
    const told = { model: "lenet5", file: "ten.onnx", bytes: bytes.length, opset: 18 };
    assert.deepEqual(JSON.parse(stdout), { ...told, input: ["float32", "batch", 1, 28, 28] });
    const own = models.create("lenet5");
    await own.load(join(folder, "ten.safetensors"));
    const x = normal([3, 1, 28, 28]);
    const session = await runtime.InferenceSession.create(bytes);
    const { logits } = await session.run({ input: new runtime.Tensor("float32", await x.data(), x.shape) });
    const expected = await own.eval()(x).data();
    for (const [i, value] of expected.entries()) assert.ok(Math.abs(value - Number(logits.data[i])) < 1e-5);
  });

  it("puts normalization into the file with --pixels, whitening included, which metadata cannot tell", async (t) => {
    const model = models.create("lenet5");
    const trainer = new Trainer(model, { optimizer: new SGD(model.parameters(), { lr: 0.1 }) });
    const classNames = Array.from({ length: 10 }, (_, i) => String(i));
    const values = new Float64Array(784 * 784).map((_, i) => (i % 785 === 0 ? 2 : ((i * 7) % 11) / 1e4));
    const normalization = { mean: [0.3], std: [0.5], matrix: { rows: 784, values } };
    const info = { model: "lenet5", variant: "reference", classNames, normalization, metricsBytes: 0, settings: {} };
    await mkdir(join(folder, "whitened"));
    const checkpoint = writeCheckpoint({ info, state: await trainer.state() });
    await writeFile(join(folder, "whitened", "checkpoint.safetensors"), checkpoint);
    const without = await run(["export", "whitened", "--out", "white.onnx"], { cwd: folder });
    assert.equal(without.status, 1);
    assert.match(without.stderr, /are whitened, .*Fix: --pixels/);
    const args = ["export", "whitened", "--out", "white.onnx", "--pixels", "--json"];
    const { status, stdout, stderr } = await run(args, { cwd: folder });
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout).input, ["uint8", "batch", 1, 28, 28]);
    const runtime = await loadOnnxRuntime();
    if (typeof runtime === "string") return t.skip(runtime);
    const pixels = Uint8Array.from({ length: 3 * 784 }, (_, i) => (i * 37) % 256);
    const session = await runtime.InferenceSession.create(await readFile(join(folder, "white.onnx")));
    const { logits } = await session.run({ input: new runtime.Tensor("uint8", pixels, [3, 1, 28, 28]) });
    const expected = await model
      .eval()(normalizePixels(tensor(pixels, [3, 1, 28, 28]), normalization))
      .data();
    for (const [i, value] of expected.entries()) assert.ok(Math.abs(value - Number(logits.data[i])) < 1e-4);
  });

  it("keeps a file that is there, unless told otherwise", async () => {
    const args = ["export", "lenet5", "--out", "kept.onnx"];
    assert.equal((await run(args, { cwd: folder })).status, 0);
    const again = await run([...args, "--batch", "4"], { cwd: folder });
    assert.equal(again.status, 1);
    assert.match(again.stderr, /kept\.onnx exists already\. Fix: --force/);
    const forced = await run([...args, "--batch", "4", "--force"], { cwd: folder });
    assert.match(forced.stderr, /It takes "input", 4×1×28×28, and gives "logits"/);
  });

  it("refuses what does not fit, in words", async () => {
    const refused = async (...args: string[]) => {
      const { status, stderr } = await run(["export", ...args], { cwd: folder });
      assert.notEqual(status, 0);
      return stderr;
    };
    assert.match(
      await refused("lenet6", "--out", "x.onnx"),
      /no model and no folder named lenet6\. Did you mean lenet5/,
    );
    assert.match(await refused("lenet5"), /--out <file>/);
    assert.match(await refused("lenet5", "--out", "x.onnx", "--input", "1x28"), /Expected channels, height and width/);
    assert.match(await refused("lenet5", "--out", "x.onnx", "--input", "1x3x3"), /c3: conv2d: the kernel spans 5×5/);
    assert.match(
      await refused("lenet5", "--out", "x.onnx", "--input", "3x28x28"),
      /lenet5 takes pictures of 1 channel, not of 3\. Fix: --input 1x28x28/,
    );
    assert.match(await refused("lenet5", "--out", "x.onnx", "--opset", "12"), /from 17 to 21/);
    assert.match(await refused("lenet5", "--out", "none/x.onnx"), /cannot write none\/x\.onnx/);
    assert.match(await refused("lenet5", "--out", "x.onnx", "--weights", "none.safetensors"), /cannot read none/);
  });
});
