/** The lectures' comparisons in their short form, in this process: what they print, write and refuse. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, mock } from "node:test";
import type { Command } from "commander";
import { readPixels } from "fovea/node";
import { command as auxiliary } from "../../examples/auxiliary.js";
import { command as dropout } from "../../examples/dropout.js";
import { command as events } from "../../examples/events.js";
import { command as handMadeKernels } from "../../examples/hand-made-kernels.js";
import { command as learnedTemplates } from "../../examples/learned-templates.js";
import { command as maxout } from "../../examples/maxout.js";
import { command as photographedDigit } from "../../examples/photographed-digit.js";
import { command as pooling } from "../../examples/pooling.js";
import { command as setSize } from "../../examples/set-size.js";
import { command as validSame } from "../../examples/valid-same.js";
import { delayed } from "../support/devices.js";
import { folder } from "./running.js";

const skip = delayed && "examples run on a device of their own, without delays";

/** What a command prints. */
async function printedBy(command: Command, ...args: string[]): Promise<string> {
  const { mock: log } = mock.method(console, "log", () => {});
  try {
    await command.parseAsync(args, { from: "user" });
    return log.calls.map(({ arguments: [text] }) => `${text}\n`).join("");
  } finally {
    log.restore();
  }
}

/** Few digits, so that all of this takes seconds. */
const few = ["--quick", "--size", "100", "--test-size", "20"];

interface Row {
  readonly name: string;
  readonly parameters: number;
  readonly accuracy: Readonly<Record<string, { readonly mean: number; readonly spread: number | null }>>;
}

/** The rows of a comparison, each checked to have percentages for all headings. */
async function rowsOf(command: Command, ...args: string[]): Promise<Row[]> {
  const { networks }: { networks: Row[] } = JSON.parse(await printedBy(command, ...few, "--json", ...args));
  const headings = Object.keys(networks[0].accuracy);
  assert.ok(headings.length >= 2, String(headings));
  for (const { name, accuracy } of networks) {
    assert.deepEqual(Object.keys(accuracy), headings);
    for (const { mean } of Object.values(accuracy)) assert.ok(mean >= 0 && mean <= 100, `${name}: ${mean}`);
  }
  return networks;
}

const parametersOf = (rows: readonly Row[], name: string) => rows.find((row) => row.name === name)?.parameters;

describe("comparisons of networks", { skip }, () => {
  it("pooling: as many parameters with any windows; strides that are learnt and no pooling need more", async () => {
    const rows = await rowsOf(pooling, "--only", "max|stochastic|stride 2|2×2 convolution|none|global max");
    for (const name of ["max", "stochastic", "stride 2"]) assert.equal(parametersOf(rows, name), 11_274);
    assert.equal(parametersOf(rows, "2×2 convolution"), 11_274 + (8 * 8 * 4 + 8) + (16 * 16 * 4 + 16));
    assert.equal(parametersOf(rows, "none"), 11_274 + 10 * 16 * (28 * 28 - 7 * 7));
    assert.equal(parametersOf(rows, "global max"), 11_274 - 10 * 16 * (7 * 7 - 1));
  });

  it("rows can be chosen, come out as they do among others, and have spreads over seeds", async () => {
    const seeds = ["--seeds", "2"];
    const [max, stride] = await rowsOf(pooling, "--only", "stride 2|max", ...seeds);
    assert.deepEqual([max.name, stride.name], ["max", "stride 2"]);
    const [alone] = await rowsOf(pooling, "--only", "stride 2", ...seeds);
    assert.deepEqual(alone.accuracy, stride.accuracy);
    assert.ok(Object.values(stride.accuracy).every(({ spread }) => spread !== null));
    const text = await printedBy(pooling, ...few, "--only", "stride 2");
    assert.match(text, /^stride 2 +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +11,274 +\d+\.\d\d$/m);
    await assert.rejects(printedBy(pooling, "--only", "mean"), /there is no row "mean"\. Expected some of: max; /);
  });

  it("hand-made-kernels: only the classifier learns unless kernels are learned; the picture has three rows", async () => {
    const out = join(folder, "kernels.png");
    const rows = await rowsOf(handMadeKernels, "--out", out);
    assert.deepEqual(
      rows.map(({ parameters }) => parameters),
      [7850, 7850, 7850, 7850 + 16 * (81 + 1)],
    );
    const { width, height } = await readPixels(out);
    assert.deepEqual([width, height], [4 + 16 * 40, 4 + 3 * 40]);
  });

  it("dropout has no parameters; zeros around maps make more for a classifier of places, not of means", async () => {
    for (const { parameters } of await rowsOf(dropout, "--only", "maps")) assert.equal(parameters, 105_194);
    const rows = await rowsOf(validSame, "--only", "valid; flat|zeros; flat|zeros; mean");
    assert.deepEqual(
      rows.map(({ parameters }) => parameters),
      [7930, 14_650, 6970],
    );
  });

  it("auxiliary: each classifier that is on adds 330 parameters", async () => {
    assert.equal(parametersOf(await rowsOf(auxiliary, "--only", "on"), "on"), 20_138 + 2 * 330);
  });

  it("learned-templates: means need no training, and normalized they read most; the picture has two rows", async () => {
    const out = join(folder, "templates.png");
    const [products, normalized, learnt] = await rowsOf(learnedTemplates, "--out", out, "--test-size", "100");
    assert.deepEqual([products.parameters, normalized.parameters, learnt.parameters], [0, 0, 7850]);
    const right = ({ accuracy }: Row) => accuracy["right, %"].mean;
    assert.ok(right(normalized) > 55 && right(normalized) > right(products) + 15, JSON.stringify(products));
    const { width, height } = await readPixels(out);
    assert.deepEqual([width, height], [2 + 10 * 58, 2 + 2 * 58]);
  });

  it("maxout: which piece is the largest tells by how much a digit is turned", async () => {
    const out = join(folder, "pieces.png");
    const size = ["--size", "600", "--test-size", "300", "--epochs", "12", "--seeds", "1", "--only", "maximum of 4"];
    const text = await printedBy(maxout, ...size, "--out", out);
    assert.match(text, /^\d( +(–|-?\d+° \(\d+ %\))){4}$/m);
    const explained = Number(/explains (\d+) % of the variance/.exec(text)?.[1]);
    assert.ok(explained > 5 && explained < 100, text);
    const { width, height } = await readPixels(out);
    assert.deepEqual([width, height], [2 + 10 * 58, 2 + 4 * 58]);
  });

  it("events: the CNN finds some of them, also in longer signals, and draws them", async () => {
    const svg = join(folder, "events.svg");
    const { rows } = JSON.parse(await printedBy(events, "--quick", "--svg", svg, "--json"));
    const [cnn, mlp] = rows;
    assert.ok(cnn.signals.recall.mean > mlp.signals.recall.mean + 10, JSON.stringify(rows));
    assert.ok(cnn.longer.precision.mean > 20 && mlp.longer === null, JSON.stringify(rows));
    assert.match(readFileSync(svg, "utf8"), /^<svg .*<polyline .*>there<.*<rect .*>found<.*<\/svg>\n$/s);
  });

  it("set-size: more digits, more that is read; the plot has a logarithmic axis", async () => {
    const svg = join(folder, "sizes.svg");
    const text = await printedBy(setSize, "--quick", "--test-size", "100", "--svg", svg, "--json");
    const { rows } = JSON.parse(text) as { rows: { size: number; mlp: { mean: number }; cnn: { mean: number } }[] };
    assert.deepEqual(
      rows.map(({ size }) => size),
      [10, 20, 50, 100, 200],
    );
    // LeNet-5 has hardly begun after so few steps.
    assert.ok(rows[4].mlp.mean > rows[0].mlp.mean + 15, JSON.stringify(rows));
    assert.match(readFileSync(svg, "utf8"), />10<.*>100<.*>1000</s);
  });

  it("photographed-digit: networks read photographs only once they are prepared", async () => {
    const out = join(folder, "photographs.png");
    const { rows } = JSON.parse(await printedBy(photographedDigit, "--quick", "--out", out, "--json")) as {
      rows: { name: string; mlp: { mean: number }; cnn: { mean: number } }[];
    };
    const [digits, scaled, inverted, , prepared] = rows.map(({ mlp }) => mlp.mean);
    assert.ok(prepared > 0.6 * digits && prepared > scaled + 25 && prepared > inverted + 25, JSON.stringify(rows));
    const { width, height } = await readPixels(out);
    assert.deepEqual([width, height], [2 + 6 * 130, 2 + 3 * 98]);
  });
});
