/** Data sets in .npz files, in a program and by the command. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { loadTest, loadTraining } from "../../src/cli/data.js";
import { DataError, FileError, FormatError } from "../../src/core/errors.js";
import { writeNpy } from "../../src/formats/npy.js";
import { decodeTexts } from "../../src/formats/npy-text.js";
import { zipPieces } from "../../src/formats/zip-writer.js";
import { type StorageArray, writeTensors } from "../../src/formats.js";
import * as models from "../../src/models/index.js";
import { imageArrays } from "../../src/node.js";
import { jsonLines, run, skipCommand, temporaryFolder } from "./command.js";

const folder = await temporaryFolder();
const named = fileURLToPath(new URL("../../../test/goldens/named-arrays.npz", import.meta.url));
const golden = fileURLToPath(new URL("../../../test/goldens/arrays.npz", import.meta.url));

async function write(name: string, arrays: Readonly<Record<string, StorageArray>>): Promise<string> {
  const path = join(folder, `${name}.npz`);
  await writeFile(path, await writeTensors(path, arrays));
  return path;
}

/** Bytes that count up. */
function pictures(...shape: number[]): StorageArray {
  const length = shape.reduce((product, side) => product * side, 1);
  return { dtype: "uint8", shape, data: Uint8Array.from({ length }, (_, i) => i) };
}

function labels(...data: number[]): StorageArray {
  return { dtype: "uint8", shape: [data.length], data: Uint8Array.from(data) };
}

function floats(...data: number[]): StorageArray {
  return { dtype: "float32", shape: [data.length], data: Float32Array.from(data) };
}

describe("imageArrays", () => {
  it("reads what NumPy writes: compressed, by columns, labels of any width and order of bytes", async () => {
    const train = await imageArrays(golden, { split: "train" });
    assert.deepEqual([train.name, train.split, train.size, train.shape], ["arrays.npz", "train", 3, [3, 2, 4]]);
    assert.deepEqual([...train.labels], [0, 2, 1]);
    // Only the part to test with has the class 3.
    assert.deepEqual(train.classNames, ["0", "1", "2", "3"]);
    assert.deepEqual([...train.get(1).image].slice(0, 9), [24, 27, 30, 33, 36, 39, 42, 45, 25]);
    const [validation, last] = [
      await imageArrays(golden, { split: "validation" }),
      await imageArrays(golden, { split: "test" }),
    ];
    assert.deepEqual([[...validation.labels], [...last.labels], last.classNames.length], [[1], [3, 0], 4]);
    assert.deepEqual(last.get(0), { image: validation.get(0).image, label: 3 });
  });

  it("understands other names and orders of axes", async () => {
    const keras = await write("keras", {
      ...{ x_train: pictures(2, 3, 3), y_train: labels(0, 1) },
      ...{ x_test: pictures(2, 1, 3, 4), y_test: { dtype: "int64", shape: [2, 1], data: BigInt64Array.of(1n, 0n) } },
    });
    const [train, last] = [await imageArrays(keras, { split: "train" }), await imageArrays(keras, { split: "test" })];
    assert.deepEqual(
      [train.shape, [...train.get(1).image]],
      [
        [1, 3, 3],
        [9, 10, 11, 12, 13, 14, 15, 16, 17],
      ],
    );
    assert.deepEqual(
      [last.shape, [...last.labels]],
      [
        [1, 3, 4],
        [1, 0],
      ],
    );
    const pair = await write("pair", { X: pictures(2, 3, 2, 3), y: floats(1, 0), kind: labels(1, 1) });
    await assert.rejects(imageArrays(pair), /2×3×2×3 uint8: the channels may be the second axis or the last/);
    const first = await imageArrays(pair, { channels: "first", labels: "kind", classNames: ["round", "long"] });
    assert.deepEqual([first.shape, [...first.labels], first.classNames[1]], [[3, 2, 3], [1, 1], "long"]);
    assert.deepEqual([...first.get(0).image.subarray(0, 3)], [0, 1, 2]);
    const second = await imageArrays(pair, { channels: "last" });
    assert.deepEqual(
      [second.shape, [...second.get(0).image.subarray(0, 3)]],
      [
        [3, 3, 2],
        [0, 3, 6],
      ],
    );
  });

  it("reads the classes' names, and leaves alone what else lies beside the pictures", async () => {
    const set = await imageArrays(named);
    assert.deepEqual(
      [set.classNames, [...set.labels]],
      [
        ["Zürich", "naïve 😀"],
        [1, 0, 1],
      ],
    );
    assert.deepEqual((await imageArrays(named, { classNames: ["a", "b"] })).classNames, ["a", "b"]);
    for (const [options, message] of [
      [{ labels: "files" }, /files is 3 of NumPy's type \|S5\. Expected whole numbers\. Fix: .*numpy\.unique\(files/],
      [{ labels: "boxes" }, /boxes is 3 of NumPy's type records\. Expected whole numbers/],
      [{ images: "sizes" }, /sizes is 3 of NumPy's type \|O\. Expected pictures of uint8/],
      [{ labels: "none" }, /no array "none".*labels \(3 int64\), class_names \(2 >U8\), .* boxes \(3 records\)/],
    ] as const)
      await assert.rejects(
        imageArrays(named, options),
        (error) => error instanceof DataError && message.test(error.message),
      );
    assert.throws(
      () => decodeTexts(new Uint8Array(8).fill(255, 4), "<U2", 8, "a.npy"),
      /element 0 has the character 4294967295/,
    );
  });

  it("refuses files that are no archives of arrays, and says what they are", async () => {
    const path = join(folder, "stranger.npz");
    const text = new TextEncoder().encode("hello");
    const archive = zipPieces([
      {
        name: "a.txt",
        size: text.length,
        pieces: async function* () {
          yield text;
        },
      },
    ]);
    const cases: readonly (readonly [Parameters<typeof writeFile>[1], RegExp])[] = [
      [
        new TextEncoder().encode("file,label\n"),
        /no \.npz file of pictures and labels: it begins with the bytes 66 69/,
      ],
      [new Uint8Array(0), /no \.npz file of pictures and labels: it is empty/],
      [writeNpy({ dtype: "uint8", shape: [1], data: Uint8Array.of(1) }), /is a single array.*numpy\.savez/],
      [(await readFile(named)).subarray(0, 500), /ends with a directory, which is not there.*cut short/],
      [archive, /a zip archive without arrays: it holds a\.txt\. Expected \.npy files/],
    ];
    for (const [bytes, message] of cases) {
      await writeFile(path, bytes);
      await assert.rejects(imageArrays(path), (error) => error instanceof FormatError && message.test(error.message));
    }
  });

  it("refuses what is no data set, and says what there is", async () => {
    const one = pictures(2, 2, 2);
    const cases: readonly (readonly [Record<string, StorageArray>, RegExp])[] = [
      [{ x: one }, /has no labels: its arrays are x \(2×2×2 uint8\)\. Expected y or labels\. Fix: name the array/],
      [{ weight: one }, /has no images: its arrays are weight/],
      [{ x_train: one, y_train: labels(0, 1) }, /has no images: .* Fix: split: "train", or name the array/],
      [{ x: one, y: labels(0, 1, 1) }, /x has 2 pictures, but y has 3 labels/],
      [{ x: pictures(2, 2), y: labels(0, 1) }, /x is 2×2 uint8\. Expected N×H×W, /],
      [{ x: pictures(2, 2, 2, 4), y: labels(0, 1) }, /with 1 or 3 channels/],
      [{ x: pictures(0, 2, 2), y: labels() }, /there are no pictures/],
      [{ x: floats(0.5, 1), y: labels(0, 1) }, /x is 2 float32.* Fix: save \(x \* 255\)\.round\(\)\.astype\("uint8"\)/],
      [{ x: { ...one, dtype: "bool" } as StorageArray, y: labels(0, 1) }, /Fix: save x\.astype\("uint8"\) \* 255/],
      [{ x: one, y: floats(0, 0.5) }, /y has the label 0\.5 at index 1\. Expected whole numbers from 0/],
      [{ x: one, y: floats(Number.NaN, 0) }, /y has the label NaN at index 0/],
      [{ x: one, y: { dtype: "int8", shape: [2], data: Int8Array.of(0, -1) } }, /y has the label -1 at index 1/],
      [{ x: one, y: { dtype: "int32", shape: [2], data: Int32Array.of(0, 1e9) } }, /label 1000000000 .* to 65535/],
      [{ x: one, y: pictures(2, 3) }, /y is 2×3 uint8\. Expected labels: N or N×1\. Fix: pass y\.argmax\(1\)/],
    ];
    for (const [arrays, message] of cases) {
      const path = await write("refused", arrays);
      await assert.rejects(imageArrays(path), (error: Error) => {
        assert.match(error.message, message);
        return error instanceof DataError;
      });
    }
    await assert.rejects(
      imageArrays(golden, { split: "train", images: "photos" }),
      /no array "photos"\. Expected one of/,
    );
    await assert.rejects(
      imageArrays(golden, { split: "train", classNames: ["a", "b"] }),
      /label 2 at index 1 of train_l/,
    );
    await assert.rejects(imageArrays(golden, { split: "train", maxBytes: 71 }), /takes 72 bytes.*Expected at most 71/);
    await assert.rejects(imageArrays(join(folder, "none.npz")), FileError);
    const bytes = await readFile(golden);
    const cut = join(folder, "cut.npz");
    for (const length of [0, 3, 300, bytes.length - 30]) {
      await writeFile(cut, bytes.subarray(0, length));
      await assert.rejects(imageArrays(cut, { split: "train" }), FormatError);
    }
  });
});

describe("--data with a .npz file", () => {
  /** Dark and bright pictures in turn, of a size that the network does not take. */
  const parts = (count: number, side = 14): readonly [StorageArray, StorageArray] => {
    const all = pictures(count, side, side);
    all.data.forEach((_, i) => {
      all.data[i] = Math.floor(i / side ** 2) % 2 === 0 ? 20 : 220;
    });
    return [all, labels(...Array.from({ length: count }, (_, i) => i % 2))];
  };
  const entry = models.find("lenet5");
  const load = (data: string, flags: object = {}) => loadTraining(entry, { data, seed: 0, ...flags });

  it("trains and evaluates", { skip: skipCommand }, async () => {
    const [x_train, y_train] = parts(32);
    const [x_test, y_test] = parts(6);
    const data = await write("light", { x_train, y_train, x_test, y_test });
    const out = join(folder, "run");
    const quick = ["--batch", "8", "--epochs", "3", "--json", "--threads", "1"];
    const trained = await run(["train", "lenet5", "--data", data, "--out", out, ...quick]);
    assert.equal(trained.status, 0, trained.stderr);
    const [start, ...lines] = jsonLines(trained);
    assert.deepEqual([start.train, start.test], [32, 6]);
    const done = lines.at(-1)?.test;
    // Dark and bright are easily told apart.
    assert.ok((done as { accuracy: number }).accuracy === 1, JSON.stringify(done));
    const evaluated = await run(["evaluate", out, "--json", "--threads", "1"]);
    assert.deepEqual([jsonLines(evaluated)[0].count, jsonLines(evaluated)[0].accuracy], [6, 1], evaluated.stderr);
  });

  it("is parted as pictures of one's own are", async () => {
    const [images, given] = parts(20, 28);
    const pair = await write("light-pair", { images, labels: given });
    const { train, test } = await load(pair, { validation: 0.2 });
    assert.deepEqual([train.size, test.size, train.shape], [16, 4, [1, 28, 28]]);
    const trained = { classNames: train.classNames, settings: { data: pair, validation: 0.2, seed: 0 } };
    const held = await loadTest(entry, { data: pair }, trained);
    assert.deepEqual(held.data, test);
    assert.equal((await loadTest(entry, { data: pair }, { ...trained, settings: {} })).data.size, 20);
    const [val_images, val_labels] = parts(4);
    const three = { train_images: images, train_labels: given, val_images, val_labels };
    const watched = await load(await write("three", { ...three, test_images: images, test_labels: given }));
    assert.deepEqual([watched.train.split, watched.test.split, watched.test.size], ["train", "validation", 4]);
    assert.deepEqual(watched.test.shape, [1, 28, 28]);
    for (const [data, flags, message] of [
      [
        await write("three", three),
        { validation: 0.5 },
        /has a part for that: val_images\. Fix: leave out --validation/,
      ],
      [await write("untaught", { x_test: images, y_test: given }), {}, /has x_test, but nothing named train/],
      [golden, {}, /lenet5 takes pictures of 1×28×28 .* those of arrays\.npz are 3×2×4/],
      [pair, { imageSize: 28 }, /--image-size is for pictures of your own/],
      [pair, { dataDir: folder }, /--data-dir is the folder of mnist/],
      [await write("one", { x: images, y: labels(...new Array(20).fill(0)) }), {}, /has only the class 0/],
      [await write("weights", { bias: floats(1) }), {}, /has no images: its arrays are bias \(1 float32\)/],
    ] as const) {
      await assert.rejects(load(data, flags), message);
    }
  });
});
