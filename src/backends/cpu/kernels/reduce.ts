/** Sums and extremes over axes, and where the extremes are. */

import type { DType } from "../../../core/dtype.js";
import { UnsupportedOpError } from "../../../core/errors.js";
import { inMemory, placesOfAxes } from "../../../core/layout.js";
import { type Shape, sizeOf } from "../../../core/shape.js";
import type { Buffer, OpShapes } from "../../backend.js";
import { epilogue, i32, input, maxRank, output, row } from "../fields.js";
import type { Lower, Lowering } from "../lowering.js";

export const reduceSteps = {
  /**
   * Outputs are `columns` neighbours for each position of the kept axes. Each is made of `length` neighbours for each
   * position of the row axes; `columns` or `length` is 1. Strides and offsets count elements.
   */
  reduce: {
    input,
    output,
    operation: i32,
    inputOffset: i32,
    outputOffset: i32,
    inputSize: i32,
    columns: i32,
    length: i32,
    keptRank: i32,
    keptDims: row(maxRank),
    keptStrides: row(maxRank),
    rowRank: i32,
    rowDims: row(maxRank),
    rowStrides: row(maxRank),
    epilogue,
  },
  /** Where the best of each `length` elements, `inner` apart, is. */
  argReduce: { input, output, operation: i32, outer: i32, length: i32, inner: i32, epilogue },
} as const;

export interface ReduceParams {
  readonly axes: readonly number[];
  readonly keepdim: boolean;
}

export interface ArgReduceParams {
  readonly axis: number;
  readonly keepdim: boolean;
}

/** Numbers of the operations in kernels/reduce.c; those on int32 follow those on float32. */
const operations = { sum: 0, max: 1, min: 2 } as const;
type Operation = keyof typeof operations;

function operationCode(what: string, operation: Operation, dtype: DType): number {
  if (dtype === "float32") return operations[operation];
  if (dtype === "int32") return operations[operation] + 3;
  throw new UnsupportedOpError(
    `${what}: native and wasm have no kernel for it with ${dtype}. Fix: cast() to int32 first, or the reference device, which has all.`,
  );
}

interface Axis {
  readonly length: number;
  readonly stride: number;
}

/** A reduction as the kernel does it. `columns` and `length` have stride 1. */
interface Plan {
  readonly kept: readonly Axis[];
  readonly rows: readonly Axis[];
  readonly columns: number;
  readonly length: number;
}

const product = (axes: readonly Axis[]) => axes.reduce((size, axis) => size * axis.length, 1);

/** Leaves out axes of length 1 and merges neighbours that are both kept or both reduced. */
function planOf(shape: Shape, axes: readonly number[]): Plan {
  const reduced = new Set(axes);
  const merged: { length: number; stride: number; isReduced: boolean }[] = [];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis];
    const isReduced = reduced.has(axis);
    const [inner] = merged;
    if (length !== 1 && inner !== undefined && inner.isReduced === isReduced) inner.length *= length;
    else if (length !== 1) merged.unshift({ length, stride, isReduced });
    stride *= length;
  }
  const last = merged.pop();
  const innermost = last?.length ?? 1;
  return {
    kept: merged.filter((axis) => !axis.isReduced),
    rows: merged.filter((axis) => axis.isReduced),
    columns: last?.isReduced === false ? innermost : 1,
    length: last?.isReduced === false ? 1 : innermost,
  };
}

/** Below this, a reduction is done by whichever threads its outputs occupy. */
const worthSplitting = 1 << 16;
/** Partial results at most; and elements at least in each. */
const maxParts = 512;
const smallestPart = 1 << 12;
/** Rows at least that become one partial result where there are many outputs. */
const fewestRows = 8;
/** Runs shorter than this are summed as columns first, if there are many. */
const shortRun = 32;

/** Whether a reduced axis lies outside all that are kept. */
function isOutermost(axis: Axis | undefined, kept: readonly Axis[]): boolean {
  return axis !== undefined && kept.every(({ stride }) => stride < axis.stride);
}

/** The smallest divisor of `length` from `size` to twice that, so that all parts are equal; `size` if there is none. */
function evenPart(length: number, size: number): number {
  for (let divisor = size; divisor <= 2 * size; divisor++) if (length % divisor === 0) return divisor;
  return size;
}

class Reduction {
  constructor(
    private readonly operation: number,
    private readonly inputSize: number,
    private readonly to: Lowering,
  ) {}

  run(plan: Plan, from: Buffer, into: Buffer, isLast = true): void {
    const { kept, rows, columns, length } = plan;
    if (rows.length > 0 && length > 1 && length < shortRun) {
      this.#columnsFirst(plan, from, into, isLast);
      return;
    }
    const outputs = product(kept) * columns;
    const reduced = product(rows) * length;
    const isLarge = outputs * reduced >= worthSplitting;
    const fewOutputs = columns > 1 ? outputs < 512 : outputs < 32;
    const manyRows = kept.length === 0 && columns > 1 && reduced >= fewestRows * fewestRows;
    if (isLarge && length > 1 && isOutermost(rows[0], kept)) this.#runsFirst(plan, from, into, isLast);
    else if (isLarge && (fewOutputs || manyRows)) this.#inParts(plan, from, into, isLast);
    else this.#step(plan, from, into, { isLast });
  }

  #step(
    { kept, rows, columns, length }: Plan,
    from: Buffer,
    into: Buffer,
    { inputOffset = 0, outputOffset = 0, inputSize = this.inputSize, isLast = false },
  ): void {
    if (kept.length > maxRank || rows.length > maxRank) {
      throw new UnsupportedOpError(
        `reduce: ${kept.length} kept axes between ${rows.length} reduced ones are more than the CPU kernels walk. ` +
          `Expected at most ${maxRank} of each. Fix: permute() so that reduced axes are neighbours.`,
      );
    }
    this.to.step("reduce", {
      input: from,
      output: into,
      operation: this.operation,
      inputOffset,
      outputOffset,
      inputSize,
      columns,
      length,
      keptRank: kept.length,
      keptDims: kept.map((axis) => axis.length),
      keptStrides: kept.map((axis) => axis.stride),
      rowRank: rows.length,
      rowDims: rows.map((axis) => axis.length),
      rowStrides: rows.map((axis) => axis.stride),
      epilogue: isLast ? this.to.epilogue : undefined,
    });
  }

  /**
   * Long runs, as in N×C×H×W summed to C: each by itself first. In memory all of that lies in one row, which can be
   * worked on together with what makes its elements (blocking.ts).
   */
  #runsFirst({ kept, rows, length }: Plan, from: Buffer, into: Buffer, isLast: boolean): void {
    const outer = [...kept, ...rows].sort((a, b) => b.stride - a.stride);
    const count = product(outer);
    const partial = this.to.temporary(count * 4);
    this.#step({ kept: [{ length: count, stride: length }], rows: [], columns: 1, length }, from, partial, {});
    const reduced = [...outer.keys()].filter((axis) => rows.includes(outer[axis]));
    const sums = new Reduction(this.operation, count, this.to);
    const shape = outer.map((axis) => axis.length);
    sums.run(planOf(shape, reduced), partial, into, isLast);
  }

  /** Short runs, as in N×C×2×2 summed to C: over the rows first, for all positions of a run side by side. */
  #columnsFirst({ kept, rows, length }: Plan, from: Buffer, into: Buffer, isLast: boolean): void {
    const outputs = product(kept);
    const partial = this.to.temporary(outputs * length * 4);
    // What stands between the rows and the runs is a kept axis: together with the runs it makes the columns.
    const columns = kept[kept.length - 1].length * length;
    this.run({ kept: kept.slice(0, -1), rows, columns, length: 1 }, from, partial, false);
    const sums = new Reduction(this.operation, outputs * length, this.to);
    const runs = outputs !== 1 ? [{ length: outputs, stride: length }] : [];
    sums.run({ kept: runs, rows: [], columns: 1, length }, partial, into, isLast);
  }

  /**
   * Few outputs: a reduced axis is cut into parts, whose results become rows of a second reduction. The cut depends on
   * the shape alone, so sums do not depend on the number of threads.
   */
  #inParts(plan: Plan, from: Buffer, into: Buffer, isLast: boolean): void {
    const outputs = product(plan.kept) * plan.columns;
    const work = outputs * product(plan.rows) * plan.length;
    const fewestPerPart = plan.columns > 1 ? fewestRows : 1;
    const most = Math.min(maxParts, Math.floor(work / outputs / fewestPerPart));
    const wanted = Math.max(1, Math.min(most, Math.floor(work / smallestPart)));
    const candidates = [...plan.rows, { length: plan.length, stride: 1 }];
    const longest = candidates.reduce((a, b) => (b.length > a.length ? b : a));
    const cut = candidates.find((axis) => axis.length >= wanted) ?? longest;
    const along = plan.rows.indexOf(cut);
    // Parts of a run begin at multiples of a cache line.
    const granule = along < 0 ? 16 : 1;
    const size = evenPart(cut.length, Math.ceil(cut.length / wanted / granule) * granule);
    const parts = Math.floor(cut.length / size);
    const rest = cut.length - parts * size;

    const withLength = (length: number): Plan => {
      if (along < 0) return { ...plan, length };
      return { ...plan, rows: plan.rows.map((axis, i) => (i === along ? { ...axis, length } : axis)) };
    };
    const rows = parts + (rest > 0 ? 1 : 0);
    const partial = this.to.temporary(rows * outputs * 4);
    const main = withLength(size);
    const partAxis: Axis = { length: parts, stride: size * cut.stride };
    this.#step({ ...main, kept: [partAxis, ...plan.kept] }, from, partial, {});
    if (rest > 0) {
      const inputOffset = parts * partAxis.stride;
      this.#step(withLength(rest), from, partial, { inputOffset, outputOffset: parts * outputs });
    }
    const last = new Reduction(this.operation, rows * outputs, this.to);
    const final: Plan =
      outputs > 1
        ? { kept: [], rows: [{ length: rows, stride: outputs }], columns: outputs, length: 1 }
        : { kept: [], rows: [], columns: 1, length: rows };
    last.#step(final, partial, into, { isLast });
  }
}

const reduce =
  (operation: Operation): Lower<"input", ReduceParams> =>
  ({ inputs: { input: from }, params: { axes }, output: result }, to) => {
    const code = operationCode(operation, operation, from.dtype);
    const isLast = from.layout === "channelsLast";
    const shape = inMemory(from.shape, from.layout);
    const reduced = isLast ? axes.map((axis) => placesOfAxes[axis]) : axes;
    new Reduction(code, sizeOf(shape), to).run(planOf(shape, reduced), from.buffer, result.buffer);
  };

/** See `Compiler.channelsLast`: where what is left of the axes has one order either way. */
export function reductionChannelsLast({ inputs: { input }, params }: OpShapes): readonly string[] {
  if (input.length !== 4) return [];
  const { axes } = params as ReduceParams;
  const isKept = (axis: number) => input[axis] > 1 && !axes.includes(axis);
  return isKept(1) && (isKept(2) || isKept(3)) ? [] : ["input"];
}

const argReduce =
  (what: string, operation: Operation): Lower<"input", ArgReduceParams> =>
  ({ inputs: { input: from }, params: { axis }, output: result }, to) => {
    to.step("argReduce", {
      input: from.buffer,
      output: result.buffer,
      operation: operationCode(what, operation, from.dtype),
      outer: sizeOf(from.shape.slice(0, axis)),
      length: from.shape[axis],
      inner: sizeOf(from.shape.slice(axis + 1)),
      epilogue: to.epilogue,
    });
  };

export const reduceLowerings = {
  sum: reduce("sum"),
  max: reduce("max"),
  min: reduce("min"),
  argMax: argReduce("argMax", "max"),
  argMin: argReduce("argMin", "min"),
} as const;
