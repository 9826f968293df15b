/** The addon's queue as an engine: its commands, and promises for its replies. */

import { MemoryError } from "../../core/errors.js";
import type { MemoryUse } from "../backend.js";
import type { EncodedProgram, Engine } from "../cpu/device.js";
import { Replies } from "../cpu/replies.js";
import type { NativeAddon, NativeQueue } from "./addon.js";

const done = Promise.resolve();

/** Where results are there at once, the event loop still gets its turn so often. */
const turnMilliseconds = 2;

export class NativeEngine implements Engine {
  readonly ready = Promise.resolve();
  readonly #addon: NativeAddon;
  readonly #queue: NativeQueue;
  readonly #replies: Replies;
  /** When the event loop last had its turn after something had been done at once. */
  #lastTurn = 0;

  constructor(addon: NativeAddon, isa: string, threads: number, memoryLimit: number, variant: string) {
    const replies = new Replies(variant);
    this.#replies = replies;
    this.#addon = addon;
    this.#queue = addon.create(isa, threads, memoryLimit, (successes, code, a, b, c, d) => {
      for (let i = 0; i < successes; i++) replies.next({ code: 0, detail: [] });
      if (code !== 0) replies.next({ code, detail: [a, b, c, d] });
    });
  }

  allocate(index: number, bytes: number): void {
    this.#addon.allocate(this.#queue, index, bytes);
  }

  upload(index: number, data: Uint8Array<ArrayBuffer>): void {
    this.#addon.upload(this.#queue, index, data);
  }

  write(index: number, offset: number, data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
    this.#addon.write(this.#queue, index, data, offset);
    return this.#replies.expect(() => data.buffer);
  }

  load(index: number, { bytes, slots, flags, arenaBytes, alone }: EncodedProgram): void {
    this.#addon.load(this.#queue, index, bytes, slots, flags, arenaBytes, alone ? 1 : 0);
  }

  free(index: number): void {
    this.#addon.free(this.#queue, index);
  }

  submit(program: number, bindings: Uint32Array<ArrayBuffer>, scalars: Uint8Array<ArrayBuffer>): Promise<void> {
    const bytes = new Uint8Array(bindings.buffer, bindings.byteOffset, bindings.byteLength);
    if (this.#addon.submit(this.#queue, program, bytes, scalars)) return done;
    return this.#replies.expect(() => undefined);
  }

  read(index: number, bytes: number): Promise<ArrayBuffer> {
    const target = allocateBuffer(bytes);
    if (!this.#addon.read(this.#queue, index, target)) return this.#replies.expect(() => target);
    return performance.now() - this.#lastTurn < turnMilliseconds ? Promise.resolve(target) : this.#afterTurn(target);
  }

  #afterTurn<T>(value: T): Promise<T> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#lastTurn = performance.now();
        resolve(value);
      });
    });
  }

  memory(): Promise<MemoryUse> {
    const target = new Float64Array(5);
    this.#addon.memory(this.#queue, target.buffer);
    return this.#replies.expect(() => {
      const [live, arena, reserved, systemAllocations, submissions] = target;
      return { live, arena, reserved, systemAllocations, submissions };
    });
  }

  abort(): void {
    this.#addon.abort(this.#queue);
  }

  tellCollector(bytes: number): void {
    this.#addon.tellCollector(this.#queue, bytes);
  }

  close(): Promise<void> {
    this.#addon.close(this.#queue);
    return this.#replies.expect(() => undefined);
  }
}

function allocateBuffer(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (cause) {
    throw new MemoryError(`JavaScript has no ${bytes} bytes left for what is read: ${cause}`);
  }
}
