/** DEFLATE (RFC 1951), decompressed piece by piece with the platform's own DecompressionStream. */

import { FormatError } from "../core/errors.js";
import type { ByteChunks } from "./array.js";

/**
 * DEFLATE cannot shrink data further than this, so compressed bytes times this bounds what a file may claim to hold
 * (zlib's technical details: 1032:1).
 */
export const MAX_DEFLATE_RATIO = 1032;

/** The decompressed bytes; `describe` words the error where the data are damaged. */
export async function* inflate(
  chunks: ByteChunks,
  format: "gzip" | "deflate-raw",
  describe: (produced: number, reason: string) => string,
): ByteChunks {
  const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>(pullFrom(chunks), { highWaterMark: 0 });
  const reader = compressed.pipeThrough(new DecompressionStream(format)).getReader();
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
    throw new FormatError(describe(produced, error instanceof Error ? error.message : String(error)), { cause: error });
  } finally {
    // Leaving the loop early must also stop the reading of the file.
    await reader.cancel().catch(() => undefined);
  }
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
