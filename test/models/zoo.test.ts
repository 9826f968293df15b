/** What every network of the registry must do, on narrow variants: a new one is tested by being in the list. */

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { ShapeError } from "../../src/core/errors.js";
import {
  add,
  crossEntropy,
  evaluate,
  grad,
  manualSeed,
  models,
  mul,
  nn,
  normal,
  onWarning,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { anyDevice, delayed, useDevice } from "../support/devices.js";
import { parameterCounts } from "./parameters.js";

const [classes, channels] = [5, 2];
const skip = delayed && "whole networks take too long with delays; their layers are tested with them";

/** A loss that depends on every score, auxiliary ones too. */
function lossOf({ logits, auxiliary }: nn.NetworkOutputs, labels: readonly number[]): Tensor {
  // Segmentation networks give scores for every pixel.
  const single = (scores: Tensor) =>
    scores.rank === 2
      ? crossEntropy(scores, tensor(labels, { dtype: "int32" }))
      : sum(mul(scores, normal(scores.shape)));
  return auxiliary.reduce<Tensor>((total, each) => add(total, mul(single(each.logits), each.weight)), single(logits));
}

/** Calls the network, and gives the shapes of what the named modules computed. */
function captureShapes(network: nn.Network, names: readonly string[], call: () => unknown): (readonly number[])[] {
  const found = new Map<string, readonly number[]>();
  const modules = new Map(network.namedModules());
  for (const name of names) {
    const module = modules.get(name);
    assert.ok(module !== undefined, `featureInfo names ${name}, which is no module of the network`);
    const forward = module.forward.bind(module);
    const value = (...inputs: never[]) => {
      const result = forward(...inputs);
      if (result !== null && typeof result === "object" && "shape" in result && Array.isArray(result.shape))
        found.set(name, result.shape);
      return result;
    };
    Object.defineProperty(module, "forward", { value, configurable: true });
  }
  call();
  return names.map((name) => {
    Reflect.deleteProperty(modules.get(name) ?? {}, "forward");
    return found.get(name) ?? assert.fail(`${name} has computed nothing`);
  });
}

for (const entry of models.list()) {
  describe(`the network ${entry.name}`, { skip }, () => {
    let network: nn.Network;
    let pictures: Tensor;
    // Small enough to be quick, and wide enough that no rectifier is dead throughout a layer.
    const width = parameterCounts[entry.name] > 20e6 ? 1 / 8 : 1 / 4;
    const segments = entry.task === "segmentation";
    const [height, side] =
      entry.minimumSize === undefined ? entry.inputShape.slice(1) : [entry.minimumSize, entry.minimumSize + 7];
    const build = () => entry.create({ numClasses: classes, inChannels: channels, width, dropout: 0 });

    before(() => {
      useDevice(anyDevice());
      onWarning(() => {});
      manualSeed(1);
      network = build();
      pictures = normal([3, channels, height, side]);
    });

    it("says in full what it is", () => {
      const { name, description, inputShape, normalization, resizing, paper } = entry;
      assert.match(name, /^[a-z][a-z0-9_-]*$/);
      assert.match(description, /^[A-Z].{20,}[^.]$/);
      assert.equal(normalization.mean.length, inputShape[0]);
      assert.equal(normalization.std.length, inputShape[0]);
      assert.ok(normalization.std.every((each) => each > 0));
      if (resizing !== undefined) {
        assert.ok(resizing.resize >= resizing.crop);
        assert.equal(resizing.crop, inputShape[1]);
      }
      if (paper !== undefined) assert.ok(paper.year >= 1980 && /\w/.test(paper.title) && /\w/.test(paper.authors));
      assert.equal(models.find(name), entry);
    });

    it("gives scores of the classes that are asked for, from pictures of any size that it takes", () => {
      // A published design may leave out a border: nobody is told.
      onWarning((message) => assert.fail(message));
      assert.equal(network.numClasses, classes);
      assert.deepEqual(network(pictures).shape, segments ? [3, classes, height, side] : [3, classes]);
      // In evaluation no running statistics are left to be computed.
      const own = entry.create({ width }).eval();
      assert.equal(own.numClasses, entry.numClasses);
      assert.equal(own(normal([1, ...entry.inputShape])).shape[1], entry.numClasses);
      own.forwardFeatures(normal([1, ...entry.inputShape]));
      onWarning(() => {});
    });

    it("refuses pictures that are too small, or where it takes one size only, too large", () => {
      const size = entry.minimumSize === undefined ? 2 * height : entry.minimumSize - 1;
      if (size > 0) assert.throws(() => network(normal([1, channels, size, size])), ShapeError);
      const wrong = normal([1, channels + 1, height, side]);
      assert.throws(() => network(wrong), ShapeError);
      // By themselves features name the layer, too.
      const named = new RegExp(`^ShapeError: (${[...network.namedChildren()].map(([name]) => name).join("|")})\\b`);
      if (network.featureInfo.length > 0) assert.throws(() => network.forwardFeatures(wrong), named);
    });

    it("gives every parameter a gradient", async () => {
      const parameters = [...network.namedParameters()];
      const loss = lossOf(network.train().outputs(pictures), [0, 3, 1]);
      const gradients = grad(
        loss,
        parameters.map(([, parameter]) => parameter),
      );
      await evaluate(loss, ...gradients);
      assert.ok(Number.isFinite(await loss.item()));
      for (const [i, [name]] of parameters.entries()) {
        const values = await gradients[i].data();
        assert.ok(values.every(Number.isFinite), `the gradient of ${name} is not finite`);
        assert.ok(
          values.some((value) => value !== 0),
          `the gradient of ${name} is 0 everywhere`,
        );
      }
    });

    it("is its features and its head, and computes the same after saving and loading", async () => {
      const scores = await network.eval()(pictures).data();
      assert.ok(scores.every(Number.isFinite) && scores.some((score) => score !== scores[0]));
      const { body, classifier } = nn.splitClassifier(network);
      const features = body(pictures);
      const again = [network.forwardHead(network.forwardFeatures(pictures)), classifier(features)];
      await evaluate(...again);
      for (const same of again) assert.deepEqual(await same.data(), scores);
      assert.equal(body.parameterCount() + classifier.parameterCount(), network.parameterCount());
      const other = build().eval();
      assert.notDeepEqual(await other(pictures).data(), scores);
      other.loadStateDict(nn.readWeights(await network.serialize(), entry.name));
      assert.deepEqual(await other(pictures).data(), scores);
    });

    it("says truly where features can be taken", () => {
      const info = network.featureInfo;
      const step = Math.max(1, ...info.map(({ reduction }) => reduction));
      const names = info.map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
      const shapesAt = (larger: number) => {
        const x = normal([1, channels, height + larger, side + larger]);
        return captureShapes(network.eval(), names, () => network.forwardFeatures(x));
      };
      // Pictures that are larger by the largest reduction have a place more there, and more in proportion before.
      const [small, large] = [shapesAt(0), shapesAt(step)];
      for (const [i, { name, channels: own, reduction }] of info.entries()) {
        assert.equal(small[i][1], own, `channels of ${name}`);
        assert.equal(large[i][2] - small[i][2], step / reduction, `reduction of ${name}`);
        assert.equal(large[i][3] - small[i][3], step / reduction, `reduction of ${name}`);
      }
      if (info.length > 0) assert.equal(network.forwardFeatures(pictures).shape[1], info[info.length - 1].channels);
    });

    it("changes only its last layers, auxiliary ones too, when the classifier is replaced", async () => {
      const changed = build();
      const before = new Map(changed.namedStates());
      changed.resetClassifier(2);
      assert.equal(changed.numClasses, 2);
      const after = [...changed.namedStates()];
      assert.deepEqual(
        after.map(([name]) => name),
        [...before.keys()],
      );
      const { logits, auxiliary } = changed.train().outputs(pictures);
      for (const scores of [logits, ...auxiliary.map((each) => each.logits)]) assert.equal(scores.shape[1], 2);
      const replaced = after.filter(([name, state]) => before.get(name) !== state);
      const classifiers = 1 + auxiliary.length;
      const own = nn.splitClassifier(changed).classifier.parameters();
      assert.ok(own.length > 0 && own.every((parameter) => replaced.some(([, state]) => state === parameter)));
      assert.ok(replaced.length >= classifiers && replaced.length <= 2 * classifiers, `${replaced.length} replaced`);
      for (const [name, state] of replaced) assert.notDeepEqual(state.shape, before.get(name)?.shape);
      assert.throws(() => changed.resetClassifier(0), /Expected/);
    });
  });
}

describe("networks of full size", { skip }, () => {
  it("have the committed numbers of parameters, and take up no memory before they are used", async () => {
    const device = anyDevice();
    useDevice(device);
    const { live } = await device.memory();
    const found = models.list().map((entry) => [entry.name, entry.create().parameterCount()] as const);
    assert.deepEqual(Object.fromEntries(found), parameterCounts);
    // Less where networks of the tests before have been collected meanwhile.
    assert.ok((await device.memory()).live <= live);
  });
});
