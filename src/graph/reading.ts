/** Promises that say so when somebody forgets to await them. */

import { ArgumentError } from "../core/errors.js";

/** The result of reading a tensor: a promise that complains when it is used as a number or a string. */
export class Reading<T> extends Promise<T> {
  /** Not a field initialiser: promises derived by `then` never carry it. */
  readonly #what: string;

  constructor(what: string, read: () => Promise<T>) {
    super((resolve, reject) => {
      read().then(resolve, reject);
    });
    this.#what = what;
  }

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  [Symbol.toPrimitive](): never {
    throw new ArgumentError(
      `the result of ${this.#what} is a promise, because reading from a device takes time. Fix: \`await t.${this.#what}\`.`,
    );
  }
}

/** What a compiled function returns: a promise that complains when it is used as the tensor that it resolves to. */
export class PendingResult<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }
}

for (const name of ["item", "data", "array", "shape", "dtype", "backward", "add", "mul", Symbol.toPrimitive]) {
  Object.defineProperty(PendingResult.prototype, name, {
    configurable: true,
    get() {
      throw new ArgumentError(
        `a compiled function returns a promise, and .${String(name)} was used on the promise itself. Fix: \`const result = await step(…)\`, then result.${String(name)}.`,
      );
    },
  });
}

/** Whether `value` is a promise in a place where a tensor belongs. */
export function isPromise(value: unknown): boolean {
  return value instanceof Promise;
}
