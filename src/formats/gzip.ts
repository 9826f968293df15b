/** gzip (RFC 1952), decompressed piece by piece with the platform's own DecompressionStream. */

import { FormatError } from "../core/errors.js";
import type { ByteChunks } from "./array.js";

/**
 * DEFLATE cannot shrink data further than this, so compressed bytes times this bounds what a file may claim to hold
 * (zlib's technical details: 1032:1).
 */
export const MAX_GZIP_RATIO = 1032;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The decompressed bytes of a gzip file; `name` begins the message of an error. */
export async function* gunzip(chunks: ByteChunks, name: string): ByteChunks {
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>(pullFrom(chunks), { highWaterMark: 0 });
  const reader = compressed.pipeThrough(new DecompressionStream("gzip")).getReader();
  let produced = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      produced += value.length;
      yield value;
    }
  } catch (error) {
    if (error instanceof SourceError) throw error.cause;
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(
      `${name}: the gzip data is damaged or cut short: after ${produced} decompressed bytes, ${reason}. ` +
        "Expected a complete gzip file. Fix: copy or download the file again.",
      { cause: error },
    );
  } finally {
    // Leaving the loop early must also stop the reading of the file.
    await reader.cancel().catch(() => undefined);
  }
}

/** The bytes of a file that may be compressed, decompressed where they are. */
export async function decompress(
  source: Uint8Array<ArrayBuffer> | ByteChunks,
  name: string,
): Promise<{ readonly compressed: boolean; readonly chunks: ByteChunks }> {
  const { start, chunks } = await peek(source instanceof Uint8Array ? once(source) : source, 2);
  const compressed = isGzip(start);
  return { compressed, chunks: compressed ? gunzip(chunks, name) : chunks };
}

async function* once(bytes: Uint8Array<ArrayBuffer>): ByteChunks {
  yield bytes;
}

/** The first `count` bytes of the chunks, which are not lost by it. */
async function peek(chunks: ByteChunks, count: number): Promise<{ start: Uint8Array; chunks: ByteChunks }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const held: Uint8Array<ArrayBuffer>[] = [];
  let start = new Uint8Array(0);
  while (start.length < count) {
    const next = await iterator.next();
    if (next.done) break;
    held.push(next.value);
    start = Uint8Array.of(...start, ...next.value.subarray(0, count));
  }
  async function* replay(): ByteChunks {
    try {
      for (let chunk = held.shift(); chunk !== undefined; chunk = held.shift()) yield chunk;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { start, chunks: replay() };
}

/** Marks an error of the source, which is not the compressed data's fault. */
class SourceError extends Error {}

function pullFrom(chunks: ByteChunks): UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> {
  const iterator = chunks[Symbol.asyncIterator]();
  return {
    async pull(controller) {
      try {
        const next = await iterator.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      } catch (cause) {
        controller.error(new SourceError("the source failed", { cause }));
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  };
}
