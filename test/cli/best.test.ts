/** The weights of a run's best epoch, which every command can use instead of the last. */

import assert from "node:assert/strict";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type StorageArray, writeTensors } from "../../src/formats.js";
import { jsonLines, skipCommand, temporaryFolder } from "./command.js";
import { bestOf } from "./runs.js";
import { inOneProcess } from "./session.js";

const run = inOneProcess();

interface Told {
  readonly loss: number;
  readonly validation: { readonly loss: number };
  readonly best: { readonly epoch: number; readonly test: { readonly loss: number }; readonly weights: string };
}

/** Dark and bright pictures in turn; the labels say which are which, or the opposite. */
function halves(count: number, flipped: 0 | 1): { images: StorageArray; labels: StorageArray } {
  const data = Uint8Array.from({ length: count * 784 }, (_, i) => (Math.floor(i / 784) % 2 === 0 ? 20 : 220));
  const labels = Uint8Array.from({ length: count }, (_, i) => (i + flipped) % 2);
  return {
    images: { dtype: "uint8", shape: [count, 28, 28], data },
    labels: { dtype: "uint8", shape: [count], data: labels },
  };
}

describe("the best epoch's weights", { skip: skipCommand }, () => {
  it("are kept when later epochs are worse, and used with --best", async () => {
    const folder = await temporaryFolder();
    const [train, test] = [halves(32, 0), halves(8, 1)];
    const data = join(folder, "lies.npz");
    const arrays = { x_train: train.images, y_train: train.labels, x_test: test.images, y_test: test.labels };
    await writeFile(data, await writeTensors(data, arrays));
    // What is learnt is wrong for the test pictures: the more, the worse.
    const out = join(folder, "run");
    const common = ["--threads", "1", "--json"];
    const given = ["train", "lenet5", "--data", data, "--epochs", "3", "--batch", "8", "--lr", "0.01", "--out", out];
    const trained = await run([...given, ...common]);
    assert.equal(trained.status, 0, trained.stderr);
    const lines = jsonLines<Told>(trained);
    const [first, , last] = lines.slice(1).map(({ validation }) => validation?.loss);
    assert.ok(last > first, JSON.stringify(lines));
    const { best } = lines[4];
    assert.deepEqual([best.epoch, best.test.loss, best.weights], [1, first, bestOf(out)]);

    const lossOf = async (...args: string[]) => {
      const result = await run([...args, ...common]);
      assert.equal(result.status, 0, result.stderr);
      return jsonLines<Told>(result)[0].loss;
    };
    assert.equal(await lossOf("evaluate", out), last);
    assert.equal(await lossOf("evaluate", out, "--best"), first);
    assert.equal(await lossOf("evaluate", "lenet5", "--weights", bestOf(out), "--data", data), first);
    const reported = await lossOf("report", out, "--best", "--out", join(folder, "best.html"));
    assert.ok(Math.abs(reported - first) < 1e-6);
    const exported = await run(["export", out, "--best", "--out", join(folder, "best.onnx")]);
    assert.match(exported.stderr, /weights of .*best\.safetensors/);

    const again = await run(["train", "lenet5", "--out", out, "--resume", "--threads", "1"]);
    assert.match(again.stderr, /^The best epoch was 1: .*--best uses its weights: .*best\.safetensors$/m);
    const bare = join(folder, "bare");
    await cp(out, bare, { recursive: true });
    await rm(bestOf(bare));
    for (const [args, message] of [
      [["evaluate", bare, "--best"], /bare has no best\.safetensors, .* Fix: leave out --best/],
      [["evaluate", "lenet5", "--best"], /--best is for the folder of a run, and lenet5 is a model's name/],
      [["train", "lenet5", "--out", out, "--resume", "--watch", "accuracy"], /started with --watch undefined/],
    ] as const) {
      const refused = await run(args);
      assert.equal(refused.status, 1);
      assert.match(refused.stderr, message);
    }
  });
});
