/** NumPy's .npz: a zip archive of .npy files. https://numpy.org/doc/stable/reference/generated/numpy.savez.html */

import { FormatError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import {
  checkNpyLength,
  elementsOf,
  headerRange,
  NPY_START,
  type NpyHeader,
  type NpyLayout,
  npyHeader,
  parseNpyHeader,
  parseNpyLayout,
  rowMajor,
  swapBytes,
} from "./npy.js";
import { decodeTexts, textWidth } from "./npy-text.js";
import type { ByteSource } from "./source.js";
import { type StorageDType, storageWidths } from "./storage.js";
import {
  allowance,
  type ByteReader,
  type StoredTensor,
  storedBytes,
  type TensorFile,
  type WrittenTensor,
} from "./tensor-file.js";
import type { ZipEntry } from "./zip.js";
import { zipPieces } from "./zip-writer.js";

const ending = ".npy";

/** Whether an archive is one of arrays. */
export function isNpz(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return [...entries.keys()].some((name) => name.endsWith(ending));
}

/** An array that holds no numbers that tensors have: text, or objects of Python. */
export interface OtherArray extends Omit<NpyLayout, "fortran"> {
  /** Its elements where they are text. @throws FormatError for damaged ones and more than `maxBytes` */
  readonly texts?: (maxBytes: number) => Promise<string[]>;
}

/**
 * Opens an archive of arrays, which are read when they are wanted.
 *
 * @param others is given the arrays that are no tensors, by name; without it they are refused
 */
export async function openNpz(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
  others?: Map<string, OtherArray>,
): Promise<TensorFile> {
  const { name, size } = source;
  const tensors = new Map<string, StoredTensor>();
  for (const entry of entries.values()) {
    if (!entry.name.endsWith(ending)) continue;
    const what = `${name}: ${JSON.stringify(entry.name)}`;
    const reader = await entry.open();
    const start = await readStart(reader, entry.size, what).finally(() => reader.close());
    const key = entry.name.slice(0, -ending.length);
    const layout = parseNpyLayout(start.header, what);
    if (others !== undefined && elementsOf(layout.type) === undefined) {
      others.set(key, otherArray(entry, layout, start.length, what));
      continue;
    }
    const header = parseNpyHeader(start.header, what);
    checkNpyLength(header, start.length, what);
    const { dtype, shape } = header;
    tensors.set(key, { dtype, shape, open: () => openArray(entry, header, allowance(size), what) });
  }
  return { name, format: "npz", size, tensors, metadata: {}, close: () => source.close() };
}

function otherArray(entry: ZipEntry, { type, shape }: NpyLayout, length: number, what: string): OtherArray {
  const width = textWidth(type);
  if (width === undefined) return { type, shape };
  const texts = async (maxBytes: number) => {
    const expected = sizeOf(shape) * width;
    if (width === 0 || length !== expected || length > maxBytes) {
      throw new FormatError(
        `${what}: ${formatShape(shape)} texts of ${width} bytes need ${expected}, and ${length} follow the header. Expected as many, of 1 to ${maxBytes}. Fix: write shorter texts, or, if the file is damaged, write it again.`,
      );
    }
    const reader = await entry.open();
    try {
      await readStart(reader, entry.size, what);
      const bytes = new Uint8Array(length);
      await reader.fill(bytes);
      return decodeTexts(bytes, type, width, what);
    } finally {
      await reader.close();
    }
  };
  return { type, shape, texts };
}

/** Reads what comes before the elements; tells how many bytes these have. */
async function readStart(
  reader: ByteReader,
  size: number,
  what: string,
): Promise<{ readonly header: Uint8Array<ArrayBuffer>; readonly length: number }> {
  const start = new Uint8Array(Math.min(NPY_START, size));
  await reader.fill(start);
  const { begin, end } = headerRange(start, size, what);
  const rest = new Uint8Array(Math.max(0, end - start.length));
  await reader.fill(rest);
  const bytes = new Uint8Array(start.length + rest.length);
  bytes.set(start);
  bytes.set(rest, start.length);
  return { header: bytes.subarray(begin, end), length: size - end };
}

async function openArray(entry: ZipEntry, header: NpyHeader, maxBytes: number, what: string): Promise<ByteReader> {
  const reader = await entry.open();
  try {
    await readStart(reader, entry.size, what);
    if (header.fortran && header.shape.length > 1) return await byColumns(reader, header, maxBytes, what);
  } catch (error) {
    await reader.close();
    throw error;
  }
  if (!header.swapped) return reader;
  return {
    async fill(target) {
      await reader.fill(target);
      swapBytes(target, storageWidths[header.dtype]);
    },
    close: () => reader.close(),
  };
}

/** What lies column by column has to be in memory as a whole. */
async function byColumns(reader: ByteReader, header: NpyHeader, maxBytes: number, what: string): Promise<ByteReader> {
  const length = storedBytes(header);
  if (2 * length > maxBytes) {
    throw new FormatError(
      `${what} lies column by column, which takes ${2 * length} bytes of memory to turn round. Expected at most ${maxBytes}. ` +
        "Fix: write it with numpy.ascontiguousarray.",
    );
  }
  const columns = new Uint8Array(length);
  await reader.fill(columns);
  await reader.close();
  if (header.swapped) swapBytes(columns, storageWidths[header.dtype]);
  const rows = rowMajor(columns, header);
  let at = 0;
  return {
    async fill(target) {
      target.set(rows.subarray(at, at + target.length));
      at += target.length;
    },
    async close() {},
  };
}

/** The type that a tensor is written in: NumPy has no bfloat16, all of whose values are float32's too. */
export function npzType(dtype: StorageDType): StorageDType {
  return dtype === "bfloat16" ? "float32" : dtype;
}

/** The bytes of an archive of arrays, piece by piece; stored, not compressed, as `numpy.savez` writes them. */
export function npzPieces(tensors: readonly WrittenTensor[]): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  return zipPieces(
    tensors.map((tensor) => {
      const header = npyHeader(tensor.dtype, tensor.shape);
      return {
        name: tensor.name + ending,
        size: header.length + storedBytes(tensor),
        async *pieces() {
          yield header;
          yield* tensor.pieces();
        },
      };
    }),
  );
}
