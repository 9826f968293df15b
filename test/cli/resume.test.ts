/** What --resume takes, and what it refuses, without losing anything. */

import assert from "node:assert/strict";
import { appendFile, cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { jsonLines, run, skipCommand, start, temporaryFolder, trainers, writeData } from "./command.js";
import { assertSameOutcome, bestOf, checkpointOf, checkpoints, outcome } from "./runs.js";
import { inOneProcess } from "./session.js";

const runSoon = inOneProcess();
const usable = trainers.filter(({ missing }) => !missing).map(({ name }) => name);

describe("--resume", { skip: skipCommand || (usable.length === 0 && "no device trains here"), concurrency: 2 }, () => {
  let folder: string;
  let data: string;
  let whole: string;
  let part: string;
  let copies = 0;

  before(async () => {
    folder = await temporaryFolder();
    data = await writeData(join(folder, "data"));
    const train = ["train", "lenet5", "--data", data, "--epochs", "3", "--batch", "40", "--device", usable[0]];
    whole = join(folder, "whole");
    assert.equal((await run([...train, "--out", whole])).status, 0);
    part = join(folder, "part");
    const running = start([...train, "--out", part, "--checkpoint-seconds", "0"]);
    await checkpoints(running, part, 35);
    running.child.kill("SIGINT");
    assert.equal((await running.finished).status, 130);
  });

  /** A copy of the stopped run, to go on with. */
  async function copy(from = part): Promise<string> {
    const path = join(folder, `copy-${copies++}`);
    await cp(from, path, { recursive: true });
    return path;
  }

  const resume = (path: string, ...args: string[]) => run(["train", "lenet5", "--out", path, "--resume", ...args]);

  /** Refused with that message, in one line and without a trace; the run's files are as they were. */
  async function refused(path: string, message: RegExp, ...args: string[]): Promise<void> {
    const files = ["config.json", "metrics.jsonl", "checkpoint.safetensors"].map((name) => join(path, name));
    const contents = () => Promise.all(files.map((file) => readFile(file, "base64").catch(() => "none")));
    const before = await contents();
    const { status, stdout, stderr } = await runSoon(["train", "lenet5", "--out", path, "--resume", ...args]);
    assert.equal(status, 1, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /);
    assert.deepEqual(await contents(), before);
  }

  it("goes on with the same flags given again, and tells where", async () => {
    const path = await copy();
    const same = ["--epochs", "3", "--batch", "40", "--lr", "0.05", "--seed", "0", "--schedule", "cosine"];
    const result = await resume(path, ...same, "--data", data);
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stderr, /going on after 1 epoch and \d+ batch/);
    await assertSameOutcome(whole, path);
  });

  it("of a finished run reports its result again", async () => {
    const path = await copy(whole);
    const before = await outcome(path);
    const result = await resume(path, "--json");
    assert.equal(result.status, 0, result.stderr);
    const lines = jsonLines(result);
    assert.deepEqual(
      lines.map(({ event }) => event),
      ["start", "done"],
    );
    const { loss, accuracy } = before.metrics[2].validation;
    assert.deepEqual(lines[1].test, { loss, accuracy });
    assert.deepEqual(await outcome(path), before);
  });

  it("keeps the best epoch's weights where it was killed before that", async () => {
    const path = await copy(whole);
    await rm(bestOf(path));
    assert.equal((await resume(path)).status, 0);
    await assertSameOutcome(whole, path);
  });

  it("finds data that have moved when told where, and remembers", async () => {
    const path = await copy();
    const moved = join(folder, "moved");
    await cp(data, moved, { recursive: true });
    const config = join(path, "config.json");
    await writeFile(config, (await readFile(config, "utf8")).replace(`"${data}"`, `"${data}-then"`));
    await refused(path, /there is no folder .*data-then"/);
    assert.equal((await resume(path, "--data", moved)).status, 0);
    await assertSameOutcome(whole, path);
    assert.equal(JSON.parse(await readFile(config, "utf8")).data, moved);
  });

  it("refuses other data, and does not remember them", async () => {
    const path = await copy();
    const other = await writeData(join(folder, "other"), { train: 1000, test: 190 });
    await refused(path, /the pictures or labels are not those that the run .* was started with/, "--data", other);
    const result = await resume(path);
    assert.equal(result.status, 0, result.stderr);
    await assertSameOutcome(whole, path);
  });

  it("refuses changed settings", async () => {
    const path = await copy();
    await refused(path, /was started with --epochs 3, not 4\. .*Fix: leave the option out/, "--epochs", "4");
    await refused(path, /was started with --lr 0\.05, not 0\.1/, "--lr", "0.1");
    await refused(path, /was started with --optimizer sgd, not adam/, "--optimizer", "adam");
    await refused(path, /was started with --seed 0, not 7/, "--seed", "7");
  });

  it("goes on elsewhere, and says that the bits will differ", async (t) => {
    if (usable.length < 2) return t.skip("only one device trains here");
    const path = await copy();
    const result = await resume(path, "--device", usable[1], "--threads", "1");
    assert.equal(result.status, 0, result.stderr);
    assert.match(
      result.stderr,
      new RegExp(`begun on ${usable[0]}.* goes on on ${usable[1]}.* differ in the last bits`),
    );
    const [expected, found] = [await outcome(whole), await outcome(path)];
    const last = found.metrics[2].train.loss;
    assert.ok(Math.abs(last - expected.metrics[2].train.loss) < 1e-3, `loss ${last}`);
  });

  it("goes on with other threads to the same bits", async () => {
    const path = await copy();
    const result = await resume(path, "--threads", "3");
    assert.equal(result.status, 0, result.stderr);
    assert.doesNotMatch(result.stderr, /differ/);
    await assertSameOutcome(whole, path);
  });

  it("refuses folders without a run, and runs of other models", async () => {
    await refused(data, /data holds no run \(no config\.json\)/);
    await refused(join(folder, "none"), /there is no folder .*none/);
    const path = await copy();
    const config = join(path, "config.json");
    await writeFile(config, (await readFile(config, "utf8")).replace('"lenet5"', '"resnet"'));
    await refused(path, /is a run of resnet, not of lenet5\. Fix: fovea train resnet/);
  });

  it("without a checkpoint starts from the beginning", async () => {
    const path = await copy();
    await rm(checkpointOf(path));
    const result = await resume(path);
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stderr, /has no checkpoint yet: starting from the beginning/);
    await assertSameOutcome(whole, path);
  });

  it("refuses a damaged config.json", async () => {
    const path = await copy();
    const config = join(path, "config.json");
    const good = await readFile(config, "utf8");
    const damages: readonly (readonly [string, RegExp])[] = [
      [good.slice(0, 40), /config\.json is damaged: it is not JSON/],
      ["[]", /config\.json is damaged: it holds no settings/],
      [good.replace('"version": 1', '"version": 9'), /is of version 9; this Fovea reads version 1/],
      [good.replace('"batch": 40', '"batch": "many"'), /config\.json .*is damaged: --batch is "many"/],
      [good.replace('"sgd"', '"lion"'), /is damaged: --optimizer is "lion"\. Allowed choices are/],
      [good.replace('"batch": 40', '"batch": 20'), /was changed, or .*written with batch 40, not 20/],
      [good.replace(/ *"batch": 40,\n/, ""), /was changed, or .*written with batch 40, not undefined|damaged/],
    ];
    for (const [text, message] of damages) {
      assert.notEqual(text, good);
      await writeFile(config, text);
      await refused(path, message);
    }
    await writeFile(config, good);
    assert.equal((await resume(path)).status, 0);
    await assertSameOutcome(whole, path);
  });

  it("refuses metrics that are not those of the checkpoint", async () => {
    const path = await copy();
    const metrics = join(path, "metrics.jsonl");
    const good = await readFile(metrics, "utf8");
    await writeFile(metrics, good.slice(0, -10));
    await refused(path, /metrics\.jsonl is damaged: it has \d+ bytes, but the checkpoint was written after \d+/);
    await writeFile(metrics, good.replace('"epoch":1', '"epoch":7'));
    await refused(path, /metrics\.jsonl is damaged: line 1 does not describe epoch 1/);
    await rm(metrics);
    await refused(path, /metrics\.jsonl: there is no such file/);
    await writeFile(metrics, good);
    await appendFile(metrics, "anything\n");
    assert.equal((await resume(path)).status, 0);
    await assertSameOutcome(whole, path);
  });

  it("refuses a damaged or cut checkpoint, and one without training state", async () => {
    const path = await copy();
    const good = await readFile(checkpointOf(path));
    for (const at of [30, 5_000, good.length - 1]) {
      const bad = Buffer.from(good);
      bad[at] ^= 0x10;
      await writeFile(checkpointOf(path), bad);
      await refused(path, /checkpoint\.safetensors/);
    }
    for (const length of [0, good.length - 1]) {
      await writeFile(checkpointOf(path), good.subarray(0, length));
      await refused(path, /checkpoint\.safetensors/);
    }
    await writeFile(checkpointOf(path), good);
    assert.equal((await resume(path)).status, 0);
    await assertSameOutcome(whole, path);
  });
});
