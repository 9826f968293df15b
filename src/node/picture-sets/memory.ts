/** The memory that pictures may take, and an account of what they take. */

import { totalmem } from "node:os";
import { ArgumentError, DataError } from "../../core/errors.js";

/** What part of the limit each use may fill; none of them waits for another while it holds some. */
const shares = { kept: 1 / 2, files: 1 / 8, decoded: 3 / 8 } as const;

/**
 * The memory that sets of pictures may take together: pictures that are kept from epoch to epoch, files that are being
 * read, and pictures that are being decoded. What does not fit waits for its turn, or is read again when it is needed.
 *
 * @example
 * const memory = new PictureMemory(512e6);
 * const train = await imageFolder("photos", { size: 64, split: "train", memory });
 * console.log(memory.peak); // at most 512,000,000
 */
export class PictureMemory {
  /** Bytes. */
  readonly limit: number;
  readonly files: Room;
  readonly decoded: Room;
  #kept = 0;
  #used = 0;
  #peak = 0;

  /** @param limit bytes; default: a quarter of the memory that this process may use */
  constructor(limit = usableMemory() / 4) {
    if (!(limit >= 2 ** 20 && limit < Number.POSITIVE_INFINITY)) {
      throw new ArgumentError(`memory is ${limit}. Expected a number of bytes, at least ${2 ** 20} (1 MiB).`);
    }
    this.limit = Math.floor(limit);
    const onChange = (bytes: number) => this.#count(bytes);
    this.files = new Room("the file", Math.floor(limit * shares.files), this.limit, onChange);
    this.decoded = new Room("the picture, decoded,", Math.floor(limit * shares.decoded), this.limit, onChange);
  }

  /** Bytes in use now. */
  get used(): number {
    return this.#used;
  }

  /** The most bytes that were ever in use at once; never above `limit`. */
  get peak(): number {
    return this.#peak;
  }

  /** Bytes of pictures that are kept from epoch to epoch. */
  get kept(): number {
    return this.#kept;
  }

  /** Counts a picture as kept, if there is room. What is there stays: an epoch comes by every picture equally often. */
  keep(bytes: number): boolean {
    if (this.#kept + bytes > this.limit * shares.kept) return false;
    this.#kept += bytes;
    this.#count(bytes);
    return true;
  }

  #count(bytes: number): void {
    this.#used += bytes;
    this.#peak = Math.max(this.#peak, this.#used);
  }
}

/** Bytes that are given out as long as there are some; then in the order of asking. */
class Room {
  #free: number;
  readonly #waiting: { readonly bytes: number; readonly start: () => void }[] = [];

  constructor(
    private readonly what: string,
    readonly size: number,
    private readonly limit: number,
    private readonly onChange: (bytes: number) => void,
  ) {
    this.#free = size;
  }

  /** Does `work` once there are `bytes` for it. @throws DataError where there never will be */
  async use<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (bytes > this.size) {
      throw new DataError(
        `${this.what} would take ${megabytes(bytes)} of memory. Expected at most ${megabytes(this.size)}, ` +
          `its part of ${megabytes(this.limit)}. Fix: make the picture smaller, or memory larger.`,
      );
    }
    if (this.#waiting.length > 0 || bytes > this.#free) {
      await new Promise<void>((start) => this.#waiting.push({ bytes, start }));
    } else this.#take(bytes);
    try {
      return await work();
    } finally {
      this.#take(-bytes);
      for (let [next] = this.#waiting; next !== undefined && next.bytes <= this.#free; [next] = this.#waiting) {
        this.#waiting.shift();
        this.#take(next.bytes);
        next.start();
      }
    }
  }

  #take(bytes: number): void {
    this.#free -= bytes;
    this.onChange(bytes);
  }
}

/** What the process may use: all of the machine's memory, or what a container allows. */
function usableMemory(): number {
  // Where there is no limit, the system gives a number beyond all memory.
  const limit = process.constrainedMemory() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
