/** `fovea run`. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fromNpy, tensor, toNpy } from "../../src/index.js";
import { loadSharp, writePng } from "../../src/node/image.js";
import { model, node, scalar, tensorProto, valueInfo } from "../support/onnxModels.js";
import { jsonLines, skipCommand, temporaryFolder } from "./command.js";
import { inOneProcess } from "./session.js";

const run = inOneProcess();

const sharp = await loadSharp().catch(() => undefined);

describe("fovea run", { skip: skipCommand }, () => {
  let folder: string;
  const call = (...args: string[]) => run(["run", ...args, "--threads", "1"], { cwd: folder });

  before(async () => {
    folder = await temporaryFolder();
    // Twice a picture, and how many there are.
    const bytes = model(
      {
        node: [node("Mul", 13, ["x", "two"], ["2·x"]), node("Shape", 13, ["x"], ["shape"])],
        input: [valueInfo("x", "float32", ["batch", 1, 2, 2])],
        initializer: [tensorProto("two", scalar("float32", 2))],
        output: [valueInfo("2·x", "float32"), valueInfo("shape", "int64", [4])],
      },
      13,
    );
    await writeFile(join(folder, "twice.onnx"), bytes);
    await writeFile(
      join(folder, "x.npy"),
      await toNpy(
        tensor([
          [
            [
              [1, 2],
              [3, 4],
            ],
          ],
        ]),
      ),
    );
  });

  it("computes with an array from a file, and saves outputs as arrays", async () => {
    const { status, stderr } = await call("twice.onnx", "--input", "x=x.npy", "--output", "results");
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^input +x 1×1×2×2 float32 {2}from x\.npy$/m);
    assert.match(stderr, /^output +2·x 1×1×2×2 float32 {2}2 … 8, mean 5 {2}in results\/2_x\.npy$/m);
    const saved = fromNpy(new Uint8Array(await readFile(join(folder, "results", "2_x.npy"))));
    assert.deepEqual(await saved.array(), [
      [
        [
          [2, 4],
          [6, 8],
        ],
      ],
    ]);
  });

  it("tells programs the same as JSON", async () => {
    const result = await call("twice.onnx", "--input", "x.npy", "--json");
    assert.equal(result.status, 0, result.stderr);
    const [{ milliseconds, ...line }] = jsonLines(result);
    assert.ok(Number(milliseconds) > 0);
    assert.deepEqual(line, {
      model: "twice.onnx",
      inputs: [{ name: "x", shape: [1, 1, 2, 2], dtype: "float32", file: "x.npy" }],
      outputs: [
        { name: "2·x", dtype: "float32", shape: [1, 1, 2, 2], min: 2, mean: 5, max: 8, values: [2, 4, 6, 8] },
        { name: "shape", dtype: "int64", shape: [4], min: 1, mean: 1.5, max: 2, values: [1, 1, 2, 2] },
      ],
    });
  });

  it("draws random numbers, of a seed, for lengths that are left open", async () => {
    const values = async (...args: string[]) => {
      const [line] = jsonLines(await call("twice.onnx", "--random", "--dim", "batch=3", "--json", ...args));
      const [{ shape, values }] = line.outputs as { shape: number[]; values: number[] }[];
      assert.deepEqual(shape, [3, 1, 2, 2]);
      return values;
    };
    assert.deepEqual(await values(), await values("--seed", "0"));
    assert.notDeepEqual(await values(), await values("--seed", "1"));
  });

  it("makes a picture an input", { skip: sharp === undefined && "sharp is not installed" }, async () => {
    const data = Uint8Array.of(0, 255, 51, 102);
    await writePng(join(folder, "dots.png"), { width: 2, height: 2, channels: 1, data });
    const values = async (...args: string[]) => {
      const [line] = jsonLines(await call("twice.onnx", "--input", "x=dots.png", "--json", ...args));
      return (line.outputs as { values: number[] }[])[0].values.map((value) => Math.round(value * 1000) / 1000);
    };
    assert.deepEqual(await values(), [0, 2, 0.4, 0.8]);
    assert.deepEqual(await values("--range", "0,255"), [0, 510, 102, 204]);
    assert.deepEqual(await values("--range", "-1,1"), [-2, 2, -1.2, -0.4]);
  });

  it("says what it needs", async () => {
    const refused = async (...args: string[]) => {
      const { status, stderr } = await call(...args);
      assert.notEqual(status, 0);
      return stderr;
    };
    assert.match(await refused("twice.onnx"), /takes x batch×1×2×2 float32\. Fix: --input x=FILE, or --random/);
    assert.match(
      await refused("twice.onnx", "--input", "y=x.npy"),
      /--input y=x\.npy names no input\. Expected name=file, with one of x/,
    );
    assert.match(await refused("none.onnx", "--random"), /cannot read none\.onnx: there is no such file/);
    assert.match(await refused("x.npy", "--random"), /x\.npy: at byte/);
    assert.match(await refused("twice.onnx", "--input", "x=none.npy"), /cannot read none\.npy/);
    assert.match(await refused("twice.onnx", "--random", "--dim", "batch"), /Expected a name and a length/);
    assert.match(await refused("twice.onnx", "--random", "--range", "3"), /Expected two numbers/);
    const cases: [RegExp, ...string[]][] = [
      [/--dim bach: no input has .* Did you mean batch\? Expected one of: batch\./, "--random", "--dim", "bach=2"],
      [
        /x would be 9999999999×1×2×2: more than \d+ elements\. Fix: a smaller --dim/,
        "--random",
        "--dim",
        "batch=9999999999",
      ],
      [/--input x is there twice\. Fix: one file/, "--input", "x.npy", "--input", "x=x.npy"],
      [/flat\.npy holds an array 4 float32\. Expected x batch×1×2×2 float32\. Fix: .*reshape/, "--input", "flat.npy"],
      [/whole\.npy holds an array 1×1×2×2 int32\. .*Fix: .*astype\("float32"\)/, "--input", "whole.npy"],
      [/cannot write x\.npy: there is a file of that name\. Fix: choose another/, "--random", "--output", "x.npy"],
    ];
    await writeFile(join(folder, "flat.npy"), await toNpy(tensor([1, 2, 3, 4])));
    const whole = tensor(Int32Array.of(1, 2, 3, 4)).reshape([1, 1, 2, 2]);
    await writeFile(join(folder, "whole.npy"), await toNpy(whole));
    const told = await Promise.all(cases.map(([, ...args]) => refused("twice.onnx", ...args)));
    for (const [i, [message]] of cases.entries()) {
      assert.match(told[i], message);
      assert.doesNotMatch(told[i], /\n {4}at /);
    }
  });
});
