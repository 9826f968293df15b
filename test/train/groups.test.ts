/** Training for groups of samples: weights, the group-robust loss, sampling, and features that hide an attribute. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RandomStream } from "../../src/core/philox.js";
import {
  add,
  balancedWeights,
  classWeights,
  crossEntropy,
  grad,
  gradientReversal,
  groupWeightedMean,
  ImageDataset,
  manualSeed,
  matmul,
  metrics,
  nn,
  predict,
  readCheckpoint,
  SGD,
  sum,
  type Tensor,
  Trainer,
  type TrainerOptions,
  tensor,
  writeCheckpoint,
} from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { bits, pictures, tinyTrainer } from "./tiny.js";

const labelsOf = (values: readonly number[]) => tensor([...values], { dtype: "int32" });

describe("nn.GroupRobustLoss", () => {
  it("moves weight to the groups of high loss as the paper's algorithm does", async () => {
    useDevice(anyDevice());
    const robust = new nn.GroupRobustLoss(3, { stepSize: 0.5 });
    let weights = [1 / 3, 1 / 3, 1 / 3];
    for (const [losses, groups] of [
      [
        [1, 2, 3, 4],
        [0, 0, 1, 1],
      ],
      [
        [0.5, 2, 0.25],
        [2, 1, 0],
      ],
    ]) {
      const means = [0, 1, 2].map((group) => {
        const own = losses.filter((_, i) => groups[i] === group);
        return own.reduce((total, loss) => total + loss, 0) / Math.max(1, own.length);
      });
      const raised = weights.map((weight, group) => weight * Math.exp(0.5 * means[group]));
      weights = raised.map((weight) => weight / raised.reduce((total, each) => total + each));
      const expected = means.reduce((total, mean, group) => total + mean * weights[group], 0);
      assert.ok(Math.abs((await robust(tensor(losses), labelsOf(groups)).item()) - expected) < 1e-6);
    }
    const kept = await robust.groupWeights.value.data();
    for (const [group, weight] of weights.entries()) assert.ok(Math.abs(kept[group] - weight) < 1e-6);
    robust.eval();
    await robust(tensor([9, 9]), labelsOf([0, 1])).item();
    assert.deepEqual(await robust.groupWeights.value.data(), kept, "only training moves weight");
  });

  it("refuses losses that are reduced, and settings that cannot be", () => {
    const robust = new nn.GroupRobustLoss(2);
    assert.throws(() => robust(tensor(1), labelsOf([0])), /Fix: make the loss with \{ reduction: "none" \}/);
    assert.throws(() => new nn.GroupRobustLoss(0), /the number of groups/);
    assert.throws(() => new nn.GroupRobustLoss(2, { stepSize: -1 }), /stepSize is -1/);
  });

  it("goes on after a break with the same bits, through a checkpoint", async () => {
    const train = pictures(60);
    const of = Int32Array.from({ length: 60 }, (_, i) => i % 3);
    const make = () => tinyTrainer(anyDevice(), { groups: { of, loss: new nn.GroupRobustLoss(3, { stepSize: 0.3 }) } });
    const whole = make();
    await whole.fit(train, { epochs: 3, batchSize: 20 });
    const first = make();
    await first.fit(train, { epochs: 1, batchSize: 20 });
    const info = { model: "tiny", variant: "reference", classNames: [], metricsBytes: 0, settings: {} };
    const normalization = { mean: [0], std: [1] };
    const bytes = writeCheckpoint({ info: { ...info, normalization }, state: await first.state() });
    const second = make();
    second.restore(readCheckpoint(bytes, "checkpoint").state);
    await second.fit(train, { epochs: 3, batchSize: 20 });
    assert.equal(await bits(second), await bits(whole));
    const { groupWeights } = await whole.state();
    assert.deepEqual((await second.state()).groupWeights, groupWeights);
    assert.ok(
      groupWeights?.some((weight) => Math.abs(weight - 1 / 3) > 1e-3),
      "weight has moved",
    );
    assert.throws(
      () => tinyTrainer(anyDevice()).restore(readCheckpoint(bytes, "c").state),
      /by 3 groups, this one is by none/,
    );
    await assert.rejects(make().fit(pictures(50), { epochs: 1 }), /60 group numbers for 50 training samples/);
  });
});

/**
 * 2×4 pictures whose class shows faintly in the upper row, and strongly in the lower one an attribute that goes with the
 * class in nine of ten.
 */
function unfair(size: number, seed: number) {
  const random = new RandomStream(seed);
  const images = new Uint8Array(8 * size);
  const labels = new Uint8Array(size);
  const attribute: number[] = [];
  for (let i = 0; i < size; i++) {
    labels[i] = random.integer(2);
    attribute.push(random.uniform() < 0.9 ? labels[i] : 1 - labels[i]);
    for (let pixel = 0; pixel < 8; pixel++) {
      const mean = pixel < 4 ? 110 + 36 * labels[i] : 50 + 156 * attribute[i];
      images[8 * i + pixel] = Math.max(0, Math.min(255, mean + 30 * random.normal()));
    }
  }
  const classNames = ["no", "yes"];
  const data = new ImageDataset({ name: "unfair", split: "train", images, labels, shape: [1, 2, 4], classNames });
  return { data, grouping: metrics.groupBy({ label: labels, attribute }, ["label", "attribute"]), attribute };
}

describe("what is done against unfairness", () => {
  const train = unfair(600, 1);
  const test = unfair(800, 2);
  const { groups, names } = train.grouping;
  const byGroup = { labels: groups, classNames: names };

  /** Accuracy of the group that fares worst after a training. */
  async function worst(options: Partial<TrainerOptions>, weights?: ArrayLike<number>): Promise<number> {
    useDevice(anyDevice());
    manualSeed(1);
    const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(8, 2));
    const optimizer = new SGD(model.parameters(), { lr: 0.5, momentum: 0.9 });
    await new Trainer(model, { optimizer, ...options }).fit(train.data, { epochs: 12, batchSize: 60, weights });
    const predicted: number[] = [];
    for await (const { probabilities } of predict(model, test.data)) predicted.push(probabilities[1] > 0.5 ? 1 : 0);
    const attributes = { class: test.data.labels, attribute: test.attribute };
    const report = metrics.subgroupReport(predicted, test.data.labels, attributes, { by: ["class", "attribute"] });
    return report.partitions[2].worst?.rates.accuracy?.value ?? Number.NaN;
  }

  it("weights, sampling and the group-robust loss each lift the worst group by fifteen points", async () => {
    const plain = await worst({});
    const importance = tensor(classWeights(byGroup));
    const weighted = await worst({
      groups: { of: groups, loss: (losses, members) => groupWeightedMean(losses, members, importance) },
    });
    const sampled = await worst({}, balancedWeights(byGroup));
    const robust = await worst({ groups: { of: groups, loss: new nn.GroupRobustLoss(4, { stepSize: 0.1 }) } });
    const all = [plain, weighted, sampled, robust].map((share) => share.toFixed(3)).join(", ");
    assert.ok(Math.min(weighted, sampled, robust) > plain + 0.15, all);
  });
});

it("gradientReversal leaves values, turns the gradient of what is before it, and none of what is after", async () => {
  useDevice(anyDevice());
  const [x, head] = [
    tensor([[1, -2, 0.5]]),
    tensor([
      [0.3, -0.2],
      [0.1, 0.4],
      [-0.7, 0.2],
    ]),
  ];
  const loss = (features: Tensor) => crossEntropy(matmul(features, head), labelsOf([1]));
  const [plain, plainHead] = grad(loss(x), [x, head]);
  const reversed = loss(gradientReversal(x, 0.5));
  const [turned, sameHead] = grad(reversed, [x, head]);
  assert.equal(await reversed.item(), await loss(x).item());
  assert.deepEqual(await sameHead.data(), await plainHead.data());
  assert.deepEqual(
    await turned.data(),
    (await plain.data()).map((value) => -0.5 * value),
  );
  // A strength that grows while training is a tensor.
  const [zero] = grad(add(loss(gradientReversal(x, tensor(0))), sum(x)), [x]);
  assert.deepEqual(await zero.data(), Float32Array.of(1, 1, 1));
  assert.throws(() => gradientReversal(x, -1), /scale is -1\. Expected a finite number of 0 or more/);
});
