/**
 * Handles of a device: numbers that are never used twice, over a short list of entries that are. The kernels only see
 * the entries, which are reused in the order of the queue.
 */

import { DeviceError } from "../../core/errors.js";
import type { Handle } from "../backend.js";

const entries = 2 ** 24;

/** What is known of an entry without asking the device. */
export interface Entry {
  readonly handle: Handle;
  /** Of memory; 0 for programs. */
  readonly bytes: number;
  readonly program: LoadedProgram | undefined;
}

export interface LoadedProgram {
  readonly scalarBytes: number;
  /** For each slot, how many bytes the program reaches. */
  readonly slotBytes: Float64Array<ArrayBuffer>;
}

export class Handles {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];

  add(bytes: number, program?: LoadedProgram): Handle {
    const index = this.#free.pop() ?? this.#entries.length;
    if (index >= entries) throw new DeviceError(`more than ${entries} tensors and programs on one device`);
    const generation = (this.#generations[index] ?? 0) + 1;
    const handle = generation * entries + index;
    this.#generations[index] = generation;
    this.#entries[index] = { handle, bytes, program };
    return handle;
  }

  memory(handle: Handle): Entry {
    const entry = this.#find(handle);
    if (entry.program !== undefined) throw new DeviceError(`handle ${handle} names a program, not memory`);
    return entry;
  }

  program(handle: Handle): LoadedProgram {
    const { program } = this.#find(handle);
    if (program === undefined) throw new DeviceError(`handle ${handle} names memory, not a program`);
    return program;
  }

  remove(handle: Handle): Entry {
    const entry = this.#find(handle);
    const index = indexOf(handle);
    this.#entries[index] = undefined;
    this.#free.push(index);
    return entry;
  }

  #find(handle: Handle): Entry {
    const entry = this.#entries[indexOf(handle)];
    if (entry?.handle !== handle)
      throw new DeviceError(`handle ${handle} has been freed, or belongs to another device`);
    return entry;
  }
}

/** The entry behind a handle. */
export function indexOf(handle: Handle): number {
  return handle % entries;
}
