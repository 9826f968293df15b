/** Pictures of one's own, from a folder to their names, by the command alone. */

import assert from "node:assert/strict";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { loadTest, loadTraining } from "../../src/cli/data.js";
import * as models from "../../src/models/index.js";
import { type Colour, encodePicture, noPictures, writeFiles } from "../support/pictures.js";
import { jsonLines, run, skipCommand, temporaryFolder } from "./command.js";

const folder = await temporaryFolder();
const files: Record<string, Uint8Array | string> = { "night/cut.png": "no picture", "readme.txt": "of no class" };
const rows = ["path,when,kind"];
for (let i = 0; i < 20 && !noPictures; i++) {
  for (const [name, base] of [
    ["night", 20],
    ["day", 220],
  ] as const) {
    const colour: Colour = [base + i, base, base + (i % 5)];
    const path = `${name}/${i}.${i % 2 ? "jpg" : "png"}`;
    files[path] = await encodePicture(colour, { width: 30 + i, format: i % 2 ? "jpeg" : "png" });
    rows.push(`${path},${name},${i % 2 ? "" : "png"}`);
  }
}
const photos = await writeFiles(join(folder, "photos"), files);
const table = join(photos, "when.csv");
await writeFile(table, `${rows.join("\n")}\n`);
const out = join(folder, "run");
const train = (...args: string[]) => run(["train", "lenet5", "--batch", "8", "--json", "--threads", "1", ...args]);

describe("pictures of one's own", { skip: skipCommand || noPictures }, () => {
  it("are learnt, tested on those held out, and named, with the folder of the run alone", async () => {
    const trained = await train("--data", photos, "--epochs", "4", "--validation", "0.25", "--balance", "--out", out);
    assert.equal(trained.status, 0, trained.stderr);
    const [start, ...lines] = jsonLines(trained);
    assert.deepEqual([start.train, start.test], [30, 10]);
    assert.deepEqual((start.skipped as { file: string }[]).map(({ file }) => file.slice(photos.length + 1)).sort(), [
      "night/cut.png",
      "readme.txt",
      "when.csv",
    ]);
    assert.match(trained.stderr, /photos: 3 of 43 files skipped: .*cut\.png \(Input buffer contains unsupported/);
    const done = lines.at(-1)?.test;
    // Day and night are told apart by brightness alone.
    assert.ok((done as { accuracy: number }).accuracy === 1, JSON.stringify(done));

    const evaluated = await run(["evaluate", out, "--json", "--threads", "1"]);
    const { accuracy, loss, count } = jsonLines(evaluated)[0];
    assert.deepEqual({ accuracy, loss, count }, { ...(done as object), count: 10 });
    const predicted = await run(["predict", out, join(photos, "day", "3.jpg"), "--json"]);
    const [answer] = jsonLines(predicted)[0].top as { class: string; probability: number }[];
    assert.equal(answer.class, "day");
    const forPeople = await run(["predict", out, join(photos, "day", "3.jpg")]);
    assert.match(forPeople.stderr, /^ {2}day /m);
    assert.doesNotMatch(forPeople.stderr, /digits/, "bright pictures are wrong only where digits are expected");
  });

  it("go on after a break only when they are the same", async () => {
    const copy = join(folder, "copy");
    await cp(photos, copy, { recursive: true });
    const more = await train("--data", copy, "--out", out, "--resume");
    assert.equal(more.status, 0, more.stderr);
    await rm(join(copy, "day", "4.png"));
    const refused = await train("--data", copy, "--out", out, "--resume");
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /the pictures or labels are not those that the run .* was started with/);
  });

  it("may be named by a table or parted ready-made, and are refused where they do not fit", async () => {
    const entry = models.find("lenet5");
    const load = (data: string, flags: object = {}) => loadTraining(entry, { data, seed: 0, ...flags });
    const { train: rest, test } = await load(table, { labelColumn: "when" });
    assert.deepEqual([rest.size, test.size, rest.classNames], [36, 4, ["day", "night"]]);
    const everyday = { classNames: ["day", "night"], settings: {} };
    const { attributes } = await loadTest(entry, { data: table, labelColumn: "when", by: ["kind"] }, everyday);
    assert.deepEqual(Object.keys(attributes), ["when", "kind"]);
    assert.deepEqual([attributes.kind[0], attributes.kind[2]], ["png", undefined]);
    const parted = await writeFiles(join(folder, "parted"), {
      ...{ "train/a/1.png": files["day/0.png"], "train/b/1.png": files["night/0.png"] },
      ...{ "val/b/1.png": files["night/2.png"], "test/a/1.png": files["day/2.png"] },
    });
    const sets = await load(parted);
    assert.deepEqual([sets.train.size, sets.test.split, [...sets.test.labels]], [2, "validation", [1]]);
    const { data: tested } = await loadTest(
      entry,
      { data: parted },
      { classNames: ["a", "b"], settings: { data: parted } },
    );
    assert.deepEqual([tested.split, [...tested.labels]], ["test", [0]]);
    const held = { classNames: ["day", "night"], settings: { data: photos, validation: 0.25, seed: 0 } };
    assert.equal((await loadTest(entry, { data: photos }, held)).data.size, 10);
    const dusk = await writeFiles(join(folder, "dusk"), {
      "dusk/1.png": files["day/0.png"],
      "dusk/2.png": files["day/2.png"],
    });
    const cases: readonly (readonly [RegExp, string, object?])[] = [
      [/no column named label, class, category\. Expected --label-column to say .*: path, when, kind/, table],
      [/has only the class dusk\. Expected at least two/, dusk, { validation: 0.5 }],
      [/--validation 0\.1 of 2 pictures leaves 2 to learn from and 0 to test with/, dusk],
      [/--validation is a share .*parted has a part for that: val\. Fix: leave out/, parted, { validation: 0.5 }],
      [/--image-size is 64\. Fix: leave out/, photos, { imageSize: 64 }],
      [/--image-size is for pictures of your own, but --data is digits/, "digits", { imageSize: 28 }],
      [/--validation is for pictures of your own/, "digits", { validation: 0.2 }],
      [/--label-column and --file-column are columns of a table/, photos, { labelColumn: "x" }],
    ];
    for (const [message, data, flags] of cases) await assert.rejects(load(data, flags), message);
    await assert.rejects(
      loadTest(entry, { data: dusk }, held),
      /the class "dusk" is none of those expected\. Expected day, night/,
    );
  });
});
