/** Writing safetensors files (safetensors.ts). */

import { ArgumentError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { elementTypes, METADATA } from "./safetensors-types.js";
import { bytesOf, type StorageArray, type StorageDType } from "./storage.js";
import { storedBytes, type WrittenTensor } from "./tensor-file.js";

const typeNames = [...elementTypes.keys()];
const nameOfType = new Map([...elementTypes].map(([name, dtype]) => [dtype, name]));

/**
 * The bytes of a safetensors file in one array. The same tensors and metadata give the same bytes, whatever their order:
 * like the official library it sorts by element type, largest first, then name.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, StorageArray]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const { start, sorted, end } = layOut(
    [...tensors].map(([name, array]) => ({ name, dtype: array.dtype, shape: array.shape, array })),
    metadata,
  );
  const bytes = new Uint8Array(start.length + end);
  bytes.set(start);
  let at = start.length;
  for (const { name, array } of sorted) {
    checkLength(name, array);
    bytes.set(bytesOf(array), at);
    at += array.data.byteLength;
  }
  return bytes;
}

/** The same bytes piece by piece, for tensors that need not be in memory together. */
export async function* safetensorsPieces(
  tensors: readonly WrittenTensor[],
  metadata: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { start, sorted } = layOut(tensors, metadata);
  yield start;
  for (const tensor of sorted) yield* tensor.pieces();
}

/** The bytes before the tensors, the tensors in the order of theirs, and how many bytes those take. */
function layOut<T extends Pick<WrittenTensor, "name" | "dtype" | "shape">>(
  tensors: readonly T[],
  metadata: Readonly<Record<string, string>>,
): { readonly start: Uint8Array<ArrayBuffer>; readonly sorted: readonly T[]; readonly end: number } {
  const encoder = new TextEncoder();
  const sorted = tensors
    .map((tensor) => ({ tensor, key: encoder.encode(tensor.name), rank: rankOf(tensor.dtype) }))
    .sort((a, b) => b.rank - a.rank || compareBytes(a.key, b.key))
    .map(({ tensor }) => tensor);
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) {
    header.push([METADATA, Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))]);
  }
  const names = new Set([METADATA]);
  let begin = 0;
  for (const { name, dtype, shape } of sorted) {
    checkName(name, names);
    names.add(name);
    const end = begin + storedBytes({ dtype, shape });
    header.push([name, { dtype: nameOfType.get(dtype), shape, data_offsets: [begin, end] }]);
    begin = end;
  }
  // Written entry by entry: an object would put names that look like numbers first.
  const text = `{${header.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`;
  const json = encoder.encode(text);
  const padded = Math.ceil(json.length / 8) * 8;
  const start = new Uint8Array(8 + padded).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true);
  start.set(json, 8);
  return { start, sorted, end: begin };
}

function checkName(name: string, taken: ReadonlySet<string>): void {
  if (taken.has(name) || /\p{Surrogate}/u.test(name)) {
    throw new ArgumentError(
      `writeSafetensors: ${JSON.stringify(name)} cannot be the name of a tensor here. ` +
        `Expected distinct names of valid text other than ${METADATA}.`,
    );
  }
}

function checkLength(name: string, { shape, data }: StorageArray): void {
  if (sizeOf(shape) === data.length) return;
  throw new ArgumentError(
    `writeSafetensors: tensor ${JSON.stringify(name)} has ${data.length} values. ` +
      `Expected ${sizeOf(shape)}, for ${formatShape(shape)}.`,
  );
}

function rankOf(dtype: StorageDType): number {
  return typeNames.indexOf(nameOfType.get(dtype) ?? "");
}

/** Order of names as UTF-8, which differs from that of JavaScript's strings beyond the basic plane. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
