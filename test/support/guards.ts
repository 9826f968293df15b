/** A device on which no step can touch memory that is not its own, or depend on it, without being found out. */

import {
  type Buffer,
  type Device,
  type Handle,
  KernelFault,
  type Program,
  type Step,
} from "../../src/backends/backend.js";
import { factsOf } from "./facts.js";

/** Bytes before and behind each buffer; buffers begin at multiples of it. */
const guardBytes = 256;

/** Bytes of a block with guards. */
const sizeOf = (bytes: number) => guardBytes + Math.ceil(bytes / guardBytes) * guardBytes + guardBytes;

/** As `Buffer.slot` has them. */
const [arenaSlot, scalarSlot] = [0, 1];

/** Bytes of the guards in both worlds, NaN and 13,323,083 as floats, and of memory that nobody has written: 0.19 and 0.75. */
const guards = [0xff, 0x4b] as const;
const fresh = [0x3e, 0x3f] as const;

/** The same memory in two worlds, which differ in nothing but these bytes. */
interface Twins {
  readonly bytes: number;
  readonly handles: readonly Handle[];
}

/** One step as a program of its own. */
interface Part {
  readonly step: Step;
  readonly program: Handle;
  readonly buffers: readonly Buffer[];
}

interface Guarded {
  readonly parts: readonly Part[];
  readonly temporaries: readonly Buffer[];
}

/**
 * Runs programs step by step on `device`. Each buffer is a piece of memory with guards around it, which must be as they
 * were after the step. Everything is done in two worlds with different bytes in the guards and in fresh memory: what a
 * step writes must be the same in both. So reads of what is not there go unpunished only if nothing comes of them, as of
 * lanes of a vector that are left out.
 */
export function withGuards(device: Device): Device {
  let handles = 0;
  const memory = new Map<Handle, Promise<Twins>>();
  const programs = new Map<Handle, Promise<Guarded>>();
  let queue: Promise<unknown> = Promise.resolve();
  /** Calls have their effect in their order, each when the last has had its. */
  const enqueue = <T>(call: () => T | Promise<T>): Promise<T> => {
    const made = queue.then(call);
    queue = made.catch(() => undefined);
    return made;
  };
  const name = <T>(table: Map<Handle, Promise<T>>, make: () => T): Handle => {
    table.set(++handles, enqueue(make));
    return handles;
  };
  const find = <T>(table: Map<Handle, Promise<T>>, handle: Handle): Promise<T> => {
    const found = table.get(handle);
    if (found === undefined) throw new Error(`handle ${handle} was used before it was made, or after it was freed`);
    return found;
  };
  const release = ({ handles }: Twins) => {
    for (const handle of handles) device.free(handle);
  };

  /** New memory, with the given contents or none. */
  const place = (bytes: number, data?: Uint8Array): Twins => ({
    bytes,
    handles: guards.map((guard, world) => {
      const block = new Uint8Array(sizeOf(bytes)).fill(guard);
      block.set(data ?? new Uint8Array(bytes).fill(fresh[world]), guardBytes);
      return device.upload(block);
    }),
  });

  /** The contents in both worlds, once the guards have been found untouched. */
  const inspect = async ({ bytes, handles }: Twins, where: () => string): Promise<Uint8Array<ArrayBuffer>[]> =>
    Promise.all(
      handles.map(async (handle, world) => {
        const block = new Uint8Array(await device.read(handle, sizeOf(bytes)));
        const touched = block.findIndex(
          (byte, i) => byte !== guards[world] && (i < guardBytes || i >= guardBytes + bytes),
        );
        if (touched >= 0) throw new Error(`${where()}: byte ${touched - guardBytes} of ${bytes} was written`);
        return block.slice(guardBytes, guardBytes + bytes);
      }),
    );

  /** Loads each step by itself: slot 2 and those after it are its buffers. */
  const load = (program: Program): Guarded => {
    const temporaries = new Set<Buffer>();
    const parts = program.steps.map((step, index): Part => {
      const buffers = [...new Set([...step.reads, ...step.writes, ...step.scratch])];
      for (const buffer of buffers) if (buffer.slot === arenaSlot) temporaries.add(buffer);
      const places = buffers.map(({ slot, offset }) => ({ slot, offset }));
      for (const [i, buffer] of buffers.entries()) {
        const within = buffer.slot === arenaSlot || buffer.slot === scalarSlot ? 0 : buffer.offset;
        Object.assign(buffer, { slot: i + 2, offset: guardBytes + within });
      }
      const sizes = { arenaBytes: 0, scalarBytes: 0, slots: buffers.length + 2 };
      const commitStart = index < program.commitStart ? 1 : 0;
      const loaded = device.load({ ...sizes, steps: [step], commitStart });
      for (const [i, buffer] of buffers.entries()) Object.assign(buffer, places[i]);
      return { step, program: loaded, buffers };
    });
    return { parts, temporaries: [...temporaries] };
  };

  const run = async ({ parts, temporaries }: Guarded, bindings: readonly Twins[], scalars: Uint8Array) => {
    const arena = new Map(temporaries.map((buffer) => [buffer, place(buffer.bytes)]));
    try {
      for (const [index, { step, program, buffers }] of parts.entries()) {
        const sent: Twins[] = [];
        const places = buffers.map((buffer): Twins => {
          if (buffer.slot !== scalarSlot) return arena.get(buffer) ?? bindings[buffer.slot - 2];
          sent.push(place(buffer.bytes, scalars.subarray(buffer.offset, buffer.offset + buffer.bytes)));
          return sent[sent.length - 1];
        });
        const submitted = guards.map((_, world) =>
          device.submit(
            program,
            places.map(({ handles }) => handles[world]),
            new Uint8Array(0),
          ),
        );
        for (const each of sent) release(each);
        const ends = await Promise.allSettled(submitted);
        for (const end of ends) if (end.status === "rejected") throw ofStep(end.reason, index);
        for (const [i, buffer] of buffers.entries()) {
          if (buffer.slot === scalarSlot) continue;
          const where = () => `step ${index} (${step.name}), ${roleOf(step, buffer)} ${i}`;
          const [one, other] = await inspect(places[i], where);
          if (step.writes.includes(buffer)) compare(one, other, where());
        }
      }
    } finally {
      for (const each of arena.values()) release(each);
    }
  };

  return {
    ...factsOf(device),
    keepsArena: false,
    allocate: (bytes) => name(memory, () => place(bytes)),
    upload(data) {
      const copy = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
      return name(memory, () => place(copy.length, copy));
    },
    write(handle, offset, data) {
      const twins = find(memory, handle);
      return enqueue(async () => {
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        for (const each of (await twins).handles) await device.write(each, guardBytes + offset, bytes.slice());
        return data.buffer;
      });
    },
    read(handle, bytes) {
      const twins = find(memory, handle);
      return enqueue(async () => {
        const where = () => "memory that is read";
        const [one, other] = await inspect(await twins, where);
        compare(one.subarray(0, bytes), other.subarray(0, bytes), where());
        return one.buffer.slice(0, bytes);
      });
    },
    free(handle) {
      const table = memory.has(handle) ? memory : programs;
      const found: Promise<Twins | Guarded> = find<Twins | Guarded>(table, handle);
      table.delete(handle);
      void enqueue(async () => {
        const freed = await found;
        if ("parts" in freed) for (const { program } of freed.parts) device.free(program);
        else release(freed);
      });
    },
    load: (program) => name(programs, () => load(program)),
    submit(program, bindings, scalars) {
      const [guarded, twins, copy] = [
        find(programs, program),
        bindings.map((each) => find(memory, each)),
        scalars.slice(),
      ];
      return enqueue(async () => run(await guarded, await Promise.all(twins), copy));
    },
    abort: () => device.abort(),
    memory: () => enqueue(() => device.memory()),
    close: () => enqueue(() => device.close()),
  };
}

/** What a step uses a buffer for. */
function roleOf({ writes, scratch }: Step, buffer: Buffer): string {
  if (scratch.includes(buffer)) return "scratch";
  return writes.includes(buffer) ? "output" : "input";
}

/** A complaint about one step's data, in the program that it comes from. */
function ofStep(error: unknown, step: number): unknown {
  if (!(error instanceof KernelFault)) return error;
  return new KernelFault(error.kind, step, error.element, error.value, error.limit);
}

/** Both worlds must have the same bytes, but where nothing was written. Any NaN is as good as any other. */
function compare(one: Uint8Array, other: Uint8Array, where: string): void {
  const isNaNAt = (bytes: Uint8Array, word: number) =>
    4 * word + 4 <= bytes.length &&
    Number.isNaN(new DataView(bytes.buffer, bytes.byteOffset).getFloat32(4 * word, true));
  for (const [i, byte] of one.entries()) {
    if (byte === other[i] || (byte === fresh[0] && other[i] === fresh[1])) continue;
    if (isNaNAt(one, i >> 2) && isNaNAt(other, i >> 2)) continue;
    throw new Error(
      `${where}: byte ${i} of ${one.length} depends on what lies outside the buffers or was never written`,
    );
  }
}
