/** The weights of the best epoch, with an average of them and without. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ArgumentError } from "../../src/core/errors.js";
import { bestWeights, ImageDataset, SGD } from "../../src/index.js";
import { anyDevice } from "../support/devices.js";
import { bits, pictures, tinyTrainer } from "./tiny.js";

const train = pictures(64);
const { name, images, labels, shape, classNames } = train;
const wrong = labels.map((label) => 1 - label);
const lies = new ImageDataset({ name, split: "lies", images, labels: wrong, shape, classNames });
const validation = pictures(32, "test");

const device = anyDevice();

describe("bestWeights", () => {
  for (const average of [undefined, 0.6]) {
    it(`restores the epoch with the lowest loss${average === undefined ? "" : ", of averages"}`, async () => {
      const trainer = tinyTrainer(device, {
        optimizer: (parameters) => {
          const sgd = new SGD(parameters, { lr: 0.05 });
          return average === undefined ? sgd : sgd.averageWeights(average);
        },
      });
      const { model, optimizer } = trainer;
      const best = bestWeights(model, { optimizer });
      await assert.rejects(best.restore(), /no weights to restore/);
      const options = { batchSize: 16, validation, callbacks: best };
      // First it learns, then what it has learnt is undone.
      const epochs = await trainer.fit(train, { ...options, epochs: 3 });
      epochs.push(...(await trainer.fit(lies, { ...options, epochs: 6 })));
      const losses = epochs.map((epoch) => epoch.validation?.loss ?? Number.NaN);
      const lowest = Math.min(...losses);
      const at = losses.indexOf(lowest);
      assert.ok(at >= 1 && at <= 3, losses.join());
      assert.equal(best.record, epochs[at]);
      const last = await bits(trainer);
      await best.restore();
      assert.notEqual(await bits(trainer), last);
      assert.equal((await trainer.evaluate(validation)).loss, lowest);
      assert.deepEqual(await model.stateDict(), best.weights);
      const mostRight = bestWeights(model, { measure: "accuracy" });
      for (const epoch of epochs) await mostRight.onEpoch(epoch);
      const shares = epochs.map((epoch) => epoch.validation?.accuracy ?? Number.NaN);
      assert.equal(mostRight.record, epochs[shares.indexOf(Math.max(...shares))]);
    });
  }

  it("refuses measures and thresholds that there are not", () => {
    const { model } = tinyTrainer(device);
    assert.throws(() => bestWeights(model, { threshold: Number.NaN }), ArgumentError);
    assert.throws(() => bestWeights(model, { measure: JSON.parse('"iou"') }), /measure is "iou"\. Expected "loss" or/);
  });
});
