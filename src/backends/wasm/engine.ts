/** The engine inside its worker: carries out commands on the WebAssembly module (kernels/wasm.c). */

import { type Outcome, outcomeCodes } from "../cpu/outcome.js";
import type { Command, Reply, Start } from "./protocol.js";

/** Functions that the module exports. Addresses come as signed numbers. */
type KernelExports = {
  readonly __stack_pointer: WebAssembly.Global;
  open(threads: number, memoryLimit: number): void;
  stackTop(thread: number): number;
  serve(thread: number): void;
  cancelBefore(): number;
  outcome(): number;
  allocate(bytes: number): number;
  release(block: number, bytes: number): void;
  adopt(index: number, block: number, bytes: number, written: number): void;
  prepare(bytes: number, slots: number, flagBytes: number, arenaBytes: number, alone: number): number;
  flagsAt(): number;
  load(index: number): void;
  free(index: number): void;
  write(index: number, offset: number, bytes: number): number;
  read(index: number, bytes: number): number;
  submit(index: number, bindings: number, count: number, scalars: number, sequence: number): number;
  memoryUse(): number;
};

const memoryUseBytes = 5 * 8;

/** Linear memory to start with: the kernels' own data and the threads' stacks fit in. */
export function initialPages(threads: number): number {
  return 64 + 4 * threads;
}

function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as KernelExports;
}

/** Joins the team as thread 1 or more; returns only when the team is closed. `joined` is called before. */
export function help(module: WebAssembly.Module, { memory, thread }: Start, joined: () => void): void {
  if (memory === undefined) throw new Error("a helper needs shared memory");
  const kernels = instantiate(module, memory);
  kernels.__stack_pointer.value = kernels.stackTop(thread);
  joined();
  kernels.serve(thread);
}

export class WasmEngine {
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: KernelExports;
  readonly #memoryLimit: number;
  /** Where a submission's scalars and bindings are put. */
  #staging = 0;
  #stagingBytes = 0;

  constructor(module: WebAssembly.Module, { memory, threads, memoryLimit }: Start) {
    // The kernels keep to the limit themselves; a maximum here might be refused.
    this.#memory = memory ?? new WebAssembly.Memory({ initial: initialPages(threads) });
    this.#memoryLimit = memoryLimit;
    this.#kernels = instantiate(module, this.#memory);
    this.#kernels.open(threads, memoryLimit);
  }

  get cancelBefore(): number {
    return this.#kernels.cancelBefore() >>> 0;
  }

  /** Cancels submissions with smaller numbers. Where memory is shared, the device itself writes this. */
  abort(before: number): void {
    new BigInt64Array(this.#memory.buffer, this.cancelBefore, 1)[0] = BigInt(before);
  }

  /** Carries out one command; undefined for those that nobody expects an answer to. */
  run(command: Command): Reply | undefined {
    const kernels = this.#kernels;
    switch (command.kind) {
      case "allocate":
        kernels.adopt(command.index, kernels.allocate(command.bytes), command.bytes, 0);
        return;
      case "upload": {
        const { index, data } = command;
        const block = kernels.allocate(data.byteLength) >>> 0;
        if (block !== 0) this.#bytes(block, data.byteLength).set(new Uint8Array(data));
        kernels.adopt(index, block, data.byteLength, 1);
        return;
      }
      case "write": {
        const { index, offset, data } = command;
        const address = kernels.write(index, offset, data.byteLength) >>> 0;
        if (address === 0) return this.#outcome();
        this.#bytes(address, data.byteLength).set(data);
        return data.buffer;
      }
      case "load":
        this.#load(command);
        return;
      case "free":
        kernels.free(command.index);
        return;
      case "submit":
        return this.#submit(command);
      case "read": {
        const address = kernels.read(command.index, command.bytes) >>> 0;
        if (address === 0) return this.#outcome();
        return new Uint8Array(this.#bytes(address, command.bytes)).buffer;
      }
      case "memory":
        return new Uint8Array(this.#bytes(kernels.memoryUse() >>> 0, memoryUseBytes)).buffer;
      case "close":
        return null;
    }
  }

  #load({ index, bytes, slots, flags, arenaBytes, alone }: Command & { kind: "load" }): void {
    const kernels = this.#kernels;
    const block = kernels.prepare(bytes.byteLength, slots, flags.length, arenaBytes, alone ? 1 : 0) >>> 0;
    if (block !== 0) {
      this.#bytes(block, bytes.byteLength).set(bytes);
      this.#bytes(kernels.flagsAt() >>> 0, flags.length).set(flags);
    }
    kernels.load(index);
  }

  #submit({ index, bindings, scalars, sequence }: Command & { kind: "submit" }): Reply {
    const bindingsAt = Math.ceil(scalars.byteLength / 64) * 64;
    const bytes = bindingsAt + bindings.byteLength;
    if (!this.#stage(bytes))
      return { code: outcomeCodes.outOfMemory, detail: [bytes, this.#memory.buffer.byteLength, this.#memoryLimit] };
    this.#bytes(this.#staging, scalars.byteLength).set(scalars);
    new Uint32Array(this.#memory.buffer, this.#staging + bindingsAt, bindings.length).set(bindings);
    const at = this.#staging;
    return this.#kernels.submit(index, at + bindingsAt, bindings.length, at, sequence) === 0 ? null : this.#outcome();
  }

  #stage(bytes: number): boolean {
    if (bytes <= this.#stagingBytes) return true;
    if (this.#staging !== 0) this.#kernels.release(this.#staging, this.#stagingBytes);
    this.#staging = this.#kernels.allocate(bytes) >>> 0;
    this.#stagingBytes = this.#staging === 0 ? 0 : bytes;
    return this.#staging !== 0;
  }

  #bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, address, length);
  }

  /** The structure `Outcome` of kernels/engine.h. */
  #outcome(): Outcome {
    const view = new DataView(this.#memory.buffer, this.#kernels.outcome() >>> 0, 40);
    return { code: view.getInt32(0, true), detail: [8, 16, 24, 32].map((at) => view.getFloat64(at, true)) };
  }
}
