/** Files of named tensors, whatever their format: what is in them is known at once, and read when it is wanted. */

import { FormatError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { type ByteSource, checkRange } from "./source.js";
import { checkBooleans, type StorageArray, type StorageDType, storageWidths, viewStorage } from "./storage.js";

/** `state dict`: nothing but values in memory. */
export type TensorFormat = "safetensors" | "pytorch" | "npz" | "state dict";

/** An open file of tensors; close it when everything has been read. */
export interface TensorFile {
  /** What errors call it. */
  readonly name: string;
  readonly format: TensorFormat;
  /** Bytes of the file. */
  readonly size: number;
  /** By name, in the order in which they are read fastest. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What the file says about itself. */
  readonly metadata: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface StoredTensor {
  readonly dtype: StorageDType;
  readonly shape: readonly number[];
  /** Begins to read its elements: in row-major order, little-endian. */
  open(): Promise<ByteReader>;
}

/** Bytes that are read one after another. */
export interface ByteReader {
  /** Fills `target` with those that come next; the reader of a tensor has as many as the tensor. */
  fill(target: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Must be called unless all have been read. */
  close(): Promise<void>;
}

/** A tensor to be written to a file. */
export interface WrittenTensor {
  readonly name: string;
  readonly dtype: StorageDType;
  readonly shape: readonly number[];
  /** Its elements: in row-major order, little-endian. */
  pieces(): Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Bytes of a tensor's elements. */
export function storedBytes({ dtype, shape }: Pick<StoredTensor, "dtype" | "shape">): number {
  return sizeOf(shape) * storageWidths[dtype];
}

/** Reads the bytes of a source from `offset` on. */
export function rangeReader(source: ByteSource, offset: number, length: number): ByteReader {
  checkRange(source, offset, length);
  let at = offset;
  return {
    async fill(target) {
      await source.read(target, at);
      at += target.length;
    },
    async close() {},
  };
}

/** What a file may unpack to, unless told otherwise, when it is read into memory: a small file must not fill it. */
export function allowance(size: number): number {
  return 64 * 2 ** 20 + 2 * size;
}

/**
 * All elements of a tensor of the file.
 *
 * @param maxBytes that it may take in memory; default 64 MiB and twice the size of the file, which only compressed ones
 *   can exceed
 */
export async function readTensor(
  file: TensorFile,
  name: string,
  maxBytes = allowance(file.size),
): Promise<StorageArray> {
  const tensor = file.tensors.get(name);
  const what = `${file.name}: tensor ${JSON.stringify(name)}`;
  if (tensor === undefined)
    throw new FormatError(`${what} is not there. Expected one of its ${file.tensors.size} names.`);
  const length = storedBytes(tensor);
  if (length > maxBytes) {
    throw new FormatError(
      `${what} (${formatShape(tensor.shape)} ${tensor.dtype}) takes ${length} bytes, from a file of ${file.size}. ` +
        `Expected at most ${maxBytes}. Fix: if the file can be trusted, allow more with { maxBytes }.`,
    );
  }
  const bytes = new Uint8Array(length);
  const reader = await tensor.open();
  try {
    await reader.fill(bytes);
  } finally {
    await reader.close();
  }
  const array = viewStorage(tensor.dtype, tensor.shape, bytes);
  checkBooleans(array, what);
  return array;
}
