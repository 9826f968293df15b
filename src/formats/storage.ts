/** Element types that files hold, some of which tensors do not compute in, and exact conversion between them. */

import type { DType, TypedArrayOf } from "../core/dtype.js";
import { DataError } from "../core/errors.js";
import type { StoredArray } from "./array.js";

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

/**
 * The same values in a type that tensors compute in: `dtype`, or when left out the one that holds them best (floating
 * point becomes float32, integers int32). float64 is rounded to float32; any other value that would change is an
 * error. `name` begins its message.
 */
export function convertArray(array: StorageArray, name: string, dtype?: DType): StoredArray {
  const { shape } = array;
  const target = dtype ?? naturalTypes[array.dtype];
  if (array.dtype === target) return array;
  const read = reader(array);
  const rounds = array.dtype === "float64" && target === "float32";
  const data = allocators[target](array.data.length);
  for (let i = 0; i < data.length; i++) {
    const value = read(i);
    data[i] = value;
    const kept = data[i];
    // An int64 beyond 2^53 has been rounded on its way to a number.
    const exact = array.dtype !== "int64" || Number.isSafeInteger(value);
    const fits = exact && (Object.is(kept, value) || kept === value || (rounds && Number.isFinite(kept)));
    if (!fits || (target === "bool" && kept > 1)) {
      throw new DataError(
        `${name}: the ${array.dtype} value ${array.dtype === "int64" ? array.data[i] : value} at index ${i} does not fit ` +
          `${target}. Expected ${rangeOf(target)}. Fix: convert to another type, or change the values in the file.`,
      );
    }
  }
  return withData(target, shape, data);
}

const naturalTypes = {
  bool: "bool",
  uint8: "uint8",
  int8: "int32",
  int16: "int32",
  uint16: "int32",
  int32: "int32",
  int64: "int32",
  float16: "float32",
  bfloat16: "float32",
  float32: "float32",
  float64: "float32",
} as const satisfies Record<StorageDType, DType>;

const allocators: { readonly [D in DType]: (length: number) => TypedArrayOf<D> } = {
  bool: (length) => new Uint8Array(length),
  uint8: (length) => new Uint8Array(length),
  int32: (length) => new Int32Array(length),
  float32: (length) => new Float32Array(length),
};

function withData(dtype: DType, shape: readonly number[], data: StoredArray["data"]): StoredArray {
  if (data instanceof Float32Array) return { dtype: "float32", shape, data };
  if (data instanceof Int32Array) return { dtype: "int32", shape, data };
  return { dtype: dtype === "bool" ? "bool" : "uint8", shape, data };
}

function rangeOf(dtype: DType): string {
  if (dtype === "float32") return "a finite value, and for integers one that float32 holds exactly (up to 2^24)";
  if (dtype === "int32") return "an integer from -2147483648 to 2147483647";
  return dtype === "bool" ? "0 or 1" : "an integer from 0 to 255";
}

/** Reads value `i` as a number. */
function reader(array: StorageArray): (i: number) => number {
  const { dtype, data } = array;
  if (dtype === "float16") return (i) => float16Value(data[i]);
  if (dtype === "bfloat16") return (i) => bfloat16Value(data[i]);
  if (dtype === "int64") return (i) => Number(data[i]);
  return (i) => data[i];
}

/** The number that the bits of an IEEE 754 half stand for. */
export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);

/** The number that the bits of a bfloat16 stand for: they are the upper half of a float32. */
export function bfloat16Value(bits: number): number {
  word[0] = bits << 16;
  return wordAsFloat[0];
}
