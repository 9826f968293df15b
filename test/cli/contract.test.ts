/** What the command promises to programs: JSON lines, exit statuses, the files of a run. */

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { digits } from "../../src/data/digits/digits.js";
import { resizePixels } from "../../src/data/resize.js";
import { parseSafetensors } from "../../src/formats/safetensors.js";
import { models } from "../../src/index.js";
import { loadSharp, writePng } from "../../src/node/image.js";
import { exists, jsonLines, type Result, run, skipCommand, temporaryFolder, trainers, writeData } from "./command.js";

const mnistFolder = new URL("../../../../shared/data/mnist/", import.meta.url).pathname;

interface Line {
  readonly [name: string]: unknown;
}

function numbersIn(line: unknown, names: readonly string[]): void {
  assert.ok(line !== null && typeof line === "object");
  assert.deepEqual(Object.keys(line).sort(), [...names].sort());
  for (const value of Object.values(line)) assert.ok(typeof value === "number" && Number.isFinite(value), `${value}`);
}

for (const { name, missing } of trainers) {
  describe(`train, evaluate and predict on ${name}`, { skip: skipCommand || missing }, () => {
    let folder: string;
    let data: string;
    let out: string;
    let trained: Result;
    let done: Line;

    before(async () => {
      folder = await temporaryFolder();
      data = await writeData(join(folder, "data"));
      out = join(folder, "run");
      const settings = ["--epochs", "3", "--batch", "20", "--seed", "4", "--device", name, "--threads", "2"];
      trained = await run(["train", "lenet5", "--data", data, "--out", out, "--json", ...settings]);
      assert.equal(trained.status, 0, trained.stderr);
      done = jsonLines(trained).at(-1) ?? {};
    });

    it("train prints JSON lines alone: start, a line for each epoch, done", () => {
      const lines = jsonLines(trained);
      assert.deepEqual(
        lines.map(({ event }) => event),
        ["start", "epoch", "epoch", "epoch", "done"],
      );
      const [start] = lines;
      assert.equal(start.model, "lenet5");
      assert.equal(start.parameters, 61_706);
      assert.equal(start.train, 1000);
      assert.equal(start.test, 200);
      assert.equal(start.seed, 4);
      assert.equal(start.threads, 2);
      assert.match(String(start.device), new RegExp(`^${name}`));
      assert.equal(start.folder, out);
    });

    it("the last line has the contract's fields and values that have learnt", () => {
      const { event, train, test, checkpoint, best, ...speed } = done;
      assert.equal(event, "done");
      numbersIn(train, ["loss", "accuracy"]);
      numbersIn(test, ["loss", "accuracy"]);
      numbersIn(speed, ["seconds", "samplesPerSecond"]);
      assert.equal(checkpoint, join(out, "checkpoint.safetensors"));
      assert.deepEqual(best, { epoch: 3, test, weights: join(out, "best.safetensors") });
      const { accuracy } = test as { accuracy: number };
      assert.ok(accuracy > 0.5 && accuracy <= 1, `accuracy ${accuracy}`);
      assert.equal(trained.stderr.includes("{"), false, "messages are for people");
    });

    it("the run's folder holds its configuration, metrics and weights", async () => {
      assert.deepEqual((await readdir(out)).sort(), [
        "best.safetensors",
        "checkpoint.safetensors",
        "config.json",
        "metrics.jsonl",
      ]);
      const config = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
      assert.equal(config.model, "lenet5");
      assert.equal(config.data, data);
      assert.equal(config.epochs, 3);
      assert.equal(config.lr, 0.05);
      const metrics = (await readFile(join(out, "metrics.jsonl"), "utf8")).trimEnd().split("\n");
      assert.deepEqual(
        metrics.map((line) => JSON.parse(line)),
        jsonLines(trained).slice(1, -1),
      );
      const bytes = new Uint8Array(await readFile(join(out, "checkpoint.safetensors")));
      const { tensors } = parseSafetensors(bytes, { name: "checkpoint" });
      for (const [key, parameter] of models.create("lenet5").namedParameters()) {
        assert.deepEqual(tensors.get(key)?.shape, parameter.shape, key);
      }
    });

    it("evaluate gives the scores that train ended with", async () => {
      const weights = join(out, "checkpoint.safetensors");
      const result = await run([
        "evaluate",
        "lenet5",
        "--weights",
        weights,
        "--data",
        data,
        "--json",
        "--device",
        name,
      ]);
      assert.equal(result.status, 0, result.stderr);
      const [scores, ...more] = jsonLines(result);
      assert.equal(more.length, 0);
      numbersIn(scores, ["accuracy", "loss", "count"]);
      assert.deepEqual(scores, { ...(done.test as object), count: 200 });
    });

    it("predict prints one line for each picture, the most probable class first", async (t) => {
      try {
        await loadSharp();
      } catch (error) {
        return t.skip(String(error));
      }
      const { images, labels } = await digits({ split: "train", size: 5, seed: 5 });
      const files: string[] = [];
      for (let i = 0; i < 5; i++) {
        files.push(join(folder, `${name}-${i}.png`));
        await writePng(files[i], { width: 28, height: 28, channels: 1, data: images.slice(784 * i, 784 * (i + 1)) });
      }
      const weights = join(out, "checkpoint.safetensors");
      const predict = ["predict", "lenet5", "--weights", weights, "--device", name, ...files];
      const result = await run([...predict, "--json", "--top", "10"]);
      assert.equal(result.status, 0, result.stderr);
      const lines = jsonLines(result);
      assert.deepEqual(
        lines.map(({ file }) => file),
        files,
      );
      let right = 0;
      for (const [index, line] of lines.entries()) {
        assert.deepEqual(Object.keys(line), ["file", "top"]);
        const top = line.top as { class: string; probability: number }[];
        assert.deepEqual(top.map((each) => each.class).sort(), [..."0123456789"]);
        const probabilities = top.map(({ probability }) => probability);
        assert.deepEqual(
          probabilities,
          [...probabilities].sort((a, b) => b - a),
        );
        assert.ok(Math.abs(probabilities.reduce((sum, value) => sum + value) - 1) < 1e-4);
        if (top[0].class === String(labels[index])) right++;
      }
      // They are among those it was trained on.
      assert.ok(right >= 3, `${right} of 5 pictures named rightly`);

      const forPeople = await run(predict.slice(0, -4));
      assert.equal(forPeople.stdout, "");
      assert.match(forPeople.stderr, /\.png\n/);
      assert.match(forPeople.stderr, /[#%@]{2}/, "the picture is drawn");
      assert.match(forPeople.stderr, /^ {2}\d {2,}\d+\.\d\d %$/m);
      const inverted = jsonLines(await run([...predict.slice(0, -4), "--invert", "--json"]));
      assert.equal((inverted[0].top as unknown[]).length, 3);
      assert.notDeepEqual(inverted[0].top, (lines[0].top as unknown[]).slice(0, 3));

      // The same digits on paper, twice as large, in a corner.
      for (const [i, file] of files.entries()) {
        const { data: large } = resizePixels(
          { width: 28, height: 28, channels: 1, data: images.slice(784 * i, 784 * (i + 1)) },
          [56, 56],
        );
        const photo = new Uint8Array(120 * 120).fill(210);
        large.forEach((value, pixel) => {
          photo[(60 + Math.floor(pixel / 56)) * 120 + 60 + (pixel % 56)] = 210 - 0.7 * value;
        });
        await writePng(file, { width: 120, height: 120, channels: 1, data: photo });
      }
      const photographed = await run([...predict, "--photograph", "--json", "--top", "1"]);
      assert.equal(photographed.status, 0, photographed.stderr);
      const answers = jsonLines(photographed).map(({ top }) => (top as { class: string }[])[0].class);
      const read = answers.filter((answer, i) => answer === String(labels[i])).length;
      assert.ok(read >= 3, `${read} of 5 photographs named rightly: ${answers}`);
      const bright = await run(predict.slice(0, -4));
      assert.match(bright.stderr, /mostly bright; digits are expected bright on dark\. Try --photograph/);
    });

    it("a run in a folder that has one is refused, and without --out a new folder is found", async () => {
      const again = await run(["train", "lenet5", "--data", data, "--out", out]);
      assert.equal(again.status, 1);
      assert.match(again.stderr, /^fovea: .* already holds a run\. Fix: --resume/);
      const short = ["train", "lenet5", "--data", data, "--epochs", "1", "--device", name];
      for (const expected of ["lenet5-own", "lenet5-own-2"]) {
        const result = await run(short, { cwd: folder });
        assert.equal(result.status, 0, result.stderr);
        assert.equal(result.stdout, "", "without --json everything is for people");
        assert.ok(await exists(join(folder, "runs", expected, "checkpoint.safetensors")));
      }
      await Promise.all((await readdir(join(folder, "runs"))).map(async (each) => assert.match(each, /^lenet5-own/)));
    });
  });
}

it("an epoch on MNIST itself, and evaluate agrees", {
  skip: skipCommand,
}, async (t) => {
  if (!(await exists(mnistFolder))) return t.skip(`there is no ${mnistFolder}`);
  const folder = await temporaryFolder();
  const args = ["--data", "mnist", "--data-dir", mnistFolder, "--json"];
  const trained = await run(["train", "lenet5", ...args, "--epochs", "1", "--out", folder]);
  assert.equal(trained.status, 0, trained.stderr);
  const done = jsonLines(trained).at(-1) ?? {};
  const { accuracy } = done.test as { accuracy: number };
  assert.ok(accuracy > 0.95 && accuracy < 1, `accuracy ${accuracy}`);
  const weights = String(done.checkpoint);
  const evaluated = await run(["evaluate", "lenet5", "--weights", weights, ...args]);
  assert.deepEqual(jsonLines(evaluated), [{ ...(done.test as object), count: 10_000 }]);
});
