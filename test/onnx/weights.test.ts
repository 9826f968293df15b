/** Weights of imported models. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { compile, crossEntropy, type DType, SGD, type Shape, type Tensor, tensor } from "../../src/index.js";
import { load, type OnnxModel } from "../../src/onnx.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { array, floats, int64s, model, node, tensorProto, valueInfo } from "../support/onnxModels.js";

useDevice(anyDevice());

const ints = (...values: number[]) => tensor(Int32Array.from(values));

/** What a model's only output holds. */
async function values(onnx: OnnxModel, inputs: Record<string, Tensor<Shape, DType>>): Promise<number[]> {
  const outputs = await onnx.run(inputs);
  return [...(await outputs[onnx.outputs[0].name].data())];
}

describe("weights", () => {
  const random = (shape: readonly number[]) =>
    array(
      "float32",
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(3 * i + 1) / 2),
    );
  const bytes = model(
    {
      node: [
        node("Conv", 13, ["x", "conv.weight", "conv.bias"], ["a"], { pads: [1, 1, 1, 1] }),
        node("BatchNormalization", 13, ["a", "bn.weight", "bn.bias", "bn.mean", "bn.var"], ["b"]),
        node("Relu", 13, ["b"], ["c"]),
        node("GlobalAveragePool", 13, ["c"], ["d"]),
        node("Reshape", 13, ["d", "shape"], ["e"]),
        node("Gemm", 13, ["e", "fc.weight", "fc.bias"], ["logits"], { transB: 1 }),
      ],
      input: [valueInfo("x", "float32", ["n", 1, 6, 6])],
      output: [valueInfo("logits", "float32", ["n", 2])],
      initializer: [
        tensorProto("conv.weight", random([4, 1, 3, 3])),
        tensorProto("conv.bias", random([4])),
        tensorProto("bn.weight", floats(1, 1, 1, 1)),
        tensorProto("bn.bias", floats(0, 0, 0, 0)),
        tensorProto("bn.mean", floats(0, 0, 0, 0)),
        tensorProto("bn.var", floats(1, 1, 1, 1)),
        tensorProto("shape", int64s(-1, 4)),
        tensorProto("fc.weight", random([2, 4])),
        tensorProto("fc.bias", floats(0, 0)),
      ],
    },
    13,
  );
  /** Pictures of vertical and of horizontal stripes. */
  const images = tensor(
    Float32Array.from({ length: 8 * 36 }, (_, i) => (Math.floor(i / 36) % 2 === 0 ? i % 2 : Math.floor(i / 6) % 2)),
    [8, 1, 6, 6],
  );
  const labels = ints(0, 1, 0, 1, 0, 1, 0, 1);

  it("are parameters under their own names; statistics are states, and shapes neither", async () => {
    const onnx = await load(bytes);
    assert.deepEqual(
      [...onnx.namedParameters()].map(([name]) => name),
      ["conv.weight", "conv.bias", "bn.weight", "bn.bias", "fc.weight", "fc.bias"],
    );
    assert.deepEqual(Object.keys(await onnx.stateDict()), [
      "conv.weight",
      "conv.bias",
      "bn.weight",
      "bn.bias",
      "bn.mean",
      "bn.var",
      "fc.weight",
      "fc.bias",
    ]);
  });

  it("can be trained; running statistics follow while training", async () => {
    const onnx = await load(bytes);
    onnx.train();
    const optimizer = new SGD(onnx.parameters(), { lr: 0.5 });
    const step = compile((x: Tensor, y: Tensor<Shape, "int32">) => {
      const loss = crossEntropy(onnx(x), y);
      loss.backward();
      optimizer.step();
      return loss;
    });
    const first = await (await step(images, labels)).item();
    for (let i = 0; i < 40; i++) await step(images, labels);
    const last = await (await step(images, labels)).item();
    assert.ok(last < 0.1 * first, `${first} → ${last}`);
    const { "bn.mean": mean } = await onnx.stateDict();
    assert.ok(mean.data.some((value) => value !== 0));
    const other = await load(bytes);
    other.loadStateDict(await onnx.stateDict());
    onnx.eval();
    assert.deepEqual(await values(other, { x: images }), await values(onnx, { x: images }));
  });

  it("whose names modules already use have another one", async () => {
    const onnx = await load(
      model(
        {
          node: [node("Mul", 13, ["x", "forward"], ["y"])],
          input: [valueInfo("x", "float32")],
          initializer: [tensorProto("forward", floats(2))],
          output: [valueInfo("y", "float32")],
        },
        13,
      ),
    );
    assert.deepEqual(await values(onnx, { x: tensor([4]) }), [8]);
    assert.deepEqual(Object.keys(await onnx.stateDict()), ["forward_"]);
  });
});

const shared = fileURLToPath(new URL("../../../../shared/", import.meta.url));
const absent = !existsSync(shared) && "the published models and pictures are not on this machine";

describe("published models", { skip: absent }, () => {
  const unzip = (path: string) => gunzipSync(readFileSync(join(shared, path)));

  /** How many of the pictures get their label; `picture` gives number i as the model wants it. */
  async function right(
    onnx: OnnxModel,
    count: number,
    picture: (i: number) => Float32Array,
    label: (i: number) => number,
  ) {
    const [{ name, shape = [] }] = onnx.inputs;
    const size = [1, ...shape.slice(1).map(Number)];
    let correct = 0;
    for (let i = 0; i < count; i++) {
      const scores = await values(onnx, { [name]: tensor(picture(i), size) });
      if (scores.indexOf(Math.max(...scores)) === label(i)) correct++;
    }
    return correct;
  }

  it("mnist.onnx reads digits", async () => {
    const onnx = await load(join(shared, "weights/onnx/mnist.onnx"));
    const images = unzip("data/mnist/t10k-images-idx3-ubyte.gz").subarray(16);
    const labels = unzip("data/mnist/t10k-labels-idx1-ubyte.gz").subarray(8);
    const correct = await right(
      onnx,
      1000,
      (i) => Float32Array.from(images.subarray(784 * i, 784 * (i + 1))),
      (i) => labels[i],
    );
    assert.ok(correct >= 980, `${correct} of 1,000`);
  });

  it("ImageClassifier_cifar10.onnx tells pictures apart", async () => {
    const onnx = await load(join(shared, "weights/onnx/ImageClassifier_cifar10.onnx"));
    const data = unzip("data/cifar10/cifar10_test_first1000.bin.gz");
    const pixels = (i: number) => data.subarray(3073 * i + 1, 3073 * (i + 1));
    const correct = await right(
      onnx,
      500,
      (i) => Float32Array.from(pixels(i), (value) => value / 127.5 - 1),
      (i) => data[3073 * i],
    );
    // What ONNX Runtime gets right too.
    assert.equal(correct, 328);
  });
});
