/** Weights to files. */

import { convertedType, type WriteDType, writerFor, writtenArray } from "../formats/write.js";
import { type StateDict, toStorage } from "./state-dict.js";

export interface SaveWeightsOptions {
  /** The type that floating-point numbers are written in. Default: as they are, float32. */
  readonly dtype?: WriteDType;
  /** What a safetensors file says about itself; other formats have no place for it. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The bytes of a file with a state dict, in the format that the file's name ends in; see `Module.save`. */
export function writeStateDict(
  dict: StateDict,
  path: string,
  { dtype, metadata = {} }: SaveWeightsOptions,
): AsyncIterable<Uint8Array> {
  const writer = writerFor(path);
  const tensors = Object.entries(dict).map(([name, saved]) => {
    const array = toStorage(saved);
    return writtenArray(name, array, writer.typeOf(convertedType(array.dtype, dtype)));
  });
  return writer.pieces(tensors, metadata);
}
