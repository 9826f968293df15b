/** A device that keeps all that it is asked for and answers, for kernels/replay.c to do again. */

import { openSync, writeSync } from "node:fs";
import type { Device, Handle, Program } from "../../src/backends/backend.js";
import { encodeProgram } from "../../src/backends/cpu/encode.js";
import { isSmall, slotFlags, stepFlags } from "../../src/backends/cpu/slots.js";
import { factsOf } from "./facts.js";

/** `FOVT`, little-endian. */
const magic = 0x54564f46;

/** Known to kernels/replay.c. */
const kinds = { allocate: 0, upload: 1, write: 2, load: 3, free: 4, submit: 5, read: 6 } as const;

/** One call: four numbers, and bytes. */
interface Entry {
  readonly kind: keyof typeof kinds;
  readonly index: number;
  readonly numbers: number[];
  bytes: Uint8Array<ArrayBuffer>;
}

const nothing = new Uint8Array(0);
const copyOf = (data: ArrayBufferView<ArrayBuffer>) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();

/**
 * Passes every call on to `device`, and writes all of them to a new file when this process ends. Numbers of entries are
 * used again, as devices do. What is cancelled depends on the moment: `abort` is refused.
 */
export function withRecording(device: Device, path: string): Device {
  const entries: Entry[] = [];
  const free: number[] = [];
  const indices = new Map<Handle, number>();
  const note = (kind: Entry["kind"], index: number, numbers: number[], bytes = nothing): Entry => {
    const entry = { kind, index, numbers, bytes };
    entries.push(entry);
    return entry;
  };
  const indexOf = (handle: Handle) => indices.get(handle) ?? 0;
  const name = (handle: Handle, kind: Entry["kind"], numbers: number[], bytes = nothing): Handle => {
    const index = free.pop() ?? indices.size;
    indices.set(handle, index);
    note(kind, index, numbers, bytes);
    return handle;
  };
  process.on("exit", () => writeEntries(path, device.threads, entries));

  return {
    ...factsOf(device),
    allocate: (bytes) => name(device.allocate(bytes), "allocate", [bytes]),
    upload: (data) => name(device.upload(data), "upload", [], copyOf(data)),
    write(handle, offset, data) {
      note("write", indexOf(handle), [offset], copyOf(data));
      return device.write(handle, offset, data);
    },
    async read(handle, bytes) {
      const entry = note("read", indexOf(handle), [bytes, 0]);
      const read = await device.read(handle, bytes);
      entry.numbers[1] = 1;
      entry.bytes = new Uint8Array(read.slice());
      return read;
    },
    free(handle) {
      device.free(handle);
      note("free", indexOf(handle), []);
      free.push(indexOf(handle));
      indices.delete(handle);
    },
    load(program: Program) {
      const encoded = encodeProgram(program);
      const numbers = [encoded.length, program.slots, program.arenaBytes, isSmall(program) ? 1 : 0];
      const bytes = new Uint8Array([...encoded, ...slotFlags(program), ...stepFlags(program)]);
      return name(device.load(program), "load", numbers, bytes);
    },
    async submit(program, bindings, scalars) {
      const scalarWords = Math.ceil(scalars.length / 8) * 8;
      const bytes = new Uint8Array(scalarWords + 4 * bindings.length);
      bytes.set(scalars);
      new Uint32Array(bytes.buffer, scalarWords).set(bindings.map(indexOf));
      const entry = note("submit", indexOf(program), [scalars.length, bindings.length, 0], bytes);
      await device.submit(program, bindings, scalars);
      entry.numbers[2] = 1;
    },
    abort() {
      throw new Error("what is cancelled cannot be recorded");
    },
    memory: () => device.memory(),
    close: () => device.close(),
  };
}

/** The structures `Trace` and `Record` of kernels/replay.c. */
function writeEntries(path: string, threads: number, entries: readonly Entry[]): void {
  const file = openSync(path, "w");
  writeSync(file, new Uint32Array([magic, threads]));
  for (const { kind, index, numbers, bytes } of entries) {
    const head = new DataView(new ArrayBuffer(48));
    head.setUint32(0, kinds[kind], true);
    head.setUint32(4, index, true);
    head.setBigUint64(8, BigInt(bytes.length), true);
    for (const [i, number] of numbers.entries()) head.setBigUint64(16 + 8 * i, BigInt(number), true);
    writeSync(file, head);
    writeSync(file, bytes);
    writeSync(file, new Uint8Array(-bytes.length & 7));
  }
}
