/**
 * safetensors: the length of a header, the header (JSON: each tensor's type, shape and place), then the tensors' bytes
 * without gaps. https://huggingface.co/docs/safetensors
 */

import { FormatError } from "../core/errors.js";
import { formatShape, sizeOf } from "../core/shape.js";
import { isRecord, parseStrictJson } from "./json.js";
import { elementTypes, METADATA } from "./safetensors-types.js";
import { type ByteSource, readRange } from "./source.js";
import { checkBooleans, type StorageArray, type StorageDType, storageWidths, viewStorage } from "./storage.js";
import { rangeReader, type StoredTensor, type TensorFile } from "./tensor-file.js";

export interface SafetensorsFile {
  /** By name, in the order of their bytes in the file. Where alignment allows the data are views of the bytes given. */
  readonly tensors: Map<string, StorageArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The official library's limit. */
const MAX_HEADER_BYTES = 100_000_000;
/** Header, tensor, list of lengths. */
const HEADER_DEPTH = 3;

interface Place {
  readonly name: string;
  readonly dtype: StorageDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Reads a safetensors file; `options.name` is what error messages call it. */
export function parseSafetensors(
  bytes: Uint8Array<ArrayBuffer>,
  options: { readonly name?: string } = {},
): SafetensorsFile {
  const name = options.name ?? "safetensors data";
  const start = 8 + headerLength(bytes, bytes.length, name);
  const { places, metadata } = readPlaces(bytes.subarray(8, start), bytes.length - start, name);
  const tensors = new Map<string, StorageArray>();
  for (const { name: key, dtype, shape, begin, end } of places) {
    const array = viewStorage(dtype, shape, bytes.subarray(start + begin, start + end));
    checkBooleans(array, `${name}: tensor ${JSON.stringify(key)}`, start + begin);
    tensors.set(key, array);
  }
  return { tensors, metadata };
}

/** Opens a safetensors file, whose tensors are read when they are wanted. */
export async function openSafetensors(source: ByteSource): Promise<TensorFile> {
  const { name, size } = source;
  const start = 8 + headerLength(await readRange(source, 0, Math.min(8, size)), size, name);
  const { places, metadata } = readPlaces(await readRange(source, 8, start - 8), size - start, name);
  const tensors = new Map<string, StoredTensor>();
  for (const { name: key, dtype, shape, begin, end } of places) {
    const open = async () => rangeReader(source, start + begin, end - begin);
    tensors.set(key, { dtype, shape, open });
  }
  return { name, format: "safetensors", size, tensors, metadata, close: () => source.close() };
}

/** Whether a file begins like safetensors. */
export function isSafetensors(head: Uint8Array<ArrayBuffer>): boolean {
  return head.length > 8 && head[8] === 0x7b && lengthAt(head) <= MAX_HEADER_BYTES;
}

function lengthAt(head: Uint8Array<ArrayBuffer>): number {
  const view = new DataView(head.buffer, head.byteOffset, 8);
  return view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
}

function headerLength(head: Uint8Array<ArrayBuffer>, size: number, file: string): number {
  const cutShort = "Fix: the file is cut short or is not safetensors; write or download it again.";
  if (size < 8) {
    throw new FormatError(
      `${file}: ${size} bytes are too few for a safetensors file. Expected 8 bytes of header length. ${cutShort}`,
    );
  }
  const length = lengthAt(head);
  if (length > MAX_HEADER_BYTES || length > size - 8) {
    throw new FormatError(
      `${file}: the header length at offset 0 is ${length}. Expected at most ${Math.min(MAX_HEADER_BYTES, size - 8)}, ` +
        `in a file of ${size} bytes. ${cutShort}`,
    );
  }
  return length;
}

/** Where the tensors lie in the `length` bytes behind the header, in their order there. */
function readPlaces(
  headerBytes: Uint8Array<ArrayBuffer>,
  length: number,
  file: string,
): { readonly places: readonly Place[]; readonly metadata: Readonly<Record<string, string>> } {
  const header = parseHeader(headerBytes, file);
  const metadata = readMetadata(header[METADATA], file);
  const places = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => readPlace(name, entry, file))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkContiguous(places, length, file);
  return { places, metadata };
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
      `${what} has the dtype ${shown(dtype)}. Expected one of ${[...elementTypes.keys()].join(", ")}. ` +
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
  const expected = sizeOf(shape) * storageWidths[type];
  if (expected !== end - begin) {
    throw new FormatError(
      `${what} lies at offsets ${begin} to ${end}, ${end - begin} bytes. Expected ${expected} bytes, ` +
        `for ${formatShape(shape)} of ${dtype}. Fix: the file is damaged; write or download it again.`,
    );
  }
  return { name, dtype: type, shape, begin, end };
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

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 80);
}
