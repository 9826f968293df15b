/** Promises that say so when somebody forgets to await them. */

import { ArgumentError } from "../core/errors.js";

const inspect = Symbol.for("nodejs.util.inspect.custom");

/** The result of reading a tensor: a promise that complains when it is used as the value that it resolves to. */
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
    throw this.forgotten();
  }

  /** Otherwise JSON would silently be {}. */
  toJSON(): never {
    throw this.forgotten();
  }

  /** What `console.log` shows in Node. */
  [inspect](): string {
    return `a promise (to have its value: await t.${this.#what})`;
  }

  /** The error for whoever uses it as its value. @internal */
  forgotten(): ArgumentError {
    return new ArgumentError(
      `the result of ${this.#what} is a promise, because reading from a device takes time. Fix: \`await t.${this.#what}\`.`,
    );
  }
}

/** What a compiled function returns: a promise that complains when it is used as what it resolves to. */
export class PendingResult<T> extends Promise<T> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  [Symbol.toPrimitive](): never {
    throw forgottenResult("a number or a text was wanted of");
  }

  toJSON(): never {
    throw forgottenResult("JSON.stringify was given");
  }

  /** What `console.log` shows in Node. */
  [inspect](): string {
    return "a promise (to have the compiled function's result: await step(…))";
  }
}

function forgottenResult(what: string): ArgumentError {
  return new ArgumentError(
    `a compiled function returns a promise, and ${what} the promise itself. Fix: \`const result = await step(…)\`, then use the result.`,
  );
}

/** What people do with the values. */
for (const name of ["toFixed", "length", "map", 0]) {
  Object.defineProperty(Reading.prototype, name, {
    configurable: true,
    get(this: Reading<unknown>) {
      throw this.forgotten();
    },
  });
}

for (const name of ["item", "data", "array", "shape", "dtype", "backward", "add", "mul", 0]) {
  Object.defineProperty(PendingResult.prototype, name, {
    configurable: true,
    get() {
      throw forgottenResult(`${name === 0 ? "[0]" : `.${name}`} was used on`);
    },
  });
}

/** Whether `value` is a promise in a place where a tensor belongs. */
export function isPromise(value: unknown): boolean {
  return value instanceof Promise;
}
