/** Promises for what an engine was asked: they are answered in the order in which they were made. */

import { errorOf } from "./errors.js";
import type { Outcome } from "./outcome.js";

interface Pending {
  readonly resolve: (payload: ArrayBuffer | undefined) => void;
  readonly reject: (error: Error) => void;
}

export class Replies {
  #pending: Pending[] = [];
  /** First of `#pending` that has no answer yet; the array is cut once in a while. */
  #first = 0;

  constructor(private readonly device: string) {}

  get count(): number {
    return this.#pending.length - this.#first;
  }

  /** A promise for the next reply that no other waits for. */
  expect<T>(value: (payload: ArrayBuffer | undefined) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({ resolve: (payload) => resolve(value(payload)), reject });
    });
  }

  next(outcome: Outcome, payload?: ArrayBuffer): void {
    const pending = this.#pending[this.#first++];
    if (this.#first > 1024 || this.#first === this.#pending.length) {
      this.#pending = this.#pending.slice(this.#first);
      this.#first = 0;
    }
    if (outcome.code === 0) pending?.resolve(payload);
    else pending?.reject(errorOf(outcome, this.device));
  }

  /** Answers all that are left. */
  fail(error: Error): void {
    const left = this.#pending.slice(this.#first);
    this.#pending = [];
    this.#first = 0;
    for (const { reject } of left) reject(error);
  }
}
