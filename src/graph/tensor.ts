/**
 * A tensor is a value in the graph: it knows how it comes about, and its numbers exist once somebody reads it.
 */

/// <reference lib="esnext.disposable" preserve="true" />

import type { Device } from "../backends/backend.js";
import { type DType, sizeBytes, type TypedArray, type TypedArrayOf, viewBytes } from "../core/dtype.js";
import { ArgumentError, TraceError } from "../core/errors.js";
import { formatTensor, type NestedArray, toNested } from "../core/format.js";
import { formatShape, type Shape, sizeOf } from "../core/shape.js";
import { type CheckpointRegion, currentRegion, currentTrace, type Frame, type Trace } from "./context.js";
import { storageOf } from "./lazy.js";
import type { Operation } from "./operation.js";
import { Reading } from "./reading.js";
import type { AnyState } from "./state.js";
import { releaseWhenCollected, type Storage } from "./storage.js";

/** A tensor of any element type. */
export type AnyTensor = Tensor<Shape, DType>;

/** How a tensor's value comes about. @internal */
export type Origin =
  /** An op applied to other tensors. */
  | {
      readonly kind: "computed";
      readonly op: Operation;
      readonly inputs: readonly AnyTensor[];
      readonly params: object;
      readonly frame: Frame | null;
      /** Captured where the op was called; its stack is read only when an error needs it. */
      readonly site: Error | undefined;
    }
  /** Values in JavaScript memory. */
  | { readonly kind: "data"; readonly data: TypedArray }
  /** Nothing but what `storage` holds: the result of a program. */
  | { readonly kind: "stored" }
  /** What `state` held or will hold as its `version`; `value` is what was assigned, undefined for a version in memory. */
  | {
      readonly kind: "state";
      readonly state: AnyState;
      readonly version: number;
      readonly value: AnyTensor | undefined;
    }
  /** A number, read anew at each run of the program; `constant` when every run of its program gives the same. */
  | { readonly kind: "number"; readonly read: () => number; readonly constant: boolean }
  /** Four words that name a draw of random numbers, made anew at each run: seed and draw number, low words first. */
  | { readonly kind: "draw"; readonly read: () => Int32Array<ArrayBuffer> }
  /** An argument of the function that is being compiled. */
  | { readonly kind: "argument" }
  | { readonly kind: "disposed" };

/** Read values of at most this many bytes are kept, to be printed or read again without asking the device. */
const keptWhenRead = 64 * 1024;

let created = 0;

/** How many have been made so far: the `order` of the next. @internal */
export function tensorsMade(): number {
  return created;
}

/**
 * An immutable array of numbers, computed when it is read.
 *
 * `S` is its shape where that is known while compiling TypeScript (`Tensor<[number, 3, 32, 32]>`), `D` its element type.
 *
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * const y = x.mul(2).add(1);   // nothing is computed yet
 * await y.array();             // [[3, 5], [7, 9]]
 */
export class Tensor<out S extends Shape = Shape, out D extends DType = "float32"> {
  readonly shape: S;
  readonly dtype: D;
  readonly device: Device;
  /** @internal */
  origin: Origin;
  /** Where its value lies on the device, once computed. @internal */
  storage: Storage | undefined;
  /** The recording it belongs to; null outside `compile`. @internal */
  readonly trace: Trace | null;
  /** The checkpointed piece that it is computed in, if any. @internal */
  readonly region: CheckpointRegion | null = currentRegion();
  /** Place in the order in which tensors were made: inputs come before what is computed from them. @internal */
  readonly order = created++;
  /** How often a program took its values from JavaScript memory. @internal */
  uses = 0;
  /** The values, once they have been read. */
  #read: TypedArray | undefined;

  /** Tensors are made by functions such as `tensor`, `zeros` and `normal`. */
  constructor(notThisWay: never, ...rest: never[]);
  /** @internal */
  constructor(shape: S, dtype: D, device: Device, origin: Origin, storage?: Storage);
  constructor(shape: S, dtype: D, device: Device, origin: Origin, storage?: Storage) {
    this.shape = shape;
    this.dtype = dtype;
    this.device = device;
    this.origin = origin;
    this.trace = currentTrace();
    if (storage !== undefined) this.store(storage);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** @internal */
  get bytes(): number {
    return sizeBytes(this.dtype, this.size);
  }

  /**
   * The values in row-major order, as a fresh typed array.
   *
   * @example const values = await y.data();
   */
  data(): Reading<TypedArrayOf<D>> {
    return new Reading("data()", async () => {
      const values = await this.#values();
      const kept = values === this.#read || this.origin.kind === "data";
      return (kept ? values.slice() : values) as TypedArrayOf<D>;
    });
  }

  /**
   * The value of a tensor with one element.
   *
   * @example const value = await loss.item();
   */
  item(): Reading<number> {
    if (this.size !== 1) {
      throw new ArgumentError(
        `item() reads a tensor with one element, but this one is ${formatShape(this.shape)} (${this.size} elements). ` +
          "Fix: read them all with `await t.array()`, or reduce it first, as with t.mean().",
      );
    }
    return new Reading("item()", async () => (await this.#values())[0]);
  }

  /**
   * The values as nested arrays; a plain number for a scalar. Booleans are 0 and 1.
   *
   * @example await tensor([[1, 2], [3, 4]]).array(); // [[1, 2], [3, 4]]
   */
  array(): Reading<NestedArray> {
    return new Reading("array()", async () => toNested(await this.#values(), this.shape));
  }

  /** Gives its memory back now instead of when it is collected. `using y = …` calls this at the end of the block. */
  dispose(): void {
    this.storage?.release();
    this.storage = undefined;
    this.#read = undefined;
    this.origin = { kind: "disposed" };
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The values when they have been read, else shape, element type and how to read it. */
  toString(): string {
    const known = this.origin.kind === "data" ? this.origin.data : this.#read;
    const head = `Tensor ${formatShape(this.shape)} ${this.dtype}`;
    if (this.origin.kind === "disposed") return `${head} (disposed)`;
    if (known !== undefined) return `${head}\n${formatTensor(known, this.shape, this.dtype)}`;
    return this.trace !== null && this.trace === currentTrace()
      ? `${head} (being recorded: return it from the compiled function to read it)`
      : `${head} (not read yet: await t.array(), t.data()${this.size === 1 ? " or t.item()" : ""})`;
  }

  /** What `console.log` shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new ArgumentError(
      `a Tensor (${formatShape(this.shape)}) was used as a number. Its values must be read first: \`await t.${this.size === 1 ? "item" : "array"}()\`; to calculate with tensors use t.add(…), t.mul(…), t.greater(…); in a text, \`\${t}\`.`,
    );
  }

  /** A tensor has no values until they are read, so there is nothing to write. */
  toJSON(): never {
    throw new ArgumentError(
      `a Tensor (${formatShape(this.shape)}) cannot be written as JSON, because its values must be read first. Fix: \`await t.array()\`${this.size === 1 ? " or `await t.item()`" : ""}, and write that.`,
    );
  }

  /** Takes over `storage`, to be freed when this tensor is collected. @internal */
  store(storage: Storage): void {
    this.storage = storage;
    releaseWhenCollected(this, storage);
  }

  async #values(): Promise<TypedArray> {
    if (this.origin.kind === "data") return this.origin.data;
    if (this.#read !== undefined) return this.#read;
    if (currentTrace() !== null) {
      throw new TraceError(
        "a tensor cannot be read while a function is being recorded by compile(): its value does not exist yet. Fix: return it from the function and read the result.",
      );
    }
    if (this.trace !== null) {
      throw new TraceError(
        `this tensor (${formatShape(this.shape)}) belongs to a function that compile() recorded; it has a value only inside. Fix: return it from that function and read the result.`,
      );
    }
    const storage = storageOf(this);
    const values = viewBytes<DType>(this.dtype, await storage.read(this.bytes));
    if (this.bytes <= keptWhenRead) this.#read = values;
    return values;
  }
}
