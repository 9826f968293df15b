/** `fovea summary` and `fovea compare`: their tables, their JSON, drawings, and what they refuse. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { jsonLines, skipCommand, temporaryFolder } from "./command.js";
import { inOneProcess } from "./session.js";

const run = inOneProcess();

interface Layer {
  readonly name: string;
  readonly type: string;
  readonly output: readonly number[] | null;
  readonly parameters: number;
  readonly macs: number;
  readonly receptiveField: { readonly size: unknown; readonly stride: unknown; readonly start: unknown } | null;
}

describe("fovea summary", { skip: skipCommand, concurrency: 2 }, () => {
  it("gives one JSON object with the contract's fields", async () => {
    const result = await run(["summary", "alexnet", "--json"]);
    assert.equal(result.status, 0, result.stderr);
    const [summary, ...more] = jsonLines(result);
    assert.equal(more.length, 0);
    assert.equal(summary.model, "alexnet");
    assert.deepEqual(summary.input, [3, 224, 224]);
    assert.equal(summary.parameters, 61_100_840);
    assert.equal(summary.trainable, 61_100_840);
    assert.equal(summary.macs, 714_188_480);
    const { inference, training, prepared } = summary.memory as Record<string, number>;
    assert.ok(prepared > 10e6, `${prepared}`);
    // A step of training keeps what the way back needs, and gradients no longer than until they are used.
    assert.ok(inference > 0 && training > inference && training < 4 * 61_100_840, `${inference}, ${training}`);
    const layers = summary.layers as readonly Layer[];
    assert.deepEqual(Object.keys(layers[0]).slice(0, 6), [
      "name",
      "type",
      "output",
      "parameters",
      "macs",
      "receptiveField",
    ]);
    const sum = (of: (layer: Layer) => number) => layers.reduce((total, layer) => total + of(layer), 0);
    assert.equal(
      sum(({ parameters }) => parameters),
      summary.parameters,
    );
    assert.equal(
      sum(({ macs }) => macs),
      summary.macs,
    );
    const { name, type, output, receptiveField } = layers[0];
    assert.deepEqual([name, type, output], ["features.0", "Conv2d", [64, 55, 55]]);
    assert.deepEqual(receptiveField, { size: 11, stride: 4, start: -2 });
    assert.deepEqual(layers.at(-1)?.output, [1000]);
  });

  it("is of the picture, batch, classes and width that are asked for", async () => {
    const args = ["--input", "1x40x36", "--batch", "3", "--num-classes", "7", "--width", "0.5", "--json"];
    const result = await run(["summary", "vgg11", ...args]);
    assert.equal(result.status, 0, result.stderr);
    const [{ input, batch, layers, memory }] = jsonLines(result);
    assert.deepEqual(input, [1, 40, 36]);
    assert.equal(batch, 3);
    const [first, ...others] = layers as readonly Layer[];
    assert.deepEqual(first.output, [32, 40, 36]);
    assert.equal(first.parameters, 32 * 9 + 32);
    assert.equal(first.macs, 3 * 32 * 40 * 36 * 9);
    assert.deepEqual(others.at(-1)?.output, [7]);
    assert.equal((memory as Record<string, unknown>).batch, 3);
  });

  it("prints a table for people, with modules taken together to a depth", async () => {
    const { status, stdout, stderr } = await run(["summary", "googlenet2014", "--depth", "1"]);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^layer +type +output +parameters +MACs +field +stride$/m);
    assert.match(stderr, /^inception3a +Inception +256×28×28 +163,696 +128M +59 +8$/m);
    assert.match(stderr, /^aux1 +AuxiliaryClassifier +never called +3,188,840$/m);
    assert.match(stderr, /^multiply-adds 1,582,671,872 of convolutions and matrix products, without bias$/m);
    for (const line of stderr.split("\n")) assert.ok(line.length <= 80, line);
  });

  it("of training has the auxiliary heads", async () => {
    const { stderr } = await run(["summary", "googlenet2014", "--depth", "1", "--train"]);
    assert.doesNotMatch(stderr, /never called/);
    assert.match(stderr, /^aux1 +AuxiliaryClassifier +1000 /m);
  });

  it("times the layers when asked to", async () => {
    const result = await run(["summary", "lenet5", "--measure", "--batch", "8", "--json"]);
    assert.equal(result.status, 0, result.stderr);
    const [{ time, layers }] = jsonLines(result);
    assert.ok((time as Record<string, number>).milliseconds > 0);
    const shares = (layers as readonly { readonly share: number }[]).map(({ share }) => share);
    assert.ok(Math.abs(shares.reduce((a, b) => a + b) - 1) < 1e-9);
    assert.match((await run(["summary", "lenet5", "--measure"])).stderr, /^c1 .* [\d.]+ +[\d.]+ %$/m);
  });

  it("draws the network as a file, in the place of an older one", async () => {
    const file = join(await temporaryFolder(), "net.svg");
    assert.equal((await run(["summary", "lenet5", "--svg", file])).status, 0);
    const small = await readFile(file, "utf8");
    assert.equal((await run(["summary", "resnet18", "--svg", file, "--json"])).status, 0);
    const svg = await readFile(file, "utf8");
    assert.notEqual(svg, small);
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox=/);
    // The input, 20 convolutions, 8 additions, two pools, flattening and the head.
    assert.equal(svg.match(/<rect /g)?.length, 33);
    assert.match(svg, />layer2\.0\.downsample\.0 · Conv2d</);
    const missing = await run(["summary", "lenet5", "--svg", join(file, "no", "net.svg")]);
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /^fovea: .*net\.svg/m);
  });

  const refusals: readonly (readonly [status: 1 | 2, message: RegExp, ...args: string[]])[] = [
    [1, /there is no model named "lenet"\. Did you mean lenet5\?/, "summary", "lenet"],
    [2, /missing required argument 'model'/, "summary"],
    [
      2,
      /--input <CxHxW>.*'28x28' is invalid\. Expected channels, height and width/,
      "summary",
      "lenet5",
      "--input",
      "28x28",
    ],
    [2, /'3x0x9' is invalid\. Expected channels/, "summary", "alexnet", "--input", "3x0x9"],
    [1, /features\.5: maxPool2d: .*Fix: /s, "summary", "alexnet", "--input", "3x20x20"],
    [1, /more than 2\^31 - 1 elements/, "summary", "resnet18", "--input", "3x90000x90000"],
    [2, /--batch <n>.*'0' is invalid/, "summary", "lenet5", "--batch", "0"],
    [2, /--depth <n>.*'none' is invalid.*or "all"/s, "summary", "lenet5", "--depth", "none"],
    [1, /width is 0\. Expected a number above 0/, "summary", "lenet5", "--width", "0"],
    [
      1,
      /--measure times a model as it evaluates\. Fix: leave out --train/,
      "summary",
      "lenet5",
      "--measure",
      "--train",
    ],
    [1, /reference cannot run steps one by one/, "summary", "lenet5", "--measure", "--device", "reference"],
    [1, /there is no model named "vgg-16"\. Did you mean vgg16\?/, "compare", "alexnet", "vgg-16"],
    [2, /missing required argument 'models'/, "compare"],
  ];
  for (const [status, message, ...args] of refusals) {
    it(`refuses ${args.join(" ")}`, async () => {
      const result = await run(args);
      assert.equal(result.status, status, result.stderr);
      assert.equal(result.stdout, "");
      assert.match(result.stderr, message);
      assert.doesNotMatch(result.stderr, /\n {4}at /, "no stack trace");
    });
  }
});

describe("fovea compare", { skip: skipCommand, concurrency: 2 }, () => {
  it("sets models side by side, with ratios to the first", async () => {
    const { status, stdout, stderr } = await run(["compare", "alexnet", "vgg16", "googlenet"]);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^ +alexnet +vgg16 +googlenet$/m);
    assert.match(stderr, /^parameters +61,100,840 +138,357,544 +13,004,888$/m);
    assert.match(stderr, /^ +▇+ +▇+ ×2\.3 +▇ ÷4\.7$/m);
    assert.match(stderr, /^depth +8 +16 +22$/m);
    for (const line of stderr.split("\n")) assert.ok(line.length <= 80, line);
  });

  it("gives a JSON object for each model", async () => {
    const result = await run(["compare", "resnet18", "resnet34", "--input", "3x64x64", "--json"]);
    assert.equal(result.status, 0, result.stderr);
    const lines = jsonLines(result);
    assert.deepEqual(
      lines.map(({ model, input, parameters, depth }) => ({ model, input, parameters, depth })),
      [
        { model: "resnet18", input: [3, 64, 64], parameters: 11_689_512, depth: 18 },
        { model: "resnet34", input: [3, 64, 64], parameters: 21_797_672, depth: 34 },
      ],
    );
    assert.equal((lines[1].ratio as Record<string, number>).parameters, 21_797_672 / 11_689_512);
    // For pictures of other channels the first layers are made for these, as in `fovea summary`.
    const grey = jsonLines(await run(["compare", "resnet18", "--input", "1x64x64", "--json"]));
    assert.equal(grey[0].parameters, 11_689_512 - 2 * 64 * 7 * 7);
  });
});
