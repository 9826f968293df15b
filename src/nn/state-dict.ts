/** State dictionaries: a model's weights in JavaScript's memory. */

import { kindOf } from "../core/check.js";
import type { DType, TypedArray } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import type { StorageArray } from "../formats/storage.js";

/** Values under the names of the states that they belong to, as in PyTorch: `c1.weight`, `bn.running_mean`. */
export type StateDict = Record<string, SavedTensor>;

export interface SavedTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** A tensor as the file format sees it. */
export function toStorage({ dtype, shape, data }: SavedTensor): StorageArray {
  if (data instanceof Float32Array) return { dtype: "float32", shape, data };
  if (data instanceof Int32Array) return { dtype: "int32", shape, data };
  return dtype === "bool" ? { dtype: "bool", shape, data } : { dtype: "uint8", shape, data };
}

/** Throws unless a value of a state dict is a tensor with all its elements. */
export function checkSaved(name: string, saved: SavedTensor): void {
  const { data, shape } = saved;
  const isTyped = data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array;
  if (isTyped && Array.isArray(shape) && data.length === sizeOf(shape)) return;
  throw new ArgumentError(
    `the state dict's ${JSON.stringify(name)} is no saved tensor: ${isTyped ? `${data.length} values` : kindOf(data)}, for a shape of ` +
      `${Array.isArray(shape) ? formatShape(shape) : kindOf(shape)}. Expected { dtype, shape, data } with a typed array of as many values.`,
  );
}

/** PyTorch counts batches only for a cumulative average, which nobody uses by default. */
export function isCounter(name: string): boolean {
  return name === "num_batches_tracked" || name.endsWith(".num_batches_tracked");
}
