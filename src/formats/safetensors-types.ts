/** What reading and writing safetensors have in common. */

import type { StorageDType } from "./storage.js";

/** The format's names, in the order in which the official library writes: last first. */
export const elementTypes: ReadonlyMap<string, StorageDType> = new Map([
  ["BOOL", "bool"],
  ["U8", "uint8"],
  ["I8", "int8"],
  ["I16", "int16"],
  ["U16", "uint16"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["I32", "int32"],
  ["F32", "float32"],
  ["F64", "float64"],
  ["I64", "int64"],
]);

/** The entry of the header that is no tensor. */
export const METADATA = "__metadata__";
