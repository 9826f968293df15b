/**
 * The contract between the compiler and a backend.
 *
 * A device is an in-order asynchronous queue with opaque handles. Nothing outside a backend sees a pointer or a view of
 * its memory. The compiler hands it work items (one op, or a fused group of elementwise ops), the device answers with
 * steps over buffers, the compiler plans where those buffers live, and the device runs the whole list at each
 * submission.
 */

import type { DType } from "../core/dtype.js";
import type { Layout } from "../core/layout.js";
import type { Shape } from "../core/shape.js";
import type { Operation } from "../graph/op.js";

/** A piece of memory in a program: part of the arena, or bound when the program is submitted. */
export interface Buffer {
  readonly id: number;
  readonly bytes: number;
  /** Filled in by the memory plan: slot 0 is the arena, the others are bindings; `offset` is a multiple of 64 bytes. */
  slot: number;
  offset: number;
}

/** A tensor as a step sees it: contiguous elements in a buffer. */
export interface Operand {
  readonly buffer: Buffer;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Without one, as in elementwise work, elements are in the order of the axes. */
  readonly layout?: Layout;
}

/** Elementwise ops over one iteration space, evaluated together element by element. */
export interface ElementwiseWork {
  readonly kind: "elementwise";
  /** The iteration space: the shape of every output. */
  readonly shape: Shape;
  /** Each broadcasts to `shape`. */
  readonly inputs: readonly Operand[];
  /** Operands are numbered: first the inputs, then one result for each instruction. */
  readonly instructions: readonly ElementwiseInstruction[];
  readonly outputs: readonly { readonly operand: Operand; readonly value: number }[];
}

export interface ElementwiseInstruction {
  /** Name of the elementwise op, such as `add`. */
  readonly op: string;
  readonly operands: readonly number[];
  readonly operandTypes: readonly DType[];
  readonly dtype: DType;
}

/** One op with a kernel of its own. */
export interface OpWork {
  readonly kind: "op";
  readonly op: string;
  readonly inputs: Readonly<Record<string, Operand>>;
  readonly params: object;
  readonly output: Operand;
  /** The op's declaration; none for `copy`, which the compiler itself inserts. */
  readonly definition?: Operation;
  /**
   * Elementwise work to do on the output as it is finished. Its input 0 is the op's own result, in `output.buffer`; an
   * output of the epilogue may be that same buffer. If none is, nobody else needs the op's own result.
   */
  readonly epilogue?: ElementwiseWork;
}

export type Work = ElementwiseWork | OpWork;

/** What is known of an op before its operands have memory. */
export interface OpShapes {
  readonly op: string;
  readonly inputs: Readonly<Record<string, Shape>>;
  readonly params: object;
  readonly output: Shape;
}

/** One entry of a program: what it reads and writes is all that the compiler looks at. */
export interface Step {
  readonly name: string;
  readonly reads: readonly Buffer[];
  readonly writes: readonly Buffer[];
  /** Working memory of this step. */
  readonly scratch: readonly Buffer[];
  /** The backend's own description of the step. */
  readonly fields: object;
  /**
   * Set where the step only rearranges what it reads, one buffer, into the one that it writes: then it need not run
   * again while that stays the same. Equal strings, equal results for equal contents.
   */
  readonly prepares?: string;
  readonly chosen?: ChosenAlgorithm;
}

/** How a step computes what can be computed in several ways. */
export interface ChosenAlgorithm {
  readonly algorithm: string;
  /** A table of what is fastest on such machines, one that the user gave (`setAlgorithms`), or a count of operations. */
  readonly by: "table" | "own table" | "model";
}

/** Receives the steps of a work item. */
export interface Emitter {
  step(step: Step): void;
  /** A buffer that lives from the first to the last of this work item's steps that name it. */
  temporary(bytes: number): Buffer;
  /** Whether what a step prepares of `source` is kept from one run to the next, and such a step need not run again. */
  isKept(source: Buffer): boolean;
  /** The same of a state, such as a layer's weights: data that is given mostly differs from run to run. */
  isKeptState(source: Buffer): boolean;
}

/** How a device turns work into steps. */
export interface Compiler {
  /** Whether elementwise ops are to be gathered into groups; if not, every op arrives as an `OpWork` of its own. */
  readonly fusesElementwise: boolean;
  /** Whether the kernel of `op` can take elementwise work as an epilogue. */
  takesEpilogue(op: string): boolean;
  /** The names of the inputs, and "output", that the kernel of an op takes with their channels last. */
  channelsLast?(work: OpShapes): readonly string[];
  /** Emits the steps of `work`; throws `UnsupportedOpError` where there is no kernel. */
  lower(work: Work, emit: Emitter): void;
  /**
   * Combines steps of a whole program where that is faster, and may move them if results stay the same. None: steps are
   * run as they are. None moves from one side of `commitStart` to the other.
   */
  combine?(steps: readonly Step[], commitStart: number, temporary: (bytes: number) => Buffer): readonly CombinedStep[];
}

/** A step of a program, and the numbers of those that it was combined from. */
export interface CombinedStep {
  readonly step: Step;
  readonly parts: readonly number[];
}

/** What a device runs: steps in order over one arena and the bindings of each submission. */
export interface Program {
  readonly steps: readonly Step[];
  /**
   * Steps from this one on may write state, and cannot fail. They run only if all earlier ones succeeded and nobody
   * cancelled, and then they all run: a failed or cancelled program changes no state.
   */
  readonly commitStart: number;
  readonly arenaBytes: number;
  /** Bytes of slot 1: numbers that are sent along with each submission. */
  readonly scalarBytes: number;
  /** Slots in all: the arena, the scalars, and one for each binding. */
  readonly slots: number;
}

/** Names memory on a device, or a loaded program. Numbers are never used twice. */
export type Handle = number;

/** Data that a kernel could not use: a `DataError` once the compiler has said which call it came from. */
export class KernelFault extends Error {
  constructor(
    readonly kind: "indexOutOfRange",
    /** Index into the program's steps. */
    readonly step: number,
    /** Index of the first offending element of the input, and its value. */
    readonly element: number,
    readonly value: number,
    /** Valid values are 0 … limit - 1. */
    readonly limit: number,
  ) {
    super(`${kind}: element ${element} is ${value}, expected 0 … ${limit - 1}`);
  }
}

/** Bytes on the device. */
export interface MemoryUse {
  /** Held by handles. */
  readonly live: number;
  /** The arena, shared by all programs. */
  readonly arena: number;
  /** Taken from the system, in use or kept for the next allocation. */
  readonly reserved: number;
  /** Allocations that had to ask the system for memory, since the start. */
  readonly systemAllocations: number;
  /** Programs run since the start. */
  readonly submissions: number;
}

/**
 * An in-order asynchronous queue. Calls return at once and take effect in the order in which they were made; they may
 * be made before the device is ready.
 */
export interface Device {
  /** `native`, `wasm` or `reference`. */
  readonly name: string;
  /** Name with the kernel variant, such as `native-avx2`: the same variant gives the same bits. */
  readonly variant: string;
  readonly threads: number;
  /** Bytes that one program's arena may take. */
  readonly memoryLimit: number;
  readonly compiler: Compiler;
  /** Whether the arena holds what a program left there until the next has begun: then steps can be run, and timed, one by one. */
  readonly keepsArena: boolean;
  /** Rejects when the device cannot be started. */
  readonly ready: Promise<void>;
  /** Uninitialised memory. */
  allocate(bytes: number): Handle;
  /** A copy of `data`, taken during the call. */
  upload(data: ArrayBufferView<ArrayBuffer>): Handle;
  /**
   * Fills memory from byte `offset` on; it can be read once a write has reached its end. What `data` lies in belongs to
   * the device until the promise gives it back, to be filled again: where it can be, it is not copied.
   */
  write(handle: Handle, offset: number, data: ArrayBufferView<ArrayBuffer>): Promise<ArrayBuffer>;
  /** The first `bytes` bytes behind a handle, as a fresh copy, when everything submitted so far has run. */
  read(handle: Handle, bytes: number): Promise<ArrayBuffer>;
  /** Gives memory back, or forgets a program, when everything submitted so far has run. */
  free(handle: Handle): void;
  load(program: Program): Handle;
  /**
   * Runs a program over `bindings` (slots 2 and up) and `scalars` (slot 1, copied during the call). Resolves when it
   * has run; rejects with `KernelFault` for bad data and with `AbortedError` when it was cancelled. What a failed or
   * cancelled program should have written before its commit is undefined from then on: a program that reads it is
   * refused with `DeviceError`, so that no state is ever computed from it.
   */
  submit(program: Handle, bindings: readonly Handle[], scalars: Uint8Array<ArrayBuffer>): Promise<void>;
  /**
   * Cancels everything submitted so far that has not reached its commit. A step of training has once its labels have been
   * checked and its loss is there: then it is finished first.
   */
  abort(): void;
  memory(): Promise<MemoryUse>;
  /** Stops the device's threads and frees its memory. */
  close(): Promise<void>;
}
