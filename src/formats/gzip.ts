/** gzip (RFC 1952). */

import type { ByteChunks } from "./array.js";
import { inflate } from "./inflate.js";

export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The decompressed bytes of a gzip file; `name` begins the message of an error. */
export function gunzip(chunks: ByteChunks, name: string): ByteChunks {
  return inflate(chunks, "gzip", (produced, reason) => {
    return (
      `${name}: the gzip data is damaged or cut short: after ${produced} decompressed bytes, ${reason}. ` +
      "Expected a complete gzip file. Fix: copy or download the file again."
    );
  });
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
