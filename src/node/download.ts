/** Downloads a file whose size and checksum are known, from the first of several places that has it. */

import { createHash } from "node:crypto";
import { AbortedError, FileError } from "../core/errors.js";
import type { ByteChunks } from "../formats/array.js";
import { writeFile } from "./files.js";

export interface DownloadProgress {
  readonly file: string;
  /** Bytes that have come, of `total`. Starts again at 0 when a second place is tried. */
  readonly received: number;
  readonly total: number;
}

export interface DownloadOptions {
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  /** Gives up on a place that sends nothing for so long; 20 seconds unless told. */
  readonly idleMilliseconds?: number;
}

export interface Wanted {
  readonly name: string;
  readonly urls: readonly string[];
  readonly bytes: number;
  readonly sha256: string;
}

/** Downloads to `path`. Nothing is there before the whole file has come and its checksum is right. */
export async function download(wanted: Wanted, path: string, options: DownloadOptions = {}): Promise<void> {
  const failures: string[] = [];
  for (const url of wanted.urls) {
    try {
      await writeFile(path, fetchVerified(wanted, url, options), { signal: options.signal });
      return;
    } catch (error) {
      if (options.signal?.aborted) throw new AbortedError();
      // The disk's fault, which no other place can mend.
      if (error instanceof FileError) throw error;
      failures.push(`  ${url}: ${reasonOf(error)}`);
    }
  }
  throw new FileError(`cannot download ${wanted.name}:\n${failures.join("\n")}`);
}

async function* fetchVerified(wanted: Wanted, url: string, options: DownloadOptions): ByteChunks {
  const idle = new AbortController();
  const limit = options.idleMilliseconds ?? 20_000;
  const late = () => idle.abort(new Error(`nothing came for ${limit / 1000} seconds`));
  let timer = setTimeout(late, limit);
  try {
    const signal = AbortSignal.any([idle.signal, ...(options.signal ? [options.signal] : [])]);
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
    const hash = createHash("sha256");
    let received = 0;
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(late, limit);
      received += chunk.length;
      if (received > wanted.bytes) throw new Error(`more than the expected ${wanted.bytes} bytes came`);
      hash.update(chunk);
      yield chunk;
      options.onProgress?.({ file: wanted.name, received, total: wanted.bytes });
    }
    if (received < wanted.bytes) throw new Error(`only ${received} of ${wanted.bytes} bytes came`);
    if (hash.digest("hex") !== wanted.sha256) throw new Error("its SHA-256 checksum is not the published one");
  } finally {
    clearTimeout(timer);
    idle.abort();
  }
}

/** The innermost reason: fetch says only "fetch failed" and keeps it as the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
