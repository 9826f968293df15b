import assert from "node:assert/strict";
import { test } from "node:test";
import { ArgumentError, DataError } from "../core/errors.js";
import { type Dataset, Subset, splitIndices } from "./dataset.js";
import { ImageDataset, type ImageDatasetParts } from "./images.js";
import { fromPlanar, toPlanar } from "./pixels.js";

const parts: ImageDatasetParts = {
  name: "toy",
  split: "train",
  images: Uint8Array.from({ length: 10 * 4 }, (_, i) => i),
  labels: Uint8Array.from({ length: 10 }, (_, i) => i % 3),
  shape: [1, 2, 2],
  classNames: ["a", "b", "c"],
};
const toy = new ImageDataset(parts);
const fails = (message: RegExp) => (error: unknown) => error instanceof DataError && message.test(error.message);

test("samples are views of the data set's bytes", () => {
  assert.equal(toy.size, 10);
  assert.deepEqual(toy.get(4), { image: Uint8Array.of(16, 17, 18, 19), label: 1 });
  assert.equal(toy.get(4).image.buffer, parts.images.buffer);
  assert.deepEqual(toy.classCounts(), [4, 3, 3]);
  assert.throws(() => toy.get(10), /toy \(train\): there is no sample 10. Expected an integer from 0 to 9/);
  assert.throws(() => toy.get(0.5), ArgumentError);
});

test("a batch holds copies in the order of the indices", () => {
  const batch = toy.batch(Uint32Array.of(2, 0));
  assert.deepEqual(batch.images, Uint8Array.of(8, 9, 10, 11, 0, 1, 2, 3));
  assert.deepEqual(batch.labels, Int32Array.of(2, 0));
  assert.deepEqual(batch.shape, [2, 1, 2, 2]);
  assert.equal(batch.size, 2);
});

test("subsets of subsets share the bytes until all images are asked for", () => {
  const part = toy.subset([9, 3, 5]).subset([2, 0]);
  assert.equal(part.get(0).image.buffer, parts.images.buffer);
  assert.deepEqual([part.size, part.get(0).label, part.get(1).label, part.classCounts()], [2, 2, 0, [1, 0, 1]]);
  assert.deepEqual(part.images, Uint8Array.of(20, 21, 22, 23, 36, 37, 38, 39));
  assert.deepEqual([...part.labels], [2, 0]);
  assert.deepEqual(part.get(1), { image: Uint8Array.of(36, 37, 38, 39), label: 0 });
  assert.equal(toy.take(3).size, 3);
  assert.equal(toy.take(30).size, 10);
  assert.throws(() => toy.subset([10]), ArgumentError);
  assert.throws(() => toy.take(-1), ArgumentError);
});

test("a random split leaves nothing out and repeats with its seed", () => {
  const [a, b, c] = toy.randomSplit([0.5, 0.3, 0.2], 4);
  assert.deepEqual([a.size, b.size, c.size], [5, 3, 2]);
  const seen = [a, b, c].flatMap((part) => Array.from({ length: part.size }, (_, i) => part.get(i).image[0] / 4));
  assert.deepEqual(
    seen.sort((x, y) => x - y),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.deepEqual(toy.randomSplit([0.5], 4)[0].images, a.images);
  assert.notDeepEqual(toy.randomSplit([0.5], 5)[0].images, a.images);
  assert.deepEqual(
    splitIndices(7, [1 / 3, 1 / 3, 1 / 3]).map((list) => list.length),
    [2, 3, 2],
  );
  assert.throws(() => toy.randomSplit([0.9, 0.2]), /add up to 1.1/);
  assert.throws(() => toy.randomSplit([-0.5]), ArgumentError);
  assert.throws(() => toy.randomSplit([Number.NaN]), ArgumentError);
});

test("images and labels that do not belong together are refused", () => {
  assert.throws(() => new ImageDataset({ ...parts, labels: parts.labels.slice(1) }), fails(/10 images but 9 labels/));
  assert.throws(() => new ImageDataset({ ...parts, images: parts.images.slice(1) }), fails(/39 bytes are not a whole/));
  const labels = Int32Array.from(parts.labels);
  labels[6] = 3;
  assert.throws(
    () => new ImageDataset({ ...parts, labels }),
    fails(/^toy \(train\): label 3 at index 6 names no class. Expected 0 to 2, for 3 classes/),
  );
  labels[6] = -1;
  assert.throws(() => new ImageDataset({ ...parts, labels }), fails(/label -1 at index 6/));
  assert.throws(() => new ImageDataset({ ...parts, shape: [1, 0, 2] }), ArgumentError);
});

test("any data set can be subsetted", async () => {
  const squares: Dataset<number> = { size: 5, get: async (index) => index * index };
  const some = new Subset(squares, [4, 2]);
  assert.equal(some.size, 2);
  assert.equal(await some.get(0), 16);
  assert.throws(() => some.get(2), ArgumentError);
  assert.throws(() => new Subset(squares, [5]), ArgumentError);
});

test("channels are told apart and put together again", () => {
  const image = { width: 2, height: 1, channels: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) } as const;
  assert.deepEqual(toPlanar(image), Uint8Array.of(1, 4, 2, 5, 3, 6));
  assert.deepEqual(fromPlanar(toPlanar(image), [3, 1, 2]), image);
  assert.throws(() => toPlanar({ ...image, width: 3 }), ArgumentError);
  assert.throws(() => fromPlanar(image.data, [1, 1, 2]), ArgumentError);
});
