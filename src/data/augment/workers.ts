/** Augmentation on threads of its own, so that training never waits for it. */

import { platform } from "#platform";
import { checkCount } from "../../core/check.js";
import { ArgumentError, FoveaError } from "../../core/errors.js";
import type { WorkerThread } from "../../platform/platform.js";
import type { ImageBatch } from "../batches.js";
import type { AugmentContext, BatchAugmentation, Description } from "./augmentation.js";

/** To a worker: a batch to change. */
export interface AugmentRequest {
  readonly id: number;
  readonly description: Description;
  readonly batch: ImageBatch;
  readonly context: AugmentContext;
}

/** What augmentation changes of a batch. */
export type ChangedParts = Pick<ImageBatch, "images" | "masks" | "shape" | "mixed">;

/** From a worker. */
export type AugmentReply =
  | { readonly id: number; readonly changed: ChangedParts }
  | { readonly id: number; readonly error: FoveaErrorParts };

export type FoveaErrorParts = Pick<FoveaError, "code" | "message">;

/**
 * The same augmentation, on other threads; results are the same to the last bit. Pages have none for it, and go on on their own.
 *
 * @param threads batches that are worked on at once; memory holds no more than these and as many again
 * @throws ArgumentError where it has parts of your own, which other threads do not know
 * @example new DataLoader(train, { augment: augment.inWorkers(augment.elastic(), 2), shuffle: true })
 */
export function inWorkers(augmentation: BatchAugmentation, threads: number): WorkerAugmentation {
  checkCount("inWorkers", "threads", threads);
  const { description } = augmentation;
  if (description === undefined) {
    throw new ArgumentError(
      "inWorkers: the augmentation has parts of your own, which other threads do not know. Fix: use it without workers.",
    );
  }
  if (platform.spawnAugmenter === undefined) return augmentation;
  return {
    description,
    threads,
    async augmentBatch(batch, { seed, epoch, occurrences }) {
      const { images, labels, indices, shape, size, masks, mixed } = batch;
      const changed = await poolOf(threads).ask({
        description,
        batch: { images, labels, indices, shape, size, masks, mixed },
        // A signal cannot be sent.
        context: { seed, epoch, occurrences },
      });
      return { ...batch, ...changed };
    },
  };
}

/** Pictures of any kind, augmented at once or later. */
export interface WorkerAugmentation {
  readonly description: Description | undefined;
  readonly threads?: number;
  augmentBatch<Batch extends ImageBatch>(batch: Batch, context: AugmentContext): Batch | Promise<Batch>;
}

/** Threads are kept for the next loader: they take longer to start than most batches to change. */
const pool: Augmenter[] = [];

/** The least busy of the first `threads` workers. */
function poolOf(threads: number): Augmenter {
  for (let i = 0; i < pool.length; i++) if (pool[i].failed) pool.splice(i--, 1);
  const idle = pool.slice(0, threads).find(({ waiting }) => waiting === 0);
  if (idle !== undefined) return idle;
  if (pool.length < threads) {
    const added = new Augmenter();
    pool.push(added);
    return added;
  }
  return pool.slice(0, threads).reduce((least, each) => (each.waiting < least.waiting ? each : least));
}

interface Waiting {
  resolve(changed: ChangedParts): void;
  reject(error: Error): void;
}

/** One thread. It keeps the process only while it is asked for something. */
class Augmenter {
  failed = false;
  readonly #thread: WorkerThread;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor() {
    if (platform.spawnAugmenter === undefined) throw new Error("there are no threads for augmentation here");
    this.#thread = platform.spawnAugmenter({
      message: (reply) => this.#settle(reply),
      failure: (error) => this.#fail(error),
    });
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  ask(request: Omit<AugmentRequest, "id">): Promise<ChangedParts> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#thread.keepAlive(true);
      // The batch is copied: its bytes may belong to the data set.
      this.#thread.post({ id, ...request });
    });
  }

  #settle(reply: AugmentReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#thread.keepAlive(false);
    if ("changed" in reply) waiting?.resolve(reply.changed);
    else waiting?.reject(new FoveaError(reply.error.code, reply.error.message));
  }

  #fail(cause: Error): void {
    this.failed = true;
    for (const { reject } of this.#waiting.values()) {
      reject(
        new FoveaError(
          "FOVEA_UNSUPPORTED",
          `a thread for augmentation failed: ${cause.message}. Fix: augment without workers.`,
          { cause },
        ),
      );
    }
    this.#waiting.clear();
  }
}
