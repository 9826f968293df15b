/** Goes through a data set in batches, in an order that only the seed and the epoch decide. */

import { AbortedError, ArgumentError } from "../core/errors.js";
import { RandomStream } from "../core/philox.js";
import type { LoaderAugmentation } from "./augment/augmentation.js";
import type { BatchContext, BatchSource } from "./batches.js";
import { WeightedSampler } from "./sampling.js";

export interface LoaderOptions<Batch = unknown> {
  /** Samples in a batch; 64 unless told. */
  readonly batchSize?: number;
  /** A new random order each epoch; otherwise the data set's own order. */
  readonly shuffle?: boolean;
  readonly seed?: number;
  /**
   * One for each sample: an epoch draws as many samples as there are, each as often as its weight says in the mean, in a new
   * random order with repetitions. `balancedWeights` makes them from the classes.
   */
  readonly weights?: ArrayLike<number> | undefined;
  /** What is done to each batch at random; `seed`, the epoch and the sample decide over it. See `augment`. */
  readonly augment?: LoaderAugmentation<Batch> | undefined;
  /** Leaves out a last batch that is not full. */
  readonly dropLast?: boolean;
  /**
   * How many batches to ask for before they are needed, when the data set or the augmentation answers later; unless told 2, or the
   * threads of the augmentation if these are more.
   */
  readonly prefetch?: number;
  readonly signal?: AbortSignal;
}

export interface EpochOptions {
  /** Batches to leave out at the start: those that an interrupted run has already seen. */
  readonly startBatch?: number;
  readonly signal?: AbortSignal;
}

/** Keeps the stream of orders apart from other uses of the same seed. */
const ORDER_STREAM = 0x6f726472;

/**
 * @example
 * const loader = new DataLoader(train, { batchSize: 64, shuffle: true, seed: 7 });
 * for await (const { images, labels } of loader.epoch(0)) { … }
 */
export class DataLoader<Batch> implements AsyncIterable<Batch> {
  readonly batchSize: number;
  readonly batchesPerEpoch: number;
  readonly #source: BatchSource<Batch>;
  readonly #shuffle: boolean;
  readonly #sampler: WeightedSampler | undefined;
  readonly #seed: number;
  readonly #dropLast: boolean;
  readonly #augment: LoaderAugmentation<Batch> | undefined;
  readonly #prefetch: number;
  readonly #signal: AbortSignal | undefined;
  #nextEpoch = 0;

  constructor(source: BatchSource<Batch>, options: LoaderOptions<NoInfer<Batch>> = {}) {
    const { batchSize = 64, shuffle = false, seed = 0, weights, augment, dropLast = false, signal } = options;
    const { prefetch = Math.max(2, augment?.threads ?? 0) } = options;
    checkInteger("batchSize", batchSize, 1);
    checkInteger("seed", seed, 0);
    checkInteger("prefetch", prefetch, 0);
    this.batchSize = batchSize;
    const batches = source.size / batchSize;
    this.batchesPerEpoch = dropLast ? Math.floor(batches) : Math.ceil(batches);
    this.#source = source;
    this.#shuffle = shuffle;
    this.#sampler = weights && new WeightedSampler(weights, source.size);
    this.#seed = seed;
    this.#dropLast = dropLast;
    this.#augment = augment;
    this.#prefetch = prefetch;
    this.#signal = signal;
  }

  /** Samples that one epoch goes through. */
  get samplesPerEpoch(): number {
    return this.#dropLast ? this.batchesPerEpoch * this.batchSize : this.#source.size;
  }

  /** Each loop over the loader is the next epoch: 0, 1, 2 … */
  [Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    return this.epoch(this.#nextEpoch++);
  }

  /** The order in which epoch `epoch` goes through the data set. */
  order(epoch: number): Uint32Array<ArrayBuffer> {
    checkInteger("epoch", epoch, 0);
    const { size } = this.#source;
    if (this.#sampler !== undefined) return this.#sampler.order(size, this.#seed, epoch);
    if (this.#shuffle) return new RandomStream(this.#seed, ORDER_STREAM, epoch).permutation(size);
    return Uint32Array.from({ length: size }, (_, index) => index);
  }

  /** The batches of one epoch. The same seed, epoch and batch number always give the same samples. */
  async *epoch(epoch: number, options: EpochOptions = {}): AsyncGenerator<Batch, void, undefined> {
    const { startBatch = 0 } = options;
    checkInteger("startBatch", startBatch, 0);
    const order = this.order(epoch);
    const stop = new AbortController();
    const outer = [this.#signal, options.signal].filter((signal) => signal !== undefined);
    const signal = AbortSignal.any([stop.signal, ...outer]);
    const occurrences = this.#sampler === undefined ? undefined : countEarlier(order);

    const ask = (batch: number): Batch | Promise<Batch> => {
      const part = [batch * this.batchSize, (batch + 1) * this.batchSize] as const;
      const indices = order.slice(...part);
      const context = { seed: this.#seed, epoch, occurrences: occurrences?.slice(...part), signal };
      // A batch that fails is reported when its turn comes, not when it happens.
      try {
        const answer = this.#batch(indices, context);
        if (answer instanceof Promise) answer.catch(() => undefined);
        return answer;
      } catch (error) {
        const failed = Promise.reject(error);
        failed.catch(() => undefined);
        return failed;
      }
    };
    const asked: (Batch | Promise<Batch>)[] = [];
    try {
      for (let batch = startBatch; batch < this.batchesPerEpoch; batch++) {
        if (signal.aborted) throw new AbortedError();
        if (asked.length === 0) asked.push(ask(batch));
        // A source that answers at once has nothing to gain from being asked early.
        while (
          asked[0] instanceof Promise &&
          asked.length <= this.#prefetch &&
          batch + asked.length < this.batchesPerEpoch
        ) {
          asked.push(ask(batch + asked.length));
        }
        const next = asked.shift();
        if (next === undefined) return;
        yield await unlessAborted(next, signal);
      }
    } finally {
      stop.abort();
    }
  }

  #batch(indices: Uint32Array<ArrayBuffer>, context: BatchContext): Batch | Promise<Batch> {
    const batch = this.#source.batch(indices, context);
    const augmentation = this.#augment;
    if (augmentation === undefined) return batch;
    if (batch instanceof Promise) return batch.then((loaded) => augmentation.augmentBatch(loaded, context));
    return augmentation.augmentBatch(batch, context);
  }
}

/** For each sample how often it stands earlier in the order. */
function countEarlier(order: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const counts = new Map<number, number>();
  return order.map((sample) => {
    const count = counts.get(sample) ?? 0;
    counts.set(sample, count + 1);
    return count;
  });
}

/** The value of `answer`, or a rejection as soon as `signal` aborts. */
function unlessAborted<T>(answer: T | Promise<T>, signal: AbortSignal): T | Promise<T> {
  if (!(answer instanceof Promise)) return answer;
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(new AbortedError());
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function checkInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new ArgumentError(`DataLoader: ${name} is ${value}. Expected an integer of ${least} or more.`);
  }
}
