/** Element types: what a tensor computes in, and what may also be stored. */

/** Types that ops compute in. A `bool` is stored as one byte, 0 or 1. */
export type DType = "float32" | "int32" | "uint8" | "bool";

/** The typed array that holds a tensor's values in JavaScript. */
export type TypedArrayOf<D extends DType> = D extends "float32"
  ? Float32Array<ArrayBuffer>
  : D extends "int32"
    ? Int32Array<ArrayBuffer>
    : Uint8Array<ArrayBuffer>;

export type TypedArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

const bytesOf = { float32: 4, int32: 4, uint8: 1, bool: 1 } as const satisfies Record<DType, number>;

export const dtypes = Object.keys(bytesOf) as DType[];

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return bytesOf[dtype];
}

/** A zero-filled typed array of `length` elements. */
export function allocate<D extends DType>(dtype: D, length: number): TypedArrayOf<D>;
export function allocate(dtype: DType, length: number): TypedArray {
  if (dtype === "float32") return new Float32Array(length);
  if (dtype === "int32") return new Int32Array(length);
  return new Uint8Array(length);
}

/** Reads the bytes of `buffer` as elements of `dtype`. */
export function viewBytes<D extends DType>(dtype: D, buffer: ArrayBuffer): TypedArrayOf<D>;
export function viewBytes(dtype: DType, buffer: ArrayBuffer): TypedArray {
  if (dtype === "float32") return new Float32Array(buffer);
  if (dtype === "int32") return new Int32Array(buffer);
  return new Uint8Array(buffer);
}

/** Bytes of `count` elements. */
export function sizeBytes(dtype: DType, count: number): number {
  return bytesOf[dtype] * count;
}
