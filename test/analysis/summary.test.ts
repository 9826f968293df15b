/** Summaries: of modules and functions, with branches, shared and unused parts; memory as it is really planned. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compareModels, compareStacks, measure, type Summary, seenFrom, summarize } from "../../src/analysis/index.js";
import { formatBytes } from "../../src/graph/program.js";
import {
  add,
  compile,
  concat,
  conv2d,
  crossEntropy,
  flatten,
  globalAvgPool,
  linear,
  locallyConnected2d,
  matmul,
  maxPool2d,
  models,
  nn,
  normal,
  onWarning,
  relu,
  SGD,
  type Shape,
  setMemory,
  softmax,
  type Tensor,
  take,
  tensor,
  zeros,
} from "../../src/index.js";
import { anyDevice, delayed, referenceDevice, useDevice } from "../support/devices.js";

const device = anyDevice();
useDevice(device);
onWarning(() => {});

const quick = { memory: false } as const;

const names = (summary: Summary) => summary.layers.map(({ name, call }) => (call === 1 ? name : `${name} ${call}`));

/** `working memory 27.2 MB` of an explained program, in bytes as far as it is printed. */
async function explained(model: (x: Tensor) => Tensor, shape: Shape): Promise<string> {
  const compiled = compile(model);
  await compiled(normal(shape));
  return /working memory (.*?),/.exec(compiled.explain())?.[1] ?? "";
}

describe("a summary", () => {
  it("takes and computes nothing, and leaves the model as it was", async () => {
    const before = await device.memory();
    const model = models.create("vgg16", { width: 0.25 });
    model.train();
    model.features[0].eval();
    const begin = performance.now();
    summarize(model, [1, 3, 224, 224]);
    const seconds = (performance.now() - begin) / 1000;
    const { live, submissions } = await device.memory();
    assert.equal(submissions, before.submissions);
    // Less where tensors of the tests before have been collected meanwhile.
    assert.ok(live <= before.live);
    assert.equal(model.training, true);
    assert.equal(model.features[0].training, false);
    // Well under a second on an idle machine.
    assert.ok(seconds < 10, `${seconds} s`);
  });

  it("lists what a forward applies itself between the modules that it calls", () => {
    class Net extends nn.Module {
      conv1 = new nn.Conv2d(3, 5, 5);
      conv2 = new nn.Conv2d(5, 10, 5);
      head = new nn.Linear(10 * 5 * 5, 10);

      forward(x: Tensor) {
        x = maxPool2d(relu(this.conv1(x)), 2);
        x = maxPool2d(relu(this.conv2(x)), 2);
        return this.head(flatten(x));
      }
    }
    const summary = summarize(new Net(), [1, 3, 32, 32], quick);
    assert.deepEqual(names(summary), ["conv1", "relu", "maxPool2d", "conv2", "relu 2", "maxPool2d 2", "head"]);
    assert.deepEqual(
      summary.layers.map(({ output }) => output?.slice(1)),
      [[5, 28, 28], [5, 28, 28], [5, 14, 14], [10, 10, 10], [10, 10, 10], [10, 5, 5], [10]],
    );
    assert.deepEqual(
      summary.layers.map(({ kind, type }) => (kind === "function" ? type : kind)),
      ["module", "relu", "maxPool2d", "module", "relu", "maxPool2d", "module"],
    );
    // 5·5·3 products for each of 5·28·28 outputs, and so on.
    assert.equal(summary.macs, 75 * 5 * 784 + 125 * 10 * 100 + 250 * 10);
    // ReLU's outputs count as well; flattening gives no new values.
    assert.equal(summary.activations, 2 * 3920 + 980 + 2 * 1000 + 250 + 10);
    // A bias for each output, a comparison for each of ReLU's, and four for each of pooling's.
    assert.equal(summary.operations, 2 * 3920 + 4 * 980 + 2 * 1000 + 4 * 250 + 10);
    assert.equal(summary.depth, 3);
    assert.deepEqual(summary.edges, [
      [-1, 0],
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
      [5, 6],
    ]);
  });

  it("is made of plain functions too, whose biases belong to what they are added to", () => {
    const weight = new nn.Parameter(zeros([4, 3, 3, 3]));
    const bias = new nn.Parameter(zeros([4]));
    const head = new nn.Parameter(zeros([2, 4 * 36]));
    const twoLayers = (x: Tensor) => softmax(linear(flatten(relu(conv2d(x, weight, bias))), head));
    const summary = summarize(twoLayers, [2, 3, 8, 8], quick);
    assert.equal(summary.model, "twoLayers");
    assert.deepEqual(names(summary).slice(0, 3), ["conv2d", "relu", "matmul"]);
    assert.deepEqual(
      summary.layers.slice(0, 3).map(({ parameters }) => parameters),
      [108 + 4, 0, 288],
    );
    assert.equal(summary.macs, 2 * (4 * 36 * 27 + 144 * 2));
    assert.equal(summary.depth, 2);
  });

  it("has each parameter once: with the first layer that uses it", () => {
    class Shared extends nn.Module {
      same = new nn.Conv2d(4, 4, 3, { padding: 1 });
      first = new nn.Linear(4, 4, { bias: false });
      second = new nn.Linear(4, 4, { bias: false });

      constructor() {
        super();
        this.second.weight = this.first.weight;
      }

      forward(x: Tensor) {
        const maps = this.same(relu(this.same(x)));
        return this.second(this.first(globalAvgPool(maps)));
      }
    }
    const summary = summarize(new Shared(), [1, 4, 6, 6], quick);
    const counted = summary.layers
      .filter(({ macs }) => macs > 0)
      .map(({ name, call, parameters, shared }) => [name, call, parameters, shared]);
    assert.deepEqual(counted, [
      ["same", 1, 148, 0],
      ["same", 2, 0, 148],
      ["first", 1, 16, 0],
      ["second", 1, 0, 16],
    ]);
    assert.equal(summary.parameters, 164);
    assert.equal(summary.macs, 2 * 4 * 36 * 36 + 2 * 16);
    assert.match(String(summary), /\(148\)/);
    assert.match(String(summary), /shared with an earlier layer/);
  });

  it("lists modules that are never called, with what they hold", () => {
    class Spare extends nn.Module {
      used = new nn.Linear(4, 2);
      spare = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU());
      idle = new nn.Dropout();
      factor = new nn.Parameter(zeros([5]));

      forward(x: Tensor) {
        return this.used(x);
      }
    }
    const summary = summarize(new Spare(), [1, 4], quick);
    assert.deepEqual(
      summary.layers.map(({ name, call, output, parameters }) => [name, call, output, parameters]),
      [
        ["used", 1, [1, 2], 10],
        ["Spare", 0, undefined, 5],
        ["spare", 0, undefined, 40],
        ["idle", 0, undefined, 0],
      ],
    );
    assert.equal(summary.parameters, 55);
    assert.equal(summary.unused, 45);
    assert.match(String(summary), /spare +Sequential +never called +40/);
    // Nothing of N×K has places.
    assert.equal(summary.root.receptiveField, undefined);
  });

  it("follows branches: what joins them has edges from each", () => {
    class Block extends nn.Module {
      left = new nn.Conv2d(2, 2, 3, { padding: 1 });
      right = new nn.Conv2d(2, 2, 5, { padding: 2 });

      forward(x: Tensor) {
        return concat([add(this.left(x), x), this.right(x)], 1);
      }
    }
    const summary = summarize(new Block(), [1, 2, 9, 9], quick);
    assert.deepEqual(names(summary), ["left", "add", "right", "concat"]);
    assert.deepEqual(summary.edges, [
      [-1, 0],
      [-1, 1],
      [0, 1],
      [-1, 2],
      [1, 3],
      [2, 3],
    ]);
    assert.equal(summary.depth, 1);
    assert.deepEqual(
      summary.layers.map(({ receptiveField }) => receptiveField?.size),
      [3, 3, 5, 5],
    );
  });

  it("takes modules together that are more than so many deep", () => {
    const { inputShape, create } = models.find("googlenet2014");
    const summary = summarize(create(), [1, ...inputShape], quick);
    const block = summary.rows(1).find(({ name }) => name === "inception3a");
    assert.deepEqual(block?.output, [1, 256, 28, 28]);
    assert.equal(block?.parameters, 163_696);
    assert.equal(summary.rows(1).length, 24);
    assert.equal(summary.rows().length, summary.layers.length);
    const sum = summary.rows(1).reduce((total, { macs }) => total + macs, 0);
    assert.equal(sum, summary.macs);
  });

  it("counts trainable parameters, and values that are not trained", () => {
    const model = models.create("resnet18");
    model.layer1.freeze();
    const { parameters, trainable, buffers } = summarize(model, [1, 3, 64, 64], quick);
    const frozen = 2 * 73_984;
    assert.equal(parameters - trainable, frozen);
    assert.equal(buffers, 9600);
  });

  it("of training has dropout, batch statistics and auxiliary heads", () => {
    const { create } = models.find("googlenet");
    const model = create({ width: 0.25 });
    const evaluated = summarize(model, [2, 3, 224, 224], quick);
    const trained = summarize(model, [2, 3, 224, 224], { training: true, memory: false });
    assert.ok(evaluated.unused > 0);
    assert.equal(trained.unused, 0);
    assert.equal(trained.parameters, evaluated.parameters);
    assert.ok(trained.macs > evaluated.macs && trained.operations > evaluated.operations);
  });

  it("counts matrix products, groups, transposed and unshared convolutions by their definition", () => {
    const macs = (model: Parameters<typeof summarize>[0], shape: Shape) => summarize(model, shape, quick).macs;
    assert.equal(macs(new nn.Conv2d(6, 4, 3, { groups: 2 }), [1, 6, 5, 5]), 4 * 9 * 3 * 9);
    assert.equal(macs(new nn.ConvTranspose2d(6, 4, 3, { stride: 2 }), [1, 6, 5, 5]), 6 * 25 * 4 * 9);
    assert.equal(macs(new nn.Conv1d(2, 3, 5), [1, 2, 9]), 3 * 5 * 2 * 5);
    assert.equal(macs(new nn.LocallyConnected2d(2, 3, 3, 6), [1, 2, 6, 6]), 3 * 16 * 18);
    const weight = zeros([16, 3, 18]);
    assert.equal(
      macs((x: Tensor) => locallyConnected2d(x, weight, null, 3), [5, 2, 6, 6]),
      5 * 3 * 16 * 18,
    );
    assert.equal(
      macs((x: Tensor) => matmul(x, x), [7, 4, 4]),
      7 * 64,
    );
    assert.equal(macs(new nn.AvgPool2d(2), [1, 2, 6, 6]), 0);
  });

  it("takes several inputs, and integers", () => {
    const table = new nn.Parameter(normal([10, 4]));
    const model = (x: Tensor, picked: Tensor<Shape, "int32">) => add(x, take(table, picked));
    const { inputs, layers } = summarize(model, [[3, 4], { shape: [3], dtype: "int32" }], quick);
    assert.deepEqual(inputs, [[3, 4], [3]]);
    assert.deepEqual(
      layers.map(({ type }) => type),
      ["take", "add"],
    );
  });

  it("is a table of lines that fit", () => {
    for (const name of ["inception_v3", "mobilenet_v2", "segnet"]) {
      const { inputShape, create } = models.find(name);
      const summary = summarize(create({ width: 0.25 }), [1, ...inputShape], quick);
      for (const width of [80, 100]) {
        for (const line of summary.toString({ width }).split("\n")) assert.ok(line.length <= width, line);
      }
    }
  });
});

describe("memory", () => {
  const images = [4, 1, 28, 28] as const;

  it("of inference is the plan of the program that compile makes", async () => {
    const model = models.create("lenet5").eval();
    const { memory } = summarize(model, images);
    assert.equal(formatBytes(memory?.inference ?? 0), await explained((x) => model(x), images));
    assert.equal(memory?.parameters, 4 * 61_706);
    assert.equal(memory?.input, 4 * 4 * 784);
    assert.equal(memory?.device, device.variant);
  });

  it("of VGG-16 is little more than its weights, their copies and two activations; without the copies where it is to be low", () => {
    const model = models.create("vgg16");
    const pair = 2 * 4 * 64 * 224 * 224;
    const plan = () => {
      const { memory } = summarize(model, [1, 3, 224, 224]);
      assert.ok(memory);
      const { parameters, prepared, inference } = memory;
      // Each thread has working memory of its own.
      assert.ok(inference < 1.1 * pair + 2.5e6 * device.threads, `${inference} bytes for activations of ${pair}`);
      assert.ok(parameters + prepared + inference < 1.15 * (parameters + prepared + pair));
      return memory;
    };
    // Of 3×3 weights 16 or 36 numbers become of 9.
    const { prepared } = plan();
    const weights = 4 * 14_710_464;
    assert.ok(prepared > weights && prepared < 4.01 * weights, `${prepared} bytes of ${weights}`);
    try {
      setMemory("low");
      assert.equal(plan().prepared, 0);
    } finally {
      setMemory("fast");
    }
  });

  it("of training is that of a compiled step of gradient descent, to a few words", async () => {
    const model = models.create("lenet5");
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const labels = tensor([0, 1, 2, 3], { dtype: "int32" });
    const planned = summarize(model, images).memory;
    const step = compile((x: Tensor) => {
      const loss = crossEntropy(model(x), labels);
      loss.backward();
      optimizer.step();
      return loss;
    });
    await step(normal(images));
    const text = /working memory ([\d.]+) KB/.exec(step.explain())?.[1];
    const ratio = (planned?.training ?? 0) / (1000 * Number(text));
    assert.ok(ratio > 0.99 && ratio < 1.01, `${planned?.training} bytes against ${text} KB`);
    assert.equal(planned?.gradients, 4 * 61_706);
  });

  it("keeps for the way back what the gradients need: tanh its output, a convolution its input", () => {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 4, 3, { padding: 1, bias: false }),
      new nn.Tanh(),
      new nn.Conv2d(4, 2, 3, { padding: 1, bias: false }),
      new nn.Flatten(),
    );
    const { layers, memory } = summarize(model, [2, 1, 10, 10]);
    // The second convolution's gradient and tanh's both need tanh's output; the scores are what the loss starts from.
    assert.deepEqual(
      layers.map(({ kept }) => kept),
      [0, 4 * 2 * 4 * 100, 4 * 2 * 2 * 100, 0],
    );
    assert.equal(memory?.kept, 4 * 2 * 6 * 100);
  });

  it("of training is planned for two where one sample has no variance, and is not there without parameters", () => {
    const model = new nn.Sequential(new nn.Linear(4, 3), new nn.BatchNorm1d(3));
    const { memory } = summarize(model, [1, 4]);
    assert.equal(memory?.batch, 1);
    assert.equal(memory?.trainingBatch, 2);
    assert.equal(memory?.buffers, 4 * 6);
    assert.equal(summarize((x: Tensor) => relu(x), [1, 4]).memory?.training, undefined);
  });
});

describe("measure", () => {
  it("times each layer of the program that runs", { skip: delayed && "times of a delayed device" }, async () => {
    const model = models.create("lenet5");
    const measured = await measure(model, [16, 1, 28, 28], { rounds: 2 });
    assert.equal(measured.layers.length, measured.summary.layers.length);
    const shares = measured.layers.reduce((sum, { share }) => sum + share, 0);
    assert.ok(Math.abs(shares - 1) < 1e-9);
    const time = (name: string) => measured.layers.find(({ layer }) => layer.name === name)?.milliseconds ?? 0;
    assert.ok(time("c1") > 0 && time("c3") > 0 && measured.milliseconds > 0);
    // tanh is computed as its convolution is finished.
    assert.equal(time("tanh"), 0);
    assert.match(String(measured), /time +[\d.]+ ms on/);
  });

  it("is refused where steps cannot be run one by one", async () => {
    useDevice(referenceDevice);
    const model = new nn.Linear(2, 2);
    useDevice(device);
    await assert.rejects(measure(model, [1, 2]), /reference cannot run steps one by one\. Fix: use native or wasm/);
    await assert.rejects(measure(models.create("lenet5"), [1, 1, 28, 28], { rounds: 0 }), /rounds is 0/);
  });
});

describe("comparisons", () => {
  it("of one 7×7 with three 3×3 kernels are the lecture's: 49 C² and 27 C² weights for the same 7×7 pixels", () => {
    const { stacks } = compareStacks(
      [
        [7],
        [3, 3, 3],
        [
          [1, 7],
          [7, 1],
        ],
      ],
      { channels: 10 },
    );
    assert.deepEqual(
      stacks.map(({ name, parameters }) => [name, parameters]),
      [
        ["7×7", 4900],
        ["3×3, 3×3, 3×3", 2700],
        ["1×7, 7×1", 1400],
      ],
    );
    for (const { receptiveField } of stacks) assert.equal(receptiveField.size, 7);
    assert.equal(stacks[1].macs, 2700 * 32 * 32);
    assert.equal(stacks[1].share, 27 / 49);
    // The lecture's question: 3, 5, 7.
    const grown = compareStacks([[3], [3, 3], [3, 3, 3]]).stacks.map(({ receptiveField }) => receptiveField.size);
    assert.deepEqual(grown, [3, 5, 7]);
    assert.throws(() => compareStacks([[]]), /a stack has no kernels/);
  });

  it("of models have ratios to the first, in columns that fit", () => {
    const { models: compared, ...comparison } = compareModels(
      ["alexnet", "vgg16", "googlenet"].map((name) => [
        name,
        summarize(models.find(name).create(), [1, 3, 224, 224], quick),
      ]),
    );
    assert.deepEqual(
      compared.map(({ ratio }) => Math.round(100 * ratio.parameters) / 100),
      [1, 2.26, 0.21],
    );
    assert.deepEqual(
      compared.map(({ receptiveField }) => receptiveField?.size),
      [195, 212, 379],
    );
    assert.deepEqual(comparison, {});
    const text = compareModels(compared.map(({ name, summary }) => [name, summary])).toString({ width: 60 });
    for (const line of text.split("\n")) assert.ok(line.length <= 60, line);
    assert.match(text, /61,100,840 +138,357,544/);
    assert.throws(() => compareModels([]), /nothing to compare/);
  });
});

describe("refusals", () => {
  const refused = (act: () => unknown, message: RegExp) => assert.throws(act, message);

  it("name the layer that an input does not fit, and are clear about what is no model or input", () => {
    const net = models.create("lenet5");
    refused(() => summarize(net, [1, 3, 28, 28], quick), /c1: conv2d: the input has 3 channels/);
    refused(() => summarize(models.create("alexnet", { width: 0.25 }), [1, 3, 20, 20], quick), /features\.\d+: /);
    refused(() => summarize(net, [1, -1, 28, 28], quick), /\[1, -1, 28, 28\] is not a shape/);
    refused(() => summarize(net, [1, 1, 28, Number.NaN], quick), /not a shape/);
    // @ts-expect-error: a string is no shape
    refused(() => summarize(net, "1x28x28"), /the input is a string\. Expected a shape, such as \[1, 3, 224, 224\]/);
    // @ts-expect-error: nor is a list of strings
    refused(() => summarize(net, ["1"]), /one of the inputs is a string/);
    // @ts-expect-error: nor is an object a model
    refused(() => summarize({}, [1]), /a model is expected, not an object/);
    refused(() => summarize(() => 3, [1]), /the model returned a number\. Expected a tensor/);
    refused(() => summarize(async (x: Tensor) => x, [1]), /the model returned an object\. Expected a tensor/);
  });

  it("of layers and positions that are not there say what is", () => {
    const net = models.create("lenet5");
    refused(
      () => seenFrom(net, [1, 1, 28, 28], [0, 0], { layer: "C1" }),
      /no call 1 of a layer named "C1"\. Did you mean "c1"\?/,
    );
    refused(
      () => seenFrom(net, [1, 1, 28, 28], [28, 0], { layer: "c1" }),
      /outside a map of 28 along axis 0\. Expected 0 … 27/,
    );
    refused(() => seenFrom(net, [1, 1, 28, 28], [0], { layer: "c1" }), /has 2 axes of places/);
    refused(() => seenFrom(new nn.Linear(2, 2), [1, 2], []), /depends on no places of the input/);
  });
});
