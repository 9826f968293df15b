import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { AbortedError, ArgumentError } from "../../core/errors.js";
import { RandomStream } from "../../core/philox.js";
import { readMnist } from "../mnist.js";
import { parseStroke, traceCurve } from "./curves.js";
import { digits } from "./digits.js";
import { drawDigit } from "./draw.js";
import { letterforms } from "./letterforms/index.js";

const train = await digits({ split: "train", size: 4000 });

test("a data set of 28×28 grey images, each digit once in every ten", () => {
  assert.deepEqual([train.name, train.split, train.size, train.shape], ["digits", "train", 4000, [1, 28, 28]]);
  assert.deepEqual(train.classCounts(), new Array<number>(10).fill(400));
  for (let i = 0; i < 100; i += 10) assert.equal(new Set(train.labels.subarray(i, i + 10)).size, 10);
  assert.notDeepEqual([...train.labels.subarray(0, 10)], [...train.labels.subarray(10, 20)]);
});

test("sample i depends on seed, split and i alone", async () => {
  const fewer = await digits({ split: "train", size: 123 });
  assert.deepEqual(fewer.images, train.images.slice(0, 123 * 784));
  assert.deepEqual(fewer.labels, train.labels.slice(0, 123));
  const others = [await digits({ split: "test", size: 100 }), await digits({ split: "train", size: 100, seed: 1 })];
  for (const other of others) assert.notDeepEqual(other.images, train.images.slice(0, 100 * 784));
});

test("no picture is there twice, within a split or across", async () => {
  const test = await digits({ split: "test", size: 4000 });
  const seen = new Set<string>();
  for (const set of [train, test]) {
    for (let i = 0; i < set.size; i++) seen.add(createHash("md5").update(set.get(i).image).digest("hex"));
  }
  assert.equal(seen.size, 8000);
});

test("digits are black on white, 20 pixels long and centred by mass, as MNIST's are", () => {
  for (let i = 0; i < 500; i++) {
    const { image } = train.get(i);
    let [mass, x, y, left, right, top, bottom] = [0, 0, 0, 28, -1, 28, -1];
    for (let at = 0; at < 784; at++) {
      const [row, column] = [Math.floor(at / 28), at % 28];
      mass += image[at];
      x += image[at] * column;
      y += image[at] * row;
      if (image[at] < 64) continue;
      [left, right] = [Math.min(left, column), Math.max(right, column)];
      [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    }
    assert.ok(Math.abs(x / mass - 13.5) <= 0.51 && Math.abs(y / mass - 13.5) <= 0.51, `sample ${i} is off centre`);
    const longer = Math.max(right - left, bottom - top) + 1;
    assert.ok(longer >= 18 && longer <= 21, `sample ${i} is ${longer} pixels long`);
    const ink = mass / 255 / 784;
    assert.ok(ink > 0.02 && ink < 0.45, `sample ${i} has ${ink} of its paper inked`);
  }
});

test("every letterform can be drawn", () => {
  const image = new Uint8Array(784);
  assert.equal(letterforms.length, 10);
  for (const [digit, forms] of letterforms.entries()) {
    assert.ok(forms.every(({ weight, between }) => weight > 0 && between.length > 0));
    for (let i = 0; i < 300; i++) {
      drawDigit(digit, new RandomStream(3, digit, i), image, 0);
      assert.ok(Math.max(...image) > 200);
    }
  }
});

test("a curve passes through its control points and is straight at corners", () => {
  const { points, corners } = parseStroke("0,0 50,100! 100,0 120,30");
  assert.deepEqual(corners, [false, true, false, false]);
  const line = new Float64Array(100);
  const end = traceCurve(points, corners, line, 0);
  const drawn = [...line.subarray(0, end)];
  for (let i = 0; i < points.length; i += 2) {
    const hit = drawn.some((x, at) => at % 2 === 0 && x === points[i] && drawn[at + 1] === points[i + 1]);
    assert.ok(hit, `point ${i / 2}`);
  }
  for (let at = 0; drawn[at] < 0.5; at += 2) assert.ok(Math.abs(drawn[at + 1] - 2 * drawn[at]) < 1e-12);
  assert.throws(() => parseStroke("1,2 3;4"), /not a control point/);
});

test("drawing reports progress, lets other work go on, and can be stopped", async () => {
  const drawn: number[] = [];
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await digits({ split: "train", size: 3000, onProgress: (done, size) => drawn.push(done / size) });
  clearInterval(timer);
  assert.equal(drawn.at(-1), 1);
  assert.ok(drawn.length > 1 && ticks > 1);
  const controller = new AbortController();
  const stopped = digits({ split: "train", signal: controller.signal, onProgress: () => controller.abort() });
  await assert.rejects(stopped, AbortedError);
});

test("wrong options are refused", async () => {
  await assert.rejects(digits({ split: JSON.parse('"val"') }), /no split "val". Expected "train" or "test"/);
  for (const wrong of [{ size: -1 }, { size: 1.5 }, { size: 1e9 }, { seed: -1 }, { seed: 0.5 }]) {
    await assert.rejects(digits({ split: "test", ...wrong }), ArgumentError);
  }
  assert.equal((await digits({ split: "test", size: 0 })).size, 0);
});

/** The share of `count` samples of `set` whose nearest neighbour among the digits has their label. */
function readByNeighbour(set: typeof train, count: number): number {
  let right = 0;
  for (let i = 0; i < count; i++) {
    const { image, label } = set.get(i);
    let nearest = Number.POSITIVE_INFINITY;
    let guess = -1;
    for (let j = 0; j < train.size; j++) {
      const other = train.get(j);
      let distance = 0;
      for (let at = 0; at < 784 && distance < nearest; at++) distance += (image[at] - other.image[at]) ** 2;
      if (distance < nearest) {
        nearest = distance;
        guess = other.label;
      }
    }
    if (guess === label) right++;
  }
  return right / count;
}

test("unseen digits are mostly read by their nearest neighbour, but not too easily", async () => {
  const share = readByNeighbour(await digits({ split: "test", size: 300 }), 300);
  assert.ok(share > 0.75 && share < 0.98, `${share}`);
});

const shared = new URL("../../../../../shared/data/mnist/", import.meta.url);
const skip = !existsSync(shared) && "MNIST is not on this machine";

test("so is real handwriting", { skip }, async () => {
  const source = async (name: string) => ({ name, bytes: Uint8Array.from(await readFile(new URL(name, shared))) });
  const images = await source("t10k-images-idx3-ubyte.gz");
  const mnist = await readMnist("mnist", "test", images, await source("t10k-labels-idx1-ubyte.gz"));
  const share = readByNeighbour(mnist, 300);
  assert.ok(share > 0.7, `${share}`);
});
