/** Element types that files hold, some of which tensors do not compute in (convert.ts makes others of them). */

import { FormatError } from "../core/errors.js";

/** The typed array for each type; float16 and bfloat16 are kept as their bits. */
export interface StorageData {
  bool: Uint8Array<ArrayBuffer>;
  uint8: Uint8Array<ArrayBuffer>;
  int8: Int8Array<ArrayBuffer>;
  int16: Int16Array<ArrayBuffer>;
  uint16: Uint16Array<ArrayBuffer>;
  float16: Uint16Array<ArrayBuffer>;
  bfloat16: Uint16Array<ArrayBuffer>;
  int32: Int32Array<ArrayBuffer>;
  float32: Float32Array<ArrayBuffer>;
  float64: Float64Array<ArrayBuffer>;
  int64: BigInt64Array<ArrayBuffer>;
}

export type StorageDType = keyof StorageData;

/** An array of any of these types; `dtype` tells which. */
export type StorageArray = {
  [D in StorageDType]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: StorageData[D] };
}[StorageDType];

/** Bytes of one element. */
export const storageWidths = {
  bool: 1,
  uint8: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  float32: 4,
  float64: 8,
  int64: 8,
} as const satisfies Record<StorageDType, number>;

/** The bytes of an array as the format's little-endian elements lie in memory. */
export function bytesOf({ data }: StorageArray): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Bytes as elements of a type: a view where their place in memory allows it, else of a copy. */
export function viewStorage(
  dtype: StorageDType,
  shape: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): StorageArray {
  const width = storageWidths[dtype];
  const { buffer, byteOffset } = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const length = bytes.length / width;
  switch (dtype) {
    case "float32":
      return { dtype, shape, data: new Float32Array(buffer, byteOffset, length) };
    case "float64":
      return { dtype, shape, data: new Float64Array(buffer, byteOffset, length) };
    case "int64":
      return { dtype, shape, data: new BigInt64Array(buffer, byteOffset, length) };
    case "int32":
      return { dtype, shape, data: new Int32Array(buffer, byteOffset, length) };
    case "int16":
      return { dtype, shape, data: new Int16Array(buffer, byteOffset, length) };
    case "int8":
      return { dtype, shape, data: new Int8Array(buffer, byteOffset, length) };
    case "uint8":
    case "bool":
      return { dtype, shape, data: new Uint8Array(buffer, byteOffset, length) };
    default:
      return { dtype, shape, data: new Uint16Array(buffer, byteOffset, length) };
  }
}

/** Throws where a truth value is neither 0 nor 1; `name` begins the message, `offset` is where in the file it begins. */
export function checkBooleans({ dtype, data }: StorageArray, name: string, offset?: number): void {
  if (dtype !== "bool") return;
  const wrong = data.findIndex((value) => value > 1);
  if (wrong === -1) return;
  const place = offset === undefined ? `as element ${wrong}` : `at offset ${offset + wrong}`;
  throw new FormatError(
    `${name} holds the byte ${data[wrong]} ${place}. Expected 0 or 1 in a tensor of truth values. Fix: save it as uint8.`,
  );
}
