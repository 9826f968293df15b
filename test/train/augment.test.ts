/** Training on augmented pictures: mixed labels in the loss, and the same bits whatever the threads. */

import assert from "node:assert/strict";
import { it } from "node:test";
import {
  ArgumentError,
  augment,
  crossEntropy,
  DataLoader,
  nn,
  normalizePixels,
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
