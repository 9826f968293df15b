/** What differs between Node and browsers. The right one is imported as `#platform` (see `imports` in package.json). */

import type { NativeAddon } from "../backends/native/addon.js";
import type { AugmentReply } from "../data/augment/workers.js";
import type { ByteSource } from "../formats/source.js";

/** A thread that runs a script and exchanges messages. */
export interface WorkerThread {
  post(message: object, transfer?: readonly ArrayBuffer[]): void;
  /** Whether the process waits for it. Pages do not end by themselves, so browsers ignore this. */
  keepAlive(on: boolean): void;
  terminate(): void;
}

export interface WorkerEvents {
  readonly message: (data: unknown) => void;
  /** The script failed, or could not be started. */
  readonly failure: (error: Error) => void;
}

/** Files by their path; in browsers, reading by URL. */
export interface FileAccess {
  /** Opens a file, or what a URL names, to be read in pieces. */
  open(path: string | URL, signal?: AbortSignal): Promise<ByteSource>;
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** A file in the folder of another, or in one inside that; symbolic links must not lead out of it. */
  readBeside(path: string, name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Written beside and renamed into place. */
  write(path: string, contents: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
}

export interface Platform {
  /** Starts a worker from the text of a classic script that uses `onmessage`, `postMessage` and `unpack`. */
  spawnWorker(source: string, events: WorkerEvents): WorkerThread;
  /** Starts a worker that augments batches; undefined where there are none. */
  readonly spawnAugmenter:
    | ((events: { message(reply: AugmentReply): void; failure(error: Error): void }) => WorkerThread)
    | undefined;
  /** A build of WebAssembly's kernels, in base64 and compressed with gzip, where it can be read without waiting. */
  packedKernels(name: string): string | undefined;
  /** An environment variable; undefined where there are none. */
  environment(name: string): string | undefined;
  /** The text of a file that an environment variable names. */
  readText(path: string): string;
  /** Threads that can run at once. */
  hardwareThreads(): number;
  /** Bytes of memory that the machine has for this process. */
  memoryBytes(): number;
  /** Whether workers can share memory here. */
  canShareMemory(): boolean;
  /** Tells people of a warning where nobody else listens. */
  warn(message: string): void;
  readonly files: FileAccess;
  /** Whether there could be a native addon at all. */
  readonly hasNativeDevices: boolean;
  /** The compiled addon; throws an error that says why there is none. */
  loadNativeAddon(): NativeAddon;
}
