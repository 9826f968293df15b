import assert from "node:assert/strict";
import { test } from "node:test";
import { AbortedError, ArgumentError, DataError } from "../core/errors.js";
import { type BatchSource, collated, imageBatches } from "./batches.js";
import type { Dataset, ImageSample } from "./dataset.js";
import { ImageDataset } from "./images.js";
import { DataLoader, type EpochOptions } from "./loader.js";

const toy = new ImageDataset({
  name: "toy",
  split: "train",
  images: Uint8Array.from({ length: 10 }, (_, i) => i),
  labels: Uint8Array.from({ length: 10 }, (_, i) => i % 2),
  shape: [1, 1, 1],
  classNames: ["even", "odd"],
});

async function samplesOf(loader: DataLoader<{ images: Uint8Array }>, epoch: number, options?: EpochOptions) {
  const batches: number[][] = [];
  for await (const batch of loader.epoch(epoch, options)) batches.push([...batch.images]);
  return batches;
}

test("batches in order, the last one smaller or dropped", async () => {
  const loader = new DataLoader(toy, { batchSize: 4 });
  const first = await samplesOf(loader, 0);
  assert.deepEqual(first, [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ]);
  assert.deepEqual([loader.batchesPerEpoch, loader.samplesPerEpoch], [3, 10]);
  const dropping = new DataLoader(toy, { batchSize: 4, dropLast: true });
  assert.deepEqual(await samplesOf(dropping, 0), first.slice(0, 2));
  assert.deepEqual([dropping.batchesPerEpoch, dropping.samplesPerEpoch], [2, 8]);
  assert.deepEqual(await samplesOf(new DataLoader(toy, { batchSize: 20 }), 0), [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
});

test("labels and indices go with their images", async () => {
  for await (const { images, labels, indices, size } of new DataLoader(toy, { batchSize: 3, shuffle: true, seed: 2 })) {
    assert.deepEqual([...indices], [...images]);
    assert.deepEqual(
      [...labels],
      [...images].map((value) => value % 2),
    );
    assert.equal(size, images.length);
  }
});

test("the order is a function of seed and epoch alone", async () => {
  const loader = new DataLoader(toy, { batchSize: 3, shuffle: true, seed: 8 });
  const epochs = [await samplesOf(loader, 0), await samplesOf(loader, 1)];
  assert.notDeepEqual(epochs[0], epochs[1]);
  for (const epoch of epochs) assert.deepEqual(epoch.flat().sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const again = new DataLoader(toy, { batchSize: 3, shuffle: true, seed: 8 });
  assert.deepEqual([await samplesOf(again, 0), await samplesOf(again, 1)], epochs);
  const other = new DataLoader(toy, { batchSize: 3, shuffle: true, seed: 9 });
  assert.notDeepEqual(await samplesOf(other, 0), epochs[0]);
  // Pinned, so that a resumed run of a later version sees what the first one did.
  assert.deepEqual(epochs[0].flat(), [5, 3, 9, 4, 1, 0, 7, 6, 2, 8]);
});

test("looping over the loader goes on with the next epoch", async () => {
  const loader = new DataLoader(toy, { batchSize: 10, shuffle: true, seed: 8 });
  for (const epoch of [0, 1, 2]) {
    for await (const { images } of loader) assert.deepEqual([[...images]], await samplesOf(loader, epoch));
  }
});

test("an epoch resumes in the middle with the same batches", async () => {
  const loader = new DataLoader(toy, { batchSize: 3, shuffle: true, seed: 8 });
  const whole = await samplesOf(loader, 5);
  for (let startBatch = 0; startBatch <= 4; startBatch++) {
    assert.deepEqual(await samplesOf(loader, 5, { startBatch }), whole.slice(startBatch));
  }
});

/** A data set that answers later and counts how many samples are under way. */
function slow(size: number, fails: (index: number) => boolean = () => false) {
  const state = { asked: 0, aborted: 0 };
  const dataset: Dataset<ImageSample> = {
    size,
    async get(index, signal) {
      state.asked++;
      signal?.addEventListener("abort", () => state.aborted++);
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (fails(index)) throw new RangeError(`sample ${index} is unreadable`);
      return { image: Uint8Array.of(index), label: 0 };
    },
  };
  return { state, source: imageBatches(dataset, [1, 1, 1]) };
}

test("a data set that answers later is asked ahead, but no further than allowed", async () => {
  for (const prefetch of [0, 1, 3]) {
    const { state, source } = slow(20);
    const loader = new DataLoader(source, { batchSize: 2, prefetch });
    let batch = 0;
    for await (const { images } of loader) {
      assert.deepEqual([...images], [2 * batch, 2 * batch + 1]);
      batch++;
      assert.equal(state.asked, 2 * Math.min(10, batch + prefetch));
      await new Promise((resolve) => setTimeout(resolve, 3));
      assert.equal(state.asked, 2 * Math.min(10, batch + prefetch), "waits for the loop");
    }
    assert.equal(batch, 10);
  }
});

test("an error comes out at its own batch", async () => {
  const { source } = slow(20, (index) => index === 5);
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const { images } of new DataLoader(source, { batchSize: 2, prefetch: 4 })) {
      seen.push(...images);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }, /sample 5 is unreadable/);
  assert.deepEqual(seen, [0, 1, 2, 3]);
});

test("an error thrown at once comes out at its own batch too", async () => {
  const source: BatchSource<number> = {
    size: 6,
    batch(indices) {
      if (indices[0] === 2) throw new RangeError("no sample 2");
      return Promise.resolve(indices[0]);
    },
  };
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const value of new DataLoader(source, { batchSize: 1, prefetch: 5 })) seen.push(value);
  }, /no sample 2/);
  assert.deepEqual(seen, [0, 1]);
});

test("leaving the loop stops the work", async () => {
  const { state, source } = slow(100);
  for await (const _ of new DataLoader(source, { batchSize: 2, prefetch: 3 })) break;
  assert.equal(state.asked, 8);
  assert.equal(state.aborted, 8);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(state.asked, 8);
});

test("a signal stops the loop, even while it waits for a data set that does not listen", async () => {
  for (const place of ["loader", "epoch"] as const) {
    const controller = new AbortController();
    const never: BatchSource<number> = { size: 4, batch: () => new Promise<number>(() => undefined) };
    const loader = new DataLoader(never, place === "loader" ? { signal: controller.signal } : {});
    setTimeout(() => controller.abort(), 5);
    await assert.rejects(async () => {
      for await (const _ of loader.epoch(0, place === "epoch" ? { signal: controller.signal } : {}));
    }, AbortedError);
  }
  const controller = new AbortController();
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const { images } of new DataLoader(toy, { batchSize: 4, signal: controller.signal })) {
      seen.push(...images);
      controller.abort();
    }
  }, AbortedError);
  assert.deepEqual(seen, [0, 1, 2, 3]);
});

test("any samples can be collated, and augmentation can know the epoch", async () => {
  const words: Dataset<string> = { size: 3, get: (index) => ["a", "b", "c"][index] };
  const joined: string[] = [];
  for await (const text of new DataLoader(
    collated(words, (list) => list.join("")),
    { batchSize: 2 },
  ))
    joined.push(text);
  assert.deepEqual(joined, ["ab", "c"]);
  const contexts: string[] = [];
  const source: BatchSource<number> = {
    size: 1,
    batch: (indices, { seed, epoch }) => {
      contexts.push(`${seed} ${epoch}`);
      return indices[0];
    },
  };
  for await (const _ of new DataLoader(source, { seed: 4 }).epoch(7));
  assert.deepEqual(contexts, ["4 7"]);
});

test("samples of another size are refused by index", async () => {
  const dataset: Dataset<ImageSample> = {
    size: 3,
    get: (index) => ({ image: new Uint8Array(index === 2 ? 5 : 4), label: 0 }),
  };
  await assert.rejects(
    async () => {
      for await (const _ of new DataLoader(imageBatches(dataset, [1, 2, 2])));
    },
    (error) => error instanceof DataError && /sample 2 has 5 bytes.*Expected 4 bytes, for 1×2×2/.test(error.message),
  );
});

test("an empty data set has no batches, and wrong options are refused", async () => {
  assert.deepEqual(await samplesOf(new DataLoader(toy.take(0)), 0), []);
  for (const options of [{ batchSize: 0 }, { batchSize: 1.5 }, { seed: -1 }, { prefetch: -1 }]) {
    assert.throws(() => new DataLoader(toy, options), ArgumentError);
  }
  await assert.rejects(samplesOf(new DataLoader(toy), -1), ArgumentError);
  await assert.rejects(samplesOf(new DataLoader(toy), 0, { startBatch: -1 }), ArgumentError);
});
