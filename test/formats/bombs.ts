/**
 * Files that are small and ask for much. `node bombs.js make FOLDER` writes them; `node bombs.js read FOLDER NAME` reads one and
 * prints how far the memory of the process grew, and how it ended.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import { FoveaError } from "../../src/core/errors.js";
import { crc32 } from "../../src/formats/crc32.js";
import { openTensorFile } from "../../src/formats/open.js";
import { readPickle } from "../../src/formats/pickle.js";
import { memorySource } from "../../src/formats/source.js";
import { readTensor } from "../../src/formats/tensor-file.js";
import { findTorchName, torchStorage } from "../../src/formats/torch-pickle.js";

type Bytes = Uint8Array<ArrayBuffer>;

const MB = 2 ** 20;

const ascii = (text: string): Bytes => new Uint8Array(Buffer.from(text, "latin1"));
const join = (parts: readonly Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(parts));
const concat = (...parts: readonly Uint8Array[]): Bytes => join(parts);

/** `text` over and over, as a pickle of protocol 2. */
function pickle(text: string, bytes: number): Bytes {
  return concat(ascii("\x80\x02"), new Uint8Array(Buffer.alloc(bytes, ascii(text))));
}

function safetensors(header: Bytes): Bytes {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return concat(length, header);
}

/** A header of many entries. */
function manyEntries(count: number, entry: (i: number) => string): Bytes {
  return ascii(`{${Array.from({ length: count }, (_, i) => entry(i)).join(",")}}`);
}

interface Entry {
  readonly name: string;
  readonly content: Bytes;
  /** What is claimed, where that is not so. */
  readonly size?: number;
}

/** An archive of deflated entries. */
function archive(entries: readonly Entry[]): Bytes {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, content, size = content.length } of entries) {
    const [key, packed] = [ascii(name), new Uint8Array(deflateRawSync(content))];
    const common = new Uint8Array(26);
    const view = new DataView(common.buffer);
    view.setUint16(0, 20, true);
    view.setUint16(4, 8, true);
    view.setUint32(10, crc32(content), true);
    view.setUint32(14, packed.length, true);
    view.setUint32(18, size, true);
    view.setUint16(22, key.length, true);
    const place = new Uint8Array(4);
    new DataView(place.buffer).setUint32(0, offset, true);
    parts.push(ascii("PK\x03\x04"), common, key, packed);
    directory.push(ascii("PK\x01\x02\x14\x00"), common, new Uint8Array(10), place, key);
    offset += 30 + key.length + packed.length;
  }
  const central = join(directory);
  const end = new Uint8Array(22);
  end.set(ascii("PK\x05\x06"));
  const view = new DataView(end.buffer);
  view.setUint16(8, entries.length, true);
  view.setUint16(10, entries.length, true);
  view.setUint32(12, central.length, true);
  view.setUint32(16, offset, true);
  return join([...parts, central, end]);
}

function npy(shape: string, content: Bytes, order = "False"): Bytes {
  const text = `{'descr': '<f4', 'fortran_order': ${order}, 'shape': ${shape}, }`.padEnd(117);
  return concat(ascii("\x93NUMPY\x01\x00\x76\x00"), ascii(`${text}\n`), content);
}

async function readAll(bytes: Bytes): Promise<void> {
  const file = await openTensorFile(memorySource(bytes, "input"));
  for (const name of file.tensors.keys()) await readTensor(file, name);
}

async function readPickles(bytes: Bytes): Promise<void> {
  readPickle(bytes, { name: "input", find: findTorchName, persistent: torchStorage });
}

const zeros = new Uint8Array(80e6);

interface Bomb {
  make(): Bytes;
  read(bytes: Bytes): Promise<void>;
}

const pickles: Readonly<Record<string, Bytes>> = {
  lists: ascii("]"),
  "lists with an item": ascii("]Na"),
  dictionaries: ascii("}"),
  "dictionaries with an entry": ascii("}NNs"),
  tuples: ascii(")"),
  "tuples of one": ascii("N\x85"),
  marks: ascii("("),
  copies: ascii("N2222222"),
  memory: ascii("]\x94"),
  numbers: ascii("G\x3f\xf0\x00\x00\x00\x00\x00\x01"),
  texts: ascii("U\x02ab"),
  bytes: ascii("C\x00"),
  calls: ascii("ccollections\nOrderedDict\n)R"),
};

export const bombs: Readonly<Record<string, Bomb>> = {
  ...Object.fromEntries(
    Object.entries(pickles).map(([name, unit]): [string, Bomb] => {
      return [
        `pickle: ${name}`,
        { make: () => pickle(Buffer.from(unit).toString("latin1"), 8 * MB), read: readPickles },
      ];
    }),
  ),
  // Each list holds the one before it twice: small to build, endless to walk through.
  "pickle: doublings": {
    make() {
      const doubling = Array.from(
        { length: 200 },
        (_, i) => `](h${String.fromCharCode(i)}h${String.fromCharCode(i)}eq${String.fromCharCode(i + 1)}`,
      );
      const root = concat(ascii("\x80\x02]q\x00"), ascii(doubling.join("")), ascii("."));
      const magic = ascii(
        "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}U\x0dlittle_endian\x88s.",
      );
      return concat(magic, root, ascii("\x80\x02]."));
    },
    read: readAll,
  },
  "safetensors: entries": {
    make: () => safetensors(manyEntries(300_000, (i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)),
    read: readAll,
  },
  "safetensors: axes": {
    make: () => safetensors(ascii(`{"a":{"dtype":"U8","shape":[0${",1".repeat(8 * MB)}],"data_offsets":[0,0]}}`)),
    read: readAll,
  },
  "safetensors: metadata": {
    make: () =>
      safetensors(ascii(`{"__metadata__":{${Array.from({ length: 400_000 }, (_, i) => `"${i}":""`).join(",")}}}`)),
    read: readAll,
  },
  "safetensors: brackets": { make: () => safetensors(ascii(`{"a":${"[".repeat(8 * MB)}`)), read: readAll },
  "npz: zeros": {
    make: () => archive([{ name: "a.npy", content: npy("(20000000,)", zeros) }]),
    read: readAll,
  },
  "npz: zeros, column by column": {
    make: () => archive([{ name: "a.npy", content: npy("(5000, 4000)", zeros, "True") }]),
    read: readAll,
  },
  "npz: more than it claims": {
    make: () => archive([{ name: "a.npy", content: npy("(20000000,)", zeros), size: 4128 }]),
    read: readAll,
  },
  "torch: a pickle that unpacks to much": {
    make: () => archive([{ name: "a/data.pkl", content: pickle("]", 64 * MB) }]),
    read: readAll,
  },
  "zip: entries": {
    make: () => archive(Array.from({ length: 60_000 }, (_, i) => ({ name: `${i}`, content: new Uint8Array(0) }))),
    read: readAll,
  },
};

/** The file in a folder that a bomb is written to. */
export function bombFile(folder: string, name: string): string {
  return `${folder}/${name.replaceAll(/\W/g, "-")}`;
}

const [, , action, folder, chosen] = process.argv;
// In a process of its own, so that its memory is not counted.
if (action === "make")
  for (const [name, bomb] of Object.entries(bombs)) writeFileSync(bombFile(folder, name), bomb.make());
if (action === "read") {
  const bytes = new Uint8Array(readFileSync(bombFile(folder, chosen)));
  const before = process.memoryUsage.rss();
  const begun = performance.now();
  let outcome = "read";
  try {
    await bombs[chosen].read(bytes);
  } catch (error) {
    outcome = error instanceof FoveaError ? `${error.code} ${error.message}` : `not ours: ${error}`;
  }
  const milliseconds = performance.now() - begun;
  const growth = process.resourceUsage().maxRSS * 1024 - before;
  console.log(JSON.stringify({ outcome, growth, size: bytes.length, milliseconds }));
}
