/**
 * zip archives, read by their directory at the end: entries in any order, stored or deflated, and their checksums.
 * PKWARE's APPNOTE 6.3.10. Everything that the directory claims is compared with what is there before it is used:
 * entries may not overlap, nor unpack to more than DEFLATE can, nor be there twice.
 */

import { FormatError } from "../core/errors.js";
import type { ByteChunks } from "./array.js";
import { crc32 } from "./crc32.js";
import { inflate, MAX_DEFLATE_RATIO } from "./inflate.js";
import { type ByteSource, readRange } from "./source.js";
import { type ByteReader, rangeReader } from "./tensor-file.js";

export interface ZipEntry {
  readonly name: string;
  /** Bytes that it unpacks to. */
  readonly size: number;
  /** Whether its bytes lie in the file as they are. */
  readonly stored: boolean;
  /** Begins to read it; with the last byte its checksum is compared. */
  open(): Promise<ByteReader>;
  /** Where its bytes lie in the file, if they are stored; these are not checked. */
  locate(): Promise<number>;
}

const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
const sizes = { local: 30, central: 46, end: 22, end64: 56, locator64: 20, longestComment: 65535 };
/** Archives of tensors have far fewer; each takes some memory. */
const MAX_ENTRIES = 2 ** 17;
/** In a record whose number does not fit: it is in the extension for large files. */
const LARGE = 0xffffffff;
const PIECE = 2 ** 18;

const damaged = "Fix: the file is cut short or damaged; write or download it again.";

interface Directory {
  readonly offset: number;
  readonly bytes: number;
  readonly entries: number;
}

interface Place {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly offset: number;
}

/** Whether a file begins as zip archives do. */
export function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6));
}

/**
 * The entries of an archive by name, in the order of their bytes; folders are left out.
 *
 * @param folders is given the names of folders that have entries of their own, as empty ones have
 */
export async function openZip(source: ByteSource, folders?: string[]): Promise<ReadonlyMap<string, ZipEntry>> {
  const directory = await findDirectory(source);
  const places = parseDirectory(await readRange(source, directory.offset, directory.bytes), directory, source);
  places.sort((a, b) => a.offset - b.offset);
  const entries = new Map<string, ZipEntry>();
  for (const [i, place] of places.entries()) {
    const limit = i + 1 < places.length ? places[i + 1].offset : directory.offset;
    if (place.offset + sizes.local + place.compressed > limit) {
      throw new FormatError(
        `${source.name}: ${JSON.stringify(place.name)} is said to take ${place.compressed} bytes from offset ${place.offset}, where ` +
          `${i + 1 < places.length ? "another entry" : "the directory"} begins at ${limit}. ${damaged}`,
      );
    }
    if (entries.has(place.name)) {
      throw new FormatError(`${source.name}: the entry ${JSON.stringify(place.name)} is there twice. ${damaged}`);
    }
    if (place.name.endsWith("/")) folders?.push(place.name);
    else entries.set(place.name, entryOf(source, place, limit));
  }
  return entries;
}

/** Looks for the record that ends an archive, from behind: a comment may follow it. */
async function findDirectory(source: ByteSource): Promise<Directory> {
  const length = Math.min(source.size, sizes.end + sizes.longestComment);
  const start = source.size - length;
  const bytes = await readRange(source, start, length);
  const view = viewOf(bytes);
  for (let at = length - sizes.end; at >= 0; at--) {
    if (view.getUint32(at, true) !== signatures.end) continue;
    if (at + sizes.end + view.getUint16(at + 20, true) !== length) continue;
    const small = { entries: view.getUint16(at + 10, true), bytes: view.getUint32(at + 12, true) };
    const offset = view.getUint32(at + 16, true);
    const isLarge = small.entries === 0xffff || small.bytes === LARGE || offset === LARGE;
    const directory = isLarge ? await largeDirectory(source, start + at) : { ...small, offset };
    return checkDirectory(directory, start + at, source);
  }
  throw new FormatError(`${source.name}: a zip archive ends with a directory, which is not there. ${damaged}`);
}

function checkDirectory(directory: Directory, end: number, { name }: ByteSource): Directory {
  const { offset, bytes, entries } = directory;
  if (offset + bytes > end || entries > MAX_ENTRIES || entries * sizes.central > bytes) {
    throw new FormatError(
      `${name}: the directory is said to have ${entries} entries in ${bytes} bytes from offset ${offset}. ` +
        `Expected at most ${MAX_ENTRIES} entries, of at least ${sizes.central} bytes each, before offset ${end}. ${damaged}`,
    );
  }
  return directory;
}

/** The record for archives of 4 GiB and more. */
async function largeDirectory(source: ByteSource, end: number): Promise<Directory> {
  const locator =
    end < sizes.locator64 ? undefined : viewOf(await readRange(source, end - sizes.locator64, sizes.locator64));
  const offset = locator?.getUint32(0, true) === signatures.locator64 ? largeNumber(locator, 8) : -1;
  if (offset >= 0 && offset + sizes.end64 <= end) {
    const view = viewOf(await readRange(source, offset, sizes.end64));
    if (view.getUint32(0, true) === signatures.end64) {
      return { entries: largeNumber(view, 32), bytes: largeNumber(view, 40), offset: largeNumber(view, 48) };
    }
  }
  throw new FormatError(`${source.name}: the zip archive's extension for large files is not there. ${damaged}`);
}

function parseDirectory(bytes: Uint8Array<ArrayBuffer>, directory: Directory, source: ByteSource): Place[] {
  const view = viewOf(bytes);
  const decoder = new TextDecoder();
  const places: Place[] = [];
  let at = 0;
  for (let i = 0; i < directory.entries; i++) {
    const what = `${source.name}: entry ${i} of the zip directory, at offset ${directory.offset + at},`;
    if (at + sizes.central > bytes.length || view.getUint32(at, true) !== signatures.central) {
      throw new FormatError(`${what} does not begin as one. ${damaged}`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const end = at + sizes.central + nameLength + extraLength + view.getUint16(at + 32, true);
    if (end > bytes.length) throw new FormatError(`${what} goes on beyond the directory. ${damaged}`);
    const nameEnd = at + sizes.central + nameLength;
    const name = decoder.decode(bytes.subarray(at + sizes.central, nameEnd));
    const place = withLargeNumbers(
      {
        ...{ name, method: view.getUint16(at + 10, true), crc: view.getUint32(at + 16, true) },
        ...{ compressed: view.getUint32(at + 20, true), size: view.getUint32(at + 24, true) },
        offset: view.getUint32(at + 42, true),
      },
      viewOf(bytes.subarray(nameEnd, nameEnd + extraLength)),
      what,
    );
    if (view.getUint16(at + 8, true) & 1) {
      throw new FormatError(
        `${source.name}: ${JSON.stringify(name)} is encrypted. Fix: write the archive without a password.`,
      );
    }
    checkSizes(place, source);
    places.push(place);
    at = end;
  }
  return places;
}

/** Numbers that did not fit are in an extra field, in this order and only those. */
function withLargeNumbers(place: Place, extra: DataView, what: string): Place {
  const missing = (["size", "compressed", "offset"] as const).filter((key) => place[key] === LARGE);
  if (missing.length === 0) return place;
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) !== 1 || at + 4 + length > extra.byteLength || length < 8 * missing.length) continue;
    return { ...place, ...Object.fromEntries(missing.map((key, i) => [key, largeNumber(extra, at + 4 + 8 * i)])) };
  }
  throw new FormatError(`${what} lacks the extension for large files. ${damaged}`);
}

function checkSizes({ name, method, compressed, size }: Place, source: ByteSource): void {
  const what = `${source.name}: ${JSON.stringify(name)}`;
  if (method !== 0 && method !== 8) {
    throw new FormatError(
      `${what} is compressed with method ${method}. Expected 0 (stored) or 8 (deflate). Fix: write the archive with one of these.`,
    );
  }
  const most = method === 0 ? compressed : compressed * MAX_DEFLATE_RATIO;
  if (method === 0 ? size !== compressed : size > most) {
    throw new FormatError(
      `${what} is said to unpack from ${compressed} bytes to ${size}. Expected ${method === 0 ? "as many" : `at most ${most}`}. ${damaged}`,
    );
  }
}

function entryOf(source: ByteSource, place: Place, limit: number): ZipEntry {
  const { name, size, compressed, method } = place;
  const what = `${source.name}: ${JSON.stringify(name)}`;
  const locate = () => findContents(source, place, limit);
  const open = async () => {
    const start = await locate();
    if (method === 0) return new CheckedReader(rangeReader(source, start, size), place, what);
    const chunks = inflate(stretch(source, start, compressed), "deflate-raw", (produced, reason) => {
      return `${what} is damaged: after ${produced} of ${size} unpacked bytes, ${reason}. ${damaged}`;
    });
    return new CheckedReader(new UnpackingReader(chunks, size, what), place, what);
  };
  return { name, size, stored: method === 0, open, locate };
}

/** Where the bytes of an entry begin: behind a header of its own, whose length only it knows. */
async function findContents(source: ByteSource, { name, offset, compressed }: Place, limit: number): Promise<number> {
  const view = viewOf(await readRange(source, offset, sizes.local));
  const start = offset + sizes.local + view.getUint16(26, true) + view.getUint16(28, true);
  if (view.getUint32(0, true) !== signatures.local || start + compressed > limit) {
    throw new FormatError(
      `${source.name}: ${JSON.stringify(name)} is not at offset ${offset}, where the directory has it. ${damaged}`,
    );
  }
  return start;
}

async function* stretch(source: ByteSource, offset: number, length: number): ByteChunks {
  for (let at = 0; at < length; at += PIECE) yield await readRange(source, offset + at, Math.min(PIECE, length - at));
}

/** Bytes as they come out of a decompressor, which must be as many as the directory says. */
class UnpackingReader implements ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array<ArrayBuffer>>;
  #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #left: number;

  constructor(
    chunks: ByteChunks,
    private readonly size: number,
    private readonly what: string,
  ) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#left = size;
  }

  async fill(target: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let filled = 0; filled < target.length; ) {
      while (this.#chunk.length === 0) {
        const next = await this.#chunks.next();
        if (next.done) throw new FormatError(`${this.what} unpacks to fewer than ${this.size} bytes. ${damaged}`);
        this.#chunk = next.value;
      }
      const piece = this.#chunk.subarray(0, target.length - filled);
      target.set(piece, filled);
      filled += piece.length;
      this.#chunk = this.#chunk.subarray(piece.length);
    }
    this.#left -= target.length;
    if (this.#left > 0) return;
    const rest = this.#chunk.length > 0 ? this.#chunk : (await this.#chunks.next()).value;
    if (rest) throw new FormatError(`${this.what} unpacks to more than ${this.size} bytes. ${damaged}`);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** Compares the checksum once everything has been read. */
class CheckedReader implements ByteReader {
  #crc = 0;
  #read = 0;

  constructor(
    private readonly bytes: ByteReader,
    private readonly place: Place,
    private readonly what: string,
  ) {}

  async fill(target: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.bytes.fill(target);
    this.#read += target.length;
    // PyTorch can be told to leave the checksum out.
    if (this.place.crc === 0) return;
    this.#crc = crc32(target, this.#crc);
    if (this.#read < this.place.size || this.#crc === this.place.crc) return;
    throw new FormatError(`${this.what} does not have the checksum that was written with it. ${damaged}`);
  }

  close(): Promise<void> {
    return this.bytes.close();
  }
}

/** Beyond 2^53 the result is not exact, but far too large in any case. */
function largeNumber(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

function viewOf(bytes: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
