/** What the lowering of an op is given, and the table that makes leaving one out a compile error. */

import type { Buffer, ChosenAlgorithm, Emitter, Operand, Step } from "../backend.js";
import { makeStep } from "./encode.js";
import type { ElementwiseFields } from "./fields.js";
import type { StepFields, StepName } from "./schema.js";

/** The kernels' instruction set: all that the choice of an algorithm may depend on, besides shapes. */
export interface Machine {
  /** Their name, such as `native-avx2`. */
  readonly variant: string;
  /** Lanes of a vector of float32: 4, 8 or 16. */
  readonly vectorWidth: number;
  /** Vector registers. */
  readonly registers: number;
  /** Only sizes per-thread working memory; results never depend on it. */
  readonly threads: number;
}

export class Lowering {
  /** How the algorithm of the steps from here on was chosen, where there is more than one. */
  chosen: ChosenAlgorithm | undefined;

  constructor(
    readonly machine: Machine,
    /** The op's epilogue, to be passed on to the step that finishes the output. */
    readonly epilogue: ElementwiseFields | undefined,
    private readonly emitter: Emitter,
  ) {}

  step<N extends StepName>(name: N, fields: StepFields<N>): void {
    this.#emit(makeStep(name, fields));
  }

  /** A step that need not run again while what it reads, one buffer, stays the same. */
  prepare<N extends StepName>(name: N, fields: StepFields<N>): void {
    const step = makeStep(name, fields);
    const buffers = new Set<unknown>([...step.reads, ...step.writes, ...step.scratch]);
    const rest = Object.entries(fields).filter(([, value]) => !buffers.has(value));
    this.#emit({ ...step, prepares: `${name} ${JSON.stringify(rest)}` });
  }

  #emit(step: Step): void {
    this.emitter.step(this.chosen === undefined ? step : { ...step, chosen: this.chosen });
  }

  /** Whether what is prepared of `source` stays in memory from one run to the next. */
  isKept(source: Buffer): boolean {
    return this.emitter.isKept(source);
  }

  /** The same of a state, such as a layer's weights: data that is given mostly differs from run to run. */
  isKeptState(source: Buffer): boolean {
    return this.emitter.isKeptState(source);
  }

  /** Whether nobody but the epilogue needs what the op itself computes into `output`. */
  isForEpilogueOnly(output: Buffer): boolean {
    const { inputs = [], outputs = [] } = this.epilogue ?? {};
    return inputs[0]?.buffer === output && outputs.every(({ buffer }) => buffer !== output);
  }

  /** Memory that lives from the first to the last of this op's steps that name it. */
  temporary(bytes: number): Buffer {
    return this.emitter.temporary(bytes);
  }
}

/** Emits the steps of one op, whose inputs have these names and whose parameters have this type. */
export type Lower<Inputs extends string, Params> = (
  work: {
    readonly inputs: Readonly<Record<Inputs, Operand>>;
    readonly params: Params;
    readonly output: Operand;
  },
  to: Lowering,
) => void;
