/**
 * Handles of a device: numbers that count up and are never used twice, over a list of entries that are. The kernels only
 * see the entries, which are reused in the order of the queue.
 *
 * Counting up keeps handles small integers: JavaScript runs code that meets other numbers far more slowly, and all of it is
 * compiled again when the first of them comes along.
 */

import { DeviceError } from "../../core/errors.js";
import type { Handle } from "../backend.js";

const mostEntries = 2 ** 24;

/** What is known of a handle without asking the device. */
export interface Entry {
  readonly handle: Handle;
  /** What the kernels know it by. */
  readonly index: number;
  /** Of memory; 0 for programs. */
  readonly bytes: number;
  /** Of programs. */
  readonly needs: ProgramNeeds | undefined;
}

/** What a program has to be given. */
export interface ProgramNeeds {
  readonly scalarBytes: number;
  /** For each slot, how many bytes the program reaches. */
  readonly slotBytes: Float64Array<ArrayBuffer>;
}

export class Handles {
  readonly #entries = new Map<Handle, Entry>();
  /** Indices that have been used and are free again. */
  readonly #free: number[] = [];
  #last = 0;

  add(bytes: number, needs?: ProgramNeeds): Entry {
    const index = this.#free.pop() ?? this.#entries.size;
    if (index >= mostEntries) throw new DeviceError(`more than ${mostEntries} tensors and programs on one device`);
    const entry = { handle: ++this.#last, index, bytes, needs };
    this.#entries.set(entry.handle, entry);
    return entry;
  }

  /** Of memory. */
  memory(handle: Handle): Entry {
    const entry = this.#find(handle);
    if (entry.needs !== undefined) throw new DeviceError(`handle ${handle} names a program, not memory`);
    return entry;
  }

  program(handle: Handle): { readonly index: number; readonly needs: ProgramNeeds } {
    const { index, needs } = this.#find(handle);
    if (needs === undefined) throw new DeviceError(`handle ${handle} names memory, not a program`);
    return { index, needs };
  }

  remove(handle: Handle): Entry {
    const entry = this.#find(handle);
    this.#entries.delete(handle);
    this.#free.push(entry.index);
    return entry;
  }

  #find(handle: Handle): Entry {
    const entry = this.#entries.get(handle);
    if (entry === undefined) throw new DeviceError(`handle ${handle} has been freed, or belongs to another device`);
    return entry;
  }
}
