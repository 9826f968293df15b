/** `fovea convert`. */

import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openTensors, readTensor } from "../../src/formats.js";
import { models } from "../../src/index.js";
import { skipCommand, temporaryFolder } from "./command.js";
import { inOneProcess } from "./session.js";

const run = inOneProcess();

const golden = fileURLToPath(new URL("../../../test/goldens/weights/archive-checkpoint.pth", import.meta.url));

describe("fovea convert", { skip: skipCommand }, () => {
  let folder: string;
  const convert = (...args: readonly string[]) => run(["convert", ...args], { cwd: folder });

  before(async () => {
    folder = await temporaryFolder();
    await models.create("lenet5").save(join(folder, "lenet5.safetensors"), { metadata: { note: "é" } });
  });

  async function contents(name: string): Promise<Record<string, unknown>> {
    const file = await openTensors(join(folder, name));
    const entries: [string, unknown][] = [];
    for (const key of file.tensors.keys()) entries.push([key, await readTensor(file, key)]);
    await file.close();
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  it("goes from format to format and back without a change", async () => {
    const files = ["lenet5.safetensors", "a.npz", "b.pth", "c.bin", "d.safetensors"];
    for (let i = 1; i < files.length; i++) {
      const { status, stdout, stderr } = await convert(files[i - 1], files[i], "--model", "lenet5", "--json");
      assert.equal(status, 0, stderr);
      const { input, output, to, tensors, ignored, renamed, prefix } = JSON.parse(stdout);
      assert.deepEqual([input, output, tensors.length], [files[i - 1], files[i], 10]);
      assert.deepEqual([ignored, renamed, prefix], [[], {}, ""]);
      assert.equal(to, ["", "npz", "pytorch", "pytorch", "safetensors"][i]);
    }
    assert.deepEqual(await contents("d.safetensors"), await contents("lenet5.safetensors"));
    const model = models.create("lenet5");
    assert.equal((await model.load(join(folder, "b.pth"))).loaded.length, 10);
  });

  it("takes the weights out of a checkpoint, renames and rounds them", async () => {
    const replacements = ["--map", "^0=conv", "--map", "^3=head", "--map", "(running|num)_=$1-"];
    const { status, stderr } = await convert(golden, "small.npz", ...replacements, "--dtype", "float16");
    assert.equal(status, 0, stderr);
    assert.match(
      stderr,
      /\(pytorch\) → small\.npz \(npz\)\n9 tensors without "state_dict\/module\.", \d\.\d kB; left out: optimizer/,
    );
    const file = await openTensors(join(folder, "small.npz"));
    const types = [...file.tensors].map(([name, { dtype }]) => `${name} ${dtype}`);
    assert.ok(types.includes("conv.weight float16") && types.includes("1.num-batches_tracked int64"), types.join());
    await file.close();
    const inner = await convert(golden, "optimizer.npz", "--prefix", "optimizer/state/0/", "--json");
    assert.deepEqual(JSON.parse(inner.stdout).tensors, ["step", "exp_avg", "exp_avg_sq"]);
  });

  it("keeps what is there, unless told otherwise, and leaves nothing half written", async () => {
    await writeFile(join(folder, "kept.npz"), "precious");
    const refused = await convert("lenet5.safetensors", "kept.npz");
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /kept\.npz exists already\. Fix: --force/);
    assert.equal((await convert("lenet5.safetensors", "kept.npz", "--force")).status, 0);
    assert.deepEqual(Object.keys(await contents("kept.npz")).length, 10);
    // Over itself, too.
    assert.equal((await convert("kept.npz", "kept.npz", "--dtype", "float16", "--force")).status, 0);
    // What cannot be written in the type asked for.
    const model = models.create("lenet5");
    const bias = { dtype: "float32", shape: [6], data: new Float32Array(6).fill(1e6) } as const;
    model.loadStateDict({ "c1.bias": bias }, { strict: false });
    await model.save(join(folder, "large.safetensors"));
    const { status, stderr } = await convert("large.safetensors", "large.npz", "--dtype", "float16");
    assert.equal(status, 1);
    assert.match(stderr, /large\.safetensors: c1\.bias: the float32 value 1000000 at index 0 does not fit float16/);
    assert.ok(!(await readdir(folder)).includes("large.npz"));
    assert.equal((await readdir(folder)).filter((name) => name.startsWith(".")).length, 0);
  });

  it("refuses what does not fit, in words", async () => {
    const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
      [["lenet5.safetensors", "x.onnx"], /Expected one that ends in \.safetensors, \.npz/],
      [["none.pth", "x.npz"], /cannot read none\.pth: there is no such file/],
      [
        ["lenet5.safetensors", "x.npz", "--model", "resnet20"],
        /lenet5\.safetensors: the saved weights do not fit CifarResNet/,
      ],
      [["lenet5.safetensors", "x.npz", "--model", "lenet6"], /no model named "lenet6"/],
      [["lenet5.safetensors", "x.npz", "--map", "nothing"], /Expected a regular expression, = and what to write/],
      [["lenet5.safetensors", "x.npz", "--map", "(=a"], /Invalid regular expression/],
      [["lenet5.safetensors", "x.npz", "--map", ".*=one"], /would both become one/],
      [["lenet5.safetensors", "x.npz", "--prefix", "none."], /no name begins with "none\."/],
      [["lenet5.safetensors", "x.npz", "--dtype", "int8"], /float16, bfloat16, float32, float64/],
      [["lenet5.safetensors", "none/x.npz"], /cannot write none\/x\.npz/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await convert(...args);
      assert.notEqual(status, 0, args.join(" "));
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /);
      assert.equal(stdout, "");
    }
  });
});
