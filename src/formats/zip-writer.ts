/** Writing zip archives whose entries are stored as they are. */

import { ArgumentError } from "../core/errors.js";
import { crc32 } from "./crc32.js";

/** An entry to be written. */
export interface WrittenEntry {
  readonly name: string;
  /** Bytes of all pieces. */
  readonly size: number;
  pieces(): Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>;
}

const versionNeeded = 20;
/** Names are UTF-8; sizes and checksum follow the contents. */
const flags = 0x0808;
/** 1 January 1980, the first day that the format knows: the same contents give the same bytes. */
const date = 0x0021;
/** Contents begin at multiples of this, so that what maps the file into memory finds its numbers aligned. */
const ALIGNMENT = 64;
const paddingTag = 0x4246;
const LARGEST = 0xfffffffe;

/**
 * The bytes of an archive, piece by piece.
 *
 * @throws ArgumentError for a name that is there twice, or an archive of more than 4 GiB
 */
export async function* zipPieces(
  entries: readonly WrittenEntry[],
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const encoder = new TextEncoder();
  const directory: Uint8Array<ArrayBuffer>[] = [];
  const names = new Set<string>();
  let offset = 0;
  for (const entry of entries) {
    const { name, size } = entry;
    if (names.has(name)) throw new ArgumentError(`two tensors would be written as ${JSON.stringify(name)}.`);
    names.add(name);
    if (offset + size > LARGEST || names.size > 0xfffe) {
      throw new ArgumentError(
        "a zip archive holds at most 4 GiB and 65,534 entries here. Fix: write a .safetensors file, which has no such limits.",
      );
    }
    const key = encoder.encode(name);
    const start = localHeader(key, offset);
    yield start;
    let crc = 0;
    for await (const piece of entry.pieces()) {
      crc = crc32(piece, crc);
      yield piece;
    }
    const descriptor = record(16, [0x08074b50, 4], [crc, 4], [size, 4], [size, 4]);
    yield descriptor;
    directory.push(centralHeader(key, crc, size, offset));
    offset += start.length + size + descriptor.length;
  }
  yield* directory;
  const bytes = directory.reduce((sum, { length }) => sum + length, 0);
  const count = directory.length;
  yield record(22, [0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [bytes, 4], [offset, 4], [0, 2]);
}

function localHeader(key: Uint8Array, offset: number): Uint8Array<ArrayBuffer> {
  const unpadded = offset + 30 + key.length + 4;
  const padding = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT - unpadded;
  const header = record(
    30 + key.length + 4 + padding,
    ...([
      [0x04034b50, 4],
      [versionNeeded, 2],
      [flags, 2],
      [0, 2],
      [0, 2],
      [date, 2],
    ] as const),
    ...([
      [0, 4],
      [0, 4],
      [0, 4],
      [key.length, 2],
      [4 + padding, 2],
    ] as const),
  );
  header.set(key, 30);
  header.set(record(4, [paddingTag, 2], [padding, 2]), 30 + key.length);
  return header;
}

function centralHeader(key: Uint8Array, crc: number, size: number, offset: number): Uint8Array<ArrayBuffer> {
  const header = record(
    46 + key.length,
    ...([
      [0x02014b50, 4],
      [versionNeeded, 2],
      [versionNeeded, 2],
      [flags, 2],
      [0, 2],
      [0, 2],
      [date, 2],
    ] as const),
    ...([
      [crc, 4],
      [size, 4],
      [size, 4],
      [key.length, 2],
      [0, 2],
      [0, 2],
      [0, 2],
      [0, 2],
      [0, 4],
      [offset, 4],
    ] as const),
  );
  header.set(key, 46);
  return header;
}

/** Little-endian numbers of the given widths, one after another, in `length` bytes. */
function record(length: number, ...fields: (readonly [value: number, bytes: 2 | 4])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}
