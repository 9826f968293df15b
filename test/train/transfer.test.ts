/** Borrowing a network: freezing, chopping, features computed once, learning rates by layer. */

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  augment,
  compile,
  crossEntropy,
  evaluateModel,
  extractFeatures,
  FeatureDataset,
  fit,
  layerwiseRates,
  manualSeed,
  models,
  nn,
  normal,
  onWarning,
  predict,
  SGD,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { cachedFeatures } from "../../src/node.js";
import { anyDevice, delayed, useDevice } from "../support/devices.js";
import { pictures } from "./tiny.js";

const skip = delayed && "the same on every device";

/** Pictures of 4×4 → two scores, with batch normalization and dropout on the way. */
class Net extends nn.Network {
  conv1 = new nn.Conv2d(1, 4, 3, { padding: 1, bias: false });
  bn1 = new nn.BatchNorm2d(4);
  conv2 = new nn.Conv2d(4, 6, 3, { padding: 1, bias: false });
  bn2 = new nn.BatchNorm2d(6);
  pool = new nn.AvgPool2d(4);
  flatten = new nn.Flatten();
  dropout = new nn.Dropout(0.1);
  fc: nn.Linear;

  constructor(numClasses = 2) {
    super();
    this.fc = new nn.Linear(6, numClasses);
  }

  override get numClasses() {
    return this.fc.outFeatures;
  }

  override get featureInfo() {
    return [
      { name: "bn1", channels: 4, reduction: 1 },
      { name: "bn2", channels: 6, reduction: 1 },
    ];
  }

  protected override computeFeatures(x: Tensor) {
    return this.bn2(this.conv2(this.bn1(this.conv1(x)))).relu();
  }

  override get headLayers() {
    return [this.pool, this.flatten, this.dropout, this.fc];
  }

  override resetClassifier(numClasses: number) {
    this.fc = new nn.Linear(6, numClasses);
  }
}

async function statesOf(module: nn.ModuleBase): Promise<Record<string, number[]>> {
  const states = Object.entries(await module.stateDict());
  return Object.fromEntries(states.map(([name, { data }]) => [name, Array.from(data)]));
}

const changed = (one: Record<string, number[]>, other: Record<string, number[]>) =>
  Object.keys(one).filter((name) => one[name].join() !== other[name].join());

describe("transfer", { skip }, () => {
  before(() => {
    useDevice(anyDevice());
    manualSeed(5);
  });

  it("leaves a frozen part as it is, running statistics included, in a compiled step too", async () => {
    const net = new Net();
    const [x, labels] = [normal([6, 1, 4, 4]), tensor([0, 1, 1, 0, 1, 0], { dtype: "int32" })];
    const optimizer = new SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
    const step = compile((x: Tensor) => {
      crossEntropy(net(x), labels).backward();
      void optimizer.step();
      return null;
    });
    nn.freezeThrough(net, "bn1");
    const before = await statesOf(net);
    await step(x);
    const all = Object.keys(before);
    assert.deepEqual(
      changed(before, await statesOf(net)),
      all.filter((name) => /^(conv2|bn2|fc)\./.test(name)),
    );
    net.unfreeze();
    const frozen = await statesOf(net);
    await step(x);
    assert.deepEqual(changed(frozen, await statesOf(net)), all);
    assert.equal(step.recordings, 2);
  });

  it("computes by running statistics where it is frozen", async () => {
    const norm = new nn.BatchNorm2d(2).freeze();
    norm.runningMean.assign(tensor([1, -1]));
    norm.runningVar.assign(tensor([4, 0.25]));
    const x = normal([3, 2, 2, 2]);
    assert.deepEqual(await norm.train()(x).data(), await norm.eval()(x).data());
    assert.deepEqual(Array.from(await norm.runningMean.value.data()), [1, -1]);
  });

  it("freezes in the order of the layers, and knows the names of all", () => {
    const net = models.create("resnet20", { width: 0.25 });
    nn.freezeThrough(net, "layer2");
    const trained = [...net.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad).map(([name]) => name);
    assert.ok(trained.every((name) => /^(layer3|linear)\./.test(name)) && trained.length > 10, trained.join());
    const frozen = [...net.namedModules()].filter(([, module]) => module.frozen).map(([name]) => name);
    assert.ok(frozen.includes("layer2.1.bn2") && frozen.includes("bn1") && !frozen.includes("layer3"));
    assert.throws(
      () => nn.freezeThrough(net, "layr2"),
      /CifarResNet has no layer named "layr2"\. Did you mean layer2\? Expected the path/,
    );
    assert.throws(() => nn.chop(net, ""), /has no layer named ""\. Expected the path of one inside it, such as conv1/);
  });

  it("chops a network after any of its layers, behind which nothing is computed", async () => {
    const net = models.create("resnet20", { width: 0.25 }).eval();
    const x = normal([2, 3, 8, 8]);
    const maps = nn.chop(net, "layer2")(x);
    assert.deepEqual(maps.shape, [2, 8, 4, 4]);
    assert.deepEqual(await net.layer3(maps).data(), await net.forwardFeatures(x).data());
    // The layers behind have running statistics, which a call would move.
    const before = await statesOf(net.layer3);
    const chopped = compile(nn.chop(net.train(), "layer2"));
    await (await chopped(x)).data();
    assert.deepEqual(await statesOf(net.layer3), before);
    const model = new nn.Sequential(nn.chop(net, "layer1"), new nn.AdaptiveAvgPool2d(1), new nn.Flatten());
    assert.deepEqual(model(x).shape, [2, 4]);
    // A chopped network does not keep others from being called to their end.
    assert.deepEqual(net(x).shape, [2, 10]);
    assert.throws(
      () => nn.chop(models.create("googlenet", { width: 0.1 }).eval(), "aux1")(normal([1, 3, 32, 32])),
      /does not call aux1/,
    );
  });

  it("gives features with which the classifier answers as the whole network does, and learns alone", async () => {
    const net = new Net();
    const [data, test] = [pictures(90), pictures(40, "test")];
    const normalization = { mean: [0.4], std: [0.3] };
    const seen: number[] = [];
    const features = await extractFeatures(net, data, {
      normalization,
      batchSize: 32,
      onProgress: (n) => seen.push(n),
    });
    assert.deepEqual(seen, [32, 64, 90]);
    assert.deepEqual([features.size, features.shape, features.classNames], [90, [6], ["top", "bottom"]]);
    assert.equal(net.training, true);
    const { body, classifier } = nn.splitClassifier(net);
    const order = Uint32Array.of(7, 3);
    const expected: number[] = [];
    for await (const { probabilities } of predict(net, data.subset(order), { normalization }))
      expected.push(...probabilities);
    const { features: some, shape } = features.batch(order);
    const answers = await classifier.eval()(tensor(some, shape)).softmax(1).data();
    for (const [i, value] of expected.entries()) assert.ok(Math.abs(answers[i] - value) < 1e-6);

    const before = await statesOf(net);
    const optimizer = new SGD(classifier.parameters(), { lr: 0.2, momentum: 0.9 });
    const held = await extractFeatures(body, test, { normalization });
    const epochs = await fit(classifier, features, { optimizer, epochs: 8, batchSize: 16, validation: held });
    assert.deepEqual(changed(before, await statesOf(net)), ["fc.weight", "fc.bias"]);
    const whole = await evaluateModel(net, test, { normalization });
    assert.equal(epochs.at(-1)?.validation?.accuracy, whole.accuracy);
    assert.ok(epochs[7].train.loss < epochs[0].train.loss);
    const options = { optimizer, epochs: 9, augment: augment.flip() };
    await assert.rejects(fit(classifier, features, options), /features cannot be augmented.*copies/);
  });

  it("looks at further copies of the pictures as augmentation changes them, the same for the same seed", async () => {
    const [net, data] = [new Net(), pictures(10)];
    const flip = augment.flip({ probability: 1 });
    const copies = (seed: number, augmentation: augment.BatchAugmentation = flip) =>
      extractFeatures(nn.chop(net, "conv1"), data, { copies: 2, augment: augmentation, seed });
    const both = await copies(1);
    const plain = await extractFeatures(nn.chop(net, "conv1"), data);
    assert.deepEqual([both.size, both.shape], [20, [4, 4, 4]]);
    assert.deepEqual(both.labels, Int32Array.from([...data.labels, ...data.labels]));
    assert.deepEqual(both.features.subarray(0, plain.features.length), plain.features);
    assert.notDeepEqual(both.features.subarray(plain.features.length), plain.features);
    const noise = augment.gaussianNoise({ deviation: 20 });
    assert.deepEqual((await copies(1, noise)).features, (await copies(1, noise)).features);
    assert.notDeepEqual((await copies(1, noise)).features, (await copies(2, noise)).features);
    await assert.rejects(
      extractFeatures(net, data, { copies: 2 }),
      /2 copies without augmentation would all be the same/,
    );
    await assert.rejects(extractFeatures(net, data.take(0)), /the data set is empty/);
    net.conv1.weight.assign(normal([4, 1, 3, 3]).mul(Number.NaN) as Tensor);
    await assert.rejects(extractFeatures(net, data), /a feature of sample 0 is NaN/);
    const parts = { name: "a", split: "b", features: new Float32Array(5), labels: new Int32Array(2), shape: [2] };
    assert.throws(
      () => new FeatureDataset({ ...parts, classNames: ["c"] }),
      /5 values are no features of 2 for 2 samples/,
    );
  });

  it("keeps features on the disk, and never takes those of other weights, pictures or settings, nor damaged ones", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fovea-features-"));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const [net, data] = [new Net(), pictures(20)];
    const cached = async (set = data, options = {}) => {
      const before = new Set(readdirSync(folder));
      const { features, labels, shape } = await cachedFeatures(net, set, { folder, ...options });
      const fresh = await extractFeatures(net, set, options);
      assert.deepEqual(
        { features, labels, shape },
        { features: fresh.features, labels: fresh.labels, shape: fresh.shape },
      );
      return readdirSync(folder).filter((name) => !before.has(name));
    };
    const [file] = await cached();
    assert.deepEqual(await cached(), []);
    // A head of its own changes nothing, all else does.
    net.resetClassifier(3);
    assert.deepEqual(await cached(), []);
    const noise = { copies: 2, augment: augment.gaussianNoise({ deviation: 9 }) };
    const other = { normalization: { mean: [0.1], std: [0.2] } };
    for (const options of [other, noise, { ...noise, seed: 1 }]) assert.equal((await cached(data, options)).length, 1);
    assert.equal((await cached(pictures(20, "test"))).length, 1);
    assert.equal((await cached(data.take(19))).length, 1);
    net.bn1.runningMean.assign(normal([4]));
    assert.equal((await cached()).length, 1);
    net.bn1.runningMean.assign(tensor([0, 0, 0, 0]));
    const at = async (layer: string) => (await cachedFeatures(nn.chop(net, layer), data, { folder })).features;
    assert.notDeepEqual(await at("conv1"), await at("bn1"));
    // Where none can be written there is a warning alone.
    const warnings: string[] = [];
    onWarning((message) => warnings.push(message));
    const blocked = join(folder, file, "full");
    assert.equal((await cachedFeatures(net, data, { folder: blocked })).size, 20);
    assert.match(warnings[0], /the features are not kept for the next time: cannot write /);
    // What is damaged is computed anew; augmentations of one's own are not kept.
    const bytes = readFileSync(join(folder, file));
    bytes[bytes.length - 200] ^= 1;
    writeFileSync(join(folder, file), bytes);
    assert.deepEqual(await cached(), []);
    bytes[bytes.length - 200] ^= 1;
    assert.deepEqual(readFileSync(join(folder, file)), bytes);
    const own = new augment.Augmentation({ draw: () => 0, apply: (picture) => picture });
    assert.deepEqual(await cached(data, { copies: 2, augment: own }), []);
    await cached(data.take(5), { maxBytes: 1 });
    assert.equal(readdirSync(folder).length, 1);
  });

  it("has rates fall from the head to the input, without what is frozen", () => {
    const net = models.create("resnet20", { width: 0.25 });
    const groups = layerwiseRates(net, { decay: 0.5 });
    assert.deepEqual(
      groups.map(({ lrScale }) => lrScale),
      [0.125, 0.25, 0.5, 1],
    );
    assert.deepEqual([...groups[3].parameters], net.linear.parameters());
    assert.deepEqual([...groups[1].parameters], net.layer2.parameters());
    assert.equal(groups.flatMap(({ parameters }) => [...parameters]).length, net.parameters().length);
    net.layer1.freeze();
    net.linear.freeze();
    assert.equal([...layerwiseRates(net)[0].parameters].length, 3);
    assert.equal(layerwiseRates(net).at(-1)?.lrScale, 0.5);
    const plain = new nn.Sequential(new nn.Linear(4, 3), new nn.ReLU(), new nn.Linear(3, 2));
    assert.deepEqual(
      layerwiseRates(plain, { decay: 0.1 }).map(({ lrScale }) => lrScale),
      [0.1 ** 2, 1],
    );
    assert.throws(() => layerwiseRates(plain.freeze()), /everything is frozen/);
    assert.throws(() => layerwiseRates(plain, { decay: 2 }), /decay is 2/);
  });
});
