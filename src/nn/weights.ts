/** State dictionaries as safetensors files. */

import { convertArray } from "../formats/convert.js";
import { parseSafetensors } from "../formats/safetensors.js";
import { writeSafetensors } from "../formats/safetensors-writer.js";
import { type StateDict, toStorage } from "./state-dict.js";

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
  const tensors = [...parseSafetensors(bytes, { name }).tensors].filter(([key]) => !key.startsWith(trainingPrefix));
  return Object.fromEntries(tensors.map(([key, array]) => [key, convertArray(array, `${name}: ${key}`)]));
}

/** Entries under this prefix belong to training, not to the model: optimizer slots in checkpoints. */
export const trainingPrefix = "optimizer/";
