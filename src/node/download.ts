/** Downloads a file, from the first of several places that has it, and checks what came against what is known of it. */

import { createHash } from "node:crypto";
import { AbortedError, FileError } from "../core/errors.js";
import type { ByteChunks } from "../formats/array.js";
import { writeFile } from "./files.js";

export interface DownloadProgress {
  readonly file: string;
  /** Bytes that have come, of `total`. Starts again at 0 when a second place is tried. */
  readonly received: number;
  /** Undefined where neither we nor the server know. */
  readonly total: number | undefined;
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
  /** The file's size, where it is known. */
  readonly bytes?: number | undefined;
  /** The file's SHA-256 checksum, or the first digits of it, where it is known. */
  readonly sha256?: string | undefined;
}

/** More than any file of weights or data that we would want. */
const MAX_BYTES = 2 ** 34;

/** How often a connection that broke is taken up again where it broke. */
const MAX_RESUMES = 5;

/** Downloads to `path`. Nothing is there before the whole file has come and what is known of it is right. */
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
  const hash = createHash("sha256");
  let received = 0;
  let total = wanted.bytes;
  /** Tells the server which version of the file we have a part of. */
  let version: string | undefined;
  for (let resumes = 0; ; resumes++) {
    const idle = new Idle(options);
    try {
      const headers: Record<string, string> =
        received === 0 ? {} : { range: `bytes=${received}-`, ...(version !== undefined && { "if-range": version }) };
      const response = await fetch(url, { signal: idle.signal, headers });
      if (!response.ok || response.body === null) throw new Refusal(`the server answered ${response.status}`);
      if (received > 0 && !goesOnAt(response, received))
        throw new Refusal("the connection broke, and the server cannot go on");
      if (received === 0) {
        version = versionOf(response);
        total ??= lengthOf(response);
      }
      for await (const chunk of response.body) {
        idle.restart();
        received += chunk.length;
        if (received > (total ?? MAX_BYTES))
          throw new Refusal(`more than the expected ${total ?? MAX_BYTES} bytes came`);
        hash.update(chunk);
        yield chunk;
        options.onProgress?.({ file: wanted.name, received, total });
      }
      break;
    } catch (error) {
      // A connection that broke is no answer. Without checksum and version nothing would tell that the rest belongs to it.
      const certain = version !== undefined || wanted.sha256 !== undefined;
      const broken = !(error instanceof Refusal) && !idle.signal.aborted;
      if (!broken || !certain || received === 0 || resumes === MAX_RESUMES) throw error;
    } finally {
      idle.stop();
    }
  }
  if (total !== undefined && received < total) throw new Error(`only ${received} of ${total} bytes came`);
  if (wanted.sha256 !== undefined && !hash.digest("hex").startsWith(wanted.sha256)) {
    throw new Error("its SHA-256 checksum is not the published one");
  }
}

/** A failure that trying again would not mend. */
class Refusal extends Error {}

/** Whether a server sends the part that was asked for, and not the whole file once more. */
function goesOnAt(response: Response, offset: number): boolean {
  return response.status === 206 && (response.headers.get("content-range") ?? "").startsWith(`bytes ${offset}-`);
}

/** What names this version of the file; a weak tag would not. */
function versionOf({ headers }: Response): string | undefined {
  const tag = headers.get("etag");
  return (tag?.startsWith('"') ? tag : undefined) ?? headers.get("last-modified") ?? undefined;
}

function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get("content-length");
  // Of what is compressed on its way the length is that of fewer bytes.
  return length === null || headers.has("content-encoding") ? undefined : Number(length);
}

/** Gives up when nothing happens for too long, or when the caller does. */
class Idle {
  readonly #silence = new AbortController();
  readonly #limit: number;
  #timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor({ idleMilliseconds = 20_000, signal }: DownloadOptions) {
    this.#limit = idleMilliseconds;
    this.#timer = setTimeout(() => this.#late(), this.#limit);
    this.signal = AbortSignal.any([this.#silence.signal, ...(signal ? [signal] : [])]);
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#late(), this.#limit);
  }

  /** Ends the connection, too. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#silence.abort();
  }

  #late(): void {
    this.#silence.abort(new Error(`nothing came for ${this.#limit / 1000} seconds`));
  }
}

/** The innermost reason: fetch says only "fetch failed" and keeps it as the cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
