/** `fovea gradcheck`: its table, its JSON, and what it says of wrong gradients and unknown names. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jsonLines, run, skipCommand, trainers } from "./command.js";
import { inOneProcess } from "./session.js";

const runSoon = inOneProcess();

const preload = new URL("./wrong-gradient.js", import.meta.url).href;

describe("fovea gradcheck", { skip: skipCommand, concurrency: 2 }, () => {
  it("of a function has a line for each call, and of an op its samples", async () => {
    const { status, stdout, stderr } = await runSoon(["gradcheck", "conv1d"]);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^ +elements {2}corners {2}worst error$/m);
    assert.match(stderr, /^✓ conv1d stride 2, padding 1, groups 2 +\d+ +0 +\d\.\de-\d+$/m);
    assert.match(stderr, /^\d+ elements, gradients in float64: no gradient is wrong; worst error .* allowed 1\.0e-6/m);
    assert.match((await runSoon(["gradcheck", "matmul"])).stderr, /^✓ matmul op, sample 0 /m);
  });

  it("gives a JSON object for each call, and the same for the same seed", async () => {
    const args = ["gradcheck", "gelu", "--json", "--seed", "3"];
    const first = await runSoon(args);
    assert.equal(first.status, 0);
    const lines = jsonLines(first);
    assert.equal(lines.length, 2);
    for (const line of lines) {
      assert.equal(line.passed, true);
      assert.equal(line.precision, "float64");
      assert.equal(line.checked, 120);
    }
    assert.equal((await run(args)).stdout, first.stdout);
    assert.notEqual((await runSoon([...args.slice(0, -1), "4"])).stdout, first.stdout);
  });

  it("of a model has a line for each parameter", async () => {
    const { status, stderr } = await runSoon(["gradcheck", "lenet5", "--elements", "1"]);
    assert.equal(status, 0, stderr);
    for (const name of ["input", "c1.weight", "output.bias"])
      assert.match(stderr, new RegExp(`^✓ ${name} +1 +0 +\\d`, "m"));
  });

  it("names the element of a wrong gradient, and exits with 1", async () => {
    const env = { NODE_OPTIONS: `--import ${preload}` };
    const { status, stderr } = await run(["gradcheck", "gelu"], { env });
    assert.equal(status, 1);
    assert.match(stderr, /^✗ gelu tanh +120 +0 +\d\.\de[+-]\d+$/m);
    assert.match(stderr, /^✓ gelu +120 /m);
    assert.match(stderr, /^gelu tanh: input 0\[\d+, \d+\]: gradient .*, differences give .*, error /m);
    assert.match(stderr, /\d+ gradients are wrong/);
    const [, line] = jsonLines(await run(["gradcheck", "gelu", "--json"], { env }));
    assert.equal(line.passed, false);
  });

  it("of a name that there is not says which there are", async () => {
    const { status, stderr } = await runSoon(["gradcheck", "conv"]);
    assert.equal(status, 1);
    assert.match(stderr, /no function, op or model named "conv".*Expected conv2d, .*or a model: lenet5/);
  });

  for (const { name, missing } of trainers) {
    it(`checks the gradients that ${name} computes`, { skip: missing }, async () => {
      const { status, stderr } = await run(["gradcheck", "stochasticPool2d", "--device", name]);
      assert.equal(status, 0, stderr);
      assert.match(stderr, /gradients in float32: no gradient is wrong; .* allowed 1\.0e-3/);
      assert.match(stderr, /^Left out: 1 call that draws/m);
    });
  }
});
