/**
 * `fovea/formats`: files of named tensors, without a model. Works in Node and in browsers.
 */

import { platform } from "#platform";
import { ArgumentError } from "./core/errors.js";
import { openTensorFile } from "./formats/open.js";
import { sourceOf } from "./formats/source.js";
import type { StorageArray } from "./formats/storage.js";
import type { TensorFile } from "./formats/tensor-file.js";
import { convertedType, type WriteDType, writerFor, writtenArray } from "./formats/write.js";

export type { StorageArray, StorageDType } from "./formats/storage.js";
export {
  type ByteReader,
  readTensor,
  type StoredTensor,
  type TensorFile,
  type TensorFormat,
} from "./formats/tensor-file.js";
export type { WriteDType } from "./formats/write.js";

/**
 * Opens a file of tensors: safetensors, PyTorch's of both layouts, NumPy's .npz; what it holds tells which. Names, types and
 * shapes are known at once; elements are read when they are wanted. Tensors in nested dictionaries have the way to them
 * before their names: `state_dict/fc.bias`.
 *
 * @param source a path (in browsers a URL), a URL, a File or Blob, or bytes
 * @throws FormatError where the format is unknown, or the file damaged; FileError where it cannot be read
 * @example
 * const file = await openTensors("model.pth");
 * for (const [name, { dtype, shape }] of file.tensors) console.log(name, dtype, shape);
 * const { data } = await readTensor(file, "fc.bias");
 * await file.close();
 */
export async function openTensors(
  source: string | URL | Blob | Uint8Array | ArrayBuffer,
  options: { readonly signal?: AbortSignal } = {},
): Promise<TensorFile> {
  const isPath = typeof source === "string" || source instanceof URL;
  return openTensorFile(isPath ? await platform.files.open(source, options.signal) : sourceOf(source));
}

/**
 * The bytes of a file with these tensors; its name tells the format, by ending in `.safetensors`, `.npz`, or `.pth`, `.pt`,
 * `.th`, `.bin`.
 *
 * @throws ArgumentError for another ending; DataError for values that `dtype` cannot hold
 * @example
 * const bytes = await writeTensors("kernels.npz", { edges: { dtype: "float32", shape: [3, 3], data } });
 */
export async function writeTensors(
  name: string,
  tensors: Readonly<Record<string, StorageArray>>,
  options: { readonly dtype?: WriteDType; readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = writerFor(name);
  const written = Object.entries(tensors).map(([key, array]) => {
    const size = array.shape.reduce((product, length) => product * length, 1);
    if (array.data.length !== size) {
      throw new ArgumentError(
        `writeTensors: ${key} has ${array.data.length} values. Expected ${size}, for the shape ${array.shape.join("×")}.`,
      );
    }
    return writtenArray(key, array, writer.typeOf(convertedType(array.dtype, options.dtype)));
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of writer.pieces(written, options.metadata ?? {})) pieces.push(piece);
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
