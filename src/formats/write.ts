/** Writing files of tensors in any format. */

import { ArgumentError } from "../core/errors.js";
import { convertStorage, isFloating } from "./convert.js";
import { npzPieces, npzType } from "./npz.js";
import { safetensorsPieces } from "./safetensors-writer.js";
import { bytesOf, checkBooleans, type StorageArray, type StorageDType, storageWidths, viewStorage } from "./storage.js";
import { type StoredTensor, storedBytes, type TensorFormat, type WrittenTensor } from "./tensor-file.js";
import { torchPieces, torchType } from "./torch-writer.js";

/** How files of a format are written. */
export interface TensorWriter {
  readonly format: TensorFormat;
  readonly extensions: readonly string[];
  /** The type that one is written in where the format lacks its own; it has the same values. */
  typeOf(dtype: StorageDType): StorageDType;
  /** The bytes of a file, piece by piece. Only safetensors has a place for what a file says about itself. */
  pieces(tensors: readonly WrittenTensor[], metadata: Readonly<Record<string, string>>): AsyncIterable<Uint8Array>;
}

const writers: readonly TensorWriter[] = [
  { format: "safetensors", extensions: [".safetensors"], typeOf: (dtype) => dtype, pieces: safetensorsPieces },
  { format: "npz", extensions: [".npz"], typeOf: npzType, pieces: npzPieces },
  { format: "pytorch", extensions: [".pth", ".pt", ".th", ".bin"], typeOf: torchType, pieces: torchPieces },
];

/** The writer for a file of this name. @throws ArgumentError that names the endings there are */
export function writerFor(path: string): TensorWriter {
  const writer = writers.find(({ extensions }) => extensions.some((ending) => path.toLowerCase().endsWith(ending)));
  if (writer !== undefined) return writer;
  const endings = writers.flatMap(({ extensions }) => extensions).join(", ");
  throw new ArgumentError(
    `the name ${path} does not say which format is to be written. Expected one that ends in ${endings}. Fix: ${path}.safetensors, for example.`,
  );
}

/** An array in memory as a tensor to be written. */
export function writtenArray(name: string, array: StorageArray, dtype: StorageDType): WrittenTensor {
  return { name, dtype, shape: array.shape, pieces: () => [bytesOf(convertStorage(array, name, dtype))] };
}

const CHUNK = 2 ** 22;

/** A tensor of a file as one to be written, in another type if wanted; memory holds a piece of it at a time. */
export function rewritten(name: string, tensor: StoredTensor, dtype: StorageDType, what: string): WrittenTensor {
  return {
    name,
    dtype,
    shape: tensor.shape,
    async *pieces() {
      const width = storageWidths[tensor.dtype];
      const total = storedBytes(tensor);
      if (total === 0) return;
      const reader = await tensor.open();
      try {
        for (let at = 0; at < total; at += CHUNK) {
          const bytes = new Uint8Array(Math.min(CHUNK, total - at));
          await reader.fill(bytes);
          const array = viewStorage(tensor.dtype, [bytes.length / width], bytes);
          checkBooleans(array, what);
          yield bytesOf(convertStorage(array, what, dtype));
        }
      } finally {
        await reader.close();
      }
    },
  };
}

/** Types that floating-point numbers can be written in. */
export type WriteDType = "float16" | "bfloat16" | "float32" | "float64";

/** The type that a tensor is written in when floating-point numbers shall be `wanted`: others stay as they are. */
export function convertedType(dtype: StorageDType, wanted: WriteDType | undefined): StorageDType {
  return wanted !== undefined && isFloating(dtype) ? wanted : dtype;
}
