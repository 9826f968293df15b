/** Pictures that are read from files when they are asked for, each kept in memory as long as there is room. */

import { createHash } from "node:crypto";
import { AbortedError, FileError } from "../../core/errors.js";
import type { PictureInput } from "../../data/resize.js";
import { countPixels } from "../image.js";
import { decodeInThread, decodePicture, decodingThreads } from "./decoding.js";
import type { PictureMemory } from "./memory.js";

/** A file with a picture, in a folder or an archive. */
export interface PictureFile {
  /** What errors call it. */
  readonly name: string;
  size(): Promise<number>;
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

const digestBytes = 32;
/** For fewer pictures it does not pay to start threads. */
const fewest = 48;
/** Pixels up to which it takes longer to hand a picture to a thread than to do there what the decoder leaves to do. */
const smallest = 64 * 64;

export class PictureStore {
  readonly #files: readonly PictureFile[];
  readonly #input: PictureInput;
  readonly #memory: PictureMemory;
  readonly #kept: (Uint8Array<ArrayBuffer> | undefined)[];
  /** Pictures that are being read. */
  readonly #pending = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  /** SHA-256 of each file; zeros where it has not been read yet. */
  readonly #digests: Uint8Array<ArrayBuffer>;

  constructor(files: readonly PictureFile[], input: PictureInput, memory: PictureMemory) {
    this.#files = files;
    this.#input = input;
    this.#memory = memory;
    this.#kept = new Array(files.length);
    this.#digests = new Uint8Array(files.length * digestBytes);
  }

  name(position: number): string {
    return this.#files[position].name;
  }

  /** SHA-256 of a file as it was first read. */
  digest(position: number): Uint8Array<ArrayBuffer> {
    return this.#digests.subarray(position * digestBytes, (position + 1) * digestBytes);
  }

  /** A picture's bytes in C×H×W order, where they are kept. */
  kept(position: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#kept[position];
  }

  /** A picture's bytes in C×H×W order: at once where they are kept. */
  get(position: number): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
    const kept = this.#kept[position] ?? this.#pending.get(position);
    if (kept !== undefined) return kept;
    const loading = this.#load(position).finally(() => this.#pending.delete(position));
    this.#pending.set(position, loading);
    return loading;
  }

  async #load(position: number): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.#files[position];
    const [channels, height, width] = this.#input.inputShape;
    return this.#memory.files.use(await file.size(), async () => {
      const bytes = await file.read();
      this.#check(position, bytes);
      const pixels = await countPixels(bytes, file.name);
      // Decoded, and once more as it is scaled.
      const need = 2 * pixels * (channels === 1 ? 1 : 3);
      return this.#memory.decoded.use(need, async () => {
        const atOnce = this.#files.length < fewest || Math.max(pixels, height * width) <= smallest;
        const decode = atOnce ? decodePicture : decodeInThread;
        const planar = await decode({ bytes, name: file.name, input: this.#input });
        if (this.#memory.keep(planar.length)) this.#kept[position] = planar;
        return planar;
      });
    });
  }

  /** Throws when a file is not what it was: an epoch would not repeat. */
  #check(position: number, bytes: Uint8Array): void {
    const digest = createHash("sha256").update(bytes).digest();
    const before = this.digest(position);
    if (before.every((byte) => byte === 0)) before.set(digest);
    else if (!digest.equals(before)) {
      throw new FileError(
        `${this.name(position)} has changed since the data set was opened. Fix: open the data set again when its files stay as they are.`,
      );
    }
  }
}

/** Does `work` for 0 … count-1, some at a time; the first error ends it. */
export async function inParallel(
  count: number,
  work: (index: number) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let next = 0;
  const line = async () => {
    while (next < count) {
      if (signal?.aborted) throw new AbortedError();
      await work(next++);
    }
  };
  const lines = Array.from({ length: Math.min(count, 4 * decodingThreads) }, line);
  try {
    await Promise.all(lines);
  } finally {
    next = count;
    await Promise.allSettled(lines);
  }
}
