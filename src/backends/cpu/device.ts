/**
 * A device that runs the kernels, natively or in WebAssembly: handles, checks of every call, encoding. What is behind
 * it is an engine that carries out commands in order.
 */

import { DeviceError } from "../../core/errors.js";
import type { Device, Handle, MemoryUse, Program } from "../backend.js";
import { CpuCompiler } from "./compiler.js";
import { encodeProgram } from "./encode.js";
import { Handles } from "./handles.js";
import { HeldMemory } from "./held.js";
import type { Machine } from "./lowering.js";
import { isSmall, slotBytes, slotFlags, stepFlags } from "./slots.js";

/** Carries out commands in the order of its calls; `index` names one of its entries. */
export interface Engine {
  readonly ready: Promise<void>;
  allocate(index: number, bytes: number): void;
  /** `data` is copied during the call. */
  upload(index: number, data: Uint8Array<ArrayBuffer>): void;
  /** Whoever calls it leaves `data` alone until the promise gives its buffer back. */
  write(index: number, offset: number, data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
  load(index: number, program: EncodedProgram): void;
  free(index: number): void;
  /** Both arrays are copied during the call. */
  submit(program: number, bindings: Uint32Array<ArrayBuffer>, scalars: Uint8Array<ArrayBuffer>): Promise<void>;
  read(index: number, bytes: number): Promise<ArrayBuffer>;
  memory(): Promise<MemoryUse>;
  abort(): void;
  /** Has JavaScript's garbage collector know of `bytes` outside its heap. */
  tellCollector(bytes: number): void;
  close(): Promise<void>;
}

export interface EncodedProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly slots: number;
  /** For each slot, what the program does with it (`slotUse`); for each step, whether it is small. */
  readonly flags: Uint8Array<ArrayBuffer>;
  readonly arenaBytes: number;
  /** Too little work to be worth waking other threads for. */
  readonly alone: boolean;
}

export interface CpuDeviceOptions {
  readonly name: string;
  readonly machine: Machine;
  readonly memoryLimit: number;
  readonly engine: Engine;
}

const noBindings = new Uint32Array(0);

export class CpuDevice implements Device {
  readonly name: string;
  readonly variant: string;
  readonly threads: number;
  readonly memoryLimit: number;
  readonly compiler: CpuCompiler;
  readonly keepsArena = true;
  readonly ready: Promise<void>;
  readonly #engine: Engine;
  readonly #handles = new Handles();
  readonly #held: HeldMemory;
  #bindings = noBindings;
  #closing: Promise<void> | undefined;

  constructor({ name, machine, memoryLimit, engine }: CpuDeviceOptions) {
    this.name = name;
    this.variant = machine.variant;
    this.threads = machine.threads;
    this.memoryLimit = memoryLimit;
    this.compiler = new CpuCompiler(machine);
    this.ready = engine.ready;
    this.#engine = engine;
    this.#held = new HeldMemory(memoryLimit, (bytes) => engine.tellCollector(bytes));
  }

  allocate(bytes: number): Handle {
    this.#checkOpen();
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new DeviceError(`${bytes} is not a number of bytes`);
    const { handle, index } = this.#handles.add(bytes);
    this.#engine.allocate(index, bytes);
    this.#held.change(bytes);
    return handle;
  }

  upload(data: ArrayBufferView<ArrayBuffer>): Handle {
    this.#checkOpen();
    const { handle, index } = this.#handles.add(data.byteLength);
    this.#engine.upload(index, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.#held.change(data.byteLength);
    return handle;
  }

  async write(handle: Handle, offset: number, data: ArrayBufferView<ArrayBuffer>): Promise<ArrayBuffer> {
    this.#checkOpen();
    const { index, bytes } = this.#handles.memory(handle);
    if (!(offset >= 0 && offset + data.byteLength <= bytes)) {
      throw new DeviceError(`cannot write ${data.byteLength} bytes at ${offset} into memory of ${bytes}`);
    }
    return this.#engine.write(index, offset, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  async read(handle: Handle, bytes: number): Promise<ArrayBuffer> {
    this.#checkOpen();
    const held = this.#handles.memory(handle);
    if (!(bytes >= 0 && bytes <= held.bytes)) {
      throw new DeviceError(`cannot read ${bytes} bytes from memory of ${held.bytes}`);
    }
    return this.#engine.read(held.index, bytes);
  }

  free(handle: Handle): void {
    // Tensors may be collected long after their device was closed.
    if (this.#closing !== undefined) return;
    const { index, bytes } = this.#handles.remove(handle);
    this.#engine.free(index);
    this.#held.change(-bytes);
  }

  load(program: Program): Handle {
    this.#checkOpen();
    const bytes = encodeProgram(program);
    const needed = slotBytes(program);
    const { handle, index } = this.#handles.add(0, { scalarBytes: program.scalarBytes, slotBytes: needed });
    this.#engine.load(index, {
      bytes,
      slots: program.slots,
      flags: new Uint8Array([...slotFlags(program), ...stepFlags(program)]),
      arenaBytes: program.arenaBytes,
      alone: isSmall(program),
    });
    return handle;
  }

  async submit(program: Handle, bindings: readonly Handle[], scalars: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#checkOpen();
    const { index: loaded, needs } = this.#handles.program(program);
    const { scalarBytes, slotBytes } = needs;
    if (bindings.length + 2 !== slotBytes.length || scalars.byteLength < scalarBytes) {
      throw new DeviceError(
        `a program with ${slotBytes.length - 2} bindings and ${scalarBytes} bytes of scalars was given ` +
          `${bindings.length} and ${scalars.byteLength}`,
      );
    }
    if (this.#bindings.length < bindings.length) this.#bindings = new Uint32Array(2 * bindings.length);
    // A plain loop, since every run does it.
    for (let i = 0; i < bindings.length; i++) {
      const { index, bytes } = this.#handles.memory(bindings[i]);
      if (bytes < slotBytes[i + 2]) {
        throw new DeviceError(`binding ${i} has ${bytes} bytes, and the program reaches ${slotBytes[i + 2]}`);
      }
      this.#bindings[i] = index;
    }
    await this.#engine.submit(loaded, this.#bindings.subarray(0, bindings.length), scalars);
  }

  abort(): void {
    if (this.#closing === undefined) this.#engine.abort();
  }

  async memory(): Promise<MemoryUse> {
    this.#checkOpen();
    return this.#engine.memory();
  }

  close(): Promise<void> {
    this.#closing ??= this.#engine.close();
    return this.#closing;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new DeviceError(`${this.variant} has been closed`);
  }
}
