/** What has been submitted to each device and has not finished: for backpressure, and so that no failure goes unseen. */

import type { Device } from "../backends/backend.js";

/** A failure that nothing has reported this long after the device fell idle becomes an unhandled rejection. */
const graceMilliseconds = 50;

export class Pipeline {
  #inFlight = 0;
  #listeners = 0;
  #failure: { readonly error: unknown } | undefined;
  #waiting: { readonly limit: number; readonly resume: () => void }[] = [];

  /** Counts a submission until it settles. */
  add(done: Promise<void>): void {
    this.#inFlight++;
    done.then(
      () => this.#finish(),
      (error: unknown) => {
        this.#failure ??= { error };
        this.#finish();
      },
    );
  }

  /**
   * Resolves once at most `limit` submissions are unfinished.
   *
   * @throws what an earlier submission failed with, unless that has been reported.
   */
  async room(limit: number): Promise<void> {
    if (this.#inFlight > limit) await new Promise<void>((resume) => this.#waiting.push({ limit, resume }));
    this.throwFailure();
  }

  /** Throws, once, what a submission failed with. */
  throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  /** While `work` waits for the device, a failure is not complained of: whoever waits will be told. */
  async listen<T>(work: () => Promise<T>): Promise<T> {
    this.#listeners++;
    try {
      return await work();
    } finally {
      this.#listeners--;
      this.#watch();
    }
  }

  /** Called when `error` reaches the user in another way. */
  reported(error: unknown): void {
    if (this.#failure?.error === error) this.#failure = undefined;
  }

  #finish(): void {
    this.#inFlight--;
    const ready = this.#waiting.filter((waiter) => this.#inFlight <= waiter.limit);
    this.#waiting = this.#waiting.filter((waiter) => this.#inFlight > waiter.limit);
    for (const { resume } of ready) resume();
    this.#watch();
  }

  #watch(): void {
    const isIdle = this.#inFlight === 0 && this.#listeners === 0;
    if (isIdle && this.#failure !== undefined) setTimeout(() => this.#complain(), graceMilliseconds);
  }

  #complain(): void {
    if (this.#listeners > 0) return;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) void Promise.reject(failure.error);
  }
}

const pipelines = new WeakMap<Device, Pipeline>();

export function pipelineOf(device: Device): Pipeline {
  let pipeline = pipelines.get(device);
  if (pipeline === undefined) {
    pipeline = new Pipeline();
    pipelines.set(device, pipeline);
  }
  return pipeline;
}
