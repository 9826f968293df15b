/** `fovea bench`: its table, its JSON, what it explains, and what it refuses. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { jsonLines, run, skipCommand, trainers } from "./command.js";

interface Work {
  readonly layer: string;
  readonly ops: readonly string[];
  readonly kernels: readonly string[];
  readonly chosen?: Readonly<Record<string, string>>;
  readonly shape: readonly number[];
  readonly milliseconds: number;
  readonly share: number;
  readonly macs: number;
  readonly bytes: number;
  readonly settings: readonly Readonly<Record<string, unknown>>[];
}

/** Multiply-adds of LeNet-5 for one picture, by hand. */
const lenetMacs = 6 * 28 * 28 * 25 + 16 * 10 * 10 * 150 + 120 * 400 + 84 * 120 + 10 * 84;

describe("fovea bench", { skip: skipCommand, concurrency: 2 }, () => {
  for (const { name, missing } of trainers) {
    it(`gives one JSON object with every piece of work on ${name}`, { skip: missing }, async () => {
      const options = ["--batch", "64", "--rounds", "3", "--device", name, "--threads", "1", "--json"];
      const result = await run(["bench", "lenet5", ...options]);
      assert.equal(result.status, 0, result.stderr);
      const [{ model, batch, device, threads, milliseconds, macs, work }, ...more] = jsonLines(result);
      assert.equal(more.length, 0);
      assert.deepEqual([model, batch, threads], ["lenet5", 64, 1]);
      assert.match(String(device), new RegExp(`^${name}`));
      assert.ok(Number(milliseconds) > 0);
      assert.equal(macs, 64 * lenetMacs);
      const list = work as readonly Work[];
      assert.ok(Math.abs(list.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-6);
      const first = list.find(({ layer }) => layer === "c1");
      assert.deepEqual(first?.shape, [64, 6, 28, 28]);
      assert.equal(first.macs, 64 * 6 * 28 * 28 * 25);
      // The pictures, the weights and the bias, and what comes out.
      assert.ok(first.bytes >= 4 * (64 * 784 + 156 + 64 * 6 * 784), `${first.bytes} bytes`);
      assert.deepEqual(first.kernels, ["convolution"]);
      assert.deepEqual(first.settings[0].kernel, [5, 5]);
    });
  }

  it("prints a table, and explains each convolution and product", async () => {
    const args = ["bench", "resnet18", "--input", "3x64x64", "--rounds", "1", "--threads", "1", "--explain"];
    const { status, stdout, stderr } = await run(args);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^layer +kernel +output +ms +time +GFLOP\/s +MB +GB\/s$/m);
    assert.match(stderr, /^layer1\.0\.conv1 +winograd +1×64×16×16 /m);
    assert.match(stderr, /^ +conv2d\S*: winograd-\S+ \((table|model)\)$/m);
    assert.match(stderr, /^ +conv2d\S* by winograd: .*\btile [24]\b/m);
    assert.match(stderr, /^ +matmul\+add by matmul: .*\bcolumns 1000, depth 512\b/m);
    assert.match(stderr, /^\d[\d.]* ms on \S+, 1 thread, [\d.]+ GFLOP\/s of convolutions and matrix products$/m);
  });

  it("times steps of training, with three times the multiply-adds of all layers but the first", async () => {
    const result = await run(["bench", "lenet5", "--training", "--batch", "2", "--rounds", "1", "--json"]);
    assert.equal(result.status, 0, result.stderr);
    const [{ training, macs, work }] = jsonLines(result);
    assert.equal(training, true);
    // The picture needs no gradient.
    assert.equal(macs, 2 * (3 * lenetMacs - 6 * 28 * 28 * 25));
    const ops = new Set((work as readonly Work[]).flatMap((each) => each.ops));
    for (const op of ["conv2d", "conv2dInputGradient", "conv2dWeightGradient"]) assert.ok(ops.has(op), op);
  });

  it("chooses algorithms by a file's tables, and refuses one that has none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fovea-algorithms-"));
    const path = join(folder, "my.json");
    const group = "conv2d batch 3 5x5 padding 2";
    const table = { [group]: { "winograd-columns": "1x28>6" } };
    const args = ["bench", "lenet5", "--batch", "3", "--rounds", "1", "--device", "wasm", "--json"];
    const withFile = [...args, "--algorithms", path];
    try {
      writeFileSync(path, JSON.stringify({ "wasm-simd": table, "wasm-relaxed": table }));
      const flag = await run(withFile);
      const variable = await run(args, { env: { FOVEA_ALGORITHMS: path } });
      for (const result of [flag, variable]) {
        assert.equal(result.status, 0, result.stderr);
        const [{ work }] = jsonLines(result);
        const [first] = (work as readonly Work[]).filter(({ layer }) => layer === "c1");
        assert.deepEqual(first.kernels, ["winogradColumns"]);
        assert.deepEqual(first.chosen, { algorithm: "winograd-columns", by: "own table" });
      }
      writeFileSync(path, JSON.stringify({ "native-avx512": {} }));
      const missing = await run(withFile);
      assert.equal(missing.status, 1);
      assert.match(
        missing.stderr,
        /has tables for native-avx512, and the device is wasm-\w+\. Fix: another --device, or/,
      );
      writeFileSync(path, "{");
      const damaged = await run(args, { env: { FOVEA_ALGORITHMS: path } });
      assert.equal(damaged.status, 1);
      assert.match(damaged.stderr, /FOVEA_ALGORITHMS: \S+my\.json: not valid JSON: .*Expected \{"native-avx2"/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses devices that run no steps by themselves, and numbers that are none", async () => {
    const reference = await run(["bench", "lenet5", "--device", "reference"]);
    assert.equal(reference.status, 1);
    assert.match(reference.stderr, /the device reference cannot run steps one by one\. Fix: use native or wasm\./);
    const rounds = await run(["bench", "lenet5", "--rounds", "0"]);
    assert.equal(rounds.status, 2);
    assert.match(rounds.stderr, /Expected a whole number of 1 or more/);
    const model = await run(["bench", "resnet81"]);
    assert.equal(model.status, 1);
    assert.match(model.stderr, /there is no model named "resnet81"\. Did you mean resnet18\?/);
  });
});
