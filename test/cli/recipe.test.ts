/** How training can be set up from the command line, beyond the defaults: what is learnt from the data is kept in the run. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readCheckpointInfo } from "../../src/train/checkpoint.js";
import { jsonLines, run, skipCommand, temporaryFolder, trainers, writeData } from "./command.js";
import { inOneProcess } from "./session.js";

const runSoon = inOneProcess();
const trainer = trainers.find(({ missing }) => missing === false);

describe("fovea train", { skip: skipCommand || (trainer === undefined && "no device can train") }, () => {
  it("learns a normalization, stops early, keeps both, and evaluates the same", async () => {
    const folder = await temporaryFolder();
    const data = await writeData(join(folder, "data"));
    const out = join(folder, "run");
    const device = ["--device", trainer?.name ?? "auto"];
    // Without a learning rate no epoch is better than the first.
    const settings = ["--lr", "0", "--patience", "1", "--epochs", "5", "--warmup", "0.5"];
    const normalize = ["--normalize", "z-score", "--normalize-per", "feature"];
    const given = ["train", "lenet5", "--data", data, "--out", out, "--json", ...settings, ...normalize, ...device];
    const trained = await run(given);
    assert.equal(trained.status, 0, trained.stderr);
    const lines = jsonLines(trained);
    assert.deepEqual(
      lines.map(({ event }) => event),
      ["start", "epoch", "epoch", "done"],
    );
    const path = join(out, "checkpoint.safetensors");
    const info = readCheckpointInfo(new Uint8Array(await readFile(path)), path);
    assert.deepEqual([info?.normalization.mean.length, info?.settings.normalize], [784, "z-score"]);

    const again = await run(["train", "lenet5", "--out", out, "--resume", "--json"]);
    assert.equal(again.status, 0, again.stderr);
    assert.deepEqual(jsonLines(again).at(-1)?.test, lines.at(-1)?.test);
    const evaluated = await run(["evaluate", "lenet5", "--weights", path, "--data", data, "--json", ...device]);
    const [{ loss, accuracy }] = jsonLines(evaluated);
    assert.deepEqual({ loss, accuracy }, lines.at(-1)?.test);
  });

  it("saves and tests the average of the weights, with softer targets in training alone", async () => {
    const folder = await temporaryFolder();
    const data = await writeData(join(folder, "data"), { train: 200, test: 50 });
    const out = join(folder, "run");
    const settings = ["--accumulate", "2", "--average", "0.8", "--clip", "2", "--label-smoothing", "0.2"];
    const device = ["--device", trainer?.name ?? "auto"];
    const common = ["train", "lenet5", "--data", data, "--epochs", "2", "--batch", "20", "--json", ...device];
    const plain = await runSoon([...common, "--out", join(folder, "plain"), "--accumulate", "2"]);
    const trained = await runSoon([...common, ...settings, "--out", out]);
    assert.equal(trained.status, 0, trained.stderr);
    const { loss, accuracy } = Object(jsonLines(trained).at(-1)?.test);
    assert.notEqual(loss, Object(jsonLines(plain).at(-1)?.test).loss);
    const [evaluated] = jsonLines(await runSoon(["evaluate", out, "--json", ...device]));
    assert.deepEqual([evaluated.loss, evaluated.accuracy], [loss, accuracy]);
    const changed = await runSoon(["train", "lenet5", "--out", out, "--resume", "--accumulate", "4"]);
    assert.match(changed.stderr, /was started with --accumulate 2, not 4/);
  });

  it("says which recipes make no sense", async () => {
    const train = (...more: string[]) => runSoon(["train", "lenet5", ...more]);
    const cycle = await train("--schedule", "one-cycle", "--warmup", "1");
    assert.match(cycle.stderr, /one-cycle warms up by itself/);
    assert.match((await train("--clip", "0")).stderr, /--clip.*Expected a number above 0/);
    assert.match((await train("--normalize", "pca")).stderr, /model, min-max, z-score, zca/);
  });
});
