/** Classifiers whose heads are convolutions: the same scores, for windows all over a larger picture. */

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import {
  concat,
  crossEntropy,
  grad,
  manualSeed,
  models,
  type nn,
  normal,
  onWarning,
  slice,
  type Tensor,
  tensor,
  toConvolutional,
} from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { assertClose } from "../support/numbers.js";

before(() => {
  useDevice(anyDevice());
  onWarning(() => {});
  manualSeed(3);
});

/** Networks of each family, with the shapes of their pictures, and whether these can be told from the network. */
const cases: readonly [name: string, network: () => nn.Network, inputShape: [number, number, number], told: boolean][] =
  [
    ["lenet5", () => models.create("lenet5"), [1, 28, 28], true],
    ["lenet5-1998", () => models.create("lenet5-1998"), [1, 32, 32], true],
    ["lenet5-1998 with codes", () => models.create("lenet5-1998", { output: "rbf" }), [1, 32, 32], true],
    ["mlp", () => models.create("mlp", { hidden: [30, 20] }), [1, 28, 28], false],
    ["largenet", () => models.create("largenet"), [3, 32, 32], true],
    ["tinyvgg", () => models.create("tinyvgg"), [3, 64, 64], true],
    ["alexnet", () => models.create("alexnet", { width: 1 / 16 }), [3, 224, 224], false],
    ["alexnet2012", () => models.create("alexnet2012", { width: 1 / 16 }), [3, 227, 227], true],
    ["zfnet", () => models.create("zfnet", { width: 1 / 16 }), [3, 224, 224], false],
    ["vgg11", () => models.create("vgg11", { width: 1 / 16 }), [3, 224, 224], true],
    ["vgg11_bn", () => models.create("vgg11_bn", { width: 1 / 16 }), [3, 224, 224], true],
    ["nin-cifar10", () => models.create("nin-cifar10", { width: 1 / 4 }), [3, 32, 32], false],
    ["googlenet", () => models.create("googlenet", { width: 1 / 8 }), [3, 64, 64], false],
    ["resnet18", () => models.create("resnet18", { width: 1 / 8 }), [3, 64, 96], false],
  ];

describe("toConvolutional", () => {
  for (const [name, build, inputShape, told] of cases) {
    it(`gives the scores of ${name} on pictures of its own size`, async () => {
      const network = build().eval();
      const sliding = told ? toConvolutional(network) : toConvolutional(network, inputShape);
      assert.deepEqual(sliding.window, inputShape.slice(1));
      const x = normal([2, ...inputShape]);
      const [maps, scores] = [sliding(x), network(x)];
      assert.deepEqual(maps.shape, [2, network.numClasses, 1, 1]);
      assertClose(await maps.data(), await scores.data(), 1e-5, name);
    });
  }

  // Without padding, a window knows nothing of what is around it.
  for (const [name, stride, extra] of [
    ["lenet5-1998", 4, [3, 5]],
    ["largenet", 4, [1, 2]],
    ["tinyvgg", 4, [2, 1]],
    ["mlp", 1, [3, 4]],
  ] as const) {
    it(`is ${name} on each window of a larger picture`, async () => {
      const { inputShape } = models.find(name);
      const network = models.create(name).eval();
      const sliding = toConvolutional(network, inputShape);
      assert.equal(sliding.stride, stride);
      const [channels, height, width] = inputShape;
      const [down, across] = extra;
      // A few pixels more than the windows need are left out.
      const picture = normal([1, channels, height + stride * down + stride - 1, width + stride * across]);
      const maps = sliding(picture);
      assert.deepEqual(maps.shape, [1, network.numClasses, down + 1, across + 1]);
      const windows = Array.from({ length: (down + 1) * (across + 1) }, (_, i) => {
        const [top, left] = [stride * Math.floor(i / (across + 1)), stride * (i % (across + 1))];
        return slice(picture, null, null, [top, top + height], [left, left + width]);
      });
      const scores = await network(concat(windows, 0)).array();
      const found = await maps.array();
      assert.ok(Array.isArray(scores) && Array.isArray(found) && Array.isArray(found[0]));
      const [byClass] = found;
      for (const [i, row] of scores.entries()) {
        const here = byClass.map((map) => Array.isArray(map) && flat(map)[i]);
        assertClose(here.map(Number), flat(row), 1e-4, `window ${i}`);
      }
    });
  }

  it("shares the classifier's weights, and is trained with it", async () => {
    const network = models.create("lenet5");
    const sliding = toConvolutional(network);
    assert.equal(sliding.parameterCount(), network.parameterCount());
    const [loss, labels] = [(scores: Tensor) => crossEntropy(scores, labels), tensor([1, 7], { dtype: "int32" })];
    const x = normal([2, 1, 28, 28]);
    const own = grad(loss(network(x)), network.parameters());
    const theirs = grad(loss(sliding(x).squeeze(-1).squeeze(-1)), sliding.parameters());
    for (const [i, gradient] of own.entries())
      assertClose(await theirs[i].data(), await gradient.data(), 1e-5, `gradient ${i}`);
    // A classifier that is replaced later slides too.
    network.resetClassifier(4);
    assert.deepEqual(sliding(normal([1, 1, 32, 40])).shape, [1, 4, 2, 4]);
  });

  it("leaves a network in training as it was", async () => {
    const network = models.create("vgg11_bn", { width: 1 / 16 });
    const before = await network.stateDict();
    toConvolutional(network);
    const after = await network.stateDict();
    for (const [name, { data }] of Object.entries(before)) assert.deepEqual(after[name].data, data);
  });

  it("says what it needs to know, and what cannot slide", () => {
    const resnet = models.create("resnet18", { width: 1 / 8 });
    assert.throws(() => toConvolutional(resnet), /ResNet does not tell which pictures.*toConvolutional\(network, \[3/);
    const mlp = models.create("mlp");
    assert.throws(() => toConvolutional(mlp), /Expected their shape/);
    const vgg = models.create("vgg11", { width: 1 / 16 });
    assert.throws(() => toConvolutional(vgg, [3, 192, 192]), /pools maps of 6×6 to 7×7, which cannot slide/);
    assert.throws(() => toConvolutional(models.create("largenet"), [3, 40, 40]), /features are 10×7×7/);
    const sliding = toConvolutional(models.create("largenet"));
    assert.throws(() => sliding(normal([1, 3, 30, 40])), /does not fit|Fix/);
  });
});

function flat(nested: unknown): number[] {
  return Array.isArray(nested) ? nested.flatMap(flat) : [Number(nested)];
}
