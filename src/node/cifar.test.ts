import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { cifarBytes, tarBytes } from "../../test/support/cifar.js";
import { serve } from "../../test/support/server.js";
import { FileError, FormatError } from "../core/errors.js";
import { cifar10, cifar100 } from "./cifar.js";

const root = await mkdtemp(join(tmpdir(), "fovea-cifar-"));
after(() => rm(root, { recursive: true }));
process.env.FOVEA_CACHE = join(root, "cache");

async function folder(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const path = join(root, name);
  for (const [file, bytes] of Object.entries(files)) {
    await mkdir(join(path, file, ".."), { recursive: true });
    await writeFile(join(path, file), bytes);
  }
  return path;
}

const batches = Object.fromEntries([0, 1, 2, 3, 4].map((i) => [`data_batch_${i + 1}.bin`, cifarBytes(i, 9)]));
const official = { ...batches, "test_batch.bin": cifarBytes(4, 5, 6), "batches.meta.txt": Buffer.from("airplane\n") };

test("the official files are found in the folder, in its inner folder, compressed, and in their archive", async () => {
  const within = (prefix: string, suffix: string, pack: (bytes: Uint8Array) => Uint8Array) =>
    Object.fromEntries(Object.entries(official).map(([name, bytes]) => [`${prefix}${name}${suffix}`, pack(bytes)]));
  const files = Object.entries(official).map(([name, bytes]) => ({ path: `cifar-10-batches-bin/${name}`, bytes }));
  const folders = [
    await folder("plain", official),
    await folder(
      "inner",
      within("cifar-10-batches-bin/", "", (bytes) => bytes),
    ),
    await folder(
      "gz",
      within("", ".gz", (bytes) => gzipSync(bytes)),
    ),
    await folder("archive", { "cifar-10-binary.tar.gz": gzipSync(tarBytes(files)) }),
  ];
  for (const dataDir of folders) {
    const train = await cifar10({ split: "train", dataDir });
    assert.deepEqual([...train.labels], [0, 9, 1, 9, 2, 9, 3, 9, 4, 9], dataDir);
    assert.deepEqual([train.name, train.split, train.shape], ["CIFAR-10", "train", [3, 32, 32]]);
    const test = await cifar10({ split: "test", dataDir });
    assert.deepEqual([...test.labels], [4, 5, 6]);
    assert.deepEqual([test.classNames[0], test.classNames[9], test.get(2).image[0]], ["airplane", "truck", 2]);
  }
});

test("files of other names are told apart by train and test", async () => {
  const dataDir = await folder("own", {
    "b_train.bin.gz": gzipSync(cifarBytes(2)),
    "a_train.bin": cifarBytes(1),
    "a_train.bin.gz": gzipSync(cifarBytes(1)),
    "some_test_pictures.bin": cifarBytes(3),
    "._c_train.bin": new Uint8Array(5),
    "train_and_test.bin": cifarBytes(8),
    "train.txt": new Uint8Array(5),
  });
  assert.deepEqual([...(await cifar10({ split: "train", dataDir })).labels], [1, 2]);
  assert.deepEqual([...(await cifar10({ split: "test", dataDir })).labels], [3]);
});

test("CIFAR-100 has fine and coarse labels", async () => {
  const dataDir = await folder("hundred", {
    "cifar-100-binary/train.bin": cifarBytes([19, 99]),
    "cifar-100-binary/test.bin": cifarBytes([0, 4], [14, 2]),
  });
  const fine = await cifar100({ split: "test", dataDir });
  assert.deepEqual(
    [...fine.labels].map((label) => fine.classNames[label]),
    ["beaver", "baby"],
  );
  assert.equal(fine.classNames.length, 100);
  const coarse = await cifar100({ split: "test", dataDir, labels: "coarse" });
  assert.deepEqual(
    [...coarse.labels].map((label) => coarse.classNames[label]),
    ["aquatic mammals", "people"],
  );
  assert.equal(coarse.classNames.length, 20);
  await assert.rejects(cifar10({ split: "test", dataDir: join(dataDir, "cifar-100-binary") }), FormatError);
});

test("missing files, folders and networks say what to do", async () => {
  const rejects = (options: Parameters<typeof cifar10>[0], message: RegExp) =>
    assert.rejects(cifar10(options), (error) => {
      assert.ok(error instanceof FileError, String(error));
      assert.match(error.message, message);
      return true;
    });
  const train = { split: "train" } as const;
  await rejects(
    { ...train, dataDir: join(root, "none") },
    /there is no folder .*none\. .*Fix: put cifar-10-binary\.tar\.gz from/,
  );
  const empty = await folder("empty", { "cifar-10-python.tar.gz": new Uint8Array(1) });
  await rejects(
    { ...train, dataDir: empty },
    /has no train pictures\. Looked for data_batch_1\.bin, .*\*train\*\.bin\.gz/,
  );
  const four = Object.fromEntries(Object.entries(official).filter(([name]) => name !== "data_batch_3.bin"));
  const some = await folder("some", four);
  await rejects({ ...train, dataDir: some }, /has data_batch_1\.bin, but not data_batch_3\.bin\./);
  await rejects({ ...train, download: false }, /downloading is switched off/);
  await rejects(
    { ...train, mirrors: ["http://127.0.0.1:1/x"] },
    /CIFAR-10: cannot download cifar-10-binary\.tar\.gz:\n.*\nFix: put cifar-10-binary/,
  );
});

test("an archive that is damaged or another one is refused", async () => {
  const files = [{ path: "cifar-10-batches-py/data_batch_1", bytes: new Uint8Array(10) }];
  const other = await folder("other", { "cifar-10-binary.tar.gz": gzipSync(tarBytes(files)) });
  await assert.rejects(
    cifar10({ split: "test", dataDir: other }),
    /the archive has no test_batch\.bin\. Expected the binary version/,
  );
  const packed = gzipSync(tarBytes([{ path: "c/test_batch.bin", bytes: cifarBytes(1, 2) }]));
  const cut = await folder("cut", { "cifar-10-binary.tar.gz": packed.subarray(0, packed.length / 2) });
  await assert.rejects(cifar10({ split: "test", dataDir: cut }), FormatError);
});

test("a download that is not the published archive is not kept", async () => {
  const mirror = await serve((_, response) => response.end("something else"));
  await assert.rejects(cifar10({ split: "test", mirrors: [mirror] }), /only 14 of 170052171 bytes came/);
  assert.equal(existsSync(join(root, "cache", "cifar10", "cifar-10-binary.tar.gz")), false);
});

const shared = new URL("../../../../shared/data/cifar10/", import.meta.url);
const skip = !existsSync(shared) && "the original pictures are not on this machine";

test("original pictures are read", { skip }, async () => {
  const train = await cifar10({ split: "train", dataDir: shared.pathname });
  const test = await cifar10({ split: "test", dataDir: shared.pathname });
  assert.deepEqual([train.size, test.size], [4000, 1000]);
  // The first pictures of the test set are a cat, two ships and an airplane; of the training set a frog and two trucks.
  assert.deepEqual([...test.labels.subarray(0, 4)], [3, 8, 8, 0]);
  assert.deepEqual([...train.labels.subarray(0, 3)], [6, 9, 9]);
  assert.deepEqual([...test.get(0).image.subarray(0, 4)], [158, 159, 165, 166]);
  assert.deepEqual(test.classCounts(), [103, 89, 100, 103, 90, 86, 112, 102, 106, 109]);
});
