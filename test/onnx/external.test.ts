/** Tensors that a model keeps in other files. */

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { FoveaError } from "../../src/core/errors.js";
import { dataTypes, StringStringEntryProto, TensorProto } from "../../src/interop/onnx/proto.js";
import { load, type OnnxLoadOptions } from "../../src/onnx.js";
import { anyDevice, useDevice } from "../support/devices.js";
import { model, node, valueInfo } from "../support/onnxModels.js";

useDevice(anyDevice());

const fails = (pattern: RegExp) => (error: unknown) => error instanceof FoveaError && pattern.test(error.message);

/** A model that gives the three numbers that it keeps elsewhere. */
function keeping(entries: Readonly<Record<string, string>>) {
  const externalData = Object.entries(entries).map(([key, value]) => StringStringEntryProto.create({ key, value }));
  const weight = TensorProto.create({ name: "w", dims: [3], dataType: dataTypes.float, dataLocation: 1, externalData });
  const output = [valueInfo("y", "float32")];
  return model({ node: [node("Identity", 13, ["w"], ["y"])], initializer: [weight], output }, 13);
}

const numbers = new Uint8Array(Float32Array.of(9, 1, 2, 3, 8).buffer);

async function read(source: Uint8Array<ArrayBuffer> | string, options?: OnnxLoadOptions): Promise<number[]> {
  const { y } = await (await load(source, options)).run({});
  return [...(await y.data())];
}

describe("tensors in other files", () => {
  let folder: string;
  let home: string;
  const place = async (bytes: Uint8Array) => {
    const path = join(home, "model.onnx");
    await writeFile(path, bytes);
    return path;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "fovea-onnx-"));
    home = join(folder, "model");
    await mkdir(join(home, "data"), { recursive: true });
    await writeFile(join(home, "weights.bin"), numbers);
    await writeFile(join(home, "data", "weights.bin"), numbers.subarray(4, 16));
    await writeFile(join(folder, "secret.bin"), numbers);
    await symlink(join(folder, "secret.bin"), join(home, "link.bin"));
  });

  after(() => rm(folder, { recursive: true }));

  it("are read from the model's folder", async () => {
    const part = { location: "weights.bin", offset: "4", length: "12" };
    assert.deepEqual(await read(await place(keeping(part))), [1, 2, 3]);
    assert.deepEqual(await read(await place(keeping({ location: "data/weights.bin" }))), [1, 2, 3]);
    assert.deepEqual(await read(keeping(part), { externalData: { "weights.bin": numbers } }), [1, 2, 3]);
  });

  it("are never read from elsewhere", async () => {
    const outside = [
      "../secret.bin",
      "data/../../secret.bin",
      join(folder, "secret.bin"),
      "..\\secret.bin",
      "C:secret.bin",
      "",
      "./weights.bin",
      "a\0b",
    ];
    for (const location of outside)
      await assert.rejects(
        async () => read(await place(keeping({ location }))),
        fails(/Expected a file in the model's own folder|does not say in which/),
        location,
      );
    await assert.rejects(
      async () => read(await place(keeping({ location: "link.bin" }))),
      fails(/link\.bin: it leads to .*secret\.bin, outside of/),
    );
  });

  it("that are missing, too short or not where they are said to be are errors", async () => {
    await assert.rejects(
      async () => read(await place(keeping({ location: "none.bin" }))),
      fails(/none\.bin: there is no such file/),
    );
    await assert.rejects(
      read(keeping({ location: "weights.bin" })),
      fails(/Fix: load the model by its path, or pass \{ externalData/),
    );
    const wrong = (entries: Readonly<Record<string, string>>, pattern: RegExp) =>
      assert.rejects(async () => read(await place(keeping({ location: "weights.bin", ...entries }))), fails(pattern));
    await wrong({}, /"w" has 20 bytes of values. Expected 12/);
    await wrong({ offset: "16" }, /"w" has 4 bytes/);
    await wrong({ offset: "40" }, /bytes 40 to 20 of "weights\.bin", which has 20/);
    await wrong({ offset: "4", length: "999999999999" }, /which has 20/);
    await wrong({ offset: "-4" }, /the offset of its values is "-4"/);
    await wrong({ length: "1e99" }, /the length of its values is "1e99"/);
  });
});
