/** Files of weights that PyTorch and NumPy wrote (test/goldens/weights/make.py), and PyTorch reading those of Fovea. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { convertStorage, isFloating } from "../../src/formats/convert.js";
import { openTensors, readTensor, type StorageArray, type StorageDType, type TensorFile } from "../../src/formats.js";
import { loadWeights, models, nn, saveWeights, type Tensor } from "../../src/index.js";
import { anyDevice, useDevice } from "../support/devices.js";

const folder = fileURLToPath(new URL("../../../test/goldens/weights/", import.meta.url));
const shared = fileURLToPath(new URL("../../../../shared/weights/resnet-cifar10/", import.meta.url));

interface Expected {
  readonly dtype: StorageDType;
  readonly shape: readonly number[];
  readonly values: readonly string[];
}

type Table = Readonly<Record<string, Expected>>;

const { tensors, model }: { tensors: Table; model: Table } = JSON.parse(readFileSync(`${folder}values.json`, "utf8"));

function assertEqual(name: string, array: StorageArray, expected: Expected): void {
  assert.equal(array.dtype, expected.dtype, name);
  assert.deepEqual(array.shape, expected.shape, name);
  const exact = isFloating(array.dtype) ? convertStorage(array, name, "float64") : array;
  const parse = (text: string) => (text === "True" || text === "False" ? Number(text === "True") : Number(text));
  const parsed = expected.values.map((text) => (array.dtype === "int64" ? BigInt(text) : parse(text)));
  assert.deepEqual([...exact.data], parsed, name);
}

async function assertHolds(file: TensorFile, expected: Table, prefix = ""): Promise<void> {
  for (const [name, each] of Object.entries(expected)) {
    const described = file.tensors.get(prefix + name);
    assert.deepEqual([described?.dtype, described?.shape], [each.dtype, each.shape], name);
    assertEqual(name, await readTensor(file, prefix + name), each);
  }
}

/** The file by its path, as bytes, and as a Blob. */
async function* opened(name: string): AsyncGenerator<TensorFile> {
  const bytes = readFileSync(folder + name);
  for (const source of [folder + name, bytes, new Blob([bytes])]) {
    const file = await openTensors(source);
    yield file;
    await file.close();
  }
}

const { columns: _, big_endian: __, ...ofPytorch } = tensors;
const { brain: ___, ...ofNumpy } = tensors;

describe("files of PyTorch", () => {
  const layouts = [
    "archive",
    "archive-protocol4",
    "legacy",
    "legacy-protocol3",
    "legacy-protocol4",
    "legacy-protocol5",
  ];
  for (const name of layouts) {
    it(`${name}: every type, views, shared storages`, async () => {
      for await (const file of opened(`${name}.pth`)) {
        assert.equal(file.format, "pytorch");
        assert.deepEqual([...file.tensors.keys()], Object.keys(ofPytorch));
        await assertHolds(file, ofPytorch);
      }
    });
  }

  for (const layout of ["archive", "legacy"]) {
    it(`${layout}: tensors in nested containers, with the way to them`, async () => {
      for await (const file of opened(`${layout}-checkpoint.pth`)) {
        await assertHolds(file, model, "state_dict/module.");
        const others = [...file.tensors.keys()].filter((name) => !name.startsWith("state_dict/"));
        assert.ok(others.includes("optimizer/state/0/exp_avg"), others.join());
      }
      const list = await openTensors(`${folder}${layout}-list.pth`);
      assert.deepEqual([...list.tensors.keys()], ["0", "1"]);
      await list.close();
    });

    it(`${layout}: what is no data is refused by its name, and not run`, async () => {
      const refused = openTensors(`${folder}${layout}-refused.pth`);
      await assert.rejects(refused, {
        code: "FOVEA_FORMAT",
        message: /-refused\.pth: .*argparse\.Namespace.*nothing is run/,
      });
    });
  }

  it("a program is told from weights", async () => {
    await assert.rejects(
      openTensors(`${folder}script.pth`),
      /TorchScript program.*torch\.jit\.load\(path\)\.state_dict/,
    );
  });
});

describe("files of NumPy", () => {
  for (const name of ["stored", "deflated"]) {
    it(`${name}: every type, columns first, big-endian`, async () => {
      for await (const file of opened(`${name}.npz`)) {
        assert.equal(file.format, "npz");
        await assertHolds(file, ofNumpy);
      }
    });
  }
});

/** As make.py builds it. */
class Small extends nn.Module {
  readonly layers = [
    new nn.Conv2d(1, 2, 3),
    new nn.BatchNorm2d(2),
    new nn.Flatten(),
    new nn.Linear<number>(8, 3),
  ] as const;

  override forward(x: Tensor): Tensor {
    return this.layers.reduce((y: Tensor, layer) => layer(y), x);
  }
}

const python = "/usr/bin/python3";
const findsModules = "import importlib.util as u; exit(not (u.find_spec('torch') and u.find_spec('numpy')))";
const hasTorch = existsSync(python) && spawnSync(python, ["-c", findsModules]).status === 0;

describe("models and PyTorch", () => {
  let place: string;

  before(async () => {
    useDevice(anyDevice());
    place = await mkdtemp(join(tmpdir(), "fovea-weights-"));
  });
  after(() => rm(place, { recursive: true }));

  for (const layout of ["archive", "legacy"]) {
    it(`a training checkpoint loads (${layout}): containers and wrappers are found, the rest is left alone`, async () => {
      const small = new Small();
      const report = await loadWeights(small, `${folder}${layout}-checkpoint.pth`, { map: (name) => `layers.${name}` });
      assert.equal(report.prefix, "state_dict/module.");
      assert.equal(report.format, "pytorch");
      assert.deepEqual([report.missing, report.unexpected, report.misshaped], [[], [], []]);
      assert.ok(report.ignored.includes("state_dict/module.1.num_batches_tracked"));
      assert.ok(report.ignored.includes("optimizer/state/0/exp_avg"));
      assert.equal(report.renamed["layers.0.weight"], "state_dict/module.0.weight");
      const values = await small.stateDict();
      assert.deepEqual([...report.loaded].sort(), Object.keys(values).sort());
      for (const [name, { dtype, shape, data }] of Object.entries(values)) {
        const expected = model[name.replace("layers.", "")];
        assert.deepEqual([dtype, shape, [...data]], [expected.dtype, expected.shape, expected.values.map(Number)]);
      }
    });
  }

  it("PyTorch and NumPy read what is saved, in every type", async (t) => {
    if (!hasTorch) return t.skip(`${python} has no torch or no numpy`);
    const small = new Small();
    const types = ["float32", "float16", "bfloat16", "float64"] as const;
    for (const dtype of types) await saveWeights(small, join(place, `${dtype}.pth`), { dtype });
    await saveWeights(small, join(place, "float32.npz"));
    // With and without the reader that builds nothing but tensors; and a module that takes them over.
    const script = `
import json, numpy, torch
places = {}
for dtype in ${JSON.stringify(types)}:
    path = f"${place}/{dtype}.pth"
    saved = torch.load(path)
    assert all(torch.equal(value, saved[key]) for key, value in torch.load(path, weights_only=True).items())
    places[dtype] = {k: [str(v.dtype)[6:], list(v.shape), v.double().flatten().tolist()] for k, v in saved.items()}
layers = [torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(8, 3)]
torch.nn.ModuleDict({"layers": torch.nn.ModuleList(layers)}).load_state_dict(saved, strict=False)
arrays = numpy.load("${place}/float32.npz")
places["npz"] = {k: [str(v.dtype), list(v.shape), v.astype(float).flatten().tolist()] for k, v in arrays.items()}
print(json.dumps(places))`;
    const { status, stdout, stderr } = spawnSync(python, ["-c", script], { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    const places: Record<string, Record<string, [string, number[], number[]]>> = JSON.parse(stdout);
    const own = Object.entries(await small.stateDict());
    for (const [key, read] of Object.entries(places)) {
      const dtype = types.find((each) => each === key) ?? "float32";
      const expected = own.map(([name, { shape, data }]) => {
        const array: StorageArray = { dtype: "float32", shape, data: Float32Array.from(data) };
        const rounded = convertStorage(convertStorage(array, name, dtype), name, "float64");
        return [name, [dtype, [...shape], [...rounded.data]]];
      });
      assert.deepEqual(Object.entries(read), expected, key);
    }
  });
});

describe("ResNet-56 for CIFAR-10", () => {
  const files = ["resnet56-4bfd9763.th", "resnet56-4bfd9763.derived.safetensors"];

  it("has the same tensors in the old layout of PyTorch and in safetensors", async (t) => {
    if (!files.every((name) => existsSync(shared + name))) return t.skip(`${shared} is not there`);
    const [ours, theirs] = await Promise.all(files.map((name) => openTensors(shared + name)));
    let compared = 0;
    for (const name of theirs.tensors.keys()) {
      const found = [...ours.tensors.keys()].find(
        (key) => key === name || key.endsWith(`.${name}`) || key.endsWith(`/${name}`),
      );
      assert.ok(found !== undefined, name);
      assert.deepEqual((await readTensor(ours, found)).data, (await readTensor(theirs, name)).data, name);
      compared++;
    }
    assert.equal(compared, [...ours.tensors.keys()].filter((name) => name.startsWith("state_dict/")).length);
    await Promise.all([ours.close(), theirs.close()]);
  });

  it("loads from both", async (t) => {
    if (!files.every((name) => existsSync(shared + name))) return t.skip(`${shared} is not there`);
    useDevice(anyDevice());
    const dicts = [];
    for (const name of files) {
      const network = models.create("resnet56");
      await network.load(shared + name);
      dicts.push(await network.stateDict());
    }
    assert.deepEqual(dicts[0], dicts[1]);
  });
});
