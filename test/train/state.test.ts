/** Schedules in training, and the state from which training goes on. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Adam, CosineLR, type Optimizer, PlateauLR } from "../../src/index.js";
import type { EpochRecord, Progress, TrainingState } from "../../src/train/records.js";
import { anyDevice } from "../support/devices.js";
import { bits, pictures, tinyTrainer } from "./tiny.js";

const device = anyDevice();
const train = pictures(50);
const test = pictures(30, "test");
/** Six batches of eight and one of two. */
const batchSize = 8;
const batches = 7;

describe("schedules", () => {
  it("go on with each step", async () => {
    const schedule = (optimizer: Optimizer) => new CosineLR(optimizer, { steps: 2 * batches });
    const trainer = tinyTrainer(device, { schedule });
    const rates: number[] = [];
    const onBatch = ({ learningRate }: Progress) => void rates.push(learningRate);
    const records = await trainer.fit(train, { epochs: 2, batchSize, callbacks: { onBatch } });
    const expected = Array.from({ length: 2 * batches }, (_, i) => 0.05 * (1 + Math.cos((Math.PI * (i + 1)) / 14)));
    assert.deepEqual(
      rates.map((rate) => rate.toFixed(12)),
      expected.map((rate) => rate.toFixed(12)),
    );
    assert.equal(records[1].learningRate, rates.at(-1));
  });

  it("or with each epoch, by the loss in validation or else in training", async () => {
    for (const validation of [test, undefined]) {
      const measures: (number | undefined)[] = [];
      const schedule = () => ({
        step: (measure?: number) => void measures.push(measure),
        state: () => ({}),
        loadState: () => undefined,
      });
      const trainer = tinyTrainer(device, { schedule, scheduleEvery: "epoch" });
      const options = { epochs: 3, batchSize, ...(validation !== undefined && { validation }) };
      const records = await trainer.fit(train, options);
      assert.deepEqual(
        measures,
        records.map((record) => (record.validation ?? record.train).loss),
      );
    }
  });
});

describe("state and restore", () => {
  const recipes = {
    "sgd with a cosine": { schedule: (optimizer: Optimizer) => new CosineLR(optimizer, { steps: 3 * batches }) },
    "adam with a plateau, gradients put by and clipped": {
      optimizer: (parameters: ConstructorParameters<typeof Adam>[0]) =>
        new Adam(parameters, { lr: 0.01 }).clipGradients(0.5),
      accumulate: 3,
      // Falls after each epoch.
      schedule: (optimizer: Optimizer) => new PlateauLR(optimizer, { patience: 0, threshold: 0.9, factor: 0.5 }),
      scheduleEvery: "epoch",
    },
  } as const;
  for (const [title, recipe] of Object.entries(recipes)) {
    it(`go on bit for bit from any batch, with ${title}`, async () => {
      const options = { epochs: 3, batchSize, validation: test, seed: 5 };
      const whole = tinyTrainer(device, recipe);
      const states: TrainingState[] = [];
      const onBatch = async ({ batch }: Progress) => {
        if (batch % 2 === 1) states.push(await whole.state());
      };
      const records = await whole.fit(train, { ...options, callbacks: { onBatch } });
      const expected = await bits(whole);
      assert.equal(states.length, 12);
      states.push(await whole.state());
      for (const state of states) {
        const other = tinyTrainer(device, recipe);
        // What it had done before does not count.
        await other.fit(train, { epochs: 1, batchSize: 20 });
        other.restore(state);
        assert.deepEqual(other.position, state.position);
        const rest = await other.fit(train, options);
        assert.equal(await bits(other), expected, JSON.stringify(state.position));
        const scores = ({ epoch, train, validation, learningRate }: EpochRecord) => {
          return { epoch, train, validation, learningRate };
        };
        assert.deepEqual(rest.map(scores), records.slice(state.position.epoch).map(scores));
      }
    });
  }

  it("asked for while training goes on, is of one moment", async () => {
    const trainer = tinyTrainer(device);
    const pending: Promise<TrainingState>[] = [];
    const onBatch = () => void pending.push(trainer.state());
    await trainer.fit(train, { epochs: 1, batchSize, callbacks: { onBatch } });
    const expected = await bits(trainer);
    for (const state of await Promise.all(pending)) {
      const other = tinyTrainer(device);
      other.restore(state);
      await other.fit(train, { epochs: 1, batchSize });
      assert.equal(await bits(other), expected, JSON.stringify(state.position));
    }
  });

  it("restoring weights of another model is refused", async () => {
    const trainer = tinyTrainer(device);
    const { weights, ...rest } = await trainer.state();
    const { "1.weight": _, ...fewer } = weights;
    assert.throws(() => trainer.restore({ ...rest, weights: fewer }), /1\.weight/);
  });
});
