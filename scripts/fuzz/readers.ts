/** The readers that are fuzzed: each with files to begin from. To add one, add an entry. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { RandomStream } from "../../src/core/philox.js";
import { readCifarRecords } from "../../src/formats/cifar.js";
import { readIdx, writeIdx } from "../../src/formats/idx.js";
import { parseNpy, writeNpy } from "../../src/formats/npy.js";
import { openTensorFile } from "../../src/formats/open.js";
import { readPickle } from "../../src/formats/pickle.js";
import { memorySource } from "../../src/formats/source.js";
import type { StorageArray } from "../../src/formats/storage.js";
import { readTar } from "../../src/formats/tar.js";
import { readTensor } from "../../src/formats/tensor-file.js";
import { findTorchName, torchStorage } from "../../src/formats/torch-pickle.js";
import { openZip } from "../../src/formats/zip.js";
import { type WrittenEntry, zipPieces } from "../../src/formats/zip-writer.js";
import { writeTensors } from "../../src/formats.js";
import { load } from "../../src/onnx.js";
import { loadTfjs } from "../../src/tfjs.js";
import { tarBytes } from "../../test/support/cifar.js";
import { seedModel } from "../../test/support/onnxFuzz.js";
import { root } from "../build-step.js";
import { randomPickle } from "./pickles.js";

type Bytes = Uint8Array<ArrayBuffer>;

export interface FuzzReader {
  readonly name: string;
  /** Valid files. */
  seeds(): Promise<readonly Bytes[]>;
  /** Reads everything in a file. */
  read(bytes: Bytes): Promise<void>;
  /** Damages what lies inside a valid file's shell (checksums, lengths), which stays whole, so that it is reached. */
  inside?(bytes: Bytes, random: RandomStream, damage: (bytes: Bytes) => Bytes): Promise<Bytes>;
}

const goldens = join(root, "test/goldens/weights");

function goldenFiles(pattern: RegExp): Bytes[] {
  const names = readdirSync(goldens).filter((name) => pattern.test(name));
  return names.map((name) => new Uint8Array(readFileSync(join(goldens, name))));
}

const arrays: Readonly<Record<string, StorageArray>> = {
  "conv.weight": { dtype: "float32", shape: [2, 1, 2, 2], data: Float32Array.from({ length: 8 }, (_, i) => i / 3) },
  mask: { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
  half: { dtype: "float16", shape: [2], data: Uint16Array.of(0x3c00, 0x7c00) },
  steps: { dtype: "int64", shape: [], data: BigInt64Array.of(7n) },
  empty: { dtype: "float64", shape: [0, 3], data: new Float64Array(0) },
};

async function readAll(bytes: Bytes): Promise<void> {
  const file = await openTensorFile(memorySource(bytes, "input"));
  for (const name of file.tensors.keys()) await readTensor(file, name);
  await file.close();
}

/** The entries of an archive, with one of them changed; its checksums and lengths are right. */
async function changedArchive(bytes: Bytes, random: RandomStream, damage: (bytes: Bytes) => Bytes): Promise<Bytes> {
  const entries = [...(await openZip(memorySource(bytes, "seed"))).values()];
  const contents = await Promise.all(
    entries.map(async (entry) => {
      const content = new Uint8Array(entry.size);
      const reader = await entry.open();
      await reader.fill(content);
      return content;
    }),
  );
  // Half of the time what describes the others.
  const pickle = entries.findIndex(({ name }) => name.endsWith(".pkl"));
  const changed = pickle >= 0 && random.integer(2) === 0 ? pickle : random.integer(entries.length);
  contents[changed] = damage(contents[changed]);
  const written = entries.map(({ name }, i): WrittenEntry => {
    return { name, size: contents[i].length, pieces: () => [contents[i]] };
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of zipPieces(written)) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

const pickleOptions = { name: "input", find: findTorchName, persistent: torchStorage };

/** A folder with a model of TensorFlow.js as one input: model.json, a byte 0, and the weights. */
function tfjsSeed(folder: string): Bytes {
  const at = join(root, "test/goldens/tfjs", folder);
  const parts = readdirSync(at)
    .filter((name) => name.endsWith(".bin"))
    .map((name) => readFileSync(join(at, name)));
  return new Uint8Array(Buffer.concat([readFileSync(join(at, "model.json")), Uint8Array.of(0), ...parts]));
}

/** Every name of a file of weights stands for all that lies behind model.json. */
async function readTfjsInput(bytes: Bytes): Promise<void> {
  const end = bytes.includes(0) ? bytes.indexOf(0) : bytes.length;
  const [json, weights] = [bytes.slice(0, end), bytes.slice(end + 1)];
  // Words first: a pattern that ends with .bin would try every place of a long word without it.
  const words = new TextDecoder().decode(json).match(/[\w.-]+/g) ?? [];
  const names = new Set(words.flatMap((word) => word.match(/^.+\.bin/) ?? []));
  const file = (name: string, part: Bytes) => ({ name, arrayBuffer: async () => part.buffer });
  await loadTfjs([file("model.json", json), ...Array.from(names, (name) => file(name, weights))]);
}

async function* chunksOf(bytes: Bytes): AsyncGenerator<Bytes, void, undefined> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.slice(at, at + 700);
}

/** Three pictures of CIFAR-10. */
function cifarSeed(): Bytes {
  const bytes = Uint8Array.from({ length: 3 * 3073 }, (_, i) => (i * 7) % 251);
  for (let picture = 0; picture < 3; picture++) bytes[picture * 3073] = picture;
  return bytes;
}

export const readers: readonly FuzzReader[] = [
  {
    name: "safetensors",
    seeds: async () => [
      await writeTensors("x.safetensors", arrays, { metadata: { format: "pt", note: "é" } }),
      await writeTensors("x.safetensors", { a: arrays.mask }),
      await writeTensors("x.safetensors", {}),
    ],
    read: readAll,
    async inside(bytes, _, damage) {
      const length = new DataView(bytes.buffer).getUint32(0, true);
      const header = damage(bytes.slice(8, 8 + length));
      const result = new Uint8Array(Buffer.concat([bytes.subarray(0, 8), header, bytes.subarray(8 + length)]));
      new DataView(result.buffer).setBigUint64(0, BigInt(header.length), true);
      return result;
    },
  },
  {
    name: "pickle",
    async seeds() {
      const archives = goldenFiles(/^archive.*\.pth$/);
      return Promise.all(
        archives.map(async (bytes) => {
          const entries = await openZip(memorySource(bytes, "seed"));
          const pickle = [...entries.values()].find(({ name }) => name.endsWith("data.pkl"));
          const content = new Uint8Array(pickle?.size ?? 0);
          await (await pickle?.open())?.fill(content);
          return content;
        }),
      );
    },
    async read(bytes) {
      readPickle(bytes, pickleOptions);
    },
    inside: async (_, random) => randomPickle(random),
  },
  { name: "torch-legacy", seeds: async () => goldenFiles(/^legacy.*\.pth$/), read: readAll },
  {
    name: "torch-archive",
    seeds: async () => goldenFiles(/^(archive.*|script)\.pth$/),
    read: readAll,
    inside: changedArchive,
  },
  {
    name: "npz",
    seeds: async () => goldenFiles(/^(stored|small)\.npz$/),
    read: readAll,
    inside: changedArchive,
  },
  {
    name: "npy",
    seeds: async () => Object.values(arrays).map((array) => writeNpy(array)),
    async read(bytes) {
      parseNpy(bytes, "input");
    },
  },
  {
    name: "zip",
    seeds: async () => goldenFiles(/^(stored|small)\.npz$|^archive-list\.pth$/),
    async read(bytes) {
      const entries = await openZip(memorySource(bytes, "input"));
      const piece = new Uint8Array(2 ** 14);
      for (const entry of entries.values()) {
        const reader = await entry.open();
        try {
          for (let at = 0; at < entry.size; at += piece.length) {
            await reader.fill(piece.subarray(0, Math.min(piece.length, entry.size - at)));
          }
        } finally {
          await reader.close();
        }
      }
    },
  },
  {
    name: "onnx",
    seeds: async () => [seedModel()],
    async read(bytes) {
      await load(bytes);
    },
  },
  {
    name: "tfjs",
    seeds: async () => ["functional", "reshaped", "same-padding", "separable"].map(tfjsSeed),
    read: readTfjsInput,
    async inside(bytes, _, damage) {
      const end = bytes.indexOf(0);
      return new Uint8Array(Buffer.concat([damage(bytes.slice(0, end)), bytes.subarray(end)]));
    },
  },
  {
    name: "tar",
    seeds: async () => [
      tarBytes([
        { path: "folder/a.bin", bytes: Uint8Array.from({ length: 700 }, (_, i) => i) },
        { path: "b.bin", bytes: new Uint8Array(3) },
      ]),
    ],
    async read(bytes) {
      for await (const { contents } of readTar(chunksOf(bytes), "input")) for await (const _ of contents);
    },
    async inside(bytes, _, damage) {
      const header = new Uint8Array(512);
      header.set(damage(bytes.slice(0, 512)).subarray(0, 512));
      header.fill(0x20, 148, 156);
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
      return new Uint8Array(Buffer.concat([header, bytes.subarray(512)]));
    },
  },
  {
    name: "cifar",
    seeds: async () => [cifarSeed(), new Uint8Array(gzipSync(cifarSeed()))],
    async read(bytes) {
      await readCifarRecords([{ name: "input", bytes }], [{ name: "label", classes: 10 }]);
    },
  },
  {
    name: "idx",
    async seeds() {
      const plain = writeIdx({ dtype: "uint8", shape: [2, 3, 3], data: Uint8Array.from({ length: 18 }, (_, i) => i) });
      const numbers = writeIdx({ dtype: "float32", shape: [4], data: Float32Array.of(1, 2, 3, 4) });
      return [plain, numbers, new Uint8Array(gzipSync(plain))];
    },
    async read(bytes) {
      await readIdx(bytes, { name: "input" });
    },
  },
];
