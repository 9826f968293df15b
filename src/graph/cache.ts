/** Programs that have been compiled, bounded by bytes: the least recently used goes first. */

import type { Executable } from "./executable.js";

const capacityBytes = 64 * 1024 * 1024;

export class ExecutableCache {
  /** Insertion order is order of use. */
  readonly #used = new Set<Executable>();
  #bytes = 0;

  constructor(
    /** Called for each program that is dropped, so that whoever finds programs forgets it. */
    private readonly dropped: (executable: Executable) => void,
  ) {}

  add(executable: Executable): void {
    this.#used.add(executable);
    this.#bytes += executable.bytes;
    for (const oldest of this.#used) {
      if (this.#bytes <= capacityBytes || oldest === executable) break;
      this.remove(oldest);
    }
  }

  touch(executable: Executable): void {
    this.#used.delete(executable);
    this.#used.add(executable);
  }

  remove(executable: Executable): void {
    if (!this.#used.delete(executable)) return;
    this.#bytes -= executable.bytes;
    this.dropped(executable);
    executable.free();
  }
}
