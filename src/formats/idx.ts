/**
 * IDX, the format of MNIST: two zero bytes, a type code, the number of axes, the axes' lengths as big-endian 32-bit
 * integers, then the values in big-endian order. http://yann.lecun.com/exdb/mnist/ ("THE IDX FILE FORMAT")
 */

import type { DType } from "../core/dtype.js";
import { FormatError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import type { ByteChunks, StoredArray } from "./array.js";
import { decompress, isGzip } from "./gzip.js";
import { MAX_DEFLATE_RATIO } from "./inflate.js";

export interface IdxOptions {
  /** What to call the bytes in error messages, such as the file's name. */
  readonly name?: string;
}

export interface IdxReadOptions extends IdxOptions {
  /** Bytes that the chunks hold together, as they are stored; bounds what a damaged header can make us allocate. */
  readonly size?: number;
}

interface ElementType {
  readonly name: string;
  readonly bytes: number;
  /** What the values become; 8- and 16-bit signed integers are widened. */
  readonly dtype: DType;
}

const elementTypes = new Map<number, ElementType>([
  [0x08, { name: "uint8", bytes: 1, dtype: "uint8" }],
  [0x09, { name: "int8", bytes: 1, dtype: "int32" }],
  [0x0b, { name: "int16", bytes: 2, dtype: "int32" }],
  [0x0c, { name: "int32", bytes: 4, dtype: "int32" }],
  [0x0d, { name: "float32", bytes: 4, dtype: "float32" }],
]);

const codeOf = { uint8: 0x08, bool: 0x08, int32: 0x0c, float32: 0x0d } as const satisfies Record<DType, number>;

/** Without a known size, the most that a header may ask for. */
const MAX_BYTES = 2 ** 31;

interface Header {
  readonly element: ElementType;
  readonly shape: readonly number[];
  /** Bytes before the values. */
  readonly offset: number;
  /** Bytes of the values. */
  readonly length: number;
}

/** Reads an uncompressed IDX file. */
export function parseIdx(bytes: Uint8Array<ArrayBuffer>, options: IdxOptions = {}): StoredArray {
  const name = options.name ?? "IDX data";
  if (isGzip(bytes)) {
    throw new FormatError(`${name}: these bytes are gzip-compressed. Fix: use readIdx(), which decompresses them.`);
  }
  const filler = new Filler(name, bytes.length);
  filler.push(bytes);
  return filler.finish();
}

/** Reads an IDX file, compressed with gzip or not, holding no more than its values and one chunk at a time. */
export async function readIdx(
  source: Uint8Array<ArrayBuffer> | ByteChunks,
  options: IdxReadOptions = {},
): Promise<StoredArray> {
  const name = options.name ?? "IDX data";
  const size = source instanceof Uint8Array ? source.length : options.size;
  const { compressed, chunks } = await decompress(source, name);
  const bound = size === undefined ? MAX_BYTES : size * (compressed ? MAX_DEFLATE_RATIO : 1);
  const filler = new Filler(name, bound);
  for await (const chunk of chunks) filler.push(chunk);
  return filler.finish();
}

/** The bytes of an IDX file that holds `array`; a `bool` array is written as uint8. */
export function writeIdx(array: StoredArray): Uint8Array<ArrayBuffer> {
  const { shape, data, dtype } = array;
  if (shape.length > 255 || shape.some((length) => length > 0xffffffff) || sizeOf(shape) !== data.length) {
    throw new FormatError(
      `writeIdx: ${data.length} values cannot be written as ${formatShape(shape)}. ` +
        "Expected at most 255 axes whose product is the number of values.",
    );
  }
  const offset = 4 + 4 * shape.length;
  const bytes = new Uint8Array(offset + data.byteLength);
  const view = new DataView(bytes.buffer);
  bytes[2] = codeOf[dtype];
  bytes[3] = shape.length;
  for (const [axis, length] of shape.entries()) view.setUint32(4 + 4 * axis, length);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
  swapBytes(bytes.subarray(offset), data.BYTES_PER_ELEMENT);
  return bytes;
}

/** Takes the bytes of a file in pieces of any size: first the header, then the values into one array made for them. */
class Filler {
  readonly #name: string;
  readonly #bound: number;
  readonly #start = new Uint8Array(4 + 4 * 255);
  #header: Header | undefined;
  #values = new Uint8Array(0);
  #received = 0;

  constructor(name: string, bound: number) {
    this.#name = name;
    this.#bound = bound;
  }

  push(chunk: Uint8Array): void {
    let used = 0;
    while (this.#header === undefined && used < chunk.length) {
      this.#start[this.#received++] = chunk[used++];
      this.#header = parseHeader(this.#start, this.#received, this.#name);
      if (this.#header !== undefined) this.#allocate(this.#header);
    }
    if (this.#header === undefined || used === chunk.length) return;
    const at = this.#received - this.#header.offset;
    const rest = used === 0 ? chunk : chunk.subarray(used);
    if (at + rest.length > this.#values.length) {
      const { shape, element, offset, length } = this.#header;
      throw new FormatError(
        `${this.#name}: there are bytes after the values, from offset ${offset + length} on. Expected ${length} bytes ` +
          `of values, for ${formatShape(shape)} ${element.name}. Fix: the file is not the one its header describes; ` +
          "copy or download it again.",
      );
    }
    this.#values.set(rest, at);
    this.#received += rest.length;
  }

  finish(): StoredArray {
    if (this.#header === undefined) {
      throw new FormatError(
        `${this.#name}: the data ends after ${this.#received} bytes, inside the header. ` +
          "Expected an IDX file: 4 bytes of type and number of axes, then 4 bytes for each axis.",
      );
    }
    const { element, shape, offset, length } = this.#header;
    const found = this.#received - offset;
    if (found !== length) throw this.#short(this.#header, `only ${found} bytes of values follow`);
    swapBytes(this.#values, element.bytes);
    const { buffer } = this.#values;
    if (element.dtype === "float32") return { dtype: "float32", shape, data: new Float32Array(buffer) };
    if (element.dtype === "uint8") return { dtype: "uint8", shape, data: this.#values };
    if (element.name === "int8") return { dtype: "int32", shape, data: Int32Array.from(new Int8Array(buffer)) };
    if (element.name === "int16") return { dtype: "int32", shape, data: Int32Array.from(new Int16Array(buffer)) };
    return { dtype: "int32", shape, data: new Int32Array(buffer) };
  }

  #allocate(header: Header): void {
    if (header.offset + header.length > this.#bound) {
      throw this.#short(header, `the data can hold no more than ${this.#bound} bytes in all`);
    }
    this.#values = new Uint8Array(header.length);
  }

  #short(header: Header, found: string): FormatError {
    return new FormatError(
      `${this.#name}: the header promises ${formatShape(header.shape)} ${header.element.name}, ${header.length} bytes ` +
        `from offset ${header.offset} on, but ${found}. Fix: the file is cut short or damaged; copy or download it again.`,
    );
  }
}

/** The header, once all of it is among the first `known` bytes. */
function parseHeader(bytes: Uint8Array, known: number, name: string): Header | undefined {
  if (known < 4) return undefined;
  if (bytes[0] !== 0 || bytes[1] !== 0) {
    const found = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw new FormatError(
      `${name}: not an IDX file: it begins with the bytes ${found} at offset 0. Expected 00 00, a type code and the ` +
        "number of axes. Fix: pass the original file, such as train-images-idx3-ubyte or its .gz.",
    );
  }
  const element = elementTypes.get(bytes[2]);
  if (element === undefined) {
    const code = `0x${bytes[2].toString(16).padStart(2, "0")}`;
    const what = bytes[2] === 0x0e ? "float64 (0x0e), which float32 cannot hold exactly" : `the unknown code ${code}`;
    throw new FormatError(
      `${name}: the element type at offset 2 is ${what}. Expected 0x08 uint8, 0x09 int8, 0x0b int16, 0x0c int32 or ` +
        "0x0d float32. Fix: write the file again with one of these types.",
    );
  }
  const rank = bytes[3];
  const offset = 4 + 4 * rank;
  if (known < offset) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, offset);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const length = sizeOf(shape) * element.bytes;
  if (!Number.isSafeInteger(length)) {
    throw new FormatError(
      `${name}: the axes at offset 4 are ${formatShape(shape)}, more values than any file can hold. ` +
        "Fix: the file is damaged; copy or download it again.",
    );
  }
  return { element, shape, offset, length };
}

/** Reverses the bytes of every element: IDX is big-endian, typed arrays here are little-endian. */
function swapBytes(bytes: Uint8Array, width: number): void {
  for (let low = 0; width > 1 && low < bytes.length; low += width) {
    for (let i = 0, j = width - 1; i < j; i++, j--) {
      const held = bytes[low + i];
      bytes[low + i] = bytes[low + j];
      bytes[low + j] = held;
    }
  }
}
