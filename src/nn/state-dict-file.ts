/** State dicts in memory as files. */

import { memorySource } from "../formats/source.js";
import { bytesOf } from "../formats/storage.js";
import { rangeReader, type StoredTensor, type TensorFile } from "../formats/tensor-file.js";
import { checkSaved, type StateDict, toStorage } from "./state-dict.js";

/** A state dict as an open file. @throws ArgumentError for values that are no tensors, or do not fill theirs */
export function stateDictFile(dict: StateDict): TensorFile {
  const tensors = new Map<string, StoredTensor>();
  let size = 0;
  for (const [name, saved] of Object.entries(dict)) {
    checkSaved(name, saved);
    const { dtype, shape } = saved;
    const bytes = bytesOf(toStorage(saved));
    size += bytes.length;
    tensors.set(name, { dtype, shape, open: async () => rangeReader(memorySource(bytes, name), 0, bytes.length) });
  }
  return { name: "the state dict", format: "state dict", size, tensors, metadata: {}, async close() {} };
}
