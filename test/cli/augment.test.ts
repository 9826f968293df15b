/** `fovea augment`, and `fovea train --augment`. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { readPixels, writePng } from "../../src/node/image.js";
import { noPictures } from "../support/pictures.js";
import { jsonLines, run, skipCommand, start, temporaryFolder, trainers, writeData } from "./command.js";
import { assertSameOutcome, checkpoints } from "./runs.js";

let folder: string;
before(async () => {
  folder = await temporaryFolder();
});

describe("fovea augment", { skip: skipCommand || noPictures }, () => {
  it("draws a labelled row for each augmentation, and one for all together", async () => {
    const [picture, sheet] = [join(folder, "picture.png"), join(folder, "sheet.png")];
    const data = Uint8Array.from({ length: 3 * 32 * 40 }, (_, i) => (i * 7) % 256);
    await writePng(picture, { width: 40, height: 32, channels: 3, data });
    const given = ["--augment", "flip:1, rotate:20", "--size", "64", "--count", "3", "--out", sheet, "--json"];
    const result = await run(["augment", picture, ...given]);
    assert.equal(result.status, 0, result.stderr);
    const rows = ["flip:1", "rotate:20", "flip:1,rotate:20"];
    assert.deepEqual(jsonLines(result), [{ file: sheet, seed: 0, count: 3, rows }]);
    const { width, height } = await readPixels(sheet);
    // A gap of 4 around the rows' sheets of 2 + 3 × (80 + 2); four of 68 and four labels of 10 pixels, with gaps.
    assert.deepEqual([width, height], [4 + 248 + 4, 4 + 4 * (68 + 4) + 4 * (10 + 4)]);
    const every = await run(["augment", picture, "--size", "16", "--count", "2", "--out", sheet]);
    assert.equal(every.status, 0, every.stderr);
  });

  it("says what there is to those who mistype", async () => {
    const { status, stderr } = await run(["augment", "none.png", "--augment", "flip,rotat"]);
    assert.equal(status, 2);
    assert.match(stderr, /no augmentation "rotat". Did you mean rotate\?/);
  });
});

const usable = trainers.filter(({ missing }) => !missing).map(({ name }) => name);

describe("fovea train --augment", { skip: skipCommand || (usable.length === 0 && "no device trains here") }, () => {
  it("a run that was stopped goes on to the same bits, with threads or without", async () => {
    const data = await writeData(join(folder, "data"), { train: 320, test: 40 });
    const augment = ["--augment", "translate:2, noise:5, mixup:0.2"];
    const train = [
      "train",
      "lenet5",
      "--data",
      data,
      "--epochs",
      "2",
      "--batch",
      "40",
      "--device",
      usable[0],
      ...augment,
    ];
    const whole = join(folder, "whole");
    assert.equal((await run([...train, "--out", whole, "--workers", "0"])).status, 0);
    const part = join(folder, "part");
    const running = start([...train, "--out", part, "--checkpoint-seconds", "0", "--workers", "2"]);
    await checkpoints(running, part, 5);
    running.child.kill("SIGINT");
    assert.equal((await running.finished).status, 130);
    const config = JSON.parse(await readFile(join(part, "config.json"), "utf8"));
    assert.equal(config.settings?.augment ?? config.augment, "translate:2,noise:5,mixup:0.2");
    const other = await run(["train", "lenet5", "--out", part, "--resume", "--augment", "flip"]);
    assert.match(other.stderr, /was started with --augment translate:2,noise:5,mixup:0.2, not flip/);
    const resumed = await run(["train", "lenet5", "--out", part, "--resume", "--workers", "1"]);
    assert.equal(resumed.status, 0, resumed.stderr);
    await assertSameOutcome(whole, part);
  });

  it("what does not suit the pictures is said before anything is made", async () => {
    const data = await writeData(join(folder, "data"), { train: 320, test: 40 });
    const out = join(folder, "none");
    const { status, stderr } = await run(["train", "lenet5", "--data", data, "--augment", "pca-color", "--out", out]);
    assert.equal(status, 1);
    assert.match(stderr, /pca-color: the pictures have 1 channels. Expected red, green and blue/);
    await assert.rejects(readFile(join(out, "config.json")));
  });
});
