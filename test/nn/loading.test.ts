/** Weights into models: which tensor goes where, from what, and what happens when something does not fit. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import type { Device } from "../../src/backends/backend.js";
import { openTensors, readTensor, type StorageArray, writeTensors } from "../../src/formats.js";
import {
  add,
  compile,
  type FoveaError,
  loadWeights,
  mul,
  nn,
  normal,
  SGD,
  StateDictError,
  saveWeights,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { anyDevice, kernelDevices, referenceDevice, useDevice } from "../support/devices.js";
import { serve } from "../support/server.js";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-loading-"));
});
after(() => rm(folder, { recursive: true }));

class Net extends nn.Module {
  conv: nn.Conv2d = new nn.Conv2d(1, 2, 3);
  norm = new nn.BatchNorm2d(2);
  head: nn.Linear = new nn.Linear<number>(8, 3);

  override forward(x: Tensor): Tensor {
    return this.head(this.norm(this.conv(x)).reshape([-1, 8]));
  }
}

const names = [
  "conv.weight",
  "conv.bias",
  "norm.weight",
  "norm.bias",
  "norm.running_mean",
  "norm.running_var",
  "head.weight",
  "head.bias",
];

/** Every value of the model, to see what has changed. */
async function valuesOf(model: nn.ModuleBase): Promise<Record<string, number[]>> {
  const dict = await model.stateDict();
  return Object.fromEntries(Object.entries(dict).map(([name, { data }]) => [name, [...data]]));
}

/** The state dict of a network like `Net` with other values, changed by `change`. */
async function others(change: (dict: nn.StateDict) => nn.StateDict = (dict) => dict): Promise<nn.StateDict> {
  return change(await new Net().stateDict());
}

function renamed(dict: nn.StateDict, rename: (name: string) => string): nn.StateDict {
  return Object.fromEntries(Object.entries(dict).map(([name, saved]) => [rename(name), saved]));
}

/** Bytes of a safetensors file with these tensors. */
function file(dict: Readonly<Record<string, StorageArray>>): Promise<Uint8Array<ArrayBuffer>> {
  return writeTensors("x.safetensors", dict);
}

const fails = (...parts: readonly (string | RegExp)[]) => {
  return (error: FoveaError) => {
    assert.ok(error instanceof StateDictError, String(error));
    for (const part of parts) assert.ok(error.message.search(part) !== -1, `${error.message}\nlacks ${part}`);
    return true;
  };
};

describe("which tensor goes where", () => {
  beforeEach(() => useDevice(anyDevice()));

  it("all that fits is loaded, and told", async () => {
    const [model, dict] = [new Net(), await others()];
    const report = await loadWeights(model, dict);
    assert.deepEqual(report.loaded, names);
    assert.deepEqual([report.missing, report.unexpected, report.misshaped, report.ignored], [[], [], [], []]);
    assert.deepEqual([report.prefix, report.renamed, report.format], ["", {}, "state dict"]);
    for (const [name, values] of Object.entries(await valuesOf(model)))
      assert.deepEqual(values, [...dict[name].data], name);
  });

  it("an error names all that is missing, unexpected or misshaped, and nothing changes", async () => {
    const model = new Net();
    const before = await valuesOf(model);
    const dict = await others(({ "conv.bias": bias, "head.weight": weight, ...rest }) => {
      return { ...rest, "conv.biass": bias, "head.weight": { ...weight, shape: [8, 3] } };
    });
    const message = [/Net/, /Misshaped: head\.weight is 8×3 float32 in the file but 3×8 float32 in the model\./];
    await assert.rejects(loadWeights(model, dict), fails(...message, "Missing: conv.bias.", "Unexpected: conv.biass."));
    assert.throws(() => model.loadStateDict(dict), fails(...message, "Missing: conv.bias.", "Unexpected: conv.biass."));
    assert.deepEqual(await valuesOf(model), before);
  });

  it("strict: false loads what fits and says what does not", async () => {
    const dict = await others(({ "conv.bias": bias, "head.weight": weight, ...rest }) => {
      return { ...rest, "conv.biass": bias, "head.weight": { ...weight, shape: [8, 3] } };
    });
    for (const load of [
      (model: Net) => loadWeights(model, dict, { strict: false }),
      (model: Net) => model.loadStateDict(dict, { strict: false }),
    ]) {
      const model = new Net();
      const before = await valuesOf(model);
      const { missing, unexpected, misshaped } = await load(model);
      assert.deepEqual([missing, unexpected, misshaped], [["conv.bias"], ["conv.biass"], ["head.weight"]]);
      const values = await valuesOf(model);
      for (const name of names) {
        const kept = name === "conv.bias" || name === "head.weight";
        assert.deepEqual(values[name], kept ? before[name] : [...dict[name].data], name);
      }
    }
  });

  it("names are changed by a function, a table or replacements", async () => {
    const dict = await others((all) => renamed(all, (name) => name.replace("head", "fc").replace("norm.", "bn/")));
    const table = Object.fromEntries(names.map((name) => [name.replace("head", "fc").replace("norm.", "bn/"), name]));
    const maps = [
      (name: string) => table[name],
      table,
      [
        [/^fc/, "head"],
        ["bn/", "norm."],
      ],
    ] as const;
    for (const map of maps) {
      const model = new Net();
      const report = await loadWeights(model, dict, { map });
      assert.deepEqual(report.loaded, names);
      assert.deepEqual(report.renamed["head.bias"], "fc.bias");
      assert.equal(report.renamed["conv.bias"], undefined);
      assert.deepEqual((await valuesOf(model))["norm.weight"], [...dict["bn/weight"].data]);
    }
    const left = await loadWeights(
      new Net(),
      { ...(await others()), extra: dict["fc.bias"] },
      {
        map: (name) => (name === "extra" ? null : name),
      },
    );
    assert.deepEqual(left.ignored, ["extra"]);
    await assert.rejects(
      loadWeights(new Net(), dict, { map: () => "head.bias" }),
      fails("conv.weight and conv.bias would both become head.bias"),
    );
  });

  it("a prefix is found, or given: of a wrapper, of a part of a larger model", async () => {
    const wrapped = await others((dict) => renamed(dict, (name) => `module.${name}`));
    assert.equal((await loadWeights(new Net(), wrapped)).prefix, "module.");
    const larger = { ...wrapped, ...(await others((dict) => renamed(dict, (name) => `other.part.${name}`))) };
    const model = new Net();
    const report = await loadWeights(model, larger, { prefix: "other.part." });
    assert.deepEqual(report.loaded, names);
    assert.equal(report.ignored.length, names.length);
    assert.deepEqual((await valuesOf(model))["head.bias"], [...larger["other.part.head.bias"].data]);
    await assert.rejects(loadWeights(model, wrapped, { prefix: "modul." }), /no name begins with "modul\."/);
    // Half of the model at least must be found; a few layers of something else are none of it.
    const strange = await others((dict) => renamed({ a: dict["head.bias"] }, () => "deep.down.head.bias"));
    await assert.rejects(loadWeights(model, strange), fails("Unexpected: deep.down.head.bias"));
  });

  it("only a part is loaded when asked for", async () => {
    const dict = await others();
    const half = await others(({ "conv.weight": weight, "conv.bias": bias }) => ({
      "conv.weight": weight,
      "conv.bias": bias,
    }));
    for (const only of [["conv"], ["conv.weight", "conv.bias"], /^conv/, (name: string) => name.startsWith("conv")]) {
      const model = new Net();
      const before = await valuesOf(model);
      const report = await loadWeights(model, dict, { only });
      assert.deepEqual(report.loaded, ["conv.weight", "conv.bias"]);
      assert.deepEqual(report.ignored, names.slice(2));
      const values = await valuesOf(model);
      assert.deepEqual(values["head.weight"], before["head.weight"]);
      assert.deepEqual(values["conv.weight"], [...dict["conv.weight"].data]);
      await loadWeights(model, half, { only });
    }
    await assert.rejects(loadWeights(new Net(), dict, { only: ["cnov"] }), /`only` leaves nothing of the model/);
  });

  it("counters of batches, and the optimizer's slots in a checkpoint, are left alone", async () => {
    const dict = await others();
    const counter = { dtype: "int32", shape: [], data: Int32Array.of(3) } as const;
    const slot = { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } as const;
    const given = { ...dict, "norm.num_batches_tracked": counter, "optimizer/conv.bias": slot };
    const report = await loadWeights(new Net(), given);
    assert.deepEqual(report.ignored, ["norm.num_batches_tracked", "optimizer/conv.bias"]);
  });

  it("a state that has several names takes any of them", async () => {
    class Tied extends nn.Module {
      first = new nn.Linear<number>(2, 2);
      second = this.first;
      override forward(x: Tensor): Tensor {
        return this.second(this.first(x));
      }
    }
    const from = new Tied();
    const to = new Tied();
    await loadWeights(to, await from.stateDict());
    assert.deepEqual(await valuesOf(to), await valuesOf(from));
  });
});

describe("where weights come from", () => {
  let bytes: Uint8Array<ArrayBuffer>;
  let path: string;
  let expected: Record<string, number[]>;

  before(async () => {
    useDevice(anyDevice());
    const model = new Net();
    path = join(folder, "net.safetensors");
    await saveWeights(model, path, { metadata: { note: "é" } });
    bytes = new Uint8Array(await readFile(path));
    expected = await valuesOf(model);
  });

  it("paths, addresses of files, bytes, parts of buffers, Blobs", async () => {
    const padded = new Uint8Array(bytes.length + 3);
    padded.set(bytes, 3);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const sources = [
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
      bytes,
      bytes.buffer,
      padded.subarray(3),
      shared,
    ];
    for (const source of [...sources, Buffer.from(bytes), new Blob([bytes]), new File([bytes], "net.bin")]) {
      const model = new Net();
      assert.equal((await loadWeights(model, source)).format, "safetensors");
      assert.deepEqual(await valuesOf(model), expected);
    }
  });

  it("web servers, as the bytes arrive, or without a known length; of every format", async () => {
    const formats = ["net.safetensors", "net.pth", "net.npz"];
    const model = new Net();
    await loadWeights(model, bytes);
    for (const name of formats) await saveWeights(model, join(folder, name));
    let received: string[] = [];
    const address = await serve(async (request, response) => {
      const [, mode, name] = (request.url ?? "").split("/");
      received.push(name);
      const body = await readFile(join(folder, name)).catch(() => undefined);
      if (body === undefined) return void response.writeHead(404).end();
      if (mode === "sized") response.setHeader("content-length", body.length);
      const sent = mode === "cut" ? body.subarray(0, body.length / 2) : body;
      if (mode === "cut") response.setHeader("content-length", body.length);
      for (let at = 0; at < sent.length; at += 100) response.write(sent.subarray(at, at + 100));
      if (mode === "cut") response.destroy();
      else response.end();
    });
    for (const mode of ["sized", "chunked"]) {
      for (const name of formats) {
        const other = new Net();
        const report = await loadWeights(other, `${address}${mode}/${name}`);
        assert.deepEqual(await valuesOf(other), expected, `${mode} ${name} ${report.format}`);
      }
    }
    received = [];
    const partly = new Net();
    await loadWeights(partly, new URL(`${address}sized/net.safetensors`), { only: ["norm"] });
    assert.deepEqual((await valuesOf(partly))["norm.bias"], expected["norm.bias"]);
    assert.deepEqual(received, ["net.safetensors"]);
    await assert.rejects(loadWeights(new Net(), `${address}sized/none`), /cannot read .*none: the server answered 404/);
    await assert.rejects(loadWeights(new Net(), `${address}cut/net.safetensors`), { code: "FOVEA_FILE" });
    await assert.rejects(loadWeights(new Net(), "http://127.0.0.1:1/x"), {
      code: "FOVEA_FILE",
      message: /cannot read http/,
    });
  });

  it("what cannot be weights is refused in words", async () => {
    const model = new Net();
    const mistakes: readonly (readonly [unknown, RegExp])[] = [
      [join(folder, "none.pth"), /cannot read .*none\.pth: there is no such file/],
      [folder, /it is a folder/],
      [undefined, /the weights are undefined\. Expected a path/],
      [7, /the weights are a number/],
      [{ "conv.bias": [1, 2] }, /"conv\.bias" is no saved tensor/],
      [{ "conv.bias": { dtype: "float32", shape: [3], data: new Float32Array(2) } }, /2 values, for a shape of 3/],
      [new Uint8Array(0), /it is empty/],
      [new TextEncoder().encode("no weights at all"), /begins with the bytes 6e 6f/],
      [Uint8Array.of(0x1f, 0x8b, 8, 0), /compressed with gzip/],
      [new TextEncoder().encode("\x80\x04K\x01."), /safetensors, PyTorch's|not one that torch\.save/],
    ];
    for (const [source, message] of mistakes) {
      await assert.rejects(loadWeights(model, source as string), (error: FoveaError) => {
        assert.match(error.message, message);
        assert.match(error.code, /^FOVEA_(FILE|ARGUMENT|FORMAT)$/);
        return true;
      });
    }
    await assert.rejects(loadWeights({} as Net, path), /the first argument is no module/);
    await assert.rejects(saveWeights(model, join(folder, "x.onnx")), /Expected one that ends in \.safetensors/);
  });
});

describe("conversion", () => {
  beforeEach(() => useDevice(anyDevice()));

  it("every type becomes float32, where it is exact", async () => {
    class Vector extends nn.Module {
      weight = new nn.Parameter(normal([4]) as Tensor);
      override forward(x: Tensor): Tensor {
        return mul(x, this.weight) as Tensor;
      }
    }
    const given: readonly StorageArray[] = [
      { dtype: "float16", shape: [4], data: Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff) },
      { dtype: "bfloat16", shape: [4], data: Uint16Array.of(0x3f80, 0xc000, 0x4049, 0x0000) },
      { dtype: "float64", shape: [4], data: Float64Array.of(0.1, -2, 1e-50, 3) },
      { dtype: "int64", shape: [4], data: BigInt64Array.of(1n, -2n, 2n ** 24n, 0n) },
      { dtype: "uint8", shape: [4], data: Uint8Array.of(1, 2, 255, 0) },
      { dtype: "bool", shape: [4], data: Uint8Array.of(1, 0, 1, 0) },
    ];
    const expected = [
      [1, -2, 2 ** -24, 65504],
      [1, -2, 3.140625, 0],
      [Math.fround(0.1), -2, 0, 3],
      [1, -2, 2 ** 24, 0],
      [1, 2, 255, 0],
      [1, 0, 1, 0],
    ];
    for (const [i, weight] of given.entries()) {
      const model = new Vector();
      await loadWeights(model, await file({ weight }));
      assert.deepEqual((await valuesOf(model)).weight, expected[i], weight.dtype);
    }
    const model = new Vector();
    const before = await valuesOf(model);
    const large: StorageArray = { dtype: "int64", shape: [4], data: BigInt64Array.of(0n, 0n, 2n ** 24n + 1n, 0n) };
    await assert.rejects(loadWeights(model, await file({ weight: large })), {
      code: "FOVEA_DATA",
      message: /the bytes: weight: the int64 value 16777217 at index 2 does not fit float32/,
    });
    const diverged: StorageArray = { dtype: "float32", shape: [4], data: Float32Array.of(0, 0, 0, Number.NaN) };
    await assert.rejects(
      loadWeights(model, await file({ weight: diverged }), { finite: true }),
      /weight holds NaN \(element 3\)/,
    );
    assert.deepEqual(await valuesOf(model), before);
  });

  it("saving in another type rounds, and what does not fit is an error that leaves no file", async () => {
    const model = new Net();
    const path = join(folder, "half.safetensors");
    await model.save(path, { dtype: "float16", metadata: { note: "half" } });
    const half = await openTensors(path);
    assert.deepEqual(half.metadata, { note: "half" });
    assert.equal((await readTensor(half, "head.bias")).dtype, "float16");
    await half.close();
    model.loadStateDict(
      { "conv.bias": { dtype: "float32", shape: [2], data: Float32Array.of(1, 1e9) } },
      { strict: false },
    );
    const large = join(folder, "large.safetensors");
    await assert.rejects(model.save(large, { dtype: "float16" }), /1000000000 at index 1 does not fit float16/);
    await assert.rejects(stat(large), { code: "ENOENT" });
  });
});

/** Large enough for several pieces, with an odd end. */
class Large extends nn.Module {
  weight = new nn.Parameter(normal([3, 300_001]) as Tensor);
  bias = new nn.Parameter(normal([7]) as Tensor);

  override forward(x: Tensor): Tensor {
    return add(x, this.bias) as Tensor;
  }
}

for (const { name, device, reason } of [
  ...kernelDevices,
  { name: "reference", device: referenceDevice, reason: undefined },
]) {
  describe(`memory and time on ${name}`, { skip: reason ?? false }, () => {
    let bytes: Uint8Array<ArrayBuffer>;
    let expected: Record<string, number[]>;
    beforeEach(async () => {
      useDevice(device as Device);
      const model = new Large();
      bytes = await model.serialize();
      expected = await valuesOf(model);
    });

    it("tensors larger than a piece arrive whole; first values are never computed", async () => {
      const model = new Large();
      const { submissions } = await (device as Device).memory();
      const told: [number, number][] = [];
      await loadWeights(model, bytes, { onProgress: (done, total) => told.push([done, total]) });
      assert.deepEqual(await valuesOf(model), expected);
      assert.equal((await (device as Device).memory()).submissions, submissions);
      const total = 4 * (900_003 + 7);
      assert.deepEqual(told.at(-1), [total, total]);
      assert.ok(told.length > 4 && told.every(([done], i) => i === 0 || done > told[i - 1][0]));
    });

    it("a file that is damaged or given up changes nothing and keeps no memory", async () => {
      const model = new Large();
      await loadWeights(model, bytes);
      const { live } = await (device as Device).memory();
      const archive = await writeTensors("x.npz", {
        weight: { dtype: "float32", shape: [3, 300_001], data: new Float32Array(900_003) },
        bias: { dtype: "float32", shape: [7], data: new Float32Array(7) },
      });
      // In the last tensor's last byte: what came before has been read by then.
      archive[archive.lastIndexOf(0x50) - 400] ^= 1;
      const path = join(folder, "damaged.npz");
      await writeFile(path, archive);
      await assert.rejects(loadWeights(model, path), { code: "FOVEA_FORMAT" });
      const controller = new AbortController();
      const giveUp = loadWeights(model, bytes, { signal: controller.signal, onProgress: () => controller.abort() });
      await assert.rejects(giveUp, { code: "FOVEA_ABORTED" });
      assert.deepEqual(await valuesOf(model), expected);
      // Less where models of earlier tests have been collected meanwhile.
      assert.ok((await (device as Device).memory()).live <= live);
    });
  });
}

describe("loading into a model in use", () => {
  let ones: Tensor;
  beforeEach(() => {
    useDevice(anyDevice());
    ones = tensor(new Float32Array(16).fill(1), [1, 1, 4, 4]);
  });

  it("compiled functions, optimizers and later values see the new weights", async () => {
    const model = new Net().eval();
    const other = new Net().eval();
    const run = compile((x: Tensor) => model(x));
    await run(ones);
    await model.load(join(folder, "net.safetensors"));
    await other.load(join(folder, "net.safetensors"));
    const expected = await other(ones).data();
    assert.deepEqual(await (await run(ones)).data(), expected);
    assert.deepEqual(await model(ones).data(), expected);
    const optimizer = new SGD(model.parameters(), { lr: 1 });
    model.head.bias?.assign(normal([3]));
    await model.load(join(folder, "net.safetensors"));
    model(ones).sum().backward();
    optimizer.step();
    const [bias, before] = [await model.head.bias?.value.data(), await other.head.bias?.value.data()];
    assert.deepEqual(
      bias,
      before?.map((value) => value - 1),
    );
  });

  it("values that were not computed before are gone, in words; recordings cannot load", async () => {
    const model = new Net().eval();
    await valuesOf(model);
    const late = model(ones);
    const dict = await others();
    model.loadStateDict(dict);
    await assert.rejects(late.data(), { code: "FOVEA_STALE_VALUE" });
    const recorded = compile((x: Tensor) => {
      model.loadStateDict(dict);
      return model(x);
    });
    await assert.rejects(async () => recorded(ones), {
      code: "FOVEA_TRACE",
      message: /while a function is being recorded/,
    });
  });
});
