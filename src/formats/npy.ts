/**
 * NumPy's .npy: a magic number, a version, a header (a Python dictionary) that ends at a multiple of 64 bytes, then the
 * elements. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */

import { FormatError } from "../core/errors.js";
import { formatShape, sizeOf, stridesOf } from "../core/shape.js";
import type { StoredArray } from "./array.js";
import type { StorageArray, StorageData, StorageDType } from "./storage.js";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** NumPy's names of types, without the byte order, and how their elements are read (little-endian or not). */
const types: Readonly<Record<string, { readonly dtype: StorageDType; readonly bytes: number }>> = {
  b1: { dtype: "bool", bytes: 1 },
  u1: { dtype: "uint8", bytes: 1 },
  i1: { dtype: "int8", bytes: 1 },
  i2: { dtype: "int16", bytes: 2 },
  u2: { dtype: "uint16", bytes: 2 },
  f2: { dtype: "float16", bytes: 2 },
  i4: { dtype: "int32", bytes: 4 },
  f4: { dtype: "float32", bytes: 4 },
  f8: { dtype: "float64", bytes: 8 },
  i8: { dtype: "int64", bytes: 8 },
};

const makers: { readonly [D in StorageDType]: (buffer: ArrayBuffer) => StorageData[D] } = {
  bool: (buffer) => new Uint8Array(buffer),
  uint8: (buffer) => new Uint8Array(buffer),
  int8: (buffer) => new Int8Array(buffer),
  int16: (buffer) => new Int16Array(buffer),
  uint16: (buffer) => new Uint16Array(buffer),
  float16: (buffer) => new Uint16Array(buffer),
  bfloat16: (buffer) => new Uint16Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  float32: (buffer) => new Float32Array(buffer),
  float64: (buffer) => new Float64Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
};

interface Header {
  readonly type: { readonly dtype: StorageDType; readonly bytes: number };
  readonly swapped: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
}

/** Reads a .npy file; `name` is what errors call it. */
export function parseNpy(bytes: Uint8Array<ArrayBuffer>, name = "npy data"): StorageArray {
  const { header, start } = readHeader(bytes, name);
  const { type, swapped, fortran, shape } = header;
  const count = sizeOf(shape);
  if (bytes.length - start !== count * type.bytes) {
    throw new FormatError(
      `${name}: ${formatShape(shape)} elements of ${type.bytes} bytes need ${count * type.bytes}, but ${bytes.length - start} follow the header. Fix: the file is cut short or damaged; write it again.`,
    );
  }
  const body = bytes.slice(start);
  if (swapped) swapBytes(body, type.bytes);
  const ordered = fortran ? toRowMajor(body, type.bytes, shape) : body;
  if (type.dtype === "bool" && ordered.some((value) => value > 1))
    throw new FormatError(`${name}: a truth value is neither 0 nor 1. Fix: the file is damaged; write it again.`);
  return { dtype: type.dtype, shape, data: makers[type.dtype](ordered.buffer) } as StorageArray;
}

function readHeader(bytes: Uint8Array<ArrayBuffer>, name: string): { header: Header; start: number } {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw new FormatError(`${name}: it does not begin as .npy files do. Fix: pass a file that numpy.save wrote.`);
  }
  const version = bytes[6];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (version < 1 || version > 3 || (version > 1 && bytes.length < 12))
    throw new FormatError(`${name}: it is of .npy version ${version}. Expected 1, 2 or 3.`);
  const begin = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = begin + length;
  if (start > bytes.length || length > 2 ** 20) {
    throw new FormatError(
      `${name}: its header is said to have ${length} bytes, but the file has ${bytes.length}. Fix: the file is cut short or damaged; write it again.`,
    );
  }
  return { header: parseHeader(new TextDecoder().decode(bytes.subarray(begin, start)), name), start };
}

/** {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
function parseHeader(text: string, name: string): Header {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const lengths = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || lengths === undefined) {
    throw new FormatError(
      `${name}: its header is ${JSON.stringify(text.trim().slice(0, 80))}. Expected descr, fortran_order and shape (arrays of records cannot be read).`,
    );
  }
  const type = types[descr.slice(1)];
  if (!/^[<>|=]/.test(descr) || type === undefined) {
    throw new FormatError(
      `${name}: its elements are of NumPy's type '${descr}'. Expected one of ${Object.keys(types).join(", ")}. Fix: array.astype("float32").`,
    );
  }
  const shape = lengths
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  if (shape.some((length) => !Number.isSafeInteger(length)) || !Number.isSafeInteger(sizeOf(shape)))
    throw new FormatError(`${name}: a shape of (${lengths}) is too large.`);
  return { type, swapped: descr.startsWith(">"), fortran: order === "True", shape };
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}

/** Elements that lie column by column, row by row. */
function toRowMajor(bytes: Uint8Array<ArrayBuffer>, size: number, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length);
  const strides = stridesOf(shape);
  const count = sizeOf(shape);
  for (let from = 0; from < count; from++) {
    let rest = from;
    let to = 0;
    for (const [axis, length] of shape.entries()) {
      to += (rest % length) * strides[axis];
      rest = Math.floor(rest / length);
    }
    result.set(bytes.subarray(from * size, (from + 1) * size), to * size);
  }
  return result;
}

const names = { float32: "<f4", int32: "<i4", uint8: "|u1", bool: "|b1" } as const;

/** The bytes of a .npy file. */
export function writeNpy({ dtype, shape, data }: StoredArray): Uint8Array<ArrayBuffer> {
  const lengths = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${names[dtype]}', 'fortran_order': False, 'shape': (${lengths}), }`;
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  bytes.set([...magic, 1, 0, (start - 10) & 255, (start - 10) >> 8]);
  bytes.set(new TextEncoder().encode(`${text.padEnd(start - 11)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), start);
  return bytes;
}
