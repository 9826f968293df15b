/** Looking at runs: `evaluate` with all it can say, `report`, `runs`. */

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { digits } from "../../src/data/digits/digits.js";
import { encodePng } from "../../src/formats/png.js";
import { loadSharp } from "../../src/node/image.js";
import { jsonLines, run as runAlone, skipCommand, temporaryFolder, writeData } from "./command.js";
import { inOneProcess } from "./session.js";

const run = inOneProcess();

interface Scores {
  readonly accuracy: number;
  readonly count: number;
  readonly confusion: readonly (readonly number[])[];
  readonly classes: readonly { readonly name: string }[];
  readonly topK: readonly { readonly k: number }[];
  readonly calibration: { readonly expectedError: number };
  readonly subgroups: {
    readonly partitions: readonly {
      readonly groups: readonly { readonly name: string; readonly count: number; readonly rates: object }[];
    }[];
    readonly warnings: readonly string[];
  };
}

describe("what became of a run", { skip: skipCommand }, () => {
  let folder: string;
  let first: string;

  before(async () => {
    folder = await temporaryFolder();
    const data = await writeData(join(folder, "data"), { train: 200, test: 60 });
    first = join(folder, "runs/first");
    const trained = await runAlone(["train", "lenet5", "--data", data, "--epochs", "2", "--out", first, "--json"]);
    assert.equal(trained.status, 0, trained.stderr);
  });

  it("evaluate adds all that the answers tell, and compares groups by the columns of a table", async (t) => {
    try {
      await loadSharp();
    } catch (error) {
      return t.skip(String(error));
    }
    const { images, labels } = await digits({ split: "test", size: 40, seed: 5 });
    const lines = ["file,label,team"];
    for (let i = 0; i < 40; i++) {
      const data = images.subarray(784 * i, 784 * (i + 1));
      await writeFile(join(folder, `${i}.png`), await encodePng({ width: 28, height: 28, channels: 1, data }));
      lines.push(`${i}.png,${labels[i]},${i < 32 ? "red" : i < 39 ? "blue" : ""}`);
    }
    const table = join(folder, "table.csv");
    await writeFile(table, `${lines.join("\n")}\n`);
    const picture = join(folder, "confusion.svg");
    const evaluate = ["evaluate", first, "--data", table, "--by", "team", "--report", "--confusion", picture];
    const result = await run([...evaluate, "--json"]);
    assert.equal(result.status, 0, result.stderr);
    const scores = JSON.parse(result.stdout) as Scores;
    const { accuracy, count, confusion, classes, topK, calibration, subgroups } = scores;
    assert.equal(count, 40);
    const right = confusion.reduce((sum, row, k) => sum + row[k], 0);
    assert.ok(Math.abs(right / 40 - accuracy) < 1e-6);
    assert.deepEqual(
      classes.map(({ name }) => name),
      [..."0123456789"],
    );
    assert.deepEqual(
      topK.map(({ k }) => k),
      [1, 3, 5],
    );
    assert.ok(calibration.expectedError >= 0 && calibration.expectedError < 1);
    assert.match(await readFile(picture, "utf8"), /^<svg /);
    const [{ groups }] = subgroups.partitions;
    assert.deepEqual(
      groups.map(({ name, count }) => `${name}: ${count}`),
      ["team=blue: 7", "team=red: 32", "team=unknown: 1"],
    );
    // Of ten classes none is the positive one.
    assert.deepEqual(Object.keys(groups[0].rates), ["accuracy"]);
    assert.match(subgroups.warnings[0], /^team=blue: 7 samples, too few to say/);
  });

  it("evaluate averages over looks, normalizes anew, and gives the same scores with all else", async () => {
    const evaluate = async (...options: string[]) => {
      const result = await run(["evaluate", first, "--json", ...options]);
      assert.equal(result.status, 0, result.stderr);
      const [{ loss, accuracy, count }] = jsonLines(result);
      assert.equal(count, 60);
      return { loss: Number(loss), accuracy, stderr: result.stderr };
    };
    const [plain, report, looks, own] = await Promise.all([
      evaluate(),
      evaluate("--report"),
      evaluate("--views", "shifts"),
      evaluate("--normalize", "own"),
    ]);
    assert.equal(report.accuracy, plain.accuracy);
    assert.ok(Math.abs(report.loss - plain.loss) < 1e-6, `${report.loss}, not ${plain.loss}`);
    const differs = (loss: number) => Math.abs(loss - plain.loss) > 1e-4 && loss < plain.loss + 1;
    assert.ok(differs(looks.loss) && differs(own.loss), `${[plain.loss, looks.loss, own.loss]}`);
    assert.match(own.stderr, /learnt from the test pictures of data: .*\n.*learnt from 60 samples/);
    assert.doesNotMatch(plain.stderr, /learnt/);
    const wrong = await run(["evaluate", first, "--views", "3"]);
    assert.match(wrong.stderr, /--views.*Expected flips \(2\), turns \(8\), shifts \(9\), both \(18\)/);
  });

  it("--by refuses data without attributes before it computes", async () => {
    const none = await run(["evaluate", first, "--by", "gender"]);
    assert.equal(none.status, 1);
    assert.match(none.stderr, /--by: data has no attribute "gender"\. Expected a data set that says more/);
  });

  it("report writes one page into the run's folder", async () => {
    const result = await run(["report", first, "--json", "--mistakes", "3"]);
    assert.equal(result.status, 0, result.stderr);
    const [{ report, accuracy }] = jsonLines(result);
    assert.equal(report, join(first, "report.html"));
    const page = await readFile(join(first, "report.html"), "utf8");
    assert.match(page, /^<!doctype html>/);
    assert.ok(page.includes(`<b>${(100 * Number(accuracy)).toFixed(2)} %</b>`));
    assert.equal(page.match(/<img /g)?.length, 3);
  });

  it("runs compares those in a folder, and leaves out what is damaged, with its reason", async () => {
    const runs = join(folder, "runs");
    const settings = JSON.parse(await readFile(join(first, "config.json"), "utf8"));
    const metrics = await readFile(join(first, "metrics.jsonl"), "utf8");
    for (const [name, config, lines] of [
      ["second", JSON.stringify({ ...settings, lr: 0.2 }), `${metrics.split("\n")[0]}\n{"half`],
      ["broken", "{", metrics],
      ["waiting", JSON.stringify(settings), ""],
    ]) {
      await mkdir(join(runs, name));
      await writeFile(join(runs, name, "config.json"), config);
      await writeFile(join(runs, name, "metrics.jsonl"), lines);
    }
    const result = await run(["runs", runs, "--json", "--sort", "accuracy"]);
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stderr, /left out: .*broken.* is damaged: it is not JSON/);
    const lines = jsonLines(result);
    assert.equal(lines.at(-1)?.run, "waiting");
    assert.equal(lines.at(-1)?.best, null);
    assert.deepEqual(Object.fromEntries(lines.map(({ run, epochs }) => [run, epochs])), {
      first: 2,
      second: 1,
      waiting: 0,
    });
    const said = await run(["runs", runs]);
    assert.match(said.stderr, /^second +lr 0\.2 +1\/2 /m);
  });

  it("whoever mistypes a run is told the nearest that there is, by whichever command", async () => {
    const typo = join(folder, "runs/frist");
    const missing = `there is no folder ${typo}. Did you mean ${first}? Expected the folder of`;
    for (const args of [
      ["report", typo],
      ["evaluate", typo],
      ["predict", typo, "x.png"],
      ["export", typo, "--out", join(folder, "x.onnx")],
      ["train", "lenet5", "--resume", "--out", typo],
    ]) {
      const { status, stderr } = await run(args);
      assert.equal(status, 1);
      assert.ok(stderr.includes(missing), stderr);
    }
  });

  it("a folder without runs is refused", async () => {
    const empty = await run(["runs", join(folder, "data")]);
    assert.equal(empty.status, 1);
    assert.match(empty.stderr, /holds no runs\. Expected folders that fovea train has made/);
  });
});
