/** ONNX files of models and of ops, computed by ONNX Runtime and compared. */

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { readMessage } from "../../src/formats/protobuf.js";
import * as fovea from "../../src/index.js";
import { type AnyTensor, models, nn, normal, onWarning, type Tensor, tensor } from "../../src/index.js";
import { type ExportOptions, exportModel } from "../../src/interop/onnx/export/export.js";
import { primitiveRules, trainingOnly } from "../../src/interop/onnx/export/primitives.js";
import { load } from "../../src/interop/onnx/load.js";
import { ModelProto } from "../../src/interop/onnx/proto.js";
import { aliasOps, elementwiseOps, kernelOps } from "../../src/ops/primitives.js";
import { model, node, valueInfo } from "../support/onnxModels.js";
import { loadOnnxRuntime, type OnnxRuntime } from "../support/onnxruntime.js";

const runtime = await loadOnnxRuntime();

/** Largest difference between Fovea's and ONNX Runtime's outputs, as a share of the largest value. */
async function difference(
  { InferenceSession, Tensor: RuntimeTensor }: OnnxRuntime,
  model: (...inputs: Tensor[]) => AnyTensor,
  inputs: readonly Tensor[],
  options: Partial<ExportOptions> = {},
): Promise<number> {
  const shapes = inputs.map(({ shape }, i) => ({ name: `x${i}`, shape }));
  const bytes = await exportModel(model as (...inputs: never[]) => unknown, { inputs: shapes, ...options });
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const feeds: Record<string, InstanceType<OnnxRuntime["Tensor"]>> = {};
  for (const [i, input] of inputs.entries())
    feeds[`x${i}`] = new RuntimeTensor("float32", await input.data(), input.shape);
  const { output } = await session.run(feeds);
  const expected = model(...inputs);
  assert.deepEqual(output.dims, expected.shape);
  const [want, got] = [await expected.data(), output.data];
  let [worst, scale] = [0, 1e-3];
  for (let i = 0; i < want.length; i++) {
    if (Object.is(want[i], Number(got[i]))) continue;
    worst = Math.max(worst, Math.abs(want[i] - Number(got[i])));
    scale = Math.max(scale, Math.abs(want[i]));
  }
  return worst / scale;
}

const x4 = [2, 6, 9, 8];
/** Weights that are the same whenever they are made. */
const w = (...shape: number[]) =>
  fovea.reshape(
    tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(7 * i + 1))),
    shape,
  );
const indices = tensor(Int32Array.from([3, 0, 3, 1]));

/** Calls of every kind, with the shape of their input; batches are the first axis. */
const calls: Readonly<Record<string, readonly [shape: readonly number[], call: (x: Tensor) => AnyTensor]>> = {
  "conv1d dilated, padded per side": [
    [2, 3, 11],
    (x) => fovea.conv1d(x, w(4, 3, 3), w(4), { padding: [1, 3], dilation: 2 }),
  ],
  "conv2d same, even kernel, groups": [
    x4,
    (x) => fovea.conv2d(x, w(4, 3, 2, 4), w(4), { padding: "same", groups: 2, stride: 2 }),
  ],
  "conv2d reflected": [x4, (x) => fovea.conv2d(x, w(2, 6, 3, 3), null, { padding: 1, paddingMode: "reflect" })],
  "conv2d circular": [x4, (x) => fovea.conv2d(x, w(2, 6, 3, 3), null, { padding: [1, 2], paddingMode: "circular" })],
  "conv2d replicated": [x4, (x) => fovea.conv2d(x, w(2, 6, 3, 3), null, { padding: 2, paddingMode: "replicate" })],
  conv3d: [[2, 2, 5, 6, 4], (x) => fovea.conv3d(x, w(3, 2, 2, 3, 3), w(3), { padding: 1, stride: [1, 2, 1] })],
  "true convolution": [x4, (x) => fovea.trueConvolution(x, w(2, 6, 3, 2))],
  convTranspose1d: [[2, 3, 5], (x) => fovea.convTranspose1d(x, w(3, 2, 3), w(2), { stride: 2, outputPadding: 1 })],
  convTranspose2d: [
    x4,
    (x) => fovea.convTranspose2d(x, w(6, 2, 3, 3), w(4), { stride: 3, padding: 1, groups: 2, dilation: 2 }),
  ],
  convTranspose3d: [[2, 2, 3, 4, 3], (x) => fovea.convTranspose3d(x, w(2, 3, 2, 2, 2), w(3), { stride: 2 })],
  locallyConnected2d: [[2, 3, 5, 5], (x) => fovea.locallyConnected2d(x, w(9, 2, 27), null, 3)],
  unfold: [x4, (x) => fovea.unfold(x, 3, { stride: 2 })],
  linear: [[3, 5], (x) => fovea.linear(x, w(4, 5), w(4))],
  "linear over the last of three axes": [[3, 2, 5], (x) => fovea.linear(x, w(4, 5), w(4))],
  "batched matmul": [[3, 2, 5], (x) => fovea.matmul(x, w(5, 4))],
  maxPool1d: [[2, 3, 11], (x) => fovea.maxPool1d(x, 3, { stride: 2, padding: 1, ceilMode: true })],
  "maxPool2d rounded up": [x4, (x) => fovea.maxPool2d(x, 3, { stride: 2, ceilMode: true })],
  "maxPool2d dilated": [x4, (x) => fovea.maxPool2d(x, 2, { stride: 1, dilation: 3 })],
  maxPool3d: [[2, 2, 5, 6, 7], (x) => fovea.maxPool3d(x, 2, { padding: 1 })],
  minPool2d: [x4, (x) => fovea.minPool2d(x, 2)],
  avgPool1d: [[2, 3, 11], (x) => fovea.avgPool1d(x, 4, { stride: 3 })],
  "avgPool2d with padding": [x4, (x) => fovea.avgPool2d(x, 3, { stride: 2, padding: 1 })],
  "avgPool2d without its padding": [
    x4,
    (x) => fovea.avgPool2d(x, 3, { stride: 2, padding: 1, countIncludePad: false }),
  ],
  "avgPool2d rounded up": [x4, (x) => fovea.avgPool2d(x, 4, { stride: 3, ceilMode: true })],
  "avgPool2d padded and rounded up": [
    [2, 3, 6, 6],
    (x) => fovea.avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }),
  ],
  avgPool3d: [[2, 2, 5, 6, 7], (x) => fovea.avgPool3d(x, [1, 2, 3])],
  lpPool2d: [x4, (x) => fovea.lpPool2d(x, 2)],
  "adaptiveAvgPool2d to one": [x4, (x) => fovea.adaptiveAvgPool2d(x, 1)],
  "adaptiveAvgPool2d unevenly": [x4, (x) => fovea.adaptiveAvgPool2d(x, [4, 3])],
  "adaptiveMaxPool2d unevenly": [x4, (x) => fovea.adaptiveMaxPool2d(x, [5, 3])],
  globalAvgPool: [x4, (x) => fovea.globalAvgPool(x)],
  globalMaxPool: [x4, (x) => fovea.globalMaxPool(x)],
  maxout: [x4, (x) => fovea.maxout(x, 2)],
  "max unpooling": [
    [2, 3, 6, 8],
    (x) => {
      const { values, indices } = fovea.maxPool2dWithIndices(x, 2);
      return fovea.maxUnpool2d(values, indices, [6, 8]);
    },
  ],
  "upsample nearest": [x4, (x) => fovea.upsample(x, { scale: 2 })],
  "upsample nearest to a size": [x4, (x) => fovea.upsample(x, { size: [13, 20] })],
  "upsample linear": [x4, (x) => fovea.upsample(x, { scale: [2, 1.5], mode: "linear" })],
  "upsample linear to a size": [x4, (x) => fovea.upsample(x, { size: [5, 21], mode: "linear" })],
  "upsample linear, corners kept": [
    x4,
    (x) => fovea.upsample(x, { size: [17, 15], mode: "linear", alignCorners: true }),
  ],
  "bed of nails": [x4, (x) => fovea.bedOfNails(x, [2, 3])],
  pixelShuffle: [[2, 8, 3, 4], (x) => fovea.pixelShuffle(x, 2)],
  pixelUnshuffle: [[2, 2, 6, 4], (x) => fovea.pixelUnshuffle(x, 2)],
  layerNorm: [x4, (x) => fovea.layerNorm(x, [9, 8], { weight: w(9, 8), bias: w(9, 8) })],
  groupNorm: [x4, (x) => fovea.groupNorm(x, 3, { weight: w(6), bias: w(6) })],
  instanceNorm: [x4, (x) => fovea.instanceNorm(x)],
  "localResponseNorm, 5 channels": [x4, (x) => fovea.localResponseNorm(x, 5, { alpha: 0.5, k: 2 })],
  "localResponseNorm, 4 channels": [x4, (x) => fovea.localResponseNorm(x, 4, { alpha: 0.5 })],
  "localResponseNorm within": [x4, (x) => fovea.localResponseNorm(x, 3, { alpha: 0.5, region: "within" })],
  softmax: [x4, (x) => fovea.softmax(x, 1)],
  logSoftmax: [x4, (x) => fovea.logSoftmax(x)],
  leakyRelu: [x4, (x) => fovea.leakyRelu(x, 0.2)],
  prelu: [x4, (x) => fovea.prelu(x, w(6))],
  elu: [x4, (x) => fovea.elu(x, 0.7)],
  selu: [x4, (x) => fovea.selu(x)],
  gelu: [x4, (x) => fovea.gelu(x)],
  "gelu with tanh": [x4, (x) => fovea.gelu(x, { approximate: "tanh" })],
  silu: [x4, (x) => fovea.silu(x)],
  mish: [x4, (x) => fovea.mish(x)],
  softplus: [x4, (x) => fovea.softplus(x)],
  "softplus, beta 3": [x4, (x) => fovea.softplus(x, 3)],
  hardsigmoid: [x4, (x) => fovea.hardsigmoid(x)],
  hardswish: [x4, (x) => fovea.hardswish(x)],
  relu6: [x4, (x) => fovea.relu6(fovea.mul(x, 5))],
  hardtanh: [x4, (x) => fovea.hardtanh(x, -0.5, 0.25)],
  softshrink: [x4, (x) => fovea.softshrink(x)],
  "arithmetic with broadcasting": [
    x4,
    (x) => fovea.div(fovea.sub(fovea.mul(x, w(6, 1, 1)), 3), fovea.add(fovea.abs(x), 1)),
  ],
  "powers and roots": [x4, (x) => fovea.pow(fovea.sqrt(fovea.abs(x)), 1.5)],
  exponentials: [x4, (x) => fovea.log1p(fovea.exp(fovea.sin(fovea.cos(x))))],
  "maximum, minimum, floor": [x4, (x) => fovea.maximum(fovea.minimum(x, 0.5), fovea.floor(x))],
  where: [x4, (x) => fovea.where(fovea.greater(x, 0.2), x, -1)],
  "mean over places": [x4, (x) => fovea.mean(x, [2, 3])],
  "mean over all but the batch": [x4, (x) => fovea.mean(x, [1, 2, 3], { keepdim: true })],
  variance: [x4, (x) => fovea.variance(x, [1])],
  "sum, max and min": [x4, (x) => fovea.sub(fovea.sum(x, 1), fovea.add(fovea.max(x, 1), fovea.min(x, 1)))],
  argmax: [x4, (x) => fovea.argmax(x, 1)],
  argmin: [x4, (x) => fovea.argmin(x, -1)],
  cumsum: [x4, (x) => fovea.cumsum(x, 1)],
  "flattened from 1": [x4, (x) => fovea.flatten(x)],
  "flattened with the batch": [x4, (x) => fovea.flatten(x, 0, 1)],
  transpose: [x4, (x) => fovea.permute(x, [0, 3, 1, 2])],
  "stretched over the batch": [[2, 1, 3], (x) => fovea.expand(x, [x.shape[0], 4, 3])],
  slice: [x4, (x) => fovea.slice(x, null, [1, 5], [8, 1, -3])],
  flip: [x4, (x) => fovea.flip(x, [2, 3])],
  "flipped batch": [x4, (x) => fovea.flip(x, [0])],
  roll: [x4, (x) => fovea.roll(x, 2, 3)],
  "pad with a value": [
    x4,
    (x) =>
      fovea.pad(
        x,
        [
          [1, 2],
          [0, 3],
        ],
        7,
      ),
  ],
  "pad and cut": [
    x4,
    (x) =>
      fovea.pad(x, [
        [-1, 2],
        [3, -2],
      ]),
  ],
  "concat and split": [x4, (x) => fovea.concat(fovea.split(x, 2, 1).reverse(), 1)],
  take: [x4, (x) => fovea.take(x, indices, 1)],
  sort: [x4, (x) => fovea.sort(x, 1, { descending: true }).values],
  topk: [x4, (x) => fovea.topk(x, 3).values],
  "whole numbers divided": [[2, 6], (x) => fovea.quotient(fovea.argmax(x, 1), tensor(Int32Array.from([2])))],
  oneHot: [[2, 3], (x) => fovea.oneHot(fovea.argmax(x, 1), 3)],
};

describe("what was exported, read and exported again,", () => {
  before(() => onWarning(() => {}));

  for (const [name, [shape, call]] of Object.entries(calls)) {
    it(`stays as it is: ${name}`, async () => {
      const read = await load(await exportModel(call, { inputs: shape }));
      const written = await exportModel(read);
      assert.deepEqual(await exportModel(await load(written)), written);
    });
  }

  it("is still for any number of samples where positions of maxima tell where values go", async () => {
    const windows = { kernel_shape: [2, 2], strides: [2, 2] };
    // As many channels as make the positions of few samples, but not of more, few enough to be computed while reading.
    const shape = ["batch", 400, 6, 6];
    const graph = {
      input: [valueInfo("x", "float32", shape)],
      node: [
        node("MaxPool", 17, ["x"], ["pooled", "positions"], windows),
        node("MaxUnpool", 17, ["pooled", "positions"], ["y"], windows),
      ],
      output: [valueInfo("y", "float32", shape)],
    };
    // The first time in the form that Fovea gives it.
    const own = await exportModel(await load(model(graph, 17)));
    const written = await exportModel(await load(own));
    const again = await load(written);
    assert.deepEqual(await exportModel(again), written);
    for (const samples of [1, 12]) {
      const x = normal([samples, 400, 6, 6]);
      const { values, indices } = fovea.maxPool2dWithIndices(x, 2);
      const { y } = await again.run({ x });
      assert.deepEqual(await y.data(), await fovea.maxUnpool2d(values, indices, 6).data());
    }
  });
});

describe("ops as ONNX", { skip: typeof runtime === "string" && runtime }, () => {
  let judge: OnnxRuntime;

  before(() => {
    onWarning(() => {});
    if (typeof runtime !== "string") judge = runtime;
  });

  for (const [name, [shape, call]] of Object.entries(calls)) {
    it(name, async () => {
      const error = await difference(judge, call, [normal(shape)]);
      assert.ok(error < 1e-5, `differs by ${error}`);
    });
  }

  it("with another number of samples than it was exported with", async () => {
    const model = new nn.Sequential(new nn.Conv2d(3, 4, 3), new nn.BatchNorm2d(4), new nn.ReLU(), new nn.Flatten());
    const bytes = await exportModel(model, { inputs: [7, 3, 6, 6] });
    assert.equal(model.training, true, "as it was");
    model.eval();
    const session = await judge.InferenceSession.create(bytes);
    for (const samples of [1, 2, 5]) {
      const x = normal([samples, 3, 6, 6]);
      const { output } = await session.run({ input: new judge.Tensor("float32", await x.data(), x.shape) });
      assert.deepEqual(output.dims, [samples, 64]);
      const expected = await model(x).data();
      for (const [i, value] of expected.entries()) assert.ok(Math.abs(value - Number(output.data[i])) < 1e-5);
    }
  });

  it("with lists of indices that are as long as the batch", async () => {
    const sorted = (x: Tensor) => fovea.sort(x, 0, { descending: true }).values;
    const backwards = (x: Tensor) => fovea.take(x, fovea.argsort(fovea.sum(x, 1)));
    for (const model of [sorted, backwards]) {
      const session = await judge.InferenceSession.create(await exportModel(model, { inputs: [2, 3] }));
      const x = normal([5, 3]);
      const { output } = await session.run({ input: new judge.Tensor("float32", await x.data(), x.shape) });
      assert.deepEqual([...output.data], [...(await model(x).data())]);
    }
  });

  it("with fixed sizes where the batch cannot vary", async () => {
    const scaled = (x: Tensor) => fovea.mul(x, x.shape[0]);
    await assert.rejects(exportModel(scaled, { inputs: [2, 3] }), /a constant .*dynamicBatch: false/s);
    assert.equal(await difference(judge, scaled, [normal([2, 3])], { dynamicBatch: false }), 0);
    const positions = (x: Tensor) => fovea.add(x, fovea.reshape(fovea.arange(x.shape[0]).to("float32"), [-1, 1]));
    assert.equal(await difference(judge, positions, [normal([2, 3])]), 0);
  });
});

it("every op has a rule, but for those that only gradients consist of", () => {
  const operations = [...Object.values(kernelOps), ...Object.values(elementwiseOps), ...Object.values(aliasOps)];
  const names = operations.map(({ spec }) => spec.name);
  const without = names.filter((name) => primitiveRules[name] === undefined);
  assert.deepEqual(without.sort(), [...trainingOnly].sort());
});

describe("an exported file", () => {
  it("has the names of the state dict, of modules and of what the model returns", async () => {
    class Net extends nn.Module {
      stem = new nn.Sequential(new nn.Conv2d(1, 2, 3), new nn.BatchNorm2d(2));
      head = new nn.Linear(2, 3);
      forward(x: Tensor) {
        const features = fovea.globalAvgPool(this.stem(x));
        return { logits: this.head(features), features };
      }
    }
    const metadata = { classes: "a,b,c" };
    const bytes = await exportModel(new Net(), { inputs: [{ name: "picture", shape: [1, 1, 5, 5] }], metadata });
    const { graph, opsetImport, metadataProps, producerName } = readMessage(ModelProto, bytes, "model");
    assert.ok(graph !== undefined);
    const weights = graph.initializer.map(({ name }) => name);
    const expected = ["stem.0.weight", "stem.0.bias", "stem.1.weight", "stem.1.bias"];
    const rest = ["stem.1.running_mean", "stem.1.running_var", "head.weight", "head.bias"];
    assert.deepEqual(weights.sort(), [...expected, ...rest].sort());
    assert.deepEqual(
      graph.node.map(({ name }) => name).filter((name) => !name.startsWith("/Constant")),
      ["/stem/0/Conv", "/stem/1/BatchNormalization", "/ReduceMean", "/head/Gemm"],
    );
    assert.deepEqual(
      graph.output.map(({ name }) => name),
      ["logits", "features"],
    );
    const [input] = graph.input;
    const dimensions = input.type?.tensorType?.shape?.dim.map(({ dimParam, dimValue }) => dimParam ?? dimValue);
    assert.deepEqual([input.name, ...(dimensions ?? [])], ["picture", "batch", 1, 5, 5]);
    assert.deepEqual(opsetImport, [{ domain: "", version: 18 }]);
    assert.deepEqual(metadataProps, [{ key: "classes", value: "a,b,c" }]);
    assert.equal(producerName, "fovea");
  });

  it("is the same when it is made again", async () => {
    const model = models.create("lenet5");
    const [first, second] = [
      await exportModel(model, { inputs: [1, 1, 28, 28] }),
      await exportModel(model, { inputs: [1, 1, 28, 28] }),
    ];
    assert.deepEqual(first, second);
  });

  it("says what cannot be exported, and where", async () => {
    const input = { inputs: [1, 3] } as const;
    const noisy = (x: Tensor) => fovea.add(x, normal(x.shape));
    await assert.rejects(exportModel(noisy, input), /normal cannot be exported: .*random/);
    await assert.rejects(
      exportModel((x: Tensor) => fovea.add(x, 1), { ...input, opset: 11 }),
      /opset is 11\. Expected 17 to 21/,
    );
    await assert.rejects(
      exportModel((x: Tensor) => fovea.add(x, 1), { inputs: [] }),
      /Expected a shape, such as/,
    );
    await assert.rejects(
      exportModel(() => 3, input),
      /returned a number\. Expected a tensor/,
    );
    const two = (x: Tensor) => [x, fovea.neg(x)];
    await assert.rejects(exportModel(two, { ...input, outputNames: ["a"] }), /there are 2 outputs/);
    const uneven = (x: Tensor) => fovea.sum(fovea.reshape(x, [-1, x.shape[0] + 1, 1]), 0);
    await assert.rejects(exportModel(uneven, { inputs: [1, 12] }), /dynamicBatch: false/);
  });
});
