/** Several labels of each picture at once, by the command alone: a table with holes in it, learnt, scored, named and exported. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { zeros } from "../../src/index.js";
import { load } from "../../src/onnx.js";
import { encodePicture, noPictures, writeFiles } from "../support/pictures.js";
import { jsonLines, skipCommand, temporaryFolder, writeData } from "./command.js";
import { inOneProcess } from "./session.js";

const run = inOneProcess();
const folder = await temporaryFolder();
const files: Record<string, Uint8Array> = {};
// The light tells the time of day and the hour; some of either is not known, and the last row knows nothing.
const rows = ["file,when,hour,place"];
for (let i = 0; i < 40 && !noPictures; i++) {
  const night = i % 2 === 0;
  const hour = night ? 0 : 12;
  files[`${i}.png`] = await encodePicture([night ? 20 : 220, night ? 20 : 220, i], { width: 30 });
  const cells = [i % 5 === 1 ? "" : night ? "night" : "day", i % 7 === 2 ? "NA" : hour, i % 3 === 0 ? "in" : "out"];
  rows.push([`${i}.png`, ...(i === 39 ? ["", "", "in"] : cells)].join());
}
const photos = await writeFiles(join(folder, "photos"), files);
const table = join(photos, "light.csv");
await writeFile(table, `${rows.join("\n")}\n`);
const plain = await writeData(join(folder, "plain"), { train: 4, test: 4 });
const out = join(folder, "run");
const asked = ["--tasks", "when,hour:regression", "--task-weights", "learned"];
const train = (...args: string[]) =>
  run(["train", "lenet5", "--data", table, "--batch", "8", "--json", "--threads", "1", ...args]);

interface Scored {
  readonly loss: number;
  readonly count: number;
  readonly tasks: Readonly<
    Record<"when" | "hour", { readonly accuracy: number; readonly error: number; readonly count: number }>
  >;
  readonly details?: Readonly<
    Record<
      string,
      { readonly report: { readonly count: number; readonly meanAbsoluteError: number }; readonly subgroups?: object }
    >
  >;
}

describe("several tasks", { skip: skipCommand || noPictures }, () => {
  it("are learnt from columns with holes, and everything afterwards tells of each", async () => {
    const trained = await train(...asked, "--epochs", "6", "--lr", "0.01", "--validation", "0.25", "--out", out);
    assert.equal(trained.status, 0, trained.stderr);
    const done = jsonLines(trained).at(-1)?.test as Scored;
    assert.ok(done.tasks.when.accuracy === 1 && done.tasks.hour.error < 3, JSON.stringify(done));
    assert.ok(done.tasks.when.count < 10 && done.tasks.hour.count < 10);
    const config = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
    assert.deepEqual([config.tasks, config.taskWeights], [asked[1], "learned"]);

    const result = await run(["evaluate", out, "--report", "--by", "place", "--json", "--threads", "1"]);
    assert.equal(result.status, 0, result.stderr);
    const scores = jsonLines<Scored>(result)[0];
    assert.deepEqual(scores.tasks, done.tasks);
    assert.equal(scores.details?.when.report.count, done.tasks.when.count);
    assert.ok(Math.abs((scores.details?.hour.report.meanAbsoluteError ?? 0) - done.tasks.hour.error) < 1e-4);
    assert.ok(scores.details?.when.subgroups !== undefined && scores.details.hour.subgroups === undefined);
    const people = await run(["evaluate", out, "--threads", "1"]);
    assert.match(
      people.stderr,
      /^when: 100\.00 % right, of \d pictures\nhour: off by [\d.]+ in the mean, of \d pictures$/m,
    );

    const named = await run(["predict", out, join(photos, "3.png"), "--json", "--threads", "1"]);
    const { when, hour } = jsonLines(named)[0].tasks as { when: { class: string }[]; hour: number };
    assert.equal(when[0].class, "day");
    assert.ok(Math.abs(hour - 12) < 3, String(hour));

    const reported = await run(["report", out, "--threads", "1", "--json"]);
    assert.equal(reported.status, 0, reported.stderr);
    const page = await readFile(join(out, "report.html"), "utf8");
    for (const part of ["<h2>when</h2>", "<h2>hour</h2>", "mean absolute error", "Loss of all"])
      assert.ok(page.includes(part), part);

    const runs = await run(["runs", out]);
    assert.match(runs.stderr, /100\.00 %/);

    const file = join(folder, "light.onnx");
    const weights = join(out, "checkpoint.safetensors");
    const exported = await run(["export", "lenet5", "--weights", weights, "--out", file, "--threads", "1"]);
    assert.match(exported.stderr, /and gives "when", "hour"\./);
    const read = await load(new Uint8Array(await readFile(file)));
    const outputs = await read.run({ input: zeros([2, 1, 28, 28]) });
    assert.deepEqual([outputs.when.shape, outputs.hour.shape], [[2, 2], [2]]);
  });

  it("go on after a break, or end where numbers alone are asked for, or nothing else than one class", async () => {
    const resumed = await train("--out", out, "--resume");
    assert.equal(resumed.status, 0, resumed.stderr);
    const numbers = join(folder, "numbers");
    const trained = await train("--tasks", "hour:regression", "--epochs", "1", "--out", numbers);
    assert.equal(trained.status, 0, trained.stderr);
    assert.equal((await train("--out", numbers, "--resume")).status, 0);
    assert.equal((await run(["runs", numbers])).status, 0);
  });

  it("lend what they have learnt to classes", async () => {
    const tuned = ["finetune", out, "--data", table, "--label-column", "when", "--validation", "0.25", "--no-cache"];
    const asked = [...tuned, "--head-epochs", "8", "--head-only", "--batch", "8", "--threads", "1", "--json"];
    // The last row has no label.
    await writeFile(table, `${rows.filter((row) => !/,,/.test(row)).join("\n")}\n`);
    const result = await run([...asked, "--out", join(folder, "classes")]);
    assert.equal(result.status, 0, result.stderr);
    assert.equal(jsonLines<{ readonly test: Scored["tasks"]["when"] }>(result)[9].test.accuracy, 1);
  });

  it("say what is wrong with them", async () => {
    const cases: [string[], RegExp][] = [
      [["--tasks", "whan"], /has no column "whan"\. Did you mean "when"\?/],
      [["--tasks", "when,when"], /when is named twice/],
      [["--tasks", "when:number"], /when is to be number\. Expected classification or regression/],
      [
        ["--tasks", "when:regression"],
        /when of a picture is "(night|day)"\. Expected numbers.*Fix: mend it, or when:class/,
      ],
      [["--tasks", "when", "--task-weights", "hour=2"], /--task-weights: there is no task hour/],
      [["--tasks", "when", "--task-weights", "when"], /Expected learned, or weights by name/],
      [["--task-weights", "learned", "--label-column", "place"], /--task-weights is for --tasks/],
      [["--tasks", "when", "--balance"], /--balance is for classes/],
      [["--tasks", "when", "--label-smoothing", "0.1"], /tasks and labelSmoothing are both given/],
      [
        ["--tasks", "smile", "--data", plain],
        /plain has no labels named "smile"\. Expected a data set with several labels/,
      ],
    ];
    for (const [args, message] of cases) {
      const { status, stderr } = await train("--epochs", "1", "--out", join(folder, "none"), ...args);
      assert.ok(status === 1 || status === 2, args.join(" "));
      assert.match(stderr, message);
    }
    const refused = await run(["evaluate", out, "--confusion", join(folder, "c.svg")]);
    assert.match(refused.stderr, /--confusion is for weights that name classes, and these answer when, hour/);
    const other = await run(["evaluate", out, "--data", plain]);
    assert.match(other.stderr, /plain has no labels named when, hour/);
  });
});
