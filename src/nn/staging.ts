/** Values on their way to a device: read into a few buffers that are used again and again, however large the tensors are. */

import type { Device, Handle } from "../backends/backend.js";

/** Bytes of one buffer: long enough for fast reads, short enough to stay in the processor's cache. */
export const CHUNK = 2 ** 20;
/** Buffers that a device may have at once, while the next one is filled. */
const AHEAD = 2;

export class Staging {
  readonly #free: ArrayBuffer[] = [];
  /** Buffers that a device has, in the order in which it gives them back. */
  readonly #written: Promise<ArrayBuffer>[] = [];

  /** A buffer of CHUNK bytes that nobody uses. */
  take(): ArrayBuffer {
    return this.#free.pop() ?? new ArrayBuffer(CHUNK);
  }

  /** Gives back a buffer that the device did not get. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === CHUNK) this.#free.push(buffer);
  }

  /** Lets a device write what a buffer holds; waits while it has too many. @throws what it complained of */
  async write(device: Device, handle: Handle, offset: number, data: ArrayBufferView<ArrayBuffer>): Promise<void> {
    while (this.#written.length >= AHEAD) await this.#settleFirst();
    const written = device.write(handle, offset, data);
    // Heard of when its turn comes.
    written.catch(() => undefined);
    this.#written.push(written);
  }

  /** Waits until everything has been written. @throws what the device complained of first */
  async settle(): Promise<void> {
    while (this.#written.length > 0) await this.#settleFirst();
  }

  async #settleFirst(): Promise<void> {
    const buffer = await this.#written.shift();
    if (buffer !== undefined) this.give(buffer);
  }
}
