/** Turns work items into steps of the CPU kernels, by the table of lowerings. */

import { FoveaError, UnsupportedOpError } from "../../core/errors.js";
import type { Buffer, CombinedStep, Compiler, Emitter, OpShapes, OpWork, Step, Work } from "../backend.js";
import { combineSteps } from "./blocking.js";
import { composeCopies } from "./copies.js";
import type { ElementwiseFields } from "./fields.js";
import { lowerElementwise } from "./kernels/elementwise.js";
import { opsWithEpilogue, tableOfLowerings } from "./kernels/index.js";
import { channelsLast } from "./kernels/layouts.js";
import { Lowering, type Machine } from "./lowering.js";
import { poolStrips } from "./pooled.js";

export class CpuCompiler implements Compiler {
  readonly fusesElementwise = true;

  constructor(private readonly machine: Machine) {}

  takesEpilogue(op: string): boolean {
    return opsWithEpilogue.has(op);
  }

  channelsLast(work: OpShapes): readonly string[] {
    return channelsLast(work, this.machine);
  }

  lower(work: Work, emit: Emitter): void {
    if (work.kind === "elementwise") {
      new Lowering(this.machine, undefined, emit).step("elementwise", lowerElementwise(work));
    } else if (work.epilogue === undefined) {
      this.#lower(work, undefined, emit);
    } else {
      this.#lowerWithEpilogue(work, lowerElementwise(work.epilogue), emit);
    }
  }

  combine(steps: readonly Step[], commitStart: number, temporary: (bytes: number) => Buffer): CombinedStep[] {
    const { threads } = this.machine;
    const composed = poolStrips(composeCopies(steps), commitStart, temporary, threads);
    const start = composed.filter(({ parts }) => parts[parts.length - 1] < commitStart).length;
    const own = composed.map(({ step }) => step);
    return combineSteps(own, start, temporary, threads).map(({ step, parts }) => ({
      step,
      parts: parts.flatMap((part) => composed[part].parts),
    }));
  }

  #lower(work: OpWork, epilogue: ElementwiseFields | undefined, emit: Emitter): void {
    const lower = tableOfLowerings.get(work.op);
    if (lower === undefined) {
      throw new UnsupportedOpError(
        `${work.op}: ${this.machine.variant} has no kernel for it. Fix: use an op that it has, or the reference device, which has all.`,
      );
    }
    lower(work, new Lowering(this.machine, epilogue, emit));
  }

  /** An epilogue that a lowering forgot would be missed only in the results. */
  #lowerWithEpilogue(work: OpWork, epilogue: ElementwiseFields, emit: Emitter): void {
    let passedOn = false;
    this.#lower(work, epilogue, {
      step(step) {
        passedOn ||= "epilogue" in step.fields && step.fields.epilogue === epilogue;
        emit.step(step);
      },
      temporary: (bytes) => emit.temporary(bytes),
      isKept: (source) => emit.isKept(source),
      isKeptState: (source) => emit.isKeptState(source),
    });
    if (!passedOn) throw new FoveaError("FOVEA_INTERNAL", `${work.op}: no step takes the epilogue`);
  }
}
