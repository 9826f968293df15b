import "../../device.js";
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { type Colour, encodePicture, noPictures, writeFiles } from "../../../test/support/pictures.js";
import { ArgumentError, DataError, FileError } from "../../core/errors.js";
import { onWarning } from "../../core/warnings.js";
import { DataLoader } from "../../data/loader.js";
import { splitDataset } from "../../data/splits.js";
import { loadSharp } from "../image.js";
import { imageFolder } from "./folder.js";
import { PictureMemory } from "./memory.js";

const base = await mkdtemp(join(tmpdir(), "fovea-pictures-"));
after(() => rm(base, { recursive: true }));
const warnings: string[] = [];
onWarning((message) => warnings.push(message));
let folders = 0;
const newFolder = () => join(base, String(folders++));

const red: Colour = [255, 0, 0];
const green: Colour = [0, 255, 0];
const none = Buffer.alloc(0);
const [redPng, greenPng] = noPictures ? [none, none] : [await encodePicture(red), await encodePicture(green)];

/** The colour in the middle of a picture of 3×S×S. */
function colourOf(image: Uint8Array): number[] {
  const plane = image.length / 3;
  return [0, 1, 2].map((channel) => image[channel * plane + (plane >> 1)]);
}

function isNear(found: readonly number[], expected: readonly number[], within = 3): void {
  assert.ok(
    found.every((value, i) => Math.abs(value - expected[i]) <= within),
    `${found} is not ${expected}`,
  );
}

describe("a folder of pictures", { skip: noPictures }, () => {
  it("numbers the classes by name, and reads every format and colour model", async () => {
    const path = await writeFiles(newFolder(), {
      "zebra/1.png": greenPng,
      "Ant/a.jpg": await encodePicture(red, { format: "jpeg" }),
      "Ant/b.webp": await encodePicture(red, { format: "webp" }),
      "Ant/c.gif": await encodePicture(red, { format: "gif" }),
      "Ant/deeper/d.PNG": await encodePicture(red, { palette: true }),
      "bee/grey.png": await encodePicture([90, 90, 90], { grey: true }),
      "bee/half.png": await encodePicture([0, 0, 0], { alpha: 0.5 }),
      // A PNG in truth: what a file is decides, not what it is called.
      "bee/named-wrongly.jpg": await encodePicture([90, 90, 90], { grey: true }),
    });
    const photos = await imageFolder(path, { size: 8 });
    assert.deepEqual(photos.classNames, ["Ant", "bee", "zebra"]);
    assert.deepEqual([...photos.labels], [0, 0, 0, 0, 1, 1, 1, 2]);
    assert.deepEqual(photos.classCounts(), [4, 3, 1]);
    assert.deepEqual([photos.size, photos.shape, photos.skipped], [8, [3, 8, 8], []]);
    assert.equal(photos.file(3), join(path, "Ant", "deeper", "d.PNG"));
    const expected = [red, red, red, red, [90, 90, 90], [127, 127, 127], [90, 90, 90], green];
    for (const [i, colour] of expected.entries()) isNear(colourOf((await photos.get(i)).image), colour);
    const grey = await imageFolder(path, { size: [6, 4], channels: 1 });
    assert.deepEqual(grey.shape, [1, 6, 4]);
    assert.equal((await grey.get(4)).image.length, 24);
  });

  it("gives batches that a loader goes through, and parts that share its pictures", async () => {
    const path = await writeFiles(newFolder(), {
      ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`a/${i}.png`, redPng])),
      ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`b/${i}.png`, greenPng])),
    });
    const photos = await imageFolder(path, { size: 4 });
    const [train, test] = splitDataset(photos, [0.5, 0.5], { seed: 2 });
    assert.deepEqual(
      [train.classCounts(), test.classCounts()],
      [
        [6, 4],
        [6, 4],
      ],
    );
    assert.notEqual(train.fingerprint(), test.fingerprint());
    const seen: string[] = [];
    for await (const { images, labels, shape, indices } of new DataLoader(train, { batchSize: 4, shuffle: true })) {
      assert.deepEqual(shape.slice(1), [3, 4, 4]);
      for (const [i, label] of labels.entries()) {
        assert.deepEqual(colourOf(images.subarray(i * 48, (i + 1) * 48)), label === 0 ? red : green);
        seen.push(train.file(indices[i]));
      }
    }
    assert.equal(new Set(seen).size, 10);
  });

  it("has its ready-made splits, with the classes of the one for the other", async () => {
    const path = await writeFiles(newFolder(), {
      "Train/cat/1.png": redPng,
      "Train/dog/1.png": greenPng,
      "val/dog/1.png": greenPng,
    });
    const train = await imageFolder(path, { size: 4, split: "train" });
    assert.deepEqual([train.classNames, train.split], [["cat", "dog"], "train"]);
    const val = await imageFolder(path, { size: 4, split: "validation", classNames: train.classNames });
    assert.deepEqual([[...val.labels], val.classNames], [[1], ["cat", "dog"]]);
    await assert.rejects(imageFolder(path, { size: 4 }), /has the splits Train\/, val\/, but split is not given/);
    await assert.rejects(imageFolder(path, { size: 4, split: "test" }), /Expected one of "train", "validation"/);
    await assert.rejects(
      imageFolder(path, { size: 4, split: "validation", classNames: ["cat", "dogs"] }),
      /the class "dog" is none of those expected \(did you mean dogs\?\)/,
    );
    const plain = await writeFiles(newFolder(), { "train/1.png": redPng, "bus/1.png": greenPng });
    assert.deepEqual((await imageFolder(plain, { size: 4 })).classNames, ["bus", "train"]);
    await assert.rejects(imageFolder(plain, { size: 4, split: "test" }), /has no folder test\//);
  });

  it("leaves out what cannot be used, and says so", async () => {
    const cut = (await encodePicture(red, { width: 64, height: 64, format: "jpeg" })).subarray(0, -20);
    const bomb = Buffer.from(redPng);
    // IHDR: its type at offset 12, then width and height, and its checksum at offset 29.
    bomb.writeUInt32BE(50_000, 16);
    bomb.writeUInt32BE(50_000, 20);
    bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
    const outside = await writeFiles(newFolder(), { "secret.png": redPng });
    const path = await writeFiles(newFolder(), {
      "a/1.png": redPng,
      "a/bomb.png": bomb,
      "a/cut.jpg": cut,
      "a/empty.png": "",
      "a/notes.txt": "none",
      "a/text.jpg": "this is no picture",
      "a/vector.png": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
      "b/1.png": greenPng,
      "b/.hidden": "",
      "b/Thumbs.db": "",
      "loose.png": redPng,
    });
    await symlink(join(outside, "secret.png"), join(path, "a", "out.png"));
    await symlink(join(path, "nowhere"), join(path, "a", "dead.png"));
    await symlink(join(path, "a", "1.png"), join(path, "b", "within.png"));
    const photos = await imageFolder(path, { size: 4 });
    assert.deepEqual(photos.classCounts(), [1, 2]);
    const reasons = Object.fromEntries(photos.skipped.map(({ file, reason }) => [file.slice(path.length + 1), reason]));
    assert.deepEqual(Object.keys(reasons).sort(), [
      "a/bomb.png",
      "a/cut.jpg",
      "a/dead.png",
      "a/empty.png",
      "a/notes.txt",
      "a/out.png",
      "a/text.jpg",
      "a/vector.png",
      "loose.png",
    ]);
    assert.match(reasons["a/bomb.png"], /exceeds pixel limit/);
    assert.match(reasons["a/cut.jpg"], /premature end|truncated|corrupt|it is damaged or cut off/i);
    assert.match(reasons["a/dead.png"], /leads nowhere/);
    assert.match(reasons["a/notes.txt"], /does not end as a picture's/);
    assert.match(reasons["a/out.png"], /symbolic link out of the folder/);
    assert.match(reasons["a/text.jpg"], /unsupported image format/);
    assert.match(reasons["a/vector.png"], /it is a svg file/);
    assert.match(reasons["loose.png"], /in no folder of a class/);
    assert.match(warnings.at(-1) ?? "", /: 9 of 12 files skipped: .*dead\.png .*, and 4 more\.$/);
    await assert.rejects(imageFolder(path, { size: 4, strict: true }), DataError);
  });

  it("names the one that cannot be decoded in a thread, as it does of those decoded without", async () => {
    // Enough, and large enough, for threads.
    const photo = (colour: Colour) => encodePicture(colour, { width: 80, height: 70, format: "jpeg" });
    const [reds, greens] = [await photo(red), await photo(green)];
    const files = Object.fromEntries(Array.from({ length: 48 }, (_, i) => [`${i % 2 ? "b" : "a"}/${i}.jpg`, reds]));
    const path = await writeFiles(newFolder(), {
      ...files,
      "b/cut.jpg": greens.subarray(0, -20),
      "b/last.jpg": greens,
    });
    const photos = await imageFolder(path, { size: 8 });
    assert.deepEqual([photos.classCounts(), photos.skipped.length], [[24, 25], 1]);
    const [{ file, reason }] = photos.skipped;
    assert.equal(file, join(path, "b", "cut.jpg"));
    assert.match(reason, /premature end|it is damaged or cut off/i);
    assert.equal(warnings.at(-1), `${path}: 1 of 50 files skipped: ${file} (${reason}).`);
    // The others are where they were.
    isNear(colourOf((await photos.get(47)).image), red);
    isNear(colourOf((await photos.get(48)).image), green);
    await assert.rejects(imageFolder(path, { size: 8, strict: true }), /cannot decode .*cut\.jpg/);
  });

  it("refuses classes that are empty, spoilt, of one name, or behind links", async () => {
    const empty = await writeFiles(newFolder(), { "a/1.png": redPng, "b/notes.txt": "" });
    await mkdir(join(empty, "c"));
    await assert.rejects(
      imageFolder(empty, { size: 4 }),
      (error) => error instanceof DataError && /the folders b, c have no pictures.*Fix/.test(error.message),
    );
    const spoilt = await writeFiles(newFolder(), { "a/1.png": redPng, "b/1.png": "x" });
    await assert.rejects(
      imageFolder(spoilt, { size: 4 }),
      /no picture of b can be used\. 1 of 2 files skipped: .*1\.png/,
    );
    const twice = await writeFiles(newFolder(), { "cat/1.png": redPng, "Cat/1.png": redPng, "dog/1.png": redPng });
    await assert.rejects(
      imageFolder(twice, { size: 4 }),
      /the classes "Cat" and "cat" have the same name but for capitals/,
    );
    const linked = await writeFiles(newFolder(), { "a/1.png": redPng });
    await symlink(empty, join(linked, "b"));
    await assert.rejects(
      imageFolder(linked, { size: 4 }),
      (error) => error instanceof FileError && /b is a symbolic link to the folder/.test(error.message),
    );
    const loose = await writeFiles(newFolder(), { "1.png": redPng });
    await assert.rejects(imageFolder(loose, { size: 4 }), /no folders of classes, though it has pictures/);
    await assert.rejects(imageFolder(join(loose, "none"), { size: 4 }), /there is no folder/);
    await assert.rejects(imageFolder(loose, {}), /neither size nor input is given/);
    await assert.rejects(imageFolder(loose, { size: 0 }), /size is 0\. Expected pixels from 1/);
    await assert.rejects(imageFolder(loose, { size: 4, memory: 5 }), ArgumentError);
  });

  it("notices files that change or go away after it was opened", async () => {
    const path = await writeFiles(newFolder(), { "a/1.png": redPng, "b/1.png": redPng, "b/2.png": redPng });
    // Nothing is kept: a picture takes 529,200 bytes, and half of 1 MiB may be kept.
    const photos = await imageFolder(path, { size: 420, memory: 2 ** 20 });
    await writeFile(join(path, "b", "1.png"), greenPng);
    await rm(join(path, "b", "2.png"));
    isNear(colourOf((await photos.get(0)).image), red);
    await assert.rejects(async () => photos.get(1), /b.1\.png has changed since the data set was opened\. Fix/);
    await assert.rejects(
      async () => photos.batch(Uint32Array.of(0, 2)),
      /cannot read .*b.2\.png: there is no such file/,
    );
  });
});

describe("the memory of pictures", { skip: noPictures }, () => {
  it("is never exceeded by a set ten times larger, and every epoch is the same", async () => {
    const sharp = await loadSharp();
    const files: Record<string, Uint8Array> = {};
    for (let i = 0; i < 60; i++) {
      const data = Uint8Array.from({ length: 40 * 40 * 3 }, (_, k) => (k * (i + 3)) % 251);
      files[`${i % 2 ? "odd" : "even"}/${i}.png`] = await sharp(data, { raw: { width: 40, height: 40, channels: 3 } })
        .png()
        .toBuffer();
    }
    const path = await writeFiles(newFolder(), files);
    const memory = new PictureMemory(2 ** 20);
    // 60 pictures of 3×240×240 are 10.4 MB.
    const photos = await imageFolder(path, { size: 240, memory });
    const epoch = async () => {
      const sums: number[] = [];
      for await (const { images } of new DataLoader(photos, { batchSize: 8, shuffle: true, seed: 1 }).epoch(0)) {
        sums.push(crc32(images));
      }
      return sums;
    };
    const first = await epoch();
    assert.deepEqual(await epoch(), first);
    assert.ok(memory.kept > 0.3 * memory.limit, "some are kept");
    assert.ok(memory.peak <= memory.limit && memory.peak > memory.kept, `${memory.peak} of ${memory.limit}`);
    assert.equal(memory.used, memory.kept);
    const large = await imageFolder(path, { size: 240 });
    assert.equal(large.memory.kept, 60 * 3 * 240 * 240);
    const batch = large.batch(Uint32Array.of(3, 1));
    assert.ok(!(batch instanceof Promise), "what is kept is there at once");
    assert.deepEqual(batch.images, (await photos.batch(Uint32Array.of(3, 1))).images);
  });

  it("lets no picture in that is too large for it", async () => {
    const path = await writeFiles(newFolder(), {
      "a/1.png": redPng,
      "a/large.png": await encodePicture(red, { width: 300, height: 300 }),
    });
    const photos = await imageFolder(path, { size: 8, memory: 2 ** 20 });
    assert.match(photos.skipped[0].reason, /the picture, decoded, would take 0\.5 MB of memory/);
  });
});
