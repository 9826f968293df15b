/**
 * safetensors: the length of a header, the header (JSON: each tensor's type, shape and place), then the tensors' bytes
 * without gaps. https://huggingface.co/docs/safetensors
 */

import { ArgumentError, FormatError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { isRecord, parseStrictJson } from "./json.js";
import type { StorageArray, StorageDType } from "./storage.js";

export interface SafetensorsFile {
  /** By name, in the order of their bytes in the file. Where alignment allows the data are views of the bytes given. */
  readonly tensors: Map<string, StorageArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface ElementType {
  readonly dtype: StorageDType;
  readonly bytes: number;
}

/** The format's names, in the order in which the official library writes: last first. */
const elementTypes = new Map<string, ElementType>([
  ["BOOL", { dtype: "bool", bytes: 1 }],
  ["U8", { dtype: "uint8", bytes: 1 }],
  ["I8", { dtype: "int8", bytes: 1 }],
  ["I16", { dtype: "int16", bytes: 2 }],
  ["U16", { dtype: "uint16", bytes: 2 }],
  ["F16", { dtype: "float16", bytes: 2 }],
  ["BF16", { dtype: "bfloat16", bytes: 2 }],
  ["I32", { dtype: "int32", bytes: 4 }],
  ["F32", { dtype: "float32", bytes: 4 }],
  ["F64", { dtype: "float64", bytes: 8 }],
  ["I64", { dtype: "int64", bytes: 8 }],
]);

const typeNames = [...elementTypes.keys()];
const nameOfType = new Map([...elementTypes].map(([name, { dtype }]) => [dtype, name]));

/** The official library's limit. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA = "__metadata__";
/** Header, tensor, list of lengths. */
const HEADER_DEPTH = 3;

interface Place {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Reads a safetensors file; `options.name` is what error messages call it. */
export function parseSafetensors(
  bytes: Uint8Array<ArrayBuffer>,
  options: { readonly name?: string } = {},
): SafetensorsFile {
  const file = options.name ?? "safetensors data";
  const headerBytes = readHeaderLength(bytes, file);
  const start = 8 + headerBytes;
  const header = parseHeader(bytes.subarray(8, start), file);
  const metadata = readMetadata(header[METADATA], file);
  const places = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => readPlace(name, entry, file))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkContiguous(places, bytes.length - start, file);
  const tensors = new Map<string, StorageArray>();
  for (const place of places) tensors.set(place.name, readTensor(bytes, start, place, file));
  return { tensors, metadata };
}

function readHeaderLength(bytes: Uint8Array<ArrayBuffer>, file: string): number {
  const cutShort = "Fix: the file is cut short or is not safetensors; write or download it again.";
  if (bytes.length < 8) {
    throw new FormatError(
      `${file}: ${bytes.length} bytes are too few for a safetensors file. Expected 8 bytes of header length. ${cutShort}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > MAX_HEADER_BYTES || length > bytes.length - 8) {
    throw new FormatError(
      `${file}: the header length at offset 0 is ${length}. Expected at most ${Math.min(MAX_HEADER_BYTES, bytes.length - 8)}, ` +
        `in a file of ${bytes.length} bytes. ${cutShort}`,
    );
  }
  return length;
}

function parseHeader(bytes: Uint8Array<ArrayBuffer>, file: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(
      `${file}: the header at offset 8 is not UTF-8. Fix: the file is damaged or is not safetensors; write it again.`,
      { cause },
    );
  }
  const header = text.startsWith("{") ? parseStrictJson(text, `${file}: header at offset 8`, HEADER_DEPTH) : undefined;
  if (!isRecord(header)) {
    throw new FormatError(
      `${file}: the header at offset 8 begins with ${JSON.stringify(text.slice(0, 12))}. Expected a JSON object, ` +
        "beginning with {. Fix: the file is not safetensors, or is damaged.",
    );
  }
  return header;
}

function readMetadata(value: unknown, file: string): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const entries: [string, string][] = [];
  for (const [key, text] of Object.entries(isRecord(value) ? value : { [METADATA]: value })) {
    if (typeof text !== "string") {
      throw new FormatError(
        `${file}: the metadata entry ${JSON.stringify(key)} is ${shown(text)}. Expected only text under ${METADATA}.`,
      );
    }
    entries.push([key, text]);
  }
  return Object.fromEntries(entries);
}

function readPlace(name: string, entry: unknown, file: string): Place {
  const what = `${file}: tensor ${JSON.stringify(name)}`;
  if (!isRecord(entry)) {
    throw new FormatError(`${what} is described by ${shown(entry)}. Expected {"dtype", "shape", "data_offsets"}.`);
  }
  const { dtype, shape, data_offsets: offsets } = entry;
  const type = typeof dtype === "string" ? elementTypes.get(dtype) : undefined;
  if (type === undefined) {
    throw new FormatError(
      `${what} has the dtype ${shown(dtype)}. Expected one of ${typeNames.join(", ")}. ` +
        "Fix: convert the tensor before saving it.",
    );
  }
  if (!isSizes(shape)) {
    throw new FormatError(`${what} has the shape ${shown(shape)}. Expected a list of integers of 0 or more.`);
  }
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw new FormatError(`${what} has the data_offsets ${shown(offsets)}. Expected [begin, end] with begin ≤ end.`);
  }
  const [begin, end] = offsets;
  const expected = sizeOf(shape) * type.bytes;
  if (expected !== end - begin) {
    throw new FormatError(
      `${what} lies at offsets ${begin} to ${end}, ${end - begin} bytes. Expected ${expected} bytes, ` +
        `for ${formatShape(shape)} of ${dtype}. Fix: the file is damaged; write or download it again.`,
    );
  }
  return { name, type, shape, begin, end };
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Tensors must fill the bytes after the header without gaps and without sharing any. */
function checkContiguous(places: readonly Place[], length: number, file: string): void {
  let end = 0;
  for (const place of places) {
    if (place.begin !== end) {
      const fault = place.begin < end ? "shares bytes with the tensor before it" : "leaves a gap before it";
      throw new FormatError(
        `${file}: tensor ${JSON.stringify(place.name)} begins at data offset ${place.begin} and ${fault}. ` +
          `Expected ${end}. Fix: the file is damaged, or was made by a faulty program; write it again.`,
      );
    }
    end = place.end;
  }
  if (end !== length) {
    throw new FormatError(
      `${file}: the tensors need ${end} bytes after the header, but there are ${length}. ` +
        "Fix: the file is cut short or has bytes added; write or download it again.",
    );
  }
}

function readTensor(bytes: Uint8Array<ArrayBuffer>, start: number, place: Place, file: string): StorageArray {
  const { type, shape } = place;
  const begin = start + place.begin;
  const length = (place.end - place.begin) / type.bytes;
  let { buffer } = bytes;
  let offset = bytes.byteOffset + begin;
  if (offset % type.bytes !== 0) {
    buffer = bytes.slice(begin, start + place.end).buffer;
    offset = 0;
  }
  switch (type.dtype) {
    case "float32":
      return { dtype: "float32", shape, data: new Float32Array(buffer, offset, length) };
    case "float64":
      return { dtype: "float64", shape, data: new Float64Array(buffer, offset, length) };
    case "int64":
      return { dtype: "int64", shape, data: new BigInt64Array(buffer, offset, length) };
    case "int32":
      return { dtype: "int32", shape, data: new Int32Array(buffer, offset, length) };
    case "int16":
      return { dtype: "int16", shape, data: new Int16Array(buffer, offset, length) };
    case "int8":
      return { dtype: "int8", shape, data: new Int8Array(buffer, offset, length) };
    case "uint8":
      return { dtype: "uint8", shape, data: new Uint8Array(buffer, offset, length) };
    case "bool": {
      const data = new Uint8Array(buffer, offset, length);
      const wrong = data.findIndex((value) => value > 1);
      if (wrong >= 0) {
        throw new FormatError(
          `${file}: tensor ${JSON.stringify(place.name)} holds the byte ${data[wrong]} at offset ${begin + wrong}. ` +
            "Expected 0 or 1 in a BOOL tensor. Fix: save it as U8.",
        );
      }
      return { dtype: "bool", shape, data };
    }
    default:
      return { dtype: type.dtype, shape, data: new Uint16Array(buffer, offset, length) };
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 80);
}

/**
 * The bytes of a safetensors file, piece by piece: the header, then each tensor. The same tensors and metadata give
 * the same bytes, whatever their order: like the official library it sorts by element type, largest first, then name.
 */
export function* safetensorsPieces(
  tensors: Iterable<readonly [string, StorageArray]>,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  const encoder = new TextEncoder();
  const sorted = [...tensors]
    .map(([name, array]) => ({ name, array, key: encoder.encode(name), rank: rankOf(array.dtype) }))
    .sort((a, b) => b.rank - a.rank || compareBytes(a.key, b.key));
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) {
    header.push([METADATA, Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))]);
  }
  const names = new Set([METADATA]);
  let begin = 0;
  for (const { name, array } of sorted) {
    checkTensor(name, array, names);
    names.add(name);
    const end = begin + array.data.byteLength;
    header.push([name, { dtype: nameOfType.get(array.dtype), shape: array.shape, data_offsets: [begin, end] }]);
    begin = end;
  }
  // Written entry by entry: an object would put names that look like numbers first.
  const text = `{${header.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`;
  const json = encoder.encode(text);
  const padded = Math.ceil(json.length / 8) * 8;
  const start = new Uint8Array(8 + padded).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(padded), true);
  start.set(json, 8);
  yield start;
  for (const { array } of sorted) {
    yield new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
  }
}

/** The bytes of a safetensors file in one array; `safetensorsPieces` needs no memory beside the tensors. */
export function writeSafetensors(
  tensors: Iterable<readonly [string, StorageArray]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const pieces = [...safetensorsPieces(tensors, metadata)];
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function checkTensor(name: string, array: StorageArray, taken: ReadonlySet<string>): void {
  if (taken.has(name) || /\p{Surrogate}/u.test(name)) {
    throw new ArgumentError(
      `writeSafetensors: ${JSON.stringify(name)} cannot be the name of a tensor here. ` +
        `Expected distinct names of valid text other than ${METADATA}.`,
    );
  }
  if (sizeOf(array.shape) !== array.data.length) {
    throw new ArgumentError(
      `writeSafetensors: tensor ${JSON.stringify(name)} has ${array.data.length} values. ` +
        `Expected ${sizeOf(array.shape)}, for ${formatShape(array.shape)}.`,
    );
  }
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
