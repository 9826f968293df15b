/** The examples as a user runs them, each a process of its own: what they print is true. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { delayed } from "../support/devices.js";
import { example, folder, printed } from "./running.js";

/** The cells of the line that begins with `name`, between runs of two spaces or more. */
function cells(text: string, name: string): string[] {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name}  `));
  assert.ok(line !== undefined, `no line begins with ${name}:\n${text}`);
  return line.trim().split(/ {2,}/).slice(1);
}

const skip = delayed && "examples run on a device of their own, without delays";

describe("npm run example", { skip }, () => {
  it("lists the examples without a name, and explains each", async () => {
    const list = await printed();
    for (const name of [
      "kernels",
      "templates",
      "find-digits",
      "deep-gradients",
      "fair-smiles",
      "segmentation",
      "denoising",
      "tasks",
      "translation",
      "permutation",
      "pooling",
      "photographed-digit",
      "cifar-cnn",
      "cifar-recipe",
    ]) {
      assert.match(list, new RegExp(`^ {2}${name} \\[options\\] +\\S`, "m"));
      assert.match(await printed(name, "--help"), new RegExp(`^Usage: example ${name} \\[options\\]`));
    }
    assert.equal(await printed("--help"), list);
    const manifest = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
    assert.match(manifest.scripts.example, /dist\/examples\/run\.js$/);
  });

  it("says what is wrong with a name, an option or a file", async () => {
    const cases: [string[], RegExp][] = [
      [["template"], /unknown command 'template'/],
      [
        ["deep-gradients", "--layers", "1"],
        /'--layers <n>' argument '1' is invalid\. Expected an integer of 2 or more/,
      ],
      [["deep-gradients", "--gain", "-1"], /Expected a number above 0/],
      [["templates", "--size", "0"], /Expected an integer of 1 or more/],
      [
        ["find-digits", "--count", "50", "--width", "60"],
        /50 digits of 28×28 do not fit on 112×60 pixels.* Fix: fewer/,
      ],
      [["translation", "--out", join(folder, "no", "w.png")], /There is no folder .*no\./],
      [["permutation", "--svg", folder], /Expected a file, not a folder\./],
      [["permutation", "--data-dir", folder], /MNIST: the folder .* has no train images\..* Fix: put/],
      [["deep-gradients", "--layers", "3", "--svg", join(folder, "no", "where.svg")], /^ENOENT: no such file/],
    ];
    for (const [args, message] of cases) {
      const { status, stderr } = await example(...args);
      assert.equal(status, 1);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /^\s+at /m);
    }
  });
});

describe("the example kernels", { skip }, () => {
  it("draws a digit and eight responses, and edges only at edges", async () => {
    const lines = (await printed("kernels", "--index", "3")).split("\n");
    const captions = lines.filter((line) => /\w/.test(line)).join(" ");
    const names = ["the picture", "box(5)", "gaussian(7, 1.5)", "sobelX()", "sobelY()", "laplacian()"];
    for (const name of [...names, "blobDetector()", "sharpen()", "emboss()"]) assert.ok(captions.includes(name), name);
    // Three blocks of 28 columns and 14 lines side by side, two columns apart.
    const block = (row: number, place: number) =>
      lines.slice(16 * row + 1, 16 * row + 15).map((line) => line.padEnd(88).slice(30 * place, 30 * place + 28));
    const inked = (text: readonly string[]) => text.join("").replaceAll(" ", "").length;
    const [picture, blurred] = [block(0, 0), block(0, 1)];
    assert.ok(inked(picture) > 40 && inked(blurred) > inked(picture));
    // Far from ink no kernel sees anything.
    for (let i = 1; i < 9; i++) assert.equal(block(Math.floor(i / 3), i % 3)[0].trim(), "");
  });
});

describe("the example templates", { skip }, () => {
  it("gives the lecture's maxima, and tells 2 from 8 when normalized", async () => {
    const text = await printed("templates", "--size", "200");
    const products = cells(text, "products").map(Number);
    // The lecture has 0, 1, 2 and 9. Every pixel of the 2 is one of the 8, too.
    assert.deepEqual(
      [0, 1, 2, 9].map((digit) => products[digit]),
      [10, 4, 11, 10],
    );
    assert.equal(products[8], 11);
    const normalized = cells(text, "normalized").map(Number);
    assert.equal(normalized.length, 10);
    assert.equal(normalized[2], 1);
    assert.ok(normalized.every((value, digit) => digit === 2 || value < 0.9));
    const page = readFileSync(new URL("../../../docs/vision.md", import.meta.url), "utf8");
    for (const line of text.split("\n"))
      if (/^(products|normalized) +\d[\d. ]+$/.test(line)) assert.ok(page.includes(line), line);
    // Both pictures are there: the lecture's 2, and a drawn digit with ten bars beside it.
    assert.match(text, /@@@@@@\n {4}@@\n@@@@@@\n@@\n@@@@@@\n/);
    for (let digit = 0; digit < 10; digit++) assert.match(text, new RegExp(`${digit} {3}0\\.\\d\\d {2}█`));
    const answer = /(\d) +0\.\d\d {2}█+ +← answer/.exec(text)?.[1];
    const label = /^Test digit 0, drawn as a (\d),/m.exec(text)?.[1];
    assert.match(text, new RegExp(`^${answer === label ? "Right" : "Wrong"}: it is a ${label}\\.$`, "m"));
    // Each rung of the ladder is well above the one before.
    const shares = [...text.matchAll(/ ([\d.]+) % {2}█/g)].map(([, share]) => Number(share));
    assert.equal(shares.length, 3);
    assert.ok(shares[0] > 12 && shares[1] > shares[0] + 10 && shares[2] > shares[1] + 15, shares.join(" "));
  });

  it("shows the digit that is asked for, also one beyond those it reads", async () => {
    assert.match(await printed("templates", "--size", "10", "--index", "23"), /^Test digit 23, drawn as a \d,/m);
  });
});

describe("the example find-digits", { skip }, () => {
  it("finds digits where they were put, names most of them, and draws where it looked", async () => {
    const svg = join(folder, "found.svg");
    const text = await printed("find-digits", "--learn", "3000", "--seed", "1", "--svg", svg);
    const table = text.slice(text.indexOf("put       at"));
    const rows = [...table.matchAll(/^ +(\d) +(\d+), +(\d+) +(\d) +(\d+), +(\d+) +(0\.\d{3}|1\.000)(?: {2}wrong)?$/gm)];
    assert.equal(rows.length, 10, table);
    assert.deepEqual(rows.map(([, put]) => put).sort(), [..."0123456789"]);
    for (const [line, put, row, column, found, foundRow, foundColumn] of rows) {
      // The windows are four pixels apart.
      assert.ok(Math.hypot(Number(row) - Number(foundRow), Number(column) - Number(foundColumn)) <= 5, line);
      assert.equal(line.endsWith("wrong"), put !== found);
    }
    const right = rows.filter(([, put, , , found]) => put === found).length;
    assert.ok(right >= 7, table);
    assert.match(table, new RegExp(`^${right} of 10 digits found and named, 0 where there are none\\.$`, "m"));
    // The map has a digit where each was found, and is dark elsewhere.
    const map = text.split("\n").filter((line) => line.startsWith("│"));
    assert.equal(map.length, 22);
    const places = map.flatMap((line, row) =>
      [...line.matchAll(/\d/g)].map(({ 0: digit, index }) => ({ digit, row, column: (index - 1) / 2 })),
    );
    for (const [line, , , , digit, row, column] of rows) {
      const isHere = (place: (typeof places)[number]) =>
        place.digit === digit &&
        Math.abs(14 + 4 * place.row - Number(row)) <= 3 &&
        Math.abs(14 + 4 * place.column - Number(column)) <= 3;
      assert.equal(places.filter(isHere).length, 1, line);
    }
    assert.ok(map.join("").replaceAll(/[│ ]/g, "").length < 0.25 * map.length * 100);
    const drawing = readFileSync(svg, "utf8");
    assert.match(drawing, /^<svg .*<\/svg>\n$/s);
    assert.equal(drawing.match(/class="frame"/g)?.length, 10);
    assert.ok(drawing.length < 100_000 && !/NaN|undefined/.test(drawing), `${drawing.length} characters`);
  });
});

describe("the example deep-gradients", { skip }, () => {
  it("with every sum 0: tanh keeps the error, ReLU stops it, the sigmoid divides it by four", async () => {
    const svg = join(folder, "plot.svg");
    const text = await printed("deep-gradients", "--svg", svg);
    assert.match(text, /^Size of the error ∂f\/∂z at each layer, 1000 layers, every z = 0$/m);
    const tanh = cells(text, "tanh");
    assert.equal(tanh[0], tanh[2]);
    assert.equal(tanh[5], "times 1.00 a layer");
    // What comes into every layer is 0, and so is the gradient of its weights, whatever the slope.
    assert.deepEqual(tanh.slice(3, 5), ["0", "0"]);
    const relu = cells(text, "ReLU");
    assert.deepEqual([relu[0], relu[1], relu[5]], ["0", "0", "stops at the first unit; exactly 0 from layer 999 down"]);
    const sigmoid = cells(text, "sigmoid");
    const gone = /^times 0\.250 a layer; exactly 0 from layer (\d+) down$/.exec(sigmoid[5])?.[1];
    // Float32 ends at 2^-149 or 2^-126, and four is 2 to the second.
    assert.ok(Number(gone) > 1000 - 80 && Number(gone) < 1000 - 60, sigmoid[5]);
    assert.ok(Number(sigmoid[4]) > 0);
    const drawing = readFileSync(svg, "utf8");
    assert.match(drawing, /^<svg .*<\/svg>\n$/s);
    assert.equal(drawing.match(/<polyline /g)?.length, 3);
    assert.ok(drawing.length < 20_000 && !/NaN|Infinity/.test(drawing), `${drawing.length} characters`);
  });

  it("with a random input: weights have gradients, and larger weights make the error of ReLU grow", async () => {
    const args = ["deep-gradients", "--layers", "60", "--input", "random"];
    const calm = cells(await printed(...args), "tanh");
    assert.ok(
      calm.slice(0, 5).every((size) => Number(size) > 0),
      calm.join(" "),
    );
    assert.ok(Number(calm[0]) < Number(calm[2]));
    const text = await printed(...args, "--gain", "2", "--seed", "3");
    assert.match(text, /60 layers, a random input, weights × 2$/m);
    const factor = (row: readonly string[]) => Number(/times ([\d.]+) a layer/.exec(row[5])?.[1]);
    // The units that are on double it; those that are off keep some of it back. Tanh has no slope left at such sums.
    assert.ok(factor(cells(text, "ReLU")) > 1.5 && factor(cells(text, "ReLU")) < 2);
    assert.ok(factor(cells(text, "tanh")) < 1 && factor(calm) < 1);
    assert.match(await printed(...args, "--gain", "1e6"), /^ReLU .* beyond what float32 can hold$/m);
  });
});
