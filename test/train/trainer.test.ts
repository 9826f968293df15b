/** The trainer: epochs, callbacks, stopping and going on, scores, and what it refuses. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  AbortedError,
  ArgumentError,
  crossEntropy,
  fit,
  mul,
  NotFiniteError,
  SGD,
  type Tensor,
} from "../../src/index.js";
import type { EpochRecord, Progress } from "../../src/train/records.js";
import type { Scores } from "../../src/train/sums.js";
import { anyDevice } from "../support/devices.js";
import { bits, pictures, tinyModel, tinyTrainer } from "./tiny.js";

const device = anyDevice();
const train = pictures(50);
const test = pictures(30, "test");
/** Six batches of eight and one of two. */
const batchSize = 8;
const batches = 7;

describe("fit", () => {
  it("learns, and tells what each epoch came to", async () => {
    const trainer = tinyTrainer(device);
    const records = await trainer.fit(train, { epochs: 8, batchSize, validation: test });
    assert.deepEqual(
      records.map(({ epoch }) => epoch),
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
    for (const { train: trained, validation, seconds, samplesPerSecond, learningRate } of records) {
      assert.equal(trained.count, 50);
      assert.equal(validation?.count, 30);
      assert.ok(seconds > 0 && Math.abs(samplesPerSecond - 50 / seconds) < 1e-6 * samplesPerSecond);
      assert.equal(learningRate, 0.1);
    }
    const last = records[7].validation;
    assert.ok(last !== undefined && last.accuracy > 0.9, `accuracy ${last?.accuracy}`);
    assert.ok(records[7].train.loss < records[0].train.loss);
    assert.deepEqual(await trainer.evaluate(test), last, "the weights are those of the end");
    assert.deepEqual(trainer.position, { epoch: 8, batch: 0 });
  });

  it("goes on where an earlier call ended, and does nothing when all is done", async () => {
    const whole = tinyTrainer(device);
    await whole.fit(train, { epochs: 3, batchSize });
    const expected = await bits(whole);
    const parts = tinyTrainer(device);
    assert.equal((await parts.fit(train, { epochs: 1, batchSize })).length, 1);
    assert.deepEqual(
      (await parts.fit(train, { epochs: 3, batchSize })).map(({ epoch }) => epoch),
      [2, 3],
    );
    assert.equal(await bits(parts), expected);
    assert.deepEqual(await parts.fit(train, { epochs: 3, batchSize }), []);
    assert.equal(await bits(parts), expected);
  });

  it("takes another order for another seed, and the same for the same", async () => {
    const results = new Set<string>();
    for (const seed of [0, 0, 1]) {
      const trainer = tinyTrainer(device);
      await trainer.fit(train, { epochs: 1, batchSize, seed });
      results.add(await bits(trainer));
    }
    assert.equal(results.size, 2);
  });

  it("calls back after each batch and each epoch, and waits for the answer", async () => {
    const trainer = tinyTrainer(device);
    const seen: Progress[] = [];
    const ended: EpochRecord[] = [];
    let busy = 0;
    const wait = async () => {
      assert.equal(busy++, 0, "the one before has not been awaited");
      await new Promise((resolve) => setTimeout(resolve, 1));
      busy--;
    };
    const records = await trainer.fit(train, {
      epochs: 2,
      batchSize,
      callbacks: {
        onBatch(progress) {
          seen.push(progress);
          return wait();
        },
        async onEpoch(record) {
          ended.push(record);
          await wait();
          return undefined;
        },
      },
    });
    assert.deepEqual(
      seen.map(({ epoch, batch }) => [epoch, batch]),
      [0, 1].flatMap((epoch) => Array.from({ length: batches }, (_, i) => [epoch, i + 1])),
    );
    for (const { epochs, batches: of, learningRate, samplesPerSecond } of seen) {
      assert.deepEqual({ epochs, of, learningRate }, { epochs: 2, of: batches, learningRate: 0.1 });
      assert.ok(samplesPerSecond > 0);
    }
    assert.deepEqual(ended, records);
  });

  it("ends after the epoch whose callback says stop", async () => {
    const trainer = tinyTrainer(device);
    const onEpoch = ({ epoch }: EpochRecord) => (epoch === 2 ? "stop" : undefined);
    assert.equal((await trainer.fit(train, { epochs: 5, batchSize, callbacks: { onEpoch } })).length, 2);
    assert.deepEqual(trainer.position, { epoch: 2, batch: 0 });
  });

  it("passes errors of callbacks on, and can go on after them", async () => {
    const whole = tinyTrainer(device);
    await whole.fit(train, { epochs: 2, batchSize });
    const expected = await bits(whole);
    const trainer = tinyTrainer(device);
    const onBatch = ({ batch }: Progress) => {
      if (batch === 3) throw new RangeError("mine");
    };
    await assert.rejects(trainer.fit(train, { epochs: 2, batchSize, callbacks: { onBatch } }), /^RangeError: mine/);
    assert.deepEqual(trainer.position, { epoch: 0, batch: 3 });
    await trainer.fit(train, { epochs: 2, batchSize });
    assert.equal(await bits(trainer), expected);
  });

  it("stops at a signal between two steps, and goes on to the same bits", async () => {
    const whole = tinyTrainer(device);
    const records = await whole.fit(train, { epochs: 2, batchSize, validation: test });
    const expected = await bits(whole);
    for (const at of [1, 4, batches]) {
      const trainer = tinyTrainer(device);
      const controller = new AbortController();
      const onBatch = ({ epoch, batch }: Progress) => {
        if (epoch === 1 && batch === at) controller.abort();
      };
      const options = { epochs: 2, batchSize, validation: test };
      await assert.rejects(
        trainer.fit(train, { ...options, callbacks: { onBatch }, signal: controller.signal }),
        AbortedError,
      );
      assert.deepEqual(trainer.position, { epoch: 1, batch: at });
      const [last] = await trainer.fit(train, options);
      assert.deepEqual([last.train, last.validation], [records[1].train, records[1].validation]);
      assert.equal(await bits(trainer), expected);
    }
    const never = tinyTrainer(device);
    await assert.rejects(never.fit(train, { epochs: 1, signal: AbortSignal.abort() }), AbortedError);
    assert.deepEqual(never.position, { epoch: 0, batch: 0 });
  });

  it("in one call", async () => {
    tinyTrainer(device);
    const model = tinyModel();
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const records = await fit(model, train, { optimizer, epochs: 2, validation: test });
    assert.equal(records.length, 2);
    assert.ok(records[1].train.loss < records[0].train.loss);
  });
});

describe("evaluate", () => {
  it("in the middle of an epoch changes nothing about the training", async () => {
    const whole = tinyTrainer(device);
    await whole.fit(train, { epochs: 2, batchSize });
    const expected = await bits(whole);
    const trainer = tinyTrainer(device);
    const modes: boolean[] = [];
    const scores: number[] = [];
    const onBatch = async ({ batch }: Progress) => {
      if (batch % 3 === 0) scores.push((await trainer.evaluate(test)).loss);
      modes.push(trainer.model.training);
    };
    await trainer.fit(train, { epochs: 2, batchSize, callbacks: { onBatch } });
    assert.ok(modes.every(Boolean), "the model is in training between the batches");
    assert.equal(new Set(scores).size, 4, "each evaluation sees other weights");
    assert.equal(await bits(trainer), expected);
  });

  it("that is not awaited holds training up", async () => {
    const whole = tinyTrainer(device);
    await whole.fit(train, { epochs: 1, batchSize });
    const expected = await bits(whole);
    const trainer = tinyTrainer(device);
    const pending: Promise<Scores>[] = [];
    const onBatch = ({ batch }: Progress) => {
      if (batch < 5) pending.push(trainer.evaluate(test, { batchSize: 3 }));
    };
    await trainer.fit(train, { epochs: 1, batchSize, callbacks: { onBatch } });
    const scores = await Promise.all(pending);
    assert.equal(new Set(scores.map(({ loss }) => loss)).size, 4);
    assert.equal(await bits(trainer), expected);
  });

  it("leaves a model in evaluation there, also when it is stopped", async () => {
    const trainer = tinyTrainer(device);
    trainer.model.eval();
    await trainer.evaluate(test);
    assert.equal(trainer.model.training, false);
    trainer.model.train();
    await assert.rejects(trainer.evaluate(test, { signal: AbortSignal.abort() }), AbortedError);
    assert.equal(trainer.model.training, true);
  });

  it("gives the same scores for any batch size, and tells how far it is", async () => {
    const trainer = tinyTrainer(device);
    const whole = await trainer.evaluate(test, { batchSize: 30 });
    const progress: (readonly [number, number])[] = [];
    const parts = await trainer.evaluate(test, {
      batchSize: 7,
      onProgress: (done, total) => progress.push([done, total]),
    });
    assert.equal(parts.accuracy, whole.accuracy);
    assert.ok(Math.abs(parts.loss - whole.loss) < 1e-6);
    assert.deepEqual(
      progress,
      [7, 14, 21, 28, 30].map((done) => [done, 30]),
    );
    await assert.rejects(trainer.evaluate(pictures(0)), /evaluate: the data set is empty/);
  });
});

describe("the trainer refuses", () => {
  const fails = (code: typeof ArgumentError | typeof NotFiniteError, message: RegExp) => (error: unknown) =>
    error instanceof code && message.test(error.message);

  it("epochs that are none", async () => {
    for (const epochs of [0, -1, 1.5, Number.NaN]) {
      await assert.rejects(
        tinyTrainer(device).fit(train, { epochs }),
        fails(ArgumentError, /fit: epochs is .*\. Expected an integer of 1 or more/),
      );
    }
  });

  it("batches to a step that are none, and softer targets of a loss of one's own", () => {
    for (const accumulate of [0, 1.5])
      assert.throws(() => tinyTrainer(device, { accumulate }), /Trainer: accumulate is/);
    const both = { loss: crossEntropy, labelSmoothing: 0.1 };
    assert.throws(() => tinyTrainer(device, both), /labelSmoothing is for cross-entropy/);
    assert.throws(() => tinyTrainer(device, { labelSmoothing: 1 }), /labelSmoothing is 1\. Expected 0 ≤/);
  });

  it("sets that are empty, and batches that are none", async () => {
    const trainer = tinyTrainer(device);
    await assert.rejects(trainer.fit(pictures(0), { epochs: 1 }), fails(ArgumentError, /the training set is empty/));
    await assert.rejects(
      trainer.fit(train, { epochs: 1, validation: pictures(0) }),
      fails(ArgumentError, /the validation set is empty/),
    );
    await assert.rejects(trainer.fit(train, { epochs: 1, batchSize: 0 }), fails(ArgumentError, /batchSize/));
  });

  it("to go on with a loss that is no number", async () => {
    const optimizer = (parameters: ConstructorParameters<typeof SGD>[0]) => new SGD(parameters, { lr: 1e38 });
    const trainer = tinyTrainer(device, { optimizer });
    await assert.rejects(
      trainer.fit(train, { epochs: 3, batchSize }),
      fails(NotFiniteError, /^the loss became (NaN|infinite) in epoch 1, .* at a learning rate of 1e\+38\. .*lower/),
    );
    await assert.rejects(trainer.state(), fails(NotFiniteError, /training has diverged/));
  });

  it("a validation loss that is no number", async () => {
    // Validation has batches of another size than training.
    const loss = (logits: Tensor, labels: Parameters<typeof crossEntropy>[1]) =>
      logits.shape[0] === 30 ? mul(crossEntropy(logits, labels), Number.NaN) : crossEntropy(logits, labels);
    const trainer = tinyTrainer(device, { loss });
    await assert.rejects(
      trainer.fit(train, { epochs: 1, batchSize, validation: test }),
      fails(NotFiniteError, /^the validation loss became NaN in epoch 1/),
    );
  });
});
