import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { serve } from "../../test/support/server.js";
import { AbortedError, ArgumentError, DataError, FileError, FormatError } from "../core/errors.js";
import { writeIdx } from "../formats/idx.js";
import { type DownloadProgress, download } from "./download.js";
import { fashionMnist, mnist } from "./mnist.js";

const root = await mkdtemp(join(tmpdir(), "fovea-mnist-"));
after(async () => {
  await rm(root, { recursive: true });
});

const images = (count: number) =>
  writeIdx({ dtype: "uint8", shape: [count, 28, 28], data: Uint8Array.from({ length: count * 784 }, (_, i) => i) });
const labels = (count: number, last = 3) =>
  writeIdx({ dtype: "uint8", shape: [count], data: new Uint8Array(count).fill(last, count - 1) });

/** A folder with the given files. */
async function folder(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const path = join(root, name);
  for (const [file, bytes] of Object.entries(files)) {
    await mkdir(join(path, file, ".."), { recursive: true });
    await writeFile(join(path, file), bytes);
  }
  return path;
}

const train = { split: "train" } as const;
const names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];

test("files are found under every usual name and place", async () => {
  const layouts: [string, string][] = [
    ["", ""],
    ["", ".gz"],
    ["MNIST/raw/", ""],
    ["mnist/", ".gz"],
  ];
  for (const [i, [place, suffix]] of layouts.entries()) {
    const pack = (bytes: Uint8Array) => (suffix === "" ? bytes : gzipSync(bytes));
    const dataDir = await folder(`found${i}`, {
      [`${place}${names[0]}${suffix}`]: pack(images(3)),
      [`${place}${names[1]}${suffix}`]: pack(labels(3)),
    });
    const set = await mnist({ ...train, dataDir });
    assert.deepEqual([set.size, set.shape, set.get(2).label, set.get(1).image[0]], [3, [1, 28, 28], 3, 784 % 256]);
    assert.deepEqual([set.name, set.split, set.classNames[7]], ["MNIST", "train", "7"]);
  }
  const dotted = await folder("dotted", {
    "t10k-images.idx3-ubyte": images(2),
    "FashionMNIST/raw/t10k-labels.idx1-ubyte.gz": gzipSync(labels(2)),
  });
  assert.equal((await fashionMnist({ split: "test", dataDir: dotted })).classNames[9], "Ankle boot");
});

const rejects = (dataDir: string, type: new (message: string) => Error, message: RegExp) =>
  assert.rejects(mnist({ ...train, dataDir }), (error) => {
    assert.ok(error instanceof type, String(error));
    assert.match(error.message, message);
    return true;
  });

test("a folder that is missing, or that lacks the files, says what to put there", async () => {
  await rejects(join(root, "nowhere"), FileError, /there is no folder .*nowhere.*Fix: put train-images-idx3-ubyte\.gz/);
  const empty = await folder("empty", { "readme.txt": new Uint8Array(1) });
  await rejects(empty, FileError, /has no train images. Looked for train-images-idx3-ubyte, .*MNIST\/raw\/.*dataDir/s);
  const half = await folder("half", { [names[0]]: images(2) });
  await rejects(half, FileError, /has no train labels. Looked for train-labels-idx1-ubyte,/);
});

test("damaged and mixed-up files are refused by name", async () => {
  const pair = (name: string, first: Uint8Array, second: Uint8Array) =>
    folder(name, { [names[0]]: first, [names[1]]: second });
  await rejects(
    await pair("short", images(3).slice(0, -5), labels(3)),
    FormatError,
    /short\/train-images-idx3-ubyte: the header promises 3×28×28 uint8, 2352 bytes from offset 16 on/,
  );
  const cut = await folder("cut", {
    [`${names[0]}.gz`]: gzipSync(images(3)).subarray(0, -20),
    [names[1]]: labels(3),
  });
  await rejects(cut, FormatError, /train-images-idx3-ubyte\.gz: the gzip data is damaged or cut short/);
  await rejects(
    await pair("mixed", labels(3), images(3)),
    DataError,
    /labels-idx1-ubyte holds 3×28×28 uint8. Expected uint8 labels, one axis. Fix: Images and labels are mixed up/,
  );
  await rejects(await pair("count", images(4), labels(3)), DataError, /holds 4 images, but .* holds 3 labels/);
  await rejects(
    await pair("label", images(3), labels(3, 10)),
    DataError,
    /label 10 at index 2 names no class. Expected 0 to 9/,
  );
  await rejects(await pair("text", images(3), new TextEncoder().encode("<html>")), FormatError, /not an IDX file/);
  await rejects(
    await pair("float", writeIdx({ dtype: "float32", shape: [1, 1, 1], data: new Float32Array(1) }), labels(1)),
    DataError,
    /holds 1×1×1 float32. Expected uint8 images/,
  );
  await assert.rejects(mnist({ split: JSON.parse('"val"') }), ArgumentError);
});

const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251);
const wanted = {
  name: "file.gz",
  bytes: content.length,
  sha256: createHash("sha256").update(content).digest("hex"),
};

test("a download tries one place after the other and keeps only what is right", async () => {
  const good = await serve((_, response) => response.end(content));
  const missing = await serve((_, response) => response.writeHead(404).end());
  const wrong = await serve((_, response) => response.end(Uint8Array.from(content).fill(1, 5, 9)));
  const long = await serve((_, response) => response.end(Buffer.concat([content, content])));
  const short = await serve((_, response) => response.end(content.subarray(1)));
  const broken = await serve((_, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, 1000), () => response.destroy());
  });
  const silent = await serve((_, response) => response.write("a"));
  const target = await folder("download", { "other.txt": new Uint8Array(1) });
  const path = join(target, "file.gz");

  const bad = [missing, wrong, long, short, broken, silent, "http://127.0.0.1:1/"];
  await assert.rejects(download({ ...wanted, urls: bad }, path, { idleMilliseconds: 3000 }), (error) => {
    assert.ok(error instanceof FileError);
    const reasons = [
      /answered 404/,
      /SHA-256/,
      /more than the expected 300000/,
      /only 299999 of 300000/,
      /./,
      /nothing came for 3/,
      /ECONNREFUSED|bad port/,
    ];
    const lines = error.message.split("\n").slice(1);
    for (const [i, reason] of reasons.entries()) assert.match(lines[i], reason);
    return true;
  });
  assert.deepEqual(await readdir(target), ["other.txt"]);

  const progress: DownloadProgress[] = [];
  await download({ ...wanted, urls: [missing, good] }, path, { onProgress: (step) => progress.push(step) });
  assert.deepEqual(progress.at(-1), { file: "file.gz", received: 300_000, total: 300_000 });
  assert.deepEqual((await readdir(target)).sort(), ["file.gz", "other.txt"]);

  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(
    download({ ...wanted, urls: [silent, good] }, join(target, "b"), { signal: controller.signal }),
    AbortedError,
  );
  assert.deepEqual((await readdir(target)).sort(), ["file.gz", "other.txt"]);
});

test("without files and without a network the error says where to get them", async () => {
  process.env.FOVEA_CACHE = join(root, "cache");
  await assert.rejects(mnist({ ...train, mirrors: ["http://127.0.0.1:1/x"] }), (error) => {
    assert.ok(error instanceof FileError);
    assert.match(
      error.message,
      /MNIST: cannot download train-images-idx3-ubyte\.gz:\n {2}http:\/\/127\.0\.0\.1:1\/x\//,
    );
    assert.match(error.message, /Fix: put train-images-idx3-ubyte\.gz .* into .*cache.mnist, .* dataDir.*digits\(\)/);
    return true;
  });
  await assert.rejects(mnist({ ...train, download: false }), /downloading is switched off/);
});

const shared = new URL("../../../../shared/data/", import.meta.url);
const skip = !existsSync(shared) && "the original files are not on this machine";

test("the original files are downloaded, verified and read", { skip }, async () => {
  for (const [collection, load] of [
    ["mnist", mnist],
    ["fashion-mnist", fashionMnist],
  ] as const) {
    let requests = 0;
    const mirror = await serve(async (request, response) => {
      requests++;
      response.end(await readFile(new URL(`${collection}${request.url}`, shared)));
    });
    process.env.FOVEA_CACHE = join(root, "real");
    const options = { split: "test", mirrors: [mirror] } as const;
    const set = await load(options);
    assert.deepEqual([set.size, requests], [10_000, 2]);
    if (collection === "mnist")
      assert.deepEqual(set.classCounts(), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    else assert.deepEqual(set.classCounts(), new Array<number>(10).fill(1000));
    await load(options);
    assert.equal(requests, 2, "kept in the cache");
  }
});
