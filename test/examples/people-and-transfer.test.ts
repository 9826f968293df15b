/** The examples of drawn faces, of masks and of borrowed networks in their short form: they run, and their figures fit together. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readPixels } from "fovea/node";
import { delayed } from "../support/devices.js";
import { example, folder, printed } from "./running.js";

const skip = delayed && "examples run on a device of their own, without delays";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("short forms", { skip }, () => {
  it("fair-smiles measures the worst group and the gap to the best", async () => {
    const few = ["--quick", "--size", "300", "--epochs", "1"];
    const { remedies } = JSON.parse(await printed("fair-smiles", ...few, "--only", "nothing", "--json"));
    assert.deepEqual(
      remedies.map(({ name }: { name: string }) => name),
      ["nothing"],
    );
    const [{ all, worst, gap, outcomes }] = remedies;
    assert.equal(outcomes.length, 1);
    assert.ok(worst < all && all < worst + gap && worst + gap <= 1, JSON.stringify(remedies));
    const { status, stderr } = await example("fair-smiles", ...few, "--only", "magic");
    assert.equal(status, 1);
    assert.match(stderr, /--only magic: nothing that may help has that in its name/);
  });

  it("tasks has scores of each way for what it learns", async () => {
    const { ways, size, seconds } = JSON.parse(await printed("tasks", "--quick", "--size", "100", "--json"));
    assert.equal(size, 100);
    assert.ok(seconds >= 0);
    assert.ok(ways.length >= 6);
    for (const { name, scores } of ways) {
      assert.ok(scores.smile.mean >= 0 && scores.smile.mean <= 100, name);
      if (scores.age !== undefined) assert.ok(scores.age.mean > 0 && scores.age.mean < 60, name);
    }
  });

  it("transfer says what a borrowed network gains", async () => {
    const { first, new: rows } = JSON.parse(await printed("transfer", "--quick", "--json"));
    // Chance are 17 % of six classes, and 25 % of four.
    assert.ok(first.mean > 40, String(first.mean));
    for (const { scratch, tuned, gain } of rows) {
      assert.ok(scratch.mean > 27, String(scratch.mean));
      assert.ok(Math.abs(gain.mean - (tuned.mean - scratch.mean)) < 0.01);
    }
  });

  it("segmentation draws what it finds, and means are those of the classes", async () => {
    const out = join(folder, "masks.png");
    const { figures, classNames } = JSON.parse(await printed("segmentation", "--quick", "--json", "--out", out));
    assert.deepEqual(classNames, ["background", "circle", "square", "triangle"]);
    const [{ iou, meanIou }] = figures;
    assert.ok(Math.abs(mean(iou) - meanIou) < 1e-6, JSON.stringify(figures));
    const { width, height } = await readPixels(out);
    assert.ok(width > 64 && height > 64);
  });
});
