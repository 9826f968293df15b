/** Memory on a device that a tensor or a state holds. */

import type { Device, Handle } from "../backends/backend.js";
import { type Pipeline, pipelineOf } from "./pipeline.js";

/** What the contents of a storage have been rearranged into, to be used again while they stay the same. */
export interface Prepared {
  readonly handle: Handle;
  /** Of the contents that it was made from. */
  version: number;
}

export class Storage {
  /** By `Step.prepares`. */
  readonly prepared = new Map<string, Prepared>();
  #released = false;

  constructor(
    readonly device: Device,
    readonly handle: Handle,
    /** Settles when the program that fills it has run; undefined for uploads. */
    private readonly filled?: Promise<void>,
  ) {}

  read(bytes: number): Promise<ArrayBuffer> {
    const pipeline = pipelineOf(this.device);
    return pipeline.listen(() => this.#read(bytes, pipeline));
  }

  async #read(bytes: number, pipeline: Pipeline): Promise<ArrayBuffer> {
    try {
      // Queued now, in order; but if the program failed, its own error explains more than the read's.
      const reading = this.device.read(this.handle, bytes);
      reading.catch(() => undefined);
      await this.filled;
      const values = await reading;
      pipeline.throwFailure();
      return values;
    } catch (error) {
      pipeline.reported(error);
      // A state does not know which program should have filled it, and a program fails where one before it did not fill
      // its states: what that one failed with explains more, even if its answer comes later.
      await pipeline.room(0);
      throw error;
    }
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.device.free(this.handle);
    this.forgetPrepared();
  }

  forgetPrepared(): void {
    for (const { handle } of this.prepared.values()) this.device.free(handle);
    this.prepared.clear();
  }
}

const collected = new FinalizationRegistry<Storage>((storage) => storage.release());

/** Frees `storage` once `owner` can no longer be reached. */
export function releaseWhenCollected(owner: object, storage: Storage): void {
  collected.register(owner, storage);
}
