/** The functions of the Node-API addon (kernels/native.c), which checks nothing that device.ts can check. */

/** A device inside the addon. */
export type NativeQueue = object;

/**
 * Called when commands with a reply have been done, in their order: `successes` of them went well, and if `code` is
 * not 0 the one after them failed, with the details of an outcome (cpu/outcome.ts).
 */
export type OnReplies = (successes: number, code: number, a: number, b: number, c: number, d: number) => void;

export interface NativeAddon {
  readonly schemaHash: number;
  /** Instruction sets that this processor can run, best first. */
  isas(): string[];
  create(isa: string, threads: number, memoryLimit: number, onReplies: OnReplies): NativeQueue;
  allocate(queue: NativeQueue, index: number, bytes: number): void;
  upload(queue: NativeQueue, index: number, data: Uint8Array<ArrayBuffer>): void;
  /** Replies; the bytes must stay as they are until then. */
  write(queue: NativeQueue, index: number, data: Uint8Array<ArrayBuffer>, offset: number): void;
  load(
    queue: NativeQueue,
    index: number,
    program: Uint8Array<ArrayBuffer>,
    slots: number,
    flags: Uint8Array<ArrayBuffer>,
    arenaBytes: number,
    alone: number,
  ): void;
  free(queue: NativeQueue, index: number): void;
  /**
   * Replies, unless it returns true: a short program that JavaScript would have waited for has been run. `bindings` are the
   * bytes of uint32 numbers.
   */
  submit(
    queue: NativeQueue,
    program: number,
    bindings: Uint8Array<ArrayBuffer>,
    scalars: Uint8Array<ArrayBuffer>,
  ): boolean;
  /** Replies when the target, whose length says how much to read, has been filled, unless it returns true: it has been. */
  read(queue: NativeQueue, index: number, target: ArrayBuffer): boolean;
  /** Replies when the target holds five float64 numbers, in the order of `MemoryUse`. */
  memory(queue: NativeQueue, target: ArrayBuffer): void;
  abort(queue: NativeQueue): void;
  tellCollector(queue: NativeQueue, bytes: number): void;
  /** Replies; nothing may follow. */
  close(queue: NativeQueue): void;
}
