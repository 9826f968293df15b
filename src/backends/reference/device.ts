/**
 * The reference backend: every op by its definition, in float64, one after another. It is the oracle for the other
 * backends and the judge of gradients; it is never optimised.
 */

import { AbortedError, DeviceError, UnsupportedOpError } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import type { ReferenceArray } from "../../graph/op.js";
import {
  type Buffer,
  type Compiler,
  type Device,
  type Handle,
  KernelFault,
  type MemoryUse,
  type Operand,
  type OpWork,
  type Program,
  type Step,
} from "../backend.js";

type Data = ReferenceArray["data"];

/** A step of this backend: the op itself. */
interface ReferenceFields {
  readonly work: OpWork;
}

const compiler: Compiler = {
  fusesElementwise: false,
  takesEpilogue: () => false,
  lower(work, emit) {
    if (work.kind !== "op") throw new DeviceError("the reference device takes ops one by one");
    const fields: ReferenceFields = { work };
    const reads = Object.values(work.inputs).map((operand) => operand.buffer);
    emit.step({ name: work.op, reads, writes: [work.output.buffer], scratch: [], fields });
  },
};

/** Makes a device that computes by definition. */
export function createReferenceDevice(): ReferenceDevice {
  return new ReferenceDevice();
}

export class ReferenceDevice implements Device {
  readonly name = "reference";
  readonly variant = "reference";
  readonly threads = 1;
  readonly memoryLimit = Number.POSITIVE_INFINITY;
  readonly compiler = compiler;
  readonly keepsArena = false;
  readonly ready = Promise.resolve();

  readonly #memory = new Map<Handle, Data | undefined>();
  /** Bytes of what was allocated, as the other devices count them. */
  readonly #sizes = new Map<Handle, number>();
  readonly #programs = new Map<Handle, Program>();
  #handles = 0;
  #queue: Promise<unknown> = Promise.resolve();
  /** Counts calls of `abort`: work submitted before the latest is cancelled. */
  #aborts = 0;
  #submissions = 0;
  #closed = false;

  allocate(bytes: number): Handle {
    this.#memory.set(++this.#handles, undefined);
    this.#sizes.set(this.#handles, bytes);
    return this.#handles;
  }

  upload(data: ArrayBufferView<ArrayBuffer>): Handle {
    this.#memory.set(++this.#handles, toReference(data));
    return this.#handles;
  }

  write(handle: Handle, offset: number, data: ArrayBufferView<ArrayBuffer>): Promise<ArrayBuffer> {
    return this.#enqueue(() => {
      const values = toReference(data);
      const width = data.byteLength / values.length;
      let memory = this.#memory.get(handle);
      if (memory === undefined && values.length > 0) {
        const dtype = values instanceof Float64Array ? "float32" : values instanceof Int32Array ? "int32" : "uint8";
        memory = emptyData(dtype, (this.#sizes.get(handle) ?? 0) / width);
        this.#memory.set(handle, memory);
      }
      memory?.set(values, offset / width);
      return data.buffer;
    });
  }

  read(handle: Handle, bytes: number): Promise<ArrayBuffer> {
    return this.#enqueue(() => {
      const data = this.#memory.get(handle);
      if (data === undefined) throw new DeviceError("memory that no program has written was read");
      const values = data instanceof Float64Array ? Float32Array.from(data) : data.slice();
      return values.buffer.slice(0, bytes);
    });
  }

  /** The float64 values behind a float32 tensor. */
  readExact(handle: Handle): Promise<Data> {
    return this.#enqueue(() => {
      const data = this.#memory.get(handle);
      if (data === undefined) throw new DeviceError("memory that no program has written was read");
      return data.slice();
    });
  }

  free(handle: Handle): void {
    void this.#enqueue(() => {
      this.#memory.delete(handle);
      this.#sizes.delete(handle);
      this.#programs.delete(handle);
    });
  }

  load(program: Program): Handle {
    this.#programs.set(++this.#handles, program);
    return this.#handles;
  }

  submit(handle: Handle, bindings: readonly Handle[], scalars: Uint8Array<ArrayBuffer>): Promise<void> {
    const copied = scalars.slice();
    const aborts = this.#aborts;
    return this.#enqueue(() => {
      const program = this.#programs.get(handle);
      if (program === undefined) throw new DeviceError("a program that does not exist was submitted");
      this.#submissions++;
      this.#run(program, bindings, copied, () => aborts !== this.#aborts);
    });
  }

  abort(): void {
    this.#aborts++;
  }

  async memory(): Promise<MemoryUse> {
    let live = 0;
    for (const data of this.#memory.values()) live += data?.byteLength ?? 0;
    return { live, arena: 0, reserved: live, systemAllocations: 0, submissions: this.#submissions };
  }

  async close(): Promise<void> {
    await this.#queue;
    this.#closed = true;
    this.#memory.clear();
  }

  #enqueue<T>(work: () => T): Promise<T> {
    if (this.#closed) throw new DeviceError("the reference device was used after it had been closed");
    // A fresh macrotask for each piece of work, so that long programs do not starve timers and input.
    const result = this.#queue.then(() => new Promise<void>((resume) => setTimeout(resume, 0))).then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #run(
    program: Program,
    bindings: readonly Handle[],
    scalars: Uint8Array<ArrayBuffer>,
    cancelled: () => boolean,
  ): void {
    const arena = new Map<Buffer, Data>();
    const memory: ProgramMemory = {
      get: ({ buffer, shape, dtype }) => {
        if (buffer.slot === 1) return viewScalars(scalars, buffer.offset, sizeOf(shape), dtype);
        const data = buffer.slot === 0 ? arena.get(buffer) : this.#memory.get(bindings[buffer.slot - 2]);
        if (data === undefined)
          throw new DeviceError("the program needs a value that a failed program should have computed");
        return data;
      },
      set: ({ buffer }, data) => {
        if (buffer.slot === 0) arena.set(buffer, data);
        else this.#memory.set(bindings[buffer.slot - 2], data);
      },
    };
    program.steps.forEach((step, index) => {
      if (index <= program.commitStart && cancelled()) throw new AbortedError();
      runStep(step, index, memory);
    });
  }
}

interface ProgramMemory {
  get(operand: Operand): Data;
  set(operand: Operand, data: Data): void;
}

function runStep(step: Step, index: number, memory: ProgramMemory): void {
  const { work } = step.fields as ReferenceFields;
  const { definition, output } = work;
  const arrays = Object.fromEntries(
    Object.entries(work.inputs).map(([name, operand]) => [name, { ...operand, data: memory.get(operand) }]),
  );
  if (definition === undefined) {
    if (work.op !== "copy") throw new UnsupportedOpError(`the reference device has no op named ${work.op}`);
    memory.set(output, arrays.input.data.slice());
    return;
  }
  const limit = definition.indexLimit?.(
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.shape])),
    work.params,
  );
  if (limit !== undefined) checkIndices(arrays.indices.data, limit, index);
  const data = emptyData(output.dtype, sizeOf(output.shape));
  definition.reference(arrays, work.params, { ...output, data });
  memory.set(output, data);
}

function checkIndices(indices: Data, limit: number, step: number): void {
  const bad = indices.findIndex((value) => value < 0 || value >= limit);
  if (bad >= 0) throw new KernelFault("indexOutOfRange", step, bad, indices[bad], limit);
}

function emptyData(dtype: ReferenceArray["dtype"], length: number): Data {
  if (dtype === "float32") return new Float64Array(length);
  return dtype === "int32" ? new Int32Array(length) : new Uint8Array(length);
}

function toReference(view: ArrayBufferView<ArrayBuffer>): Data {
  if (view instanceof Float32Array || view instanceof Float64Array) return Float64Array.from(view);
  if (view instanceof Int32Array) return view.slice();
  return new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

function viewScalars(
  bytes: Uint8Array<ArrayBuffer>,
  offset: number,
  length: number,
  dtype: ReferenceArray["dtype"],
): Data {
  if (dtype === "float32") return Float64Array.from(new Float32Array(bytes.buffer, offset, length));
  if (dtype === "int32") return new Int32Array(bytes.buffer, offset, length);
  return new Uint8Array(bytes.buffer, offset, length);
}
