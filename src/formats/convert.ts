/** Exact conversion between the element types of files. */

import type { DType } from "../core/dtype.js";
import { DataError } from "../core/errors.js";
import type { StoredArray } from "./array.js";
import { type StorageArray, type StorageData, type StorageDType, storageWidths, viewStorage } from "./storage.js";

/** The type that tensors compute in which holds each type of element best. */
export const naturalTypes = {
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

/**
 * The same values in a type that tensors compute in: `dtype`, or when left out the one that holds them best (floating
 * point becomes float32, integers int32). float64 is rounded to float32; any other value that would change is an
 * error. `name` begins its message.
 */
export function convertArray(array: StorageArray, name: string, dtype?: DType): StoredArray {
  const converted = convertStorage(array, name, dtype ?? naturalTypes[array.dtype]);
  if (converted.dtype === "float32" || converted.dtype === "int32") return converted;
  if (converted.dtype === "uint8" || converted.dtype === "bool") return converted;
  throw new TypeError(`${converted.dtype} is not computed in`);
}

/**
 * The same values in any type of element. Floating point is rounded to the nearest value of a narrower type, and is an
 * error beyond its range; any other value that would change is one too. `name` begins its message.
 */
export function convertStorage(array: StorageArray, name: string, dtype: StorageDType): StorageArray {
  if (array.dtype === dtype) return array;
  if (array.dtype === "float16" && dtype === "float32") return widenHalf(array.shape, array.data);
  if (array.dtype === "bfloat16" && dtype === "float32") return widenBrain(array.shape, array.data);
  const result = viewStorage(dtype, array.shape, new Uint8Array(array.data.length * storageWidths[dtype]));
  const mayRound = isFloating(array.dtype) && isFloating(dtype);
  const read = reader(array);
  const kept = reader(result);
  const write = writer(result);
  for (let i = 0; i < array.data.length; i++) {
    const value = read(i);
    // An int64 beyond 2^53 has been rounded on its way to a number.
    const exact = array.dtype !== "int64" || Number.isSafeInteger(value);
    if (!exact || !write(i, value)) throw misfit(array, i, name, dtype);
    const now = kept(i);
    const fits = Object.is(now, value) || now === value || (mayRound && Number.isFinite(now));
    if (!fits || (dtype === "bool" && now > 1)) throw misfit(array, i, name, dtype);
  }
  return result;
}

function misfit({ dtype, data }: StorageArray, index: number, name: string, target: StorageDType): DataError {
  const value = dtype === "float16" || dtype === "bfloat16" ? reader({ dtype, shape: [], data })(index) : data[index];
  return new DataError(
    `${name}: the ${dtype} value ${value} at index ${index} does not fit ${target}. Expected ${ranges[target]}. ` +
      "Fix: convert to another type, or change the values in the file.",
  );
}

export function isFloating(dtype: StorageDType): boolean {
  return dtype === "float16" || dtype === "bfloat16" || dtype === "float32" || dtype === "float64";
}

const ranges = {
  float64: "a value that float64 holds exactly",
  float32: "a finite value, and for integers one that float32 holds exactly (up to 2^24)",
  float16: "a value up to 65504, and for integers one that float16 holds exactly (up to 2048)",
  bfloat16: "a finite value, and for integers one that bfloat16 holds exactly (up to 256)",
  int64: "an integer",
  int32: "an integer from -2147483648 to 2147483647",
  int16: "an integer from -32768 to 32767",
  int8: "an integer from -128 to 127",
  uint16: "an integer from 0 to 65535",
  uint8: "an integer from 0 to 255",
  bool: "0 or 1",
} as const satisfies Record<StorageDType, string>;

/** Reads value `i` as a number. */
function reader(array: StorageArray): (i: number) => number {
  const { dtype, data } = array;
  if (dtype === "float16") return (i) => float16Value(data[i]);
  if (dtype === "bfloat16") return (i) => bfloat16Value(data[i]);
  if (dtype === "int64") return (i) => Number(data[i]);
  return (i) => data[i];
}

/** Writes a number as value `i`; says whether it could be written at all. */
function writer(array: StorageArray): (i: number, value: number) => boolean {
  const { dtype, data } = array;
  if (dtype === "int64") {
    return (i, value) => {
      if (!Number.isInteger(value)) return false;
      data[i] = BigInt(value);
      return true;
    };
  }
  const encode = dtype === "float16" ? float16Bits : dtype === "bfloat16" ? bfloat16Bits : (value: number) => value;
  return (i, value) => {
    data[i] = encode(value);
    return true;
  };
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

/** The bits of the half nearest to a number, ties to even. */
export function float16Bits(value: number): number {
  const magnitude = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (Number.isNaN(value)) return 0x7e00;
  // Halfway to the next power of two, and beyond, is infinite.
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = magnitude < 2 ** -14 ? -14 : Math.floor(Math.log2(magnitude));
  // In units of the last place: 0 … 2048, where 1024 and more are normal. An exponent one too small or too large, as
  // log2 may give beside a power of two, makes 2048 or 1023: the same number, written otherwise.
  const scaled = magnitude * 2 ** (10 - exponent);
  const rounded = roundToEven(scaled);
  return sign | (((exponent + 14) << 10) + rounded);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

const wordBits = new Uint32Array(1);
const wordFloat = new Float32Array(wordBits.buffer);

/** The number that the bits of a bfloat16 stand for: they are the upper half of a float32. */
export function bfloat16Value(bits: number): number {
  wordBits[0] = bits << 16;
  return wordFloat[0];
}

/** The upper half of the float32 nearest to a number, rounded to the nearest, ties to even. */
function bfloat16Bits(value: number): number {
  wordFloat[0] = value;
  if (Number.isNaN(value)) return 0x7fc0;
  const bits = wordBits[0];
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

let halves: Float32Array<ArrayBuffer> | undefined;

function widenHalf(shape: readonly number[], data: StorageData["float16"]): StorageArray {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => float16Value(bits));
  const values = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) values[i] = halves[data[i]];
  return { dtype: "float32", shape, data: values };
}

function widenBrain(shape: readonly number[], data: StorageData["bfloat16"]): StorageArray {
  const bits = new Uint32Array(data.length);
  for (let i = 0; i < data.length; i++) bits[i] = data[i] << 16;
  return { dtype: "float32", shape, data: new Float32Array(bits.buffer) };
}
