/** Messages between a WebAssembly device and its workers. */

import type { Outcome } from "../cpu/outcome.js";

/** To each worker, once. The engine is thread 0; the others help it, which takes shared memory. */
export interface Start {
  readonly kind: "start";
  /** As the engine's answer has it, or packed for the engine to compile: its worker does that while JavaScript records. */
  readonly kernels: WebAssembly.Module | string;
  /** Shared by all threads; without it the engine makes its own. */
  readonly memory: WebAssembly.Memory | undefined;
  readonly thread: number;
  readonly threads: number;
  readonly memoryLimit: number;
}

export interface Batch {
  readonly kind: "commands";
  readonly commands: readonly Command[];
}

/** Cancels submissions with smaller numbers. With shared memory a word in it says so instead. */
export interface Abort {
  readonly kind: "abort";
  readonly before: number;
}

export type ToWorker = Start | Batch | Abort;

/** As the calls of `Engine`; write and the last four are replied to, in order. */
export type Command =
  | { readonly kind: "allocate"; readonly index: number; readonly bytes: number }
  | { readonly kind: "upload"; readonly index: number; readonly data: ArrayBuffer }
  /** The bytes' buffer is transferred, and comes back as the reply. */
  | {
      readonly kind: "write";
      readonly index: number;
      readonly offset: number;
      readonly data: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly kind: "load";
      readonly index: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly slots: number;
      readonly flags: Uint8Array<ArrayBuffer>;
      readonly arenaBytes: number;
      readonly alone: boolean;
    }
  | { readonly kind: "free"; readonly index: number }
  | {
      readonly kind: "submit";
      readonly index: number;
      readonly bindings: Uint32Array<ArrayBuffer>;
      readonly scalars: Uint8Array<ArrayBuffer>;
      /** Number of this submission. */
      readonly sequence: number;
    }
  | { readonly kind: "read"; readonly index: number; readonly bytes: number }
  | { readonly kind: "memory" }
  | { readonly kind: "close" };

/** What a command came to: success, success with bytes, or how it failed. */
export type Reply = null | ArrayBuffer | Outcome;

export type FromWorker =
  /** `cancelBefore`: the address of the number that cancels submissions, an int64 in shared memory. */
  | { readonly kind: "ready"; readonly cancelBefore: number; readonly module: WebAssembly.Module }
  | { readonly kind: "replies"; readonly replies: readonly Reply[] }
  /** Nothing works any more. */
  | { readonly kind: "failed"; readonly message: string };
