/** Checkpoints: whatever goes in comes out, and damage of any kind is noticed. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RandomStream } from "../../src/core/philox.js";
import { Adam, FormatError, fitNormalization, type Optimizer, PlateauLR } from "../../src/index.js";
import { writeWeights } from "../../src/nn/weights.js";
import {
  type CheckpointInfo,
  readCheckpoint,
  readCheckpointInfo,
  writeCheckpoint,
} from "../../src/train/checkpoint.js";
import { anyDevice } from "../support/devices.js";
import { bits, pictures, tinyTrainer } from "./tiny.js";

const device = anyDevice();
const train = pictures(50);
const recipe = {
  optimizer: (parameters: ConstructorParameters<typeof Adam>[0]) => new Adam(parameters, { lr: 0.01 }),
  // Its state holds an infinite number until the first epoch has ended.
  schedule: (optimizer: Optimizer) => new PlateauLR(optimizer),
  scheduleEvery: "epoch",
} as const;

const info: CheckpointInfo = {
  model: "tiny",
  variant: "any",
  classNames: ["top", "größer"],
  normalization: { mean: [0.5], std: [0.25] },
  metricsBytes: 12,
  settings: { data: "here", lr: 0.01, dataDir: null, resume: true },
};

async function trainedBytes() {
  const trainer = tinyTrainer(device, recipe);
  const onBatch = ({ batch }: { batch: number }) => {
    if (batch === 3) throw new RangeError("enough");
  };
  await assert.rejects(trainer.fit(train, { epochs: 1, batchSize: 8, callbacks: { onBatch } }), RangeError);
  const state = await trainer.state();
  return { trainer, state, bytes: writeCheckpoint({ info, state }) };
}

describe("a checkpoint", () => {
  it("keeps a normalization that was learnt, with its matrix beside the weights", async () => {
    const values = Float32Array.from({ length: 60 }, (_, i) => Math.fround(Math.sin(i * i)));
    for (const method of ["z-score", "zca"] as const) {
      const normalization = await fitNormalization({ values, shape: [20, 1, 1, 3] }, { method });
      const { state } = await trainedBytes();
      const bytes = writeCheckpoint({ info: { ...info, normalization }, state });
      const back = readCheckpoint(bytes, "file");
      const rounded = normalization.matrix && {
        ...normalization.matrix,
        values: Float64Array.from(normalization.matrix.values, Math.fround),
      };
      assert.deepEqual(back.info.normalization, { ...normalization, ...(rounded && { matrix: rounded }) });
      assert.deepEqual(Object.keys(back.state.optimizer.slots), Object.keys(state.optimizer.slots));
      assert.deepEqual(Object.keys(back.state.weights).sort(), Object.keys(state.weights).sort());
    }
  });

  it("comes back as it was, to the last bit", async () => {
    const { state, bytes } = await trainedBytes();
    const back = readCheckpoint(bytes, "file");
    assert.deepEqual(back.info, info);
    assert.deepEqual(readCheckpointInfo(bytes, "file"), info);
    assert.equal(back.state.schedule.best, Number.POSITIVE_INFINITY);
    const { weights, optimizer, ...rest } = back.state;
    const { weights: expectedWeights, optimizer: expectedOptimizer, ...expected } = state;
    assert.deepEqual(rest, expected);
    assert.deepEqual(optimizer.numbers, expectedOptimizer.numbers);
    assert.deepEqual(Object.keys(weights).sort(), Object.keys(expectedWeights).sort());
    for (const [name, { shape, data }] of Object.entries(expectedWeights)) {
      assert.deepEqual([weights[name].shape, [...weights[name].data]], [shape, [...data]]);
    }
    for (const [name, data] of Object.entries(expectedOptimizer.slots)) {
      assert.deepEqual([...optimizer.slots[name]], [...data]);
    }
  });

  it("is what training goes on from", async () => {
    const { trainer, bytes } = await trainedBytes();
    await trainer.fit(train, { epochs: 2, batchSize: 8 });
    const expected = await bits(trainer);
    const other = tinyTrainer(device, recipe);
    other.restore(readCheckpoint(bytes, "file").state);
    await other.fit(train, { epochs: 2, batchSize: 8 });
    assert.equal(await bits(other), expected);
  });

  it("that is damaged in any byte, or cut anywhere, is refused", async () => {
    const { bytes } = await trainedBytes();
    const refused = (damaged: Uint8Array<ArrayBuffer>, where: string) =>
      assert.throws(
        () => readCheckpoint(damaged, "the file"),
        (error) => {
          assert.ok(error instanceof FormatError, `${where}: ${error}`);
          assert.match(error.message, /the file/);
          return true;
        },
      );
    const random = new RandomStream(1, 2, 3);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] ^= 1 << random.integer(8);
      refused(damaged, `byte ${at}: ${bytes[at]} as ${damaged[at]}`);
    }
    for (let length = 0; length < bytes.length; length += 7) refused(bytes.slice(0, length), `${length} bytes`);
    refused(Uint8Array.of(...bytes, 0), "a byte more");
  });

  it("of weights alone is none", async () => {
    const { state } = await trainedBytes();
    const bytes = writeWeights(state.weights);
    assert.equal(readCheckpointInfo(bytes, "file"), undefined);
    assert.throws(() => readCheckpoint(bytes, "file"), /file holds weights, but no training state to go on from/);
  });

  it("of another version says which", async () => {
    const { bytes } = await trainedBytes();
    const text = Buffer.from(bytes).toString("latin1");
    const newer = Buffer.from(text.replace('"version":"1"', '"version":"2"'), "latin1");
    assert.throws(
      () => readCheckpoint(Uint8Array.from(newer), "file"),
      /file is a checkpoint of version 2; this Fovea reads version 1/,
    );
  });
});
