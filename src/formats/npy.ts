/**
 * NumPy's .npy: a magic number, a version, a header (a Python dictionary) that ends at a multiple of 64 bytes, then the
 * elements. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */

import { ArgumentError, FormatError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { bytesOf, checkBooleans, type StorageArray, type StorageDType, storageWidths, viewStorage } from "./storage.js";
import { gather } from "./strided.js";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** NumPy's names of types, without the byte order. */
const types = new Map<string, StorageDType>([
  ["b1", "bool"],
  ["u1", "uint8"],
  ["i1", "int8"],
  ["i2", "int16"],
  ["u2", "uint16"],
  ["f2", "float16"],
  ["i4", "int32"],
  ["f4", "float32"],
  ["f8", "float64"],
  ["i8", "int64"],
]);

export interface NpyHeader {
  readonly dtype: StorageDType;
  readonly shape: readonly number[];
  /** Whether elements are big-endian. */
  readonly swapped: boolean;
  /** Whether they lie column by column. */
  readonly fortran: boolean;
}

/** Bytes from which `headerRange` tells where the header lies. */
export const NPY_START = 12;

/** Reads a .npy file; `name` is what errors call it. */
export function parseNpy(bytes: Uint8Array<ArrayBuffer>, name = "npy data"): StorageArray {
  const { begin, end } = headerRange(bytes, bytes.length, name);
  const header = parseNpyHeader(bytes.subarray(begin, end), name);
  checkNpyLength(header, bytes.length - end, name);
  const body = bytes.slice(end);
  if (header.swapped) swapBytes(body, storageWidths[header.dtype]);
  const array = viewStorage(header.dtype, header.shape, header.fortran ? rowMajor(body, header) : body);
  checkBooleans(array, name);
  return array;
}

/** Where the header's text lies in a file of `size` bytes, of which the first are given. */
export function headerRange(
  start: Uint8Array<ArrayBuffer>,
  size: number,
  name: string,
): { begin: number; end: number } {
  if (start.length < 10 || magic.some((byte, i) => start[i] !== byte)) {
    throw new FormatError(`${name}: it does not begin as .npy files do. Fix: pass a file that numpy.save wrote.`);
  }
  const version = start[6];
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (version < 1 || version > 3 || (version > 1 && start.length < NPY_START))
    throw new FormatError(`${name}: it is of .npy version ${version}. Expected 1, 2 or 3.`);
  const begin = version === 1 ? 10 : NPY_START;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (begin + length > size || length > 2 ** 16) {
    throw new FormatError(
      `${name}: its header is said to have ${length} bytes, but the file has ${size}. Fix: the file is cut short or damaged; write it again.`,
    );
  }
  return { begin, end: begin + length };
}

/** Throws unless `length` bytes are those of the array. */
export function checkNpyLength({ dtype, shape }: NpyHeader, length: number, name: string): void {
  const width = storageWidths[dtype];
  const expected = sizeOf(shape) * width;
  if (length === expected) return;
  throw new FormatError(
    `${name}: ${formatShape(shape)} elements of ${width} bytes need ${expected}, but ${length} follow the header. Fix: the file is cut short or damaged; write it again.`,
  );
}

/** What a header says, whatever the elements are. */
export interface NpyLayout extends Pick<NpyHeader, "shape" | "fortran"> {
  /** NumPy's, such as `<f4`; `records` where each element has several values. */
  readonly type: string;
}

/** The header of an array that tensors can be read from. */
export function parseNpyHeader(bytes: Uint8Array<ArrayBuffer>, name: string): NpyHeader {
  const { type, shape, fortran } = parseNpyLayout(bytes, name);
  const elements = elementsOf(type);
  if (elements === undefined) {
    throw new FormatError(
      `${name}: its elements are of NumPy's type '${type}'. Expected one of ${[...types.keys()].join(", ")}. Fix: array.astype("float32"), or "int64" for whole numbers.`,
    );
  }
  return { shape, fortran, ...elements };
}

/** How elements of NumPy's type are stored; undefined for those that tensors do not have. */
export function elementsOf(type: string): Pick<NpyHeader, "dtype" | "swapped"> | undefined {
  const dtype = /^[<>|=]/.test(type) ? types.get(type.slice(1)) : undefined;
  return dtype && { dtype, swapped: type.startsWith(">") };
}

/** {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } */
export function parseNpyLayout(bytes: Uint8Array<ArrayBuffer>, name: string): NpyLayout {
  const text = new TextDecoder().decode(bytes);
  const [type, plain] = /'descr'\s*:\s*(?:'([^']*)'|\[)/.exec(text) ?? [];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const lengths = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (type === undefined || order === undefined || lengths === undefined) {
    throw new FormatError(
      `${name}: its header is ${JSON.stringify(text.trim().slice(0, 80))}. Expected descr, fortran_order and shape (arrays of records cannot be read).`,
    );
  }
  const shape = lengths
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  if (shape.some((length) => !Number.isSafeInteger(length)) || !Number.isSafeInteger(sizeOf(shape)))
    throw new FormatError(`${name}: a shape of (${lengths}) is too large.`);
  return { type: plain ?? "records", shape, fortran: order === "True" };
}

/** Reverses the bytes of each element. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
}

/** Elements that lie column by column, row by row. */
export function rowMajor(bytes: Uint8Array<ArrayBuffer>, { dtype, shape }: NpyHeader): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  gather(bytes, { shape, strides, offset: 0 }, storageWidths[dtype], result, 0);
  return result;
}

const names = new Map([...types].map(([name, dtype]) => [dtype, storageWidths[dtype] === 1 ? `|${name}` : `<${name}`]));

/** The bytes of a .npy file before its elements. */
export function npyHeader(dtype: StorageDType, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const name = names.get(dtype);
  if (name === undefined) {
    throw new ArgumentError(`NumPy has no ${dtype}. Expected one of ${[...names.keys()].join(", ")}.`);
  }
  const lengths = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${name}', 'fortran_order': False, 'shape': (${lengths}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(length);
  bytes.set([...magic, 1, 0, (length - 10) & 255, (length - 10) >> 8]);
  bytes.set(new TextEncoder().encode(`${text.padEnd(length - 11)}\n`), 10);
  return bytes;
}

/** The bytes of a .npy file. */
export function writeNpy(array: StorageArray): Uint8Array<ArrayBuffer> {
  const start = npyHeader(array.dtype, array.shape);
  const bytes = new Uint8Array(start.length + array.data.byteLength);
  bytes.set(start);
  bytes.set(bytesOf(array), start.length);
  return bytes;
}
