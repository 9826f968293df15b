/** Compilation from end to end: graph → values → units → jobs → steps → memory plan → program. */

import type {
  Buffer,
  Compiler,
  Device,
  ElementwiseWork,
  Operand,
  OpWork,
  Program,
  Step,
  Work,
} from "../backends/backend.js";
import { FoveaError, MemoryError } from "../core/errors.js";
import { inMemory, type Layout } from "../core/layout.js";
import { currentMemory } from "../core/memory.js";
import { formatShape, type Shape } from "../core/shape.js";
import { recomputeCheckpoints } from "./checkpoint.js";
import { pathOf } from "./context.js";
import { fuse, type Unit } from "./fuse.js";
import type { Graph } from "./graph.js";
import { chooseLayouts } from "./layout.js";
import { inputNames } from "./operation.js";
import { type MemoryPlan, planMemory } from "./plan.js";
import { recomputeCheap } from "./recompute.js";
import { recomputeLater } from "./recomputeLater.js";
import {
  ArenaBuffers,
  arenaSlot,
  firstBindingSlot,
  type Job,
  type Schedule,
  scalarSlot,
  schedule,
} from "./schedule.js";
import type { Origin } from "./tensor.js";
import { distinctValues, type Use, type Value } from "./values.js";

/** A program, and what is needed to bind it and to talk about it. */
export interface CompiledProgram {
  readonly program: Program;
  readonly schedule: Schedule;
  readonly plan: MemoryPlan;
  /** For each step, the node of the graph that it computes, and the names of all ops it does. */
  readonly origins: readonly StepOrigin[];
  /** To be run before the program where what they read has changed since the last time. */
  readonly preparations: readonly Preparation[];
}

/**
 * A program that computes, of values which the main program only reads, others that it reads as well: weights as a kernel
 * wants them, in a program of one step, or all that is small and comes of such values alone, as batch norm's factors.
 */
export interface Preparation {
  readonly program: Program;
  /** `Step.prepares` of the step, by which other programs find what it has made; undefined where it is of no use to them. */
  readonly key: string | undefined;
  /** The nodes that it reads: leaves of the graph. */
  readonly sources: readonly number[];
  readonly targets: readonly PreparedTarget[];
}

export interface PreparedTarget {
  readonly binding: number;
  readonly bytes: number;
}

/** Bytes of what a step of elementwise work may leave to be kept, so that it need not run again. */
const mostSettled = 1 << 16;

export interface StepOrigin {
  readonly node: number;
  readonly ops: readonly string[];
  readonly module: string;
  readonly shape: Shape;
  readonly layout: Layout;
}

/** @throws MemoryError when it needs more than the device may use */
export function compileGraph(graph: Graph, device: Device, combines = true): CompiledProgram {
  const compiled = planProgram(graph, device, combines);
  if (compiled.plan.bytes > device.memoryLimit) throw overBudget(compiled, device);
  return compiled;
}

/** The program for a graph, whatever memory it needs. @param combines whether the device may do several steps as one */
export function planProgram(graph: Graph, device: Device, combines = true): CompiledProgram {
  const distinct = recomputeCheckpoints(graph, distinctValues(graph));
  const values = device.compiler.fusesElementwise ? recomputeLater(recomputeCheap(distinct)) : distinct;
  if (device.compiler.channelsLast !== undefined) {
    chooseLayouts(values, (work) => device.compiler.channelsLast?.(work) ?? []);
  }
  const units = fuse(values, device.compiler);
  const arena = new ArenaBuffers();
  const plan = schedule(graph, values, units, arena);
  const { steps, origins, commitStart, prepared, settled } = stepsOf(graph, plan, arena, device.compiler, combines);
  const memory = planMemory(steps, arena.all);
  const programOf = (list: readonly Step[], commit: number, arenaBytes: number): Program => ({
    steps: list,
    commitStart: commit,
    arenaBytes,
    scalarBytes: plan.scalarBytes,
    slots: firstBindingSlot + plan.bindings.length,
  });
  const preparationOf = (list: readonly Step[], key?: string): Preparation => ({
    program: programOf(list, list.length, planMemory(list, arena.all).bytes),
    key,
    sources: [...new Set(list.flatMap(({ reads }) => reads.map((buffer) => leafOf(buffer, plan) ?? -1)))],
    targets: list.flatMap(({ writes }) => {
      return writes.map(({ slot, bytes }) => ({ binding: slot - firstBindingSlot, bytes }));
    }),
  });
  const preparations = prepared.map((step) => preparationOf([step], step.prepares));
  if (settled.length > 0) preparations.push(preparationOf(settled));
  return { program: programOf(steps, commitStart, memory.bytes), schedule: plan, plan: memory, origins, preparations };
}

interface Steps {
  readonly steps: readonly Step[];
  /** For each step, what it computes. */
  readonly origins: readonly StepOrigin[];
  readonly commitStart: number;
  /** Steps that are to run only where what they read has changed: rearrangements, and small elementwise work. */
  readonly prepared: readonly Step[];
  readonly settled: readonly Step[];
}

function stepsOf(graph: Graph, plan: Schedule, arena: ArenaBuffers, compiler: Compiler, combines: boolean): Steps {
  const lowered: Step[] = [];
  const origins: StepOrigin[] = [];
  const prepared: Step[] = [];
  const settled: Step[] = [];
  const temporary = (bytes: number) => arena.allocate(bytes);
  const isKept = (source: Buffer) => currentMemory() !== "low" && isConstant(source, graph, plan);
  const isKeptState = (source: Buffer) => isKept(source) && originOfLeaf(source, graph, plan)?.kind === "state";
  const isNumber = (source: Buffer) => {
    const origin = originOfLeaf(source, graph, plan);
    return origin?.kind === "number" && origin.constant;
  };
  const written = timesWritten(plan);
  // Not where a later step works in place.
  const isOwn = ({ id, slot, bytes }: Buffer) => slot === arenaSlot && bytes <= mostSettled && written.get(id) === 1;
  const settles = (job: Job, { reads, writes }: Step) =>
    job.kind === "unit" &&
    job.unit.kernel === undefined &&
    reads.some(isKeptState) &&
    reads.every((source) => isKeptState(source) || isNumber(source)) &&
    writes.every(isOwn);
  let commitStart = 0;
  for (const [index, job] of plan.jobs.entries()) {
    if (index === plan.commitStart) commitStart = lowered.length;
    const origin = originOf(job);
    compiler.lower(workOf(job, plan), {
      step(step) {
        if (step.prepares !== undefined && isKept(step.reads[0])) {
          bindPrepared(step, plan);
          prepared.push(step);
          return;
        }
        if (settles(job, step)) {
          bindPrepared(step, plan);
          settled.push(step);
          return;
        }
        lowered.push(step);
        origins.push(origin);
      },
      temporary,
      isKept,
      isKeptState,
    });
  }
  if (plan.commitStart === plan.jobs.length) commitStart = lowered.length;
  if (!combines || compiler.combine === undefined) return { steps: lowered, origins, commitStart, prepared, settled };
  const combined = compiler.combine(lowered, commitStart, temporary);
  return {
    steps: combined.map(({ step }) => step),
    origins: combined.map(({ parts }) => {
      const last = origins[parts[parts.length - 1]];
      return { ...last, ops: [...new Set(parts.map((part) => origins[part]))].flatMap(({ ops }) => ops) };
    }),
    commitStart: combined.filter(({ parts }) => parts[parts.length - 1] < commitStart).length,
    prepared,
    settled,
  };
}

/** How many results go to each buffer of the arena, by its id. */
function timesWritten({ bufferOf, jobs }: Schedule): Map<number, number> {
  const times = new Map<number, number>();
  const count = ({ id, slot }: Buffer) => {
    if (slot === arenaSlot) times.set(id, (times.get(id) ?? 0) + 1);
  };
  for (const [value, buffer] of bufferOf) if (value.op !== undefined) count(buffer);
  for (const job of jobs) {
    if (job.kind === "copy") count(job.to);
    else if (job.rawResult !== undefined) count(job.rawResult);
  }
  return times;
}

/** Whether a buffer is bound from outside and the program leaves it as it is. */
function isConstant(buffer: Buffer, graph: Graph, plan: Schedule): boolean {
  const origin = originOfLeaf(buffer, graph, plan);
  if (origin === undefined || buffer.slot === scalarSlot) return false;
  return !(origin.kind === "state" && graph.updates.some(({ state }) => state === origin.state));
}

/** Where a buffer that is given from outside has its values from. */
function originOfLeaf(buffer: Buffer, graph: Graph, plan: Schedule): Origin | undefined {
  const node = leafOf(buffer, plan);
  return node === undefined ? undefined : graph.nodes[node].origin;
}

/** The node that stands for such a buffer. */
function leafOf({ slot, offset }: Buffer, plan: Schedule): number | undefined {
  if (slot === scalarSlot) return plan.scalars.find((each) => each.offset === offset)?.node;
  const binding = plan.bindings[slot - firstBindingSlot];
  return binding?.kind === "leaf" ? binding.node : undefined;
}

/** Gives the results of a preparing step bindings. */
function bindPrepared({ writes }: Step, plan: Schedule): void {
  for (const buffer of writes) {
    buffer.slot = firstBindingSlot + plan.bindings.length;
    plan.bindings.push({ kind: "prepared" });
  }
}

function workOf(job: Job, plan: Schedule): Work {
  const operand = (use: Use): Operand => {
    const buffer = plan.bufferOf.get(use.value);
    if (buffer === undefined) throw new FoveaError("FOVEA_INTERNAL", `value ${use.value.node} has no memory`);
    return { buffer, shape: use.shape, dtype: use.value.dtype, layout: use.value.layout };
  };
  if (job.kind === "copy") {
    const { shape, dtype } = job.from;
    const input = { buffer: job.fromBuffer, shape, dtype };
    return { kind: "op", op: "copy", inputs: { input }, params: {}, output: { buffer: job.to, shape, dtype } };
  }
  const { unit, rawResult } = job;
  const { kernel } = unit;
  if (kernel?.op === undefined) return elementwiseWork(unit, plan, operand);
  const raw = rawResult ?? operand({ value: kernel, shape: kernel.shape }).buffer;
  const output: Operand = { buffer: raw, shape: kernel.shape, dtype: kernel.dtype, layout: kernel.layout };
  const names = inputNames(kernel.op, kernel.inputs.length);
  const inputs = Object.fromEntries(kernel.inputs.map((use, i) => [names[i], operand(use)]));
  const definition = kernel.op;
  const work: OpWork = { kind: "op", op: definition.name, inputs, params: kernel.params, output, definition };
  if (unit.elementwise.length === 0) return work;
  const epilogue = elementwiseWork(unit, plan, (use) => {
    return use.value === kernel ? output : operand(use);
  });
  return { ...work, epilogue };
}

/** The group as instructions over numbered operands; with a kernel, its result is operand 0. */
function elementwiseWork(unit: Unit, plan: Schedule, operandOf: (use: Use) => Operand): ElementwiseWork {
  const inside = new Set(unit.elementwise);
  const [{ size, layout }] = unit.elementwise;
  const space = inMemory(unit.shape, layout);
  const numberOf = new Map<string, number>();
  const inputs: Operand[] = [];
  // Inputs with all elements are read in order whatever their shape; the others keep theirs, to be stretched.
  const shapeFor = (use: Use): Shape =>
    use.value.size === size ? space : use.value.size === 1 ? [] : inMemory(use.shape, layout);
  const keyOf = (use: Use) => `${use.value.node}:${shapeFor(use).join("x")}`;
  const add = (use: Use) => {
    if (inside.has(use.value) || numberOf.has(keyOf(use))) return;
    numberOf.set(keyOf(use), inputs.length);
    inputs.push({ ...operandOf(use), shape: shapeFor(use) });
  };
  if (unit.kernel !== undefined) add({ value: unit.kernel, shape: unit.shape });
  for (const value of unit.elementwise) for (const use of value.inputs) add(use);

  const resultOf = new Map(unit.elementwise.map((value, index) => [value, inputs.length + index]));
  const instructions = unit.elementwise.map((value) => ({
    op: value.op?.name ?? "",
    operands: value.inputs.map((use) => resultOf.get(use.value) ?? numberOf.get(keyOf(use)) ?? 0),
    operandTypes: value.inputs.map((use) => use.value.dtype),
    dtype: value.dtype,
  }));
  const outputs = unit.elementwise
    .filter((value) => plan.bufferOf.has(value))
    .map((value) => ({
      operand: { ...operandOf({ value, shape: space }), shape: space },
      value: resultOf.get(value) ?? 0,
    }));
  return { kind: "elementwise", shape: space, inputs, instructions, outputs };
}

function originOf(job: Job): StepOrigin {
  if (job.kind === "copy")
    return { node: job.from.node, ops: ["copy"], module: "", shape: job.from.shape, layout: job.from.layout };
  const { kernel, elementwise, shape } = job.unit;
  const main: Value = kernel ?? elementwise[elementwise.length - 1];
  const members = kernel === undefined ? elementwise : [kernel, ...elementwise];
  const { origin } = main.tensor;
  return {
    node: main.node,
    ops: members.map((value) => value.op?.name ?? ""),
    module: origin.kind === "computed" ? pathOf(origin.frame) : "",
    shape: kernel?.shape ?? shape,
    layout: main.layout,
  };
}

function overBudget({ plan, schedule, origins }: CompiledProgram, device: Device): MemoryError {
  const largest = schedule.arena
    .map((buffer) => ({ buffer, lifetime: plan.lifetimes[buffer.id] }))
    .sort((a, b) => b.buffer.bytes - a.buffer.bytes)
    .slice(0, 5)
    .map(({ buffer, lifetime }) => {
      const origin = origins[lifetime?.[0] ?? 0];
      const place = origin.module === "" ? "" : ` in ${origin.module}`;
      return `${formatBytes(buffer.bytes)} for ${origin.ops.join("+")} (${formatShape(origin.shape)})${place}`;
    });
  return new MemoryError(
    `this program needs ${formatBytes(plan.bytes)} of working memory, and ${device.variant} may use ${formatBytes(device.memoryLimit)}. ` +
      `Largest parts: ${largest.join("; ")}. Fix: a smaller batch or input, or a higher memory limit.`,
  );
}

/** `12.3 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
