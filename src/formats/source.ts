/** Bytes that are read in pieces: of a file, a Blob, memory, or as they arrive from the network. */

import { AbortedError, FileError, FormatError } from "../core/errors.js";
import type { ByteChunks } from "./array.js";

export interface ByteSource {
  /** What errors call it. */
  readonly name: string;
  readonly size: number;
  /** All of it, where it is in memory. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** Bytes can only be asked for in their order: they are passed over, and not kept. */
  readonly forwardOnly?: true;
  /** Fills `target` with the bytes from `offset` on. */
  read(target: Uint8Array<ArrayBuffer>, offset: number): Promise<void>;
  close(): Promise<void>;
}

/** The bytes in memory as a source. */
export function memorySource(bytes: Uint8Array<ArrayBuffer>, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    bytes,
    async read(target, offset) {
      checkRange(this, offset, target.length);
      target.set(bytes.subarray(offset, offset + target.length));
    },
    async close() {},
  };
}

/** A file that a user has chosen, or any other Blob. */
export function blobSource(blob: Blob, name: string): ByteSource {
  return {
    name,
    size: blob.size,
    async read(target, offset) {
      checkRange(this, offset, target.length);
      try {
        target.set(new Uint8Array(await blob.slice(offset, offset + target.length).arrayBuffer()));
      } catch (cause) {
        throw new FileError(`cannot read ${name}: ${reasonOf(cause)}. Fix: choose the file again.`, { cause });
      }
    },
    async close() {},
  };
}

/** Bytes, or a file that a user has chosen, as a source. */
export function sourceOf(source: Uint8Array | ArrayBuffer | Blob): ByteSource {
  const name = "the bytes";
  if (source instanceof Blob) return blobSource(source, "name" in source ? String(source.name) : name);
  if (source instanceof ArrayBuffer) return memorySource(new Uint8Array(source), name);
  const { buffer, byteOffset, byteLength } = source;
  return memorySource(
    buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, byteLength) : source.slice(),
    name,
  );
}

/** `length` bytes from `offset` on; a view where they are in memory already. */
export async function readRange(source: ByteSource, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  checkRange(source, offset, length);
  if (source.bytes !== undefined) return source.bytes.subarray(offset, offset + length);
  const bytes = new Uint8Array(length);
  await source.read(bytes, offset);
  return bytes;
}

/** The same bytes where they can be asked for in any order: what only goes forward is read to its end. */
export async function anyOrder(source: ByteSource): Promise<ByteSource> {
  if (source.forwardOnly === undefined) return source;
  const bytes = await readRange(source, 0, source.size);
  await source.close();
  return memorySource(bytes, source.name);
}

export function checkRange({ name, size }: ByteSource, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new FormatError(
    `${name}: bytes ${offset} to ${offset + length} are needed, but there are ${size}. Fix: the file is cut short or damaged; write or download it again.`,
  );
}

/**
 * What a server answers to `url`, as it arrives. Where it does not say how much that is, all of it is taken into memory
 * first.
 */
export async function openUrl(url: string, signal?: AbortSignal): Promise<ByteSource> {
  const failed = (cause: unknown) => {
    if (cause instanceof Error && cause.name === "AbortError") return new AbortedError();
    return new FileError(`cannot read ${url}: ${reasonOf(cause)}. Fix: check the address and the connection.`, {
      cause,
    });
  };
  try {
    const response = await fetch(url, { signal: signal ?? null });
    if (!response.ok) {
      throw new FileError(`cannot read ${url}: the server answered ${response.status} ${response.statusText}`.trim());
    }
    const { body, headers } = response;
    const size = Number(headers.get("content-length") ?? Number.NaN);
    // The length of what is compressed on its way is that of the compressed bytes.
    if (body === null || headers.has("content-encoding") || !Number.isSafeInteger(size)) {
      return memorySource(new Uint8Array(await response.arrayBuffer()), url);
    }
    return await ArrivingSource.open(chunksOf(body, failed), size, url);
  } catch (cause) {
    throw cause instanceof FileError || cause instanceof FormatError ? cause : failed(cause);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

async function* chunksOf(body: ReadableStream<Uint8Array<ArrayBuffer>>, failed: (cause: unknown) => Error): ByteChunks {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw failed(cause);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** As many bytes from the start as it takes to tell a format can be asked for again. */
const keptFromStart = 512;

/** Bytes that arrive in their order. */
class ArrivingSource implements ByteSource {
  readonly forwardOnly = true;
  /** What has arrived last, and where it begins. */
  #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #start = 0;

  private constructor(
    readonly name: string,
    readonly size: number,
    private readonly chunks: AsyncIterator<Uint8Array<ArrayBuffer>>,
  ) {}

  static async open(chunks: ByteChunks, size: number, name: string): Promise<ArrivingSource> {
    const source = new ArrivingSource(name, size, chunks[Symbol.asyncIterator]());
    while (source.#chunk.length < Math.min(size, keptFromStart)) {
      const before = source.#chunk;
      await source.#next();
      const joined = new Uint8Array(before.length + source.#chunk.length);
      joined.set(before);
      joined.set(source.#chunk, before.length);
      source.#chunk = joined;
      source.#start = 0;
    }
    return source;
  }

  async read(target: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
    checkRange(this, offset, target.length);
    if (offset < this.#start) throw new FormatError(`${this.name}: byte ${offset} has already been passed over`);
    let filled = 0;
    while (filled < target.length) {
      const at = offset + filled - this.#start;
      if (at >= this.#chunk.length) {
        await this.#next();
        continue;
      }
      const piece = this.#chunk.subarray(at, at + target.length - filled);
      target.set(piece, filled);
      filled += piece.length;
    }
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  async #next(): Promise<void> {
    this.#start += this.#chunk.length;
    const next = await this.chunks.next();
    if (next.done) {
      throw new FileError(
        `cannot read ${this.name}: the connection ended after ${this.#start} of ${this.size} bytes. Fix: try again.`,
      );
    }
    this.#chunk = next.value;
  }
}
