/**
 * Everything that changes is a State: a cell that holds one tensor after another. Reads see earlier assignments in the
 * order in which they were written; memory is updated when a program runs.
 */

import type { Device, Handle } from "../backends/backend.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError, TraceError } from "../core/errors.js";
import { formatShape, type Shape, sameShape } from "../core/shape.js";
import { currentFrame, currentTrace, guard } from "./context.js";
import { markClean, markDirty } from "./lazy.js";
import { releaseWhenCollected, Storage } from "./storage.js";
import { type AnyTensor, Tensor } from "./tensor.js";

/** A state of any element type. */
export type AnyState = State<Shape, DType>;

/** The version number of values assigned while recording: equal to no version in memory. */
const assignedInTrace = -2;

/**
 * A cell that holds a tensor of a fixed shape and type: a parameter, an optimizer's slot, a running mean.
 *
 * @example
 * const count = new State(tensor(0));
 * count.assign(count.value.add(1));
 * await count.value.item(); // 1
 */
export class State<S extends Shape = Shape, D extends DType = "float32"> {
  readonly shape: S;
  readonly dtype: D;
  readonly device: Device;
  /** How often it has been assigned. @internal */
  version = 0;
  /** The version that `storage` holds once everything submitted has run; -1 before the first. @internal */
  committed = -1;
  /** @internal */
  storage: Storage | undefined;
  /** What it is made with, until that has been written. @internal */
  initial: Tensor<S, D> | undefined;
  /** The newest version as a tensor, once somebody has asked for it. */
  #current: Tensor<S, D> | undefined;
  /** Whether anybody has been given the first version. */
  #seen = false;

  constructor(initial: Tensor<S, D>) {
    this.shape = initial.shape;
    this.dtype = initial.dtype;
    this.device = initial.device;
    this.initial = initial;
    this.#current = this.#versionOf(0, initial);
    markDirty(this);
  }

  /** The tensor it holds at this point of the program. */
  get value(): Tensor<S, D> {
    const trace = currentTrace();
    this.#seen = true;
    if (trace === null) {
      this.#current ??= this.#versionOf(this.version, undefined);
      return this.#current;
    }
    let traced = trace.states.get(this);
    if (traced === undefined) {
      traced = { current: this.#versionOf(this.version, undefined), assigned: false };
      trace.states.set(this, traced);
    }
    return traced.current as Tensor<S, D>;
  }

  /**
   * Makes `next` its value from here on.
   *
   * @throws ShapeError, DTypeError when `next` is of another shape or type.
   */
  assign(next: Tensor<Shape, D>): void {
    if (!sameShape(next.shape, this.shape)) {
      throw new ShapeError(
        `assign: this state holds ${formatShape(this.shape)}, but the new value is ${formatShape(next.shape)}. A state keeps its shape; make a new one, or reshape() the value.`,
      );
    }
    if (next.dtype !== this.dtype) {
      throw new DTypeError(
        `assign: this state holds ${this.dtype}, but the new value is ${next.dtype}. Fix: .to("${this.dtype}").`,
      );
    }
    const trace = currentTrace();
    if (trace === null && this.initial !== undefined && !this.#seen) {
      // Nobody can tell: weights that are loaded or initialised in another way take the place of those never computed.
      this.initial = next as Tensor<S, D>;
      this.#current = this.#versionOf(0, this.initial);
    } else if (trace === null) {
      this.version++;
      this.#current = this.#versionOf(this.version, next as Tensor<S, D>);
      markDirty(this);
    } else {
      trace.states.set(this, { current: this.#versionOf(assignedInTrace, next as Tensor<S, D>), assigned: true });
    }
  }

  /** Shape and element type, and how to read it. */
  toString(): string {
    return `${this.constructor.name} ${formatShape(this.shape)} ${this.dtype} (to read it: await p.value.array())`;
  }

  /** What `console.log` shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new ArgumentError(
      `a ${this.constructor.name} (${formatShape(this.shape)}) was used as a number. To calculate with it use add(p, …), mul(p, …) or p.value; to read it, \`await p.value.array()\`.`,
    );
  }

  /** As of a tensor, its values must be read first. */
  toJSON(): never {
    throw new ArgumentError(
      `a ${this.constructor.name} (${formatShape(this.shape)}) cannot be written as JSON, because its values must be read first. Fix: \`await p.value.array()\`, or module.stateDict() for all.`,
    );
  }

  /** The value waiting to be written, if any. @internal */
  get pending(): AnyTensor | undefined {
    if (this.committed === this.version) return undefined;
    const origin = this.#current?.origin;
    return origin?.kind === "state" ? origin.value : undefined;
  }

  /** Called when a program that writes the first version has been submitted. @internal */
  commitInitial(): void {
    this.committed = 0;
    this.initial = undefined;
    if (this.version === 0) this.commit();
  }

  /** Called when a program that writes the newest version has been submitted. @internal */
  commit(): void {
    this.committed = this.version;
    // Tensors that stand for this version now stand for what is in memory; what was computed can be collected.
    if (this.#current !== undefined) {
      this.#current.origin = { kind: "state", state: this, version: this.version, value: undefined };
    }
  }

  /** Called when a compiled program that assigns this state has been submitted. @internal */
  advance(): void {
    this.version++;
    this.#current = undefined;
    this.committed = this.version;
  }

  /**
   * Makes the memory behind `handle`, which is its own from here on, its value, without a copy. What the state was made with, or was about to hold,
   * is never computed; values that depend on what it held before and were not computed in time are gone. @internal
   */
  adopt(handle: Handle): void {
    if (currentTrace() !== null) {
      throw new TraceError(
        "weights cannot be loaded while a function is being recorded by compile(). Fix: load them before it is called.",
      );
    }
    this.storage?.release();
    this.store(new Storage(this.device, handle));
    this.initial = undefined;
    this.advance();
    markClean(this);
  }

  /** Takes over `storage`, to be freed when this state is collected. @internal */
  store(storage: Storage): void {
    this.storage = storage;
    releaseWhenCollected(this, storage);
  }

  #versionOf(version: number, value: Tensor<S, D> | undefined): Tensor<S, D> {
    return new Tensor(this.shape, this.dtype, this.device, { kind: "state", state: this, version, value });
  }
}

/**
 * A state that training changes: `loss.backward()` computes its gradient unless `requiresGrad` is false.
 *
 * @example const weight = new Parameter(normal([10, 5]));
 */
export class Parameter<S extends Shape = Shape> extends State<S, "float32"> {
  #requiresGrad: boolean;
  #grad: Tensor<S> | null = null;

  constructor(initial: Tensor<S>, options: { readonly requiresGrad?: boolean } = {}) {
    super(initial);
    this.#requiresGrad = options.requiresGrad ?? true;
  }

  /** False freezes the parameter: no gradient is computed for it and no optimizer changes it. */
  get requiresGrad(): boolean {
    const now = this.#requiresGrad;
    guard(() => this.#requiresGrad === now);
    return now;
  }

  set requiresGrad(value: boolean) {
    this.#requiresGrad = value;
  }

  override get value(): Tensor<S> {
    currentFrame()?.parametersRead.add(this);
    return super.value;
  }

  /** The gradient that `backward()` has left here and no optimizer has used up yet; null when there is none. */
  get grad(): Tensor<S> | null {
    return this.#grad;
  }

  set grad(value: Tensor<S> | null) {
    this.#grad = value;
    const gradients = currentTrace()?.gradients;
    if (value === null) gradients?.delete(this);
    else gradients?.add(this);
  }
}
