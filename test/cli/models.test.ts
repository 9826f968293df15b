/** `fovea models`, and other commands on networks besides LeNet-5. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { loadData } from "../../src/cli/data.js";
import { models } from "../../src/index.js";
import { loadSharp, writePng } from "../../src/node/image.js";
import { parameterCounts } from "../models/parameters.js";
import { jsonLines, run, skipCommand, temporaryFolder, writeData } from "./command.js";
import { inOneProcess } from "./session.js";

const runSoon = inOneProcess();

describe("fovea models", { skip: skipCommand, concurrency: 2 }, () => {
  it("has a line for each network", async () => {
    const { status, stdout, stderr } = await runSoon(["models"]);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    const lines = stderr.trimEnd().split("\n");
    assert.equal(lines.length, 1 + models.list().length);
    assert.match(lines[0], /^ +parameters +input +year/);
    assert.match(stderr, /^lenet5 +61,706 +1×28×28 {3}1998 {2}LeNet-5 \(1998\) with/m);
    assert.match(stderr, /^vgg-d +138,357,544 +3×224×224\+ {2}2014 {2}VGG's configuration D/m);
    assert.match(stderr, /^largenet +10,002 +3×32×32 {9}LargeNet/m);
  });

  it("gives a JSON object for each, or only for those that contain a text", async () => {
    const lines = jsonLines(await runSoon(["models", "--json"]));
    assert.deepEqual(
      lines.map(({ name, parameters }) => [name, parameters]),
      models.list().map(({ name }) => [name, parameterCounts[name]]),
    );
    const found = jsonLines(await runSoon(["models", "U-Net", "--json"]));
    assert.equal(found.length, 1);
    const { name, description, inputShape, minimumSize, numClasses, paper } = models.find("unet");
    const expected = { name, description, task: "segmentation", input: inputShape, minimumSize, numClasses, paper };
    assert.deepEqual(found[0], { ...expected, parameters: 31_030_658 });
  });

  it("says when no name contains the text", async () => {
    const { status, stderr } = await runSoon(["models", "transformer"]);
    assert.equal(status, 1);
    assert.match(stderr, /no model's name or description contains "transformer"/);
  });
});

describe("other networks than LeNet-5", { skip: skipCommand }, () => {
  it("are trained, evaluated and used, on pictures scaled to the one size that they take", async () => {
    const folder = await temporaryFolder();
    const data = await writeData(join(folder, "data"), { train: 200, test: 50 });
    const out = join(folder, "run");
    const trained = await run(["train", "lenet5-1998", "--data", data, "--out", out, "--epochs", "2", "--json"]);
    assert.equal(trained.status, 0, trained.stderr);
    assert.equal(jsonLines(trained)[0].parameters, 60_850);
    const weights = ["--weights", join(out, "checkpoint.safetensors")];
    const scores = await run(["evaluate", "lenet5-1998", "--data", data, ...weights, "--json"]);
    assert.equal(scores.status, 0, scores.stderr);
    const { loss, accuracy } = jsonLines(scores)[0];
    assert.deepEqual(jsonLines(trained).at(-1)?.test, { loss, accuracy });
    if ((await loadSharp().catch(() => undefined)) === undefined) return;
    const picture = join(folder, "picture.png");
    await writePng(picture, { width: 28, height: 28, channels: 1, data: new Uint8Array(28 * 28) });
    const answer = await run(["predict", "lenet5-1998", picture, ...weights, "--json"]);
    assert.equal(answer.status, 0, answer.stderr);
    assert.match(answer.stdout, /"top":\[\{"class":"\d","probability":/);
  });

  it("are not given more pictures than fit into memory once they are scaled", async () => {
    const folder = await temporaryFolder();
    const data = await writeData(join(folder, "data"), { train: 1000, test: 10 });
    const large: models.ModelEntry = { ...models.find("lenet5-1998"), inputShape: [1, 2800, 2800] };
    await assert.rejects(
      loadData(large, { data }, "train"),
      /takes pictures of 1×2800×2800 only, and in that size the 1000 of data would fill 7.8 GB/,
    );
    const { shape, images } = await loadData(large, { data }, "test");
    assert.deepEqual([shape, images.length], [[1, 2800, 2800], 10 * 2800 * 2800]);
  });

  it("are checked narrow where the definitions would take long", async () => {
    const { status, stderr } = await run(["gradcheck", "nin-cifar10", "--elements", "1"]);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^nin-cifar10 is checked with a sixteenth of its channels, on pictures of 3×4×4$/m);
    assert.match(stderr, /^✓ classifier\.5\.bias +1 /m);
  });
});
