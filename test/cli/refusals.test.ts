/** Bad input: each is refused with a message that says what is wrong, and nothing is lost or left behind. */

import assert from "node:assert/strict";
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { writeIdx } from "../../src/formats/idx.js";
import { models } from "../../src/index.js";
import { readWeights, writeWeights } from "../../src/nn/weights.js";
import { loadSharp, writePng } from "../../src/node/image.js";
import { writeCheckpoint } from "../../src/train/checkpoint.js";
import {
  exists,
  fileNames,
  jsonLines,
  type Result,
  run as runAlone,
  skipCommand,
  temporaryFolder,
  writeData,
} from "./command.js";
import { checkpointOf } from "./runs.js";
import { inOneProcess } from "./session.js";

let folder: string;
let data: string;
let trained: string;
let copies = 0;

before(async () => {
  if (skipCommand) return;
  folder = await temporaryFolder();
  data = await writeData(join(folder, "data"), { train: 400, test: 100 });
  trained = join(folder, "trained");
  const result = await runAlone([
    "train",
    "lenet5",
    "--data",
    data,
    "--epochs",
    "1",
    "--batch",
    "20",
    "--out",
    trained,
  ]);
  assert.equal(result.status, 0, result.stderr);
});

/** What is refused leaves nothing behind there, either. */
const run = inOneProcess();

function assertRefused({ status, stdout, stderr }: Result, message: RegExp): void {
  assert.equal(status, 1, stderr);
  assert.equal(stdout, "");
  assert.match(stderr, message);
  assert.match(stderr, /^fovea: /m);
  assert.doesNotMatch(stderr, /\n {4}at /, "no stack trace");
}

describe("data", { skip: skipCommand }, () => {
  const { train, test } = fileNames;

  /** A copy of the good data, in which something is then spoilt. */
  async function spoilt(spoil: (path: string) => Promise<unknown>): Promise<string> {
    const path = join(folder, `spoilt-${copies++}`);
    await cp(data, path, { recursive: true });
    await spoil(path);
    return path;
  }

  const edit = async (path: string, change: (bytes: Buffer) => Uint8Array) =>
    writeFile(path, change(await readFile(path)));
  const set = (at: number, value: number) => (bytes: Buffer) => {
    bytes[at] = value;
    return bytes;
  };

  const cases: Readonly<Record<string, readonly [RegExp, (path: string) => Promise<unknown>]>> = {
    "images cut short": [
      /train-images-idx3-ubyte: the header promises \[400, ?28, ?28\] uint8, 313600 bytes .* only 300000 bytes|train-images-idx3-ubyte.*cut short or damaged/,
      (path) => edit(join(path, train.images), (bytes) => bytes.subarray(0, 300_016)),
    ],
    "a header cut short": [
      /t10k-labels-idx1-ubyte: the data ends after 5 bytes, inside the header/,
      (path) => edit(join(path, test.labels), (bytes) => bytes.subarray(0, 5)),
    ],
    "an empty file": [/train-labels-idx1-ubyte.*0 bytes/, (path) => writeFile(join(path, train.labels), "")],
    "a wrong magic number": [
      /train-images-idx3-ubyte: not an IDX file: it begins with the bytes 01 00 08 03/,
      (path) => edit(join(path, train.images), set(0, 1)),
    ],
    "a wrong type code": [
      /train-images-idx3-ubyte: the element type at offset 2 is the unknown code 0x07/,
      (path) => edit(join(path, train.images), set(2, 7)),
    ],
    "more labels than images": [
      /train-images-idx3-ubyte holds 400 images, but .*train-labels-idx1-ubyte holds 399 labels/,
      (path) =>
        writeFile(join(path, train.labels), writeIdx({ dtype: "uint8", shape: [399], data: new Uint8Array(399) })),
    ],
    "labels in the place of images": [
      /train-images-idx3-ubyte holds .* Images and labels are mixed up: swap them/,
      (path) => copyFile(join(path, train.labels), join(path, train.images)),
    ],
    "images in the place of labels": [
      /train-labels-idx1-ubyte holds .* Images and labels are mixed up: swap them/,
      (path) => copyFile(join(path, train.images), join(path, train.labels)),
    ],
    "a label out of range": [
      /t10k-labels-idx1-ubyte: label 10 at index 3 names no class\. Expected 0 to 9/,
      (path) => edit(join(path, test.labels), set(8 + 3, 10)),
    ],
    "a missing file": [/has no test images\. Looked for t10k-images-idx3-ubyte/, (path) => rm(join(path, test.images))],
    "a damaged gzip file": [
      /train-images-idx3-ubyte\.gz/,
      async (path) => {
        const bytes = gzipSync(await readFile(join(path, train.images)));
        bytes[bytes.length >> 1] ^= 0xff;
        await rm(join(path, train.images));
        await writeFile(join(path, `${train.images}.gz`), bytes);
      },
    ],
    "pictures of another size": [
      /lenet5 takes pictures of 1×28×28 .* but those of spoilt-\d+ are 1×20×39/,
      (path) =>
        writeFile(
          join(path, train.images),
          writeIdx({ dtype: "uint8", shape: [400, 20, 39], data: new Uint8Array(400 * 20 * 39) }),
        ),
    ],
    "no pictures at all": [
      /there are no test pictures/,
      async (path) => {
        await writeFile(
          join(path, test.images),
          writeIdx({ dtype: "uint8", shape: [0, 28, 28], data: new Uint8Array(0) }),
        );
        await writeFile(join(path, test.labels), writeIdx({ dtype: "uint8", shape: [0], data: new Uint8Array(0) }));
      },
    ],
  };
  for (const [title, [message, spoil]] of Object.entries(cases)) {
    it(title, async () => {
      const path = await spoilt(spoil);
      const out = join(folder, `run-${copies++}`);
      assertRefused(await run(["train", "lenet5", "--data", path, "--out", out]), message);
      assert.equal(await exists(out), false, "a run that cannot begin leaves no folder");
    });
  }

  it("a folder that is missing, a file, or not the collection's", async () => {
    const train = (...args: string[]) => run(["train", "lenet5", "--out", join(folder, "never"), ...args]);
    assertRefused(await train("--data", join(folder, "none")), /there is no folder .*none/);
    const empty = join(folder, "empty");
    await mkdir(empty, { recursive: true });
    assertRefused(await train("--data", empty), /the folder .*empty is empty\. Expected digits, shapes/);
    await writeFile(join(empty, "notes.txt"), "");
    assertRefused(
      await train("--data", empty),
      /the folder .*empty has no pictures, and no IDX files\. Expected digits/,
    );
    assertRefused(await train("--data", checkpointOf(trained)), /is a file\. Expected digits, shapes/);
    assertRefused(
      await train("--data", "mnist", "--data-dir", join(folder, "none")),
      /there is no folder .*none\. Expected a folder with train-images-idx3-ubyte/,
    );
    assertRefused(
      await train("--data", "mnist", "--data-dir", trained),
      /has no train images\. Looked for train-images-idx3-ubyte/,
    );
    assert.equal(await exists(join(folder, "never")), false);
  });
});

describe("folders for runs", { skip: skipCommand }, () => {
  it("where there is a file, or where the system makes none", async (t) => {
    const place = join(folder, "place");
    await mkdir(place);
    await writeFile(join(place, "runs"), "no folder");
    const train = ["train", "lenet5", "--data", data];
    assertRefused(
      await runAlone(train, { cwd: place }),
      /cannot write runs: there is a file of that name\. Fix: choose another/,
    );
    assertRefused(
      await runAlone([...train, "--out", "runs/first"], { cwd: place }),
      /cannot write runs: there is a file of that name/,
    );
    if (!(await exists("/proc/self"))) return t.diagnostic("there is no /proc");
    assertRefused(await run([...train, "--out", "/proc/fovea/run"]), /cannot write \/proc\/fovea: .* Fix:/);
  });
});

describe("weights", { skip: skipCommand }, () => {
  const evaluate = (weights: string) => run(["evaluate", "lenet5", "--weights", weights, "--data", data, "--json"]);

  it("of another shape, with a layer too many or too few, or of nothing at all", async () => {
    const good = await models.create("lenet5").stateDict();
    const { "c1.weight": c1, ...rest } = good;
    const cases: Readonly<Record<string, readonly [RegExp, Parameters<typeof writeWeights>[0]]>> = {
      fewer: [/fewer\.safetensors: .*c1\.weight/, rest],
      more: [/more\.safetensors: .*c9\.weight/, { ...good, "c9.weight": c1 }],
      shape: [/shape\.safetensors: .*c1\.weight.*6×1×5×5/, { ...good, "c1.weight": { ...c1, shape: [6, 5, 5, 1] } }],
      empty: [/empty\.safetensors: /, {}],
    };
    for (const [name, [message, weights]] of Object.entries(cases)) {
      const file = join(folder, `${name}.safetensors`);
      await writeFile(file, writeWeights(weights));
      assertRefused(await evaluate(file), message);
    }
    const file = join(folder, "good.safetensors");
    await writeFile(file, writeWeights(good));
    assert.equal((await evaluate(file)).status, 0, "weights without training state can be evaluated");
  });

  it("of another model, by what the checkpoint says of itself", async () => {
    const file = join(folder, "other.safetensors");
    const normalization = { mean: [0], std: [1] };
    const bytes = writeCheckpoint({
      info: { model: "resnet20", variant: "x", classNames: ["a"], normalization, metricsBytes: 0, settings: {} },
      state: {
        position: { epoch: 0, batch: 0 },
        weights: await models.create("lenet5").stateDict(),
        optimizer: { slots: {}, numbers: {} },
        schedule: {},
        sums: { loss: 0, hits: 0, count: 0 },
        random: { seed: 0, position: 0 },
        seconds: 0,
      },
    });
    await writeFile(file, bytes);
    assertRefused(await evaluate(file), /other\.safetensors holds weights of resnet20, not of lenet5/);
  });

  it("damaged in one bit, or cut", async () => {
    const good = await readFile(checkpointOf(trained));
    const file = join(folder, "damaged.safetensors");
    for (const at of [20, good.length >> 1]) {
      const bad = Buffer.from(good);
      bad[at] ^= 1;
      await writeFile(file, bad);
      assertRefused(await evaluate(file), /damaged\.safetensors/);
    }
    for (const length of [500, good.length - 4]) {
      await writeFile(file, good.subarray(0, length));
      assertRefused(await evaluate(file), /damaged\.safetensors/);
    }
    await writeFile(file, "these are no weights, but quite a long text about them");
    assertRefused(await evaluate(file), /damaged\.safetensors/);
    assertRefused(await evaluate(folder), /it is a folder/);
    assertRefused(await evaluate(join(data, fileNames.test.images)), /t10k-images/);
  });
});

describe("pictures", { skip: skipCommand }, () => {
  it("that are none: text, cut short, empty, missing, a folder", async (t) => {
    try {
      await loadSharp();
    } catch (error) {
      return t.skip(String(error));
    }
    const picture = join(folder, "good.png");
    const noise = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * 7919) % 251);
    await writePng(picture, { width: 40, height: 30, channels: 3, data: noise });
    const bytes = await readFile(picture);
    const bad = { "text.png": "a text", "cut.png": bytes.subarray(0, bytes.length >> 1), "empty.png": "" };
    const predict = (...files: string[]) =>
      run(["predict", "lenet5", "--weights", checkpointOf(trained), "--json", ...files]);
    for (const [name, contents] of Object.entries(bad)) {
      await writeFile(join(folder, name), contents);
      const message = new RegExp(`cannot decode .*${name}: .* Expected a JPEG, PNG`);
      assertRefused(await predict(join(folder, name)), message);
    }
    assertRefused(await predict(join(folder, "none.png")), /cannot read .*none\.png: there is no such file/);
    assertRefused(await predict(data), /the folder .*data has no pictures\. Expected files such as \.jpg/);
    assertRefused(await predict(join(folder, "nothing*.png")), /no file fits the pattern .*nothing\*\.png/);

    const mixed = await predict(join(folder, "text.png"), picture, join(folder, "none.png"));
    assert.equal(mixed.status, 1);
    assert.deepEqual(
      jsonLines(mixed).map(({ file }) => file),
      [picture],
      "the good one is answered all the same",
    );
    assert.match(mixed.stderr, /text\.png.*\n.*none\.png.*\n.*2 of 3 pictures could not be read\n$/);
    const inFolder = await predict(folder, data);
    assert.match(
      inFolder.stderr,
      /data has no pictures.*\n.*cut\.png.*\n.*empty\.png.*\n.*text\.png.*\n.*4 of 5 pictures/,
    );
    assert.equal(jsonLines(inFolder).length, 1);
    const fitting = await predict(join(folder, "g*d.?ng"));
    assert.deepEqual([fitting.status, jsonLines(fitting)[0].file], [0, picture]);
  });
});

describe("training that diverges", { skip: skipCommand }, () => {
  for (const seconds of ["0", "15"]) {
    it(`says so, with a checkpoint every ${seconds} s, and keeps only what can be gone on from`, async () => {
      const out = join(folder, `diverged-${seconds}`);
      const train = ["train", "lenet5", "--data", data, "--lr", "1e38", "--out", out, "--checkpoint-seconds", seconds];
      const result = await runAlone([...train, "--json"]);
      assert.equal(result.status, 1, result.stderr);
      assert.match(
        result.stderr,
        /fovea: .*(became NaN|became infinite|holds NaN|holds -?Infinity).*a lower learning rate/,
      );
      assert.doesNotMatch(result.stderr, /\n {4}at /);
      assert.deepEqual(
        jsonLines(result).map(({ event }) => event),
        ["start"],
      );
      const saved = seconds === "0" ? ["checkpoint.safetensors"] : [];
      assert.deepEqual((await readdir(out)).sort(), [...saved, "config.json", "metrics.jsonl"]);
      if (seconds !== "0") return;
      const weights = readWeights(new Uint8Array(await readFile(checkpointOf(out))), "checkpoint");
      for (const [name, { data }] of Object.entries(weights)) assert.ok(data.every(Number.isFinite), name);
    });
  }

  it("is noticed in its weights, too", async () => {
    const good = await models.create("lenet5").stateDict();
    const huge = {
      ...good["output.weight"],
      data: Float32Array.from({ length: 840 }, (_, i) => (i < 420 ? 3e38 : -3e38)),
    };
    const cases: readonly (readonly [RegExp, Float32Array<ArrayBuffer>])[] = [
      [/c1\.bias holds NaN \(element 0\)/, new Float32Array(6).fill(Number.NaN)],
      [/the loss on data is (NaN|Infinity)/, new Float32Array(6).fill(3)],
    ];
    for (const [message, bias] of cases) {
      const file = join(folder, "wild.safetensors");
      const wild = { ...good, "c1.bias": { ...good["c1.bias"], data: bias }, "output.weight": huge };
      await writeFile(file, writeWeights(wild));
      assertRefused(await run(["evaluate", "lenet5", "--weights", file, "--data", data, "--json"]), message);
    }
  });
});
