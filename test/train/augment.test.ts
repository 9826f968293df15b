/** Training on augmented pictures: mixed labels in the loss, and the same bits whatever the threads. */

import assert from "node:assert/strict";
import { it } from "node:test";
import {
  ArgumentError,
  augment,
  crossEntropy,
  DataLoader,
  ImageDataset,
  manualSeed,
  nn,
  normalizePixels,
  type PredictOptions,
  predict,
  SGD,
  Trainer,
  tensor,
} from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { bits, pictures, tinyTrainer } from "./tiny.js";

const device = anyDevice();
const train = pictures(50);

it("the loss of mixed pictures is that with probabilities for labels, hits count by share", async () => {
  useDevice(device);
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 2));
  // Nothing is learnt, so that the loss is that of the first weights.
  const trainer = new Trainer(model, { optimizer: new SGD(model.parameters(), { lr: 1e-30 }) });
  const options = { batchSize: 50, seed: 4, augment: augment.mixup({ alpha: 1 }) };
  const [record] = await trainer.fit(train, { epochs: 1, ...options });
  for await (const { images, labels, shape, mixed } of new DataLoader(train, { shuffle: true, ...options }).epoch(0)) {
    assert.ok(mixed !== undefined && mixed.share > 0.05 && mixed.share < 0.95, `${mixed?.share}`);
    const { share, labels: others } = mixed;
    const scores = model(normalizePixels(tensor(images, shape)));
    const probabilities = Float32Array.from({ length: 100 }, (_, i) => {
      const [sample, label] = [Math.floor(i / 2), i % 2];
      return share * Number(labels[sample] === label) + (1 - share) * Number(others[sample] === label);
    });
    const expected = await crossEntropy(scores, tensor(probabilities, [50, 2])).item();
    assert.ok(Math.abs(record.train.loss - expected) < 1e-5, `${record.train.loss}, not ${expected}`);
    const values = await scores.data();
    const hits = labels.reduce((sum, label, i) => {
      const predicted = values[2 * i] >= values[2 * i + 1] ? 0 : 1;
      return sum + share * Number(predicted === label) + (1 - share) * Number(predicted === others[i]);
    }, 0);
    assert.ok(Math.abs(record.train.accuracy - hits / 50) < 1e-5);
  }
});

it("trains to the same bits with threads for augmentation, without, and after a break", async () => {
  const change = augment.parse("translate:1,noise:20,mixup:p=0.5,cutmix:p=0.5");
  const options = { batchSize: 8, seed: 2 };
  const alone = tinyTrainer(device);
  await alone.fit(train, { epochs: 3, ...options, augment: change });
  const plain = tinyTrainer(device);
  await plain.fit(train, { epochs: 3, ...options });
  assert.notEqual(await bits(plain), await bits(alone));

  const helped = tinyTrainer(device);
  const stop = new AbortController();
  const onBatch = ({ epoch, batch }: { epoch: number; batch: number }) => {
    if (epoch === 1 && batch === 3) stop.abort();
  };
  const threaded = { ...options, augment: augment.inWorkers(change, 2) };
  await assert.rejects(
    helped.fit(train, { epochs: 3, ...threaded, callbacks: { onBatch }, signal: stop.signal }),
    /cancelled/,
  );
  const state = await helped.state();
  const resumed = tinyTrainer(device);
  resumed.restore(state);
  await resumed.fit(train, { epochs: 3, ...threaded });
  assert.equal(await bits(resumed), await bits(alone));
});

it("groups and mixing exclude one another", async () => {
  const groups = { of: Int32Array.from({ length: 50 }, (_, i) => i % 2), loss: new nn.GroupRobustLoss(2) };
  const trainer = tinyTrainer(device, { groups });
  await assert.rejects(trainer.fit(train, { epochs: 1, augment: augment.mixup() }), (error) => {
    assert.ok(error instanceof ArgumentError);
    assert.match(error.message, /mixed of two belongs to no group. Fix: groups without mixup and cutmix/);
    return true;
  });
});

it("predictions are averaged over views", async () => {
  useDevice(device);
  manualSeed(1);
  const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(16, 2));
  const probabilities = async (options: PredictOptions, data = train) => {
    const rows: number[][] = [];
    for await (const each of predict(model, data, { batchSize: 20, ...options })) rows.push([...each.probabilities]);
    return rows;
  };
  const mirrored = new ImageDataset({
    ...{ name: "mirrored", split: "train", shape: train.shape, classNames: train.classNames, labels: train.labels },
    images: train.images.map((_, i, all) => all[i - (i % 4) + 3 - (i % 4)]),
  });
  const [plain, other] = [await probabilities({}), await probabilities({}, mirrored)];
  const averaged = await probabilities({ views: augment.flipViews() });
  for (const [i, row] of averaged.entries()) {
    for (const [k, value] of row.entries()) assert.ok(Math.abs(value - (plain[i][k] + other[i][k]) / 2) < 1e-6);
  }
  assert.notDeepEqual(plain, averaged);
  for (const views of [undefined, augment.flipViews()]) {
    for await (const { probabilities, label, loss = 0 } of predict(model, train, { views, losses: true }))
      assert.ok(Math.abs(loss + Math.log(probabilities[label])) < 1e-5);
  }
  await assert.rejects(probabilities({ views: [] }), /there are no views/);
});

it("views are where they say", () => {
  const picture: augment.Picture = { shape: [1, 3, 4], image: Uint8Array.from({ length: 12 }, (_, i) => i) };
  const seen = (views: readonly augment.View[]) => views.map((view) => [...view(picture).image].join(" "));
  const crops = ["0 1 4 5", "1 0 5 4", "2 3 6 7", "3 2 7 6", "4 5 8 9", "5 4 9 8", "6 7 10 11", "7 6 11 10"];
  assert.deepEqual(seen(augment.cropViews(2)), [...crops, "1 2 5 6", "2 1 6 5"]);
  assert.equal(augment.cropViews([2, 1], false).length, 5);
  const shifts = seen(augment.shiftViews());
  assert.deepEqual(shifts.slice(0, 2), ["0 1 2 3 4 5 6 7 8 9 10 11", "0 0 1 2 0 4 5 6 0 8 9 10"]);
  assert.equal(new Set(shifts).size, 9);
  const square: augment.Picture = { shape: [1, 2, 2], image: Uint8Array.of(1, 2, 3, 4) };
  const turns = augment.turnViews().map((view) => [...view(square).image].join(""));
  assert.deepEqual(turns.sort(), ["1234", "1324", "2143", "2413", "3142", "3412", "4231", "4321"]);
  assert.throws(() => seen(augment.turnViews()), /a picture is 3×4, and would be 4×3.*Fix: flipViews/);
  assert.throws(() => seen(augment.cropViews(4)), /windows of 4×4 do not fit into a picture of 3×4/);
});
