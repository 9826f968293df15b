/** What single networks with branches can be asked for; test/models/zoo.test.ts has what all of them do. */

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import {
  ArgumentError,
  add,
  compile,
  crossEntropy,
  grad,
  manualSeed,
  models,
  mul,
  normal,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { assertClose } from "../support/numbers.js";

const narrow = { width: 0.1, numClasses: 4, dropout: 0 } as const;

beforeEach(() => {
  useDevice(anyDevice());
  manualSeed(3);
});

describe("residual networks", () => {
  it("start as shallow ones where they are asked to", async () => {
    const design = { block: models.Bottleneck, depths: [1, 2, 1, 1] } as const;
    const model = new models.ResNet(design, { ...narrow, zeroInitResidual: true });
    const scales = [...model.namedParameters()].filter(([name]) => name.endsWith("bn3.weight"));
    assert.equal(scales.length, 5);
    for (const [, scale] of scales) assert.ok((await scale.value.data()).every((value) => value === 0));
    // The second block of layer 2 has no projection: it passes on what it is given.
    const maps = normal([2, model.layer2[1].parameters()[0].shape[1], 3, 3]).mul(normal([2, 1, 1, 1]));
    const positive = mul(maps, maps);
    assert.deepEqual(await model.layer2[1](positive).data(), await positive.data());
  });

  it("for CIFAR have 6n + 2 layers, and shortcuts without parameters", async () => {
    const model = new models.CifarResNet(8, { inChannels: 1 });
    const names = [...model.namedParameters()].map(([name]) => name);
    assert.ok(!names.some((name) => /shortcut|downsample/.test(name)));
    // Without what the convolutions add, every second pixel arrives, between as many new channels on both sides.
    for (const [, parameter] of model.layer2.namedParameters()) parameter.assign(zeros(parameter.shape));
    const maps = normal([1, 16, 4, 4]);
    const squares = mul(maps, maps) as Tensor;
    const expected = await squares.slice(null, null, [null, null, 2], [null, null, 2]).data();
    const found = await model.eval().layer2(squares).data();
    assert.deepEqual([...found.slice(0, 8 * 4)], Array(8 * 4).fill(0));
    assert.deepEqual([...found.slice(8 * 4, 24 * 4)], [...expected]);
    assert.deepEqual([...found.slice(24 * 4)], Array(8 * 4).fill(0));
    for (const depth of [2, 18, 21, 20.5]) assert.throws(() => new models.CifarResNet(depth), ArgumentError);
  });
});

describe("Inceptions", () => {
  for (const name of ["googlenet", "inception_v3"] as const) {
    it(`${name} takes pictures as torchvision normalizes them`, async () => {
      const side = name === "googlenet" ? 33 : 75;
      const model = models.create(name, narrow).eval();
      const pixels = normal([1, 3, side, side]);
      const { mean, std } = models.find("resnet18").normalization;
      const own = models.find(name).normalization;
      const normalized = ({ mean, std }: models.Normalization) =>
        pixels.sub(tensor([...mean]).reshape([1, 3, 1, 1])).div(tensor([...std]).reshape([1, 3, 1, 1])) as Tensor;
      const expected = await model(normalized(own)).data();
      model.transformInput = true;
      assertClose(await model(normalized({ mean, std })).data(), expected, 1e-5, "scores");
    });
  }

  it("leave their auxiliary classifiers out where they are asked to, and when evaluating", () => {
    for (const [name, count] of [
      ["googlenet", 2],
      ["googlenet2014", 2],
      ["inception_v3", 1],
    ] as const) {
      const pictures = normal([2, 3, 75, 75]);
      const model = models.create(name, narrow);
      const weights = model.outputs(pictures).auxiliary.map(({ weight }) => weight);
      assert.deepEqual(weights, Array(count).fill(0.3));
      assert.equal(model.eval().outputs(pictures).auxiliary.length, 0);
      const without = models.create(name, { ...narrow, auxiliary: false });
      assert.equal(without.outputs(pictures).auxiliary.length, 0);
      assert.ok(without.parameterCount() < model.parameterCount());
    }
    const [all, main] = [true, false].map((auxiliary) => models.create("googlenet", { auxiliary }).parameterCount());
    assert.deepEqual([all, main], [13_004_888, 6_624_904]);
  });
});

it("MobileNet v2 has as many parameters as torchvision's at every width", () => {
  const counts = [0.25, 0.5, 0.75, 1.4].map((width) => models.create("mobilenet_v2", { width }).parameterCount());
  assert.deepEqual(counts, [1_519_112, 1_968_680, 2_636_424, 6_108_776]);
});

describe("networks for segmentation", () => {
  it("U-Net without padding gives scores of the middle: 388×388 of 572×572", () => {
    const model = models.create("unet", { ...narrow, padding: "valid" });
    assert.deepEqual(model(zeros([1, 1, 572, 572])).shape, [1, 4, 388, 388]);
    assert.throws(() => model(zeros([1, 1, 139, 139])), ShapeError);
    // @ts-expect-error there is no such padding
    assert.throws(() => models.create("unet", { padding: "reflect" }), ArgumentError);
  });

  it("U-Net scores each pixel of pictures of any size", () => {
    const model = models.create("unet", narrow);
    for (const [height, width] of [
      [16, 16],
      [17, 31],
      [1, 9],
    ])
      assert.deepEqual(model(zeros([2, 1, height, width])).shape, [2, 4, height, width]);
  });

  it("U-Net's scores depend on what is near: the same ones come out of the middle of a larger picture", async () => {
    const model = models.create("unet", { ...narrow, padding: "valid" }).eval();
    const picture = normal([1, 1, 204, 204]);
    const whole = model(picture);
    const part = model(picture.slice(null, null, [16, 204], [16, 204]));
    assert.deepEqual(part.shape, [1, 4, 4, 4]);
    assertClose(await whole.slice(null, null, [16, 20], [16, 20]).data(), await part.data(), 1e-4, "scores");
  });

  it("both learn where something is", async () => {
    for (const name of ["unet", "segnet"] as const) {
      const model = models.create(name, { width: 0.125, numClasses: 2, inChannels: 1, dropout: 0 });
      const pictures = normal([4, 1, 32, 32]);
      const labels = tensor(
        Int32Array.from(await pictures.data(), (value) => (value > 0 ? 1 : 0)),
        [4, 32, 32],
      );
      const parameters = model.parameters();
      const step = compile((x: Tensor) => {
        const loss = crossEntropy(model(x), labels);
        for (const [i, gradient] of grad(loss, parameters).entries())
          parameters[i].assign(add(parameters[i], mul(gradient, -0.2)) as Tensor);
        return loss;
      });
      const losses: number[] = [];
      for (let i = 0; i < 30; i++) losses.push(await (await step(pictures)).item());
      // Guessing comes to ln 2, 0.69.
      assert.ok(losses[29] < 0.62, `${name}: ${losses[0]} → ${losses[29]}`);
    }
  });
});
