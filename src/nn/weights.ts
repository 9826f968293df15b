/** State dictionaries as safetensors files. */

import type { DType, TypedArray } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import { parseSafetensors, writeSafetensors } from "../formats/safetensors.js";
import { convertArray, type StorageArray } from "../formats/storage.js";

/** Values under the names of the states that they belong to, as in PyTorch: `c1.weight`, `bn.running_mean`. */
export type StateDict = Record<string, SavedTensor>;

export interface SavedTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** The bytes of a safetensors file that holds `weights`. */
export function writeWeights(
  weights: StateDict,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return writeSafetensors(
    Object.entries(weights).map(([name, saved]) => [name, toStorage(saved)] as const),
    metadata,
  );
}

/**
 * The weights in a safetensors file; half precision becomes float32.
 *
 * @param name of the file, for errors
 */
export function readWeights(bytes: Uint8Array<ArrayBuffer>, name: string): StateDict {
  const weights: StateDict = {};
  for (const [key, array] of parseSafetensors(bytes, { name }).tensors) {
    if (!key.startsWith(trainingPrefix)) weights[key] = convertArray(array, `${name}: ${key}`);
  }
  return weights;
}

/** Entries under this prefix belong to training, not to the model: optimizer slots in checkpoints. */
export const trainingPrefix = "optimizer/";

/** A tensor as the file format sees it. */
export function toStorage({ dtype, shape, data }: SavedTensor): StorageArray {
  if (data instanceof Float32Array) return { dtype: "float32", shape, data };
  if (data instanceof Int32Array) return { dtype: "int32", shape, data };
  return dtype === "bool" ? { dtype: "bool", shape, data } : { dtype: "uint8", shape, data };
}
