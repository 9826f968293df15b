import assert from "node:assert/strict";
import { test } from "node:test";
import { ArgumentError, DataError } from "../core/errors.js";
import { ImageDataset } from "./images.js";
import { DataLoader } from "./loader.js";
import { balancedWeights, classWeights } from "./sampling.js";
import { splitDataset, stratifiedIndices } from "./splits.js";

/** 70, 25 and 5 samples of three classes, mixed; each picture is its own number. */
const mixed = new ImageDataset({
  name: "toy",
  split: "train",
  images: Uint8Array.from({ length: 100 }, (_, i) => i),
  labels: Uint8Array.from({ length: 100 }, (_, i) => (i % 20 === 7 ? 2 : i % 4 === 1 ? 1 : 0)),
  shape: [1, 1, 1],
  classNames: ["many", "some", "few"],
});

test("a stratified split deals every class by the fractions, and leaves nothing out", () => {
  assert.deepEqual(mixed.classCounts(), [70, 25, 5]);
  const parts = splitDataset(mixed, [0.6, 0.2, 0.2], { seed: 3 });
  assert.deepEqual(
    parts.map((part) => part.size),
    [60, 20, 20],
  );
  assert.deepEqual(
    parts.map((part) => part.classCounts()),
    [
      [42, 15, 3],
      [14, 5, 1],
      [14, 5, 1],
    ],
  );
  const all = parts.flatMap((part) => [...part.images]).sort((a, b) => a - b);
  assert.deepEqual(all, [...mixed.images]);
});

test("equal seeds give equal parts, others give others; parts are not in the order of the classes", () => {
  const first = splitDataset(mixed, [0.5, 0.5], { seed: 3 })[0];
  assert.deepEqual(splitDataset(mixed, [0.5, 0.5], { seed: 3 })[0].images, first.images);
  assert.notDeepEqual(splitDataset(mixed, [0.5, 0.5], { seed: 4 })[0].images, first.images);
  assert.notDeepEqual([...first.labels], [...first.labels].sort());
});

test("classes of few samples do not leave a small part empty", () => {
  // Ten classes of four, a tenth for the test: rounding class by class would give none.
  const labels = Array.from({ length: 40 }, (_, i) => i % 10);
  const [train, rest] = stratifiedIndices(labels, [0.9, 0.1], 1);
  assert.deepEqual([train.length, rest.length], [36, 4]);
  const [third] = stratifiedIndices(labels, [1 / 3]);
  assert.equal(third.length, 13);
});

test("a split of what has no labels is at random, and cannot be stratified", () => {
  const numbers = { size: 10, subset: (indices: ArrayLike<number>) => Array.from(indices) };
  const parts = splitDataset(numbers, [0.7, 0.3], { seed: 1 });
  assert.deepEqual(
    parts.map((part) => part.length),
    [7, 3],
  );
  assert.throws(() => splitDataset(numbers, [0.7, 0.3], { stratify: true }), /no labels to stratify by/);
  assert.throws(() => splitDataset(mixed, [0.7, 0.4]), ArgumentError);
  assert.throws(() => splitDataset(mixed, [Number.NaN]), /add up to NaN/);
});

test("class weights are scikit-learn's `balanced` ones, and need a sample of each class", () => {
  // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=labels)
  assert.deepEqual(classWeights(mixed), Float32Array.of(0.4761904761904762, 1.3333333333333333, 6.666666666666667));
  const without = mixed.subset([0, 1, 2]);
  assert.throws(
    () => classWeights(without),
    (error) => error instanceof DataError && /no samples of few/.test(error.message),
  );
});

test("balanced sampling draws every class equally often, and the rest by weight", () => {
  const loader = new DataLoader(mixed, { weights: balancedWeights(mixed), seed: 5 });
  const drawn = [0, 0, 0];
  for (let epoch = 0; epoch < 60; epoch++) for (const index of loader.order(epoch)) drawn[mixed.labels[index]]++;
  // 2000 of each, with a standard deviation of 37.
  for (const count of drawn) assert.ok(Math.abs(count - 2000) < 150, drawn.join());
  const weights = mixed.labels.map((label) => (label === 1 ? 0 : 1));
  const some = new DataLoader(mixed, { weights, seed: 5 });
  assert.ok([...some.order(0)].every((index) => mixed.labels[index] !== 1));
});

test("weighted sampling goes on after a break with the same samples", async () => {
  const samples = async (startBatch: number) => {
    const loader = new DataLoader(mixed, { weights: balancedWeights(mixed), seed: 5, batchSize: 7 });
    const batches: number[][] = [];
    for await (const { indices } of loader.epoch(3, { startBatch })) batches.push([...indices]);
    return batches;
  };
  const whole = await samples(0);
  assert.equal(whole.flat().length, 100);
  assert.ok(new Set(whole.flat()).size < 90, "with repetitions");
  assert.deepEqual(await samples(6), whole.slice(6));
  // Pinned, so that a resumed run of a later version sees what the first one did.
  assert.deepEqual(whole[0], [87, 53, 67, 47, 50, 79, 85]);
});

test("weights that cannot be are refused", () => {
  const refused = (weights: number[], message: RegExp) =>
    assert.throws(
      () => new DataLoader(mixed, { weights }),
      (error) => error instanceof ArgumentError && message.test(error.message),
    );
  const ones = new Array(100).fill(1);
  refused([1, 2], /there are 2 for 100 samples/);
  refused(ones.with(4, -1), /sample 4 is -1/);
  refused(ones.with(9, Number.NaN), /sample 9 is NaN/);
  refused(ones.fill(0), /all are 0/);
});
