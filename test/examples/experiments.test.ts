/** The lectures' experiments in their short form: what they are to show can be seen, and pictures are as they say. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readPixels } from "fovea/node";
import { delayed } from "../support/devices.js";
import { folder, printed } from "./running.js";

const skip = delayed && "examples run on a device of their own, without delays";

/** The numbers in the line that begins with `name`. */
function numbersOf(text: string, name: string): number[] {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `)) ?? "";
  return line.trim().split(/ +/).slice(1).map(Number);
}

describe("the example translation", { skip }, () => {
  it("learns more of moved digits, with smoother weights, and the picture has 100 units for each way", async () => {
    const out = join(folder, "weights.png");
    const figures = JSON.parse(await printed("translation", "--quick", "--json", "--out", out));
    const { asTheyAre, moved } = figures;
    assert.deepEqual([figures.data, figures.seeds, figures.pixels], ["drawn digits", 1, 2]);
    for (const { accuracy, accuracies } of [asTheyAre, moved]) {
      assert.ok(accuracy.mean > 70 && accuracy.mean < 100, String(accuracy.mean));
      assert.deepEqual([accuracies, accuracy.spread], [[accuracy.mean], null]);
    }
    assert.ok(moved.accuracy.mean > asTheyAre.accuracy.mean + 2, JSON.stringify(figures));
    assert.ok(moved.smoothness > asTheyAre.smoothness + 0.05 && asTheyAre.smoothness > 0.2, JSON.stringify(figures));
    const { width, height, data } = await readPixels(out, { channels: 3 });
    const side = 10 * 57 + 1;
    assert.deepEqual([width, height], [2 * side + 24, side + 16]);
    // Orange somewhere in the left half, blue somewhere in the right one: weights have both signs.
    const has = (from: number, to: number, isColour: (red: number, blue: number) => boolean) =>
      Array.from({ length: width * height }, (_, i) => i).some(
        (i) => i % width >= from && i % width < to && isColour(data[3 * i], data[3 * i + 2]),
      );
    assert.ok(has(0, width / 2, (red, blue) => red > blue + 100));
    assert.ok(has(width / 2, width, (red, blue) => blue > red + 100));
  });

  it("moved by up to 0 pixels is not moved, seed for seed; means and spreads are those of the seeds", async () => {
    const few = ["--quick", "--size", "300", "--epochs", "1", "--test-size", "100", "--seeds", "2"];
    const text = await printed("translation", ...few, "--pixels", "0");
    assert.match(text, /^drawn digits: 300 to learn from in 1 epoch, 100 to test with, 2 seeds\.$/m);
    const row = (name: string) => numbersOf(text, name);
    const [first, second] = [row("0"), row("1")];
    for (const cells of [first, second, row("mean"), row("spread")]) {
      assert.equal(cells.length, 2, text);
      assert.equal(cells[0], cells[1], text);
    }
    assert.equal(row("mean")[0], (first[0] + second[0]) / 2);
    assert.ok(Math.abs(row("spread")[0] - Math.abs(first[0] - second[0]) / Math.SQRT2) < 0.006, text);
    // The lecture's figures are MNIST's.
    assert.doesNotMatch(text, /^lecture/m);
    assert.equal(text.match(/as they are, unit \d/g)?.length, 3);
  });
});

describe("the example permutation", { skip }, () => {
  it("the MLP does not mind, the CNN does; digits that were moved far cost the MLP more", async () => {
    const svg = join(folder, "shifted.svg");
    const text = await printed("permutation", "--quick", "--svg", svg);
    const [mlp, mlpPermuted, cnn, cnnPermuted] = numbersOf(text, "mean");
    assert.ok(mlp > 65 && cnn > 65 && Math.abs(mlpPermuted - mlp) < 6 && cnnPermuted < cnn - 20, text);

    const shifted = text.slice(text.indexOf("pixels "));
    const rows = [0, 1, 2, 3, 4, 5, 6].map((pixels) => numbersOf(shifted, String(pixels)));
    assert.deepEqual(rows[0], [mlp, cnn]);
    for (let i = 1; i <= 4; i++) assert.ok(rows[i][0] < rows[i - 1][0] && rows[i][1] < rows[i - 1][1], shifted);
    for (const i of [3, 4, 5]) assert.ok(rows[i][1] / cnn > rows[i][0] / mlp, shifted);

    // Drawn digits keep away from the edges; when they are permuted, nothing does.
    const lines = text.split("\n");
    const top = lines.findIndex((line) => /^as it is +permuted$/.test(line)) + 1;
    const inkedLines = (left: number) =>
      lines.slice(top, top + 14).filter((line) => line.slice(left, left + 28).trim() !== "").length;
    assert.ok(inkedLines(0) < 14 && inkedLines(31) === 14, text);

    const drawing = readFileSync(svg, "utf8");
    assert.match(drawing, /^<svg .*<\/svg>\n$/s);
    assert.equal(drawing.match(/<polyline /g)?.length, 2);
    assert.doesNotMatch(drawing, /NaN|undefined/);
  });
});
