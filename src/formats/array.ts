/** Arrays as files hold them: an element type, a shape, and the values in canonical (row-major) order. */

import type { DType, TypedArrayOf } from "../core/dtype.js";

export interface ArrayOf<D extends DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: TypedArrayOf<D>;
}

/** An array of any type that tensors compute in; `dtype` tells which. */
export type StoredArray = { [D in DType]: ArrayOf<D> }[DType];

/** Bytes that arrive piece by piece, as from a file or the network. */
export type ByteChunks = AsyncIterable<Uint8Array<ArrayBuffer>>;
