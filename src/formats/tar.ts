/**
 * tar archives, read once from front to back: for each file a header of 512 bytes, then its contents, filled up to a
 * multiple of 512 (POSIX.1-1988 "ustar"). Nothing is written anywhere, so names of files can do no harm.
 */

import { FormatError } from "../core/errors.js";
import type { ByteChunks } from "./array.js";

const BLOCK = 512;

export interface TarEntry {
  /** The path in the archive. Names that need an extension of the format (beyond 255 bytes) appear cut. */
  readonly path: string;
  readonly size: number;
  /** Whether it is a plain file, not a folder, a link or a record of an extension. */
  readonly isFile: boolean;
  /** What the file holds; to be read, if at all, before the next entry is asked for. */
  readonly contents: ByteChunks;
}

/** The entries of an archive, in order. @throws FormatError where a header is damaged or the archive ends too soon */
export async function* readTar(chunks: ByteChunks, name: string): AsyncGenerator<TarEntry, void, undefined> {
  const bytes = new Pieces(chunks);
  try {
    for (;;) {
      const offset = bytes.offset;
      const header = await bytes.take(BLOCK);
      // The end is marked by blocks of zeros; some programs leave them out.
      if (header.length === 0 || header.every((byte) => byte === 0)) return;
      const { path, size, isFile } = parseHeader(header, offset, name);
      const end = bytes.offset + size;
      yield { path, size, isFile, contents: contentsOf(bytes, end, path, name) };
      const padded = Math.ceil(size / BLOCK) * BLOCK + offset + BLOCK;
      for await (const _ of contentsOf(bytes, padded, path, name));
    }
  } finally {
    await bytes.close();
  }
}

async function* contentsOf(bytes: Pieces, end: number, path: string, name: string): ByteChunks {
  while (bytes.offset < end) {
    const piece = await bytes.next(end - bytes.offset);
    if (piece === undefined) {
      throw new FormatError(
        `${name}: the archive ends at byte ${bytes.offset}, inside ${JSON.stringify(path)}. Expected it to go on to byte ${end}. ` +
          "Fix: the file is cut short; copy or download it again.",
      );
    }
    yield piece;
  }
}

function parseHeader(header: Uint8Array, offset: number, name: string): Omit<TarEntry, "contents"> {
  const what = `${name}: the header at byte ${offset}`;
  const fix = "Fix: this is no tar archive, or a damaged one; copy or download it again.";
  if (header.length < BLOCK) {
    throw new FormatError(`${what} has ${header.length} bytes. Expected ${BLOCK}. ${fix}`);
  }
  const checksum = octal(header.subarray(148, 156));
  // The sum is taken with blanks in its own place.
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (checksum !== sum) {
    throw new FormatError(`${what} has the checksum ${checksum ?? "of no number"}. Expected ${sum}. ${fix}`);
  }
  const size = octal(header.subarray(124, 136));
  if (size === undefined) {
    throw new FormatError(`${what} has no size in octal digits. Expected one, of less than 8 GiB. ${fix}`);
  }
  const prefix = text(header.subarray(257, 262)) === "ustar" ? text(header.subarray(345, 500)) : "";
  const path = text(header.subarray(0, 100));
  const type = header[156];
  return { path: prefix === "" ? path : `${prefix}/${path}`, size, isFile: type === 0 || type === 0x30 };
}

/** Octal digits, with blanks before them and blanks or zeros behind. */
function octal(field: Uint8Array): number | undefined {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(String.fromCharCode(...field))?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end));
}

/** Chunks, given out in pieces that end where they should. */
class Pieces {
  readonly #iterator: AsyncIterator<Uint8Array<ArrayBuffer>>;
  #chunk = new Uint8Array(0);
  /** Bytes given out so far. */
  offset = 0;

  constructor(chunks: ByteChunks) {
    this.#iterator = chunks[Symbol.asyncIterator]();
  }

  /** At least one byte and at most `most`; undefined at the end. */
  async next(most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#iterator.next();
      if (done) return undefined;
      this.#chunk = value;
    }
    const piece = this.#chunk.subarray(0, most);
    this.#chunk = this.#chunk.subarray(piece.length);
    this.offset += piece.length;
    return piece;
  }

  /** `count` bytes, or what is left of them. */
  async take(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const piece = await this.next(count - filled);
      if (piece === undefined) break;
      bytes.set(piece, filled);
      filled += piece.length;
    }
    return bytes.subarray(0, filled);
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
