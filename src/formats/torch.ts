/**
 * PyTorch's files (.pth, .pt, .th, .bin): a pickle of the containers, beside it the storages' bytes. Since version 1.6
 * these are entries of a zip archive; before, they followed one another in one file.
 */

import { FormatError } from "../core/errors.js";
import { PickleEnd, PickleTuple, type PickleValue, readPickle } from "./pickle.js";
import { type ByteSource, readRange } from "./source.js";
import { storageWidths } from "./storage.js";
import { gather, isRowMajor, lastOf } from "./strided.js";
import {
  allowance,
  type ByteReader,
  rangeReader,
  type StoredTensor,
  storedBytes,
  type TensorFile,
} from "./tensor-file.js";
import { findTorchName, type TorchStorage, TorchTensor, torchStorage } from "./torch-pickle.js";
import type { ZipEntry } from "./zip.js";

/** Where the bytes of a storage are. */
interface StorageBytes {
  readonly size: number;
  open(offset: number, length: number): Promise<ByteReader>;
}

const damaged = "Fix: the file is cut short or damaged; write or download it again.";

const pickleEntry = "data.pkl";

/** Whether an archive is one of PyTorch's. */
export function isTorchArchive(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return findPickle(entries) !== undefined;
}

function findPickle(entries: ReadonlyMap<string, ZipEntry>): ZipEntry | undefined {
  return [...entries.values()].find(({ name }) => name === pickleEntry || name.endsWith(`/${pickleEntry}`));
}

/** Opens an archive of PyTorch 1.6 or newer; tensors are read when they are wanted. */
export async function openTorchArchive(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
): Promise<TensorFile> {
  const { name } = source;
  const pickle = findPickle(entries);
  if (pickle === undefined) throw new FormatError(`${name}: the archive has no ${pickleEntry}. ${damaged}`);
  const folder = pickle.name.slice(0, -pickleEntry.length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw new FormatError(
      `${name} is a TorchScript program. Expected a state dict. Fix: torch.save(torch.jit.load(path).state_dict(), path).`,
    );
  }
  const order = entries.get(`${folder}byteorder`);
  if (order !== undefined && new TextDecoder().decode(await contents(order, name)) !== "little") {
    throw new FormatError(
      `${name} was written on a big-endian machine. Fix: write it again on another, or as safetensors.`,
    );
  }
  const storage = (key: string): StorageBytes => {
    const entry = entries.get(`${folder}data/${key}`);
    if (entry === undefined)
      throw new FormatError(`${name}: the archive has no storage ${JSON.stringify(key)}. ${damaged}`);
    return { size: entry.size, open: (offset, length) => openPart(source, entry, offset, length) };
  };
  const options = { name, find: findTorchName, persistent: torchStorage };
  const { value } = readPickle(await contents(pickle, name, source.size), options);
  return torchFile(source, value, storage);
}

/** What a small entry holds: at most 8 MB, or as much as the file. */
async function contents(entry: ZipEntry, name: string, size = 0): Promise<Uint8Array<ArrayBuffer>> {
  const most = Math.max(8_000_000, size);
  if (entry.size > most) {
    throw new FormatError(
      `${name}: ${JSON.stringify(entry.name)} unpacks to ${entry.size} bytes. Expected at most ${most}. ${damaged}`,
    );
  }
  const bytes = new Uint8Array(entry.size);
  const reader = await entry.open();
  await reader.fill(bytes).finally(() => reader.close());
  return bytes;
}

async function openPart(source: ByteSource, entry: ZipEntry, offset: number, length: number): Promise<ByteReader> {
  if (offset === 0 && length === entry.size) return entry.open();
  if (entry.stored) return rangeReader(source, (await entry.locate()) + offset, length);
  const reader = await entry.open();
  try {
    const passed = new Uint8Array(2 ** 16);
    for (let at = 0; at < offset; at += passed.length) {
      await reader.fill(passed.subarray(0, Math.min(passed.length, offset - at)));
    }
  } catch (error) {
    await reader.close();
    throw error;
  }
  return reader;
}

/** The number that files of older versions begin with, as a pickle of its own. */
const magic = 0x1950a86a20f9469cfc6cn;
const knownProtocol = 1001;

/** Opens a file in the layout that PyTorch had before 1.6, and still writes when it is told to. */
export async function openLegacyTorch(source: ByteSource): Promise<TensorFile> {
  const { name, size } = source;
  const { root, storages, keys, end } = await readLegacyPickles(source);
  const places = new Map<string, StorageBytes>();
  let at = end;
  for (const key of keys) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (storage === undefined) throw new FormatError(`${name}: it lists a storage that no tensor is in. ${damaged}`);
    const view = new DataView((await readRange(source, at, 8)).slice().buffer);
    const start = at + 8;
    const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
    const bytes = length * storageWidths[storage.dtype];
    if (length !== storage.length || start + bytes > size) {
      throw new FormatError(
        `${name}: storage ${storage.key} at offset ${at} is said to have ${length} elements of ${storage.dtype}. ` +
          `Expected ${storage.length}, within the file's ${size} bytes. ${damaged}`,
      );
    }
    const open = async (offset: number, part: number) => rangeReader(source, start + offset, part);
    places.set(storage.key, { size: bytes, open });
    at = start + bytes;
  }
  return torchFile(source, root, (key) => {
    const place = places.get(key);
    if (place === undefined) throw new FormatError(`${name}: there is no storage ${JSON.stringify(key)}. ${damaged}`);
    return place;
  });
}

interface LegacyPickles {
  readonly root: PickleValue;
  /** By key, in the order in which the pickle first names them. */
  readonly storages: ReadonlyMap<string, TorchStorage>;
  /** Keys in the order of their bytes. */
  readonly keys: readonly PickleValue[];
  readonly end: number;
}

/** Five pickles follow one another; nothing says how long they are. */
async function readLegacyPickles(source: ByteSource): Promise<LegacyPickles> {
  const { size } = source;
  for (let length = source.bytes === undefined ? 2 ** 20 : size; ; length *= 4) {
    try {
      return parseLegacyPickles(await readRange(source, 0, Math.min(length, size)), source.name);
    } catch (error) {
      if (!(error instanceof PickleEnd) || length >= size) throw error;
    }
  }
}

function parseLegacyPickles(bytes: Uint8Array<ArrayBuffer>, name: string): LegacyPickles {
  let end = 0;
  const storages = new Map<string, TorchStorage>();
  const next = (): PickleValue => {
    const read = readPickle(bytes.subarray(end), {
      name,
      find: findTorchName,
      persistent(id) {
        const storage = torchStorage(id);
        const known = storages.get(storage.key);
        if (known !== undefined && (known.dtype !== storage.dtype || known.length !== storage.length)) {
          throw new FormatError(`${name}: storage ${storage.key} is described in two ways. ${damaged}`);
        }
        storages.set(storage.key, storage);
        return storage;
      },
    });
    end += read.end;
    return read.value;
  };
  if (next() !== magic) {
    throw new FormatError(
      `${name} is a pickle, but not one that torch.save has written. Fix: torch.save(state_dict, path), or safetensors.`,
    );
  }
  const protocol = next();
  if (protocol !== knownProtocol) {
    throw new FormatError(
      `${name}: it is of PyTorch's protocol ${String(protocol)}. Expected ${knownProtocol}. ${damaged}`,
    );
  }
  const system = next();
  if (!(system instanceof Map) || system.get("little_endian") !== true) {
    throw new FormatError(
      `${name} was written on a big-endian machine. Fix: write it again on another, or as safetensors.`,
    );
  }
  const root = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new FormatError(`${name}: the list of storages is missing. ${damaged}`);
  return { root, storages, keys, end };
}

/** Containers in containers, and all that is in them. */
const limits = { depth: 32, values: 1_000_000 };

/** The tensors in nested containers by name: those of inner ones begin with the way there, as in `state_dict/fc.bias`. */
function torchFile(source: ByteSource, root: PickleValue, storageOf: (key: string) => StorageBytes): TensorFile {
  const { name, size } = source;
  const tensors = new Map<string, StoredTensor>();
  let seen = 0;
  const collect = (value: PickleValue, path: string, depth: number): void => {
    if (++seen > limits.values || depth > limits.depth) {
      throw new FormatError(
        `${name}: its containers hold more than ${limits.values} values, or more than ${limits.depth} inside one another. ${damaged}`,
      );
    }
    if (value instanceof TorchTensor) {
      if (tensors.has(path))
        throw new FormatError(`${name}: two tensors are named ${JSON.stringify(path)}. ${damaged}`);
      tensors.set(path, storedTensor(value, storageOf, name, allowance(size)));
      return;
    }
    const inside = path === "" ? "" : `${path}/`;
    if (value instanceof Map) {
      for (const [key, item] of value) {
        if (typeof key === "string" || typeof key === "number") collect(item, `${inside}${key}`, depth + 1);
      }
      return;
    }
    const items = value instanceof PickleTuple ? value.items : Array.isArray(value) ? value : [];
    for (const [i, item] of items.entries()) collect(item, `${inside}${i}`, depth + 1);
  };
  collect(root, root instanceof TorchTensor ? "tensor" : "", 0);
  return { name, format: "pytorch", size, tensors, metadata: {}, close: () => source.close() };
}

function storedTensor(
  { storage, layout }: TorchTensor,
  storageOf: (key: string) => StorageBytes,
  name: string,
  maxBytes: number,
): StoredTensor {
  const { dtype } = storage;
  const { shape } = layout;
  const width = storageWidths[dtype];
  const last = lastOf(layout);
  const open = async (): Promise<ByteReader> => {
    if (last < 0) return emptyReader;
    const bytes = storageOf(storage.key);
    if ((last + 1) * width > bytes.size) {
      throw new FormatError(
        `${name}: storage ${storage.key} has ${bytes.size} bytes, and a tensor of ${shape.join("×")} reaches byte ${(last + 1) * width}. ${damaged}`,
      );
    }
    const start = layout.offset * width;
    if (isRowMajor(layout)) return bytes.open(start, storedBytes({ dtype, shape }));
    const length = (last + 1) * width - start;
    if (length > maxBytes) {
      throw new FormatError(
        `${name}: a tensor of ${shape.join("×")} lies scattered over ${length} bytes. Expected at most ${maxBytes}. Fix: save tensor.contiguous().`,
      );
    }
    const span = new Uint8Array(length);
    const reader = await bytes.open(start, length);
    await reader.fill(span).finally(() => reader.close());
    let at = 0;
    return {
      async fill(target) {
        gather(span, { ...layout, offset: 0 }, width, target, at);
        at += target.length / width;
      },
      async close() {},
    };
  };
  return { dtype, shape, open };
}

const emptyReader: ByteReader = { async fill() {}, async close() {} };
