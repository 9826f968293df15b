/** Has the garbage collector know of a WebAssembly device's memory. */

const chunkBytes = 2 ** 25;

/**
 * Holds array buffers of about that size that nobody ever touches: collectors count them, and systems give them no
 * memory. JavaScript has no other word for it.
 */
export class Ballast {
  #chunks: ArrayBuffer[] = [];

  set(bytes: number): void {
    const wanted = Math.floor(bytes / chunkBytes);
    if (wanted < this.#chunks.length) this.#chunks.length = wanted;
    try {
      while (this.#chunks.length < wanted) this.#chunks.push(new ArrayBuffer(chunkBytes));
    } catch {
      // Where even address space is short the collector runs anyway.
    }
  }
}
