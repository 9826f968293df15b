/**
 * Cache blocking: steps that go through the same rows are done together, a few rows at a time, so that what one leaves
 * for the next is still in the cache. Results that only they need get no memory beyond those few rows.
 *
 * Elementwise steps and reductions within rows can be split like that, and no result changes by it: elements depend on
 * nothing but their operands, and sums are split by shape.
 */

import type { Buffer, CombinedStep, Step } from "../backend.js";
import { isNamed, makeStep } from "./encode.js";
import { type ElementwiseFields, makeLocal } from "./fields.js";
import { operandModes } from "./records.js";

/** What rows that are worked on together may take up of the second-level cache. */
const blockBytes = 1 << 18;
/** Steps that touch less find it in the cache anyway. */
const worthBlocking = 1 << 18;
/** Threads share out rows. */
const fewestRows = 16;
/** Steps that may be put off so that a later one can join. */
const mostPutOff = 16;
/** BLOCKED_LOCALS in kernels/blocked.c. */
const mostBuffers = 64;
/** As `Buffer.slot` has it. */
const arenaSlot = 0;
const alignment = 64;

/** How a step touches a buffer: whatever number divides `rows` can split both into rows that belong to each other. */
interface Access {
  readonly buffer: Buffer;
  readonly rows: number;
}

interface RowWork {
  readonly step: Step;
  /** Its place in the program. */
  readonly index: number;
  readonly reads: readonly Access[];
  readonly writes: readonly Access[];
  /** Numbers of rows that the step can be done in divide this; 0 for steps of other kinds. */
  readonly rows: number;
}

interface Block {
  /** In order. */
  readonly works: readonly RowWork[];
  readonly rows: number;
  /** Bytes of one row of each buffer that is split. */
  readonly rowBytes: ReadonlyMap<Buffer, number>;
}

/** Steps in the order in which they are to run, some of them combined, but none with one on the other side of `commitStart`. */
export function combineSteps(
  steps: readonly Step[],
  commitStart: number,
  temporary: (bytes: number) => Buffer,
  threads: number,
): CombinedStep[] {
  const works = steps.map(rowWorkOf);
  const before = works.slice(0, commitStart);
  const users = countUsers(steps);
  const taken = new Set<number>();
  const combined: CombinedStep[] = [];
  for (const [index, step] of steps.entries()) {
    if (taken.has(index)) continue;
    const block = blockFrom(index, index < commitStart ? before : works, taken);
    if (block === undefined) {
      combined.push({ step, parts: [index] });
      continue;
    }
    const parts = block.works.map((work) => work.index);
    for (const part of parts) taken.add(part);
    combined.push({ step: blockedStep(block, users, temporary, threads), parts });
  }
  return combined;
}

/** The steps that can be done together with step `first`; undefined if there are none or it is not worth it. */
function blockFrom(first: number, works: readonly RowWork[], taken: ReadonlySet<number>): Block | undefined {
  let block = split([works[first]]);
  // A step that shares no rows with those before it may share some with those after it.
  for (let size = 0; block !== undefined && block.works.length > size; ) {
    size = block.works.length;
    block = extend(block, works, taken);
  }
  if (block === undefined || block.works.length < 2) return undefined;
  return sum(block.rowBytes.values()) * block.rows < worthBlocking ? undefined : block;
}

/** The block with those of the steps behind its first one that can join it. */
function extend(block: Block, works: readonly RowWork[], taken: ReadonlySet<number>): Block {
  const putOff: RowWork[] = [];
  let hasPassed = false;
  for (let index = block.works[0].index + 1; index < works.length && putOff.length < mostPutOff; index++) {
    const work = works[index];
    if (taken.has(index) || block.works.includes(work)) continue;
    const mayMove = !(hasPassed && work.step.writes.some(isInArena));
    const joins = mayMove && sharesRows(block, work) && !putOff.some((earlier) => dependsOn(work.step, earlier.step));
    const larger = joins ? split([...block.works, work].sort((a, b) => a.index - b.index)) : undefined;
    if (larger === undefined) putOff.push(work);
    else block = larger;
    // Past a step of another kind only results of the program join: others would take up memory for longer.
    hasPassed ||= work.rows === 0;
  }
  return block;
}

/** Steps split into as many rows as possible; undefined where there is no split that keeps their rows apart. */
function split(works: readonly RowWork[]): Block | undefined {
  const accesses = works.flatMap(({ reads, writes }) => [...reads, ...writes]);
  const written = new Set(works.flatMap(({ writes }) => writes.map(({ buffer }) => buffer)));
  let rows = 0;
  for (const work of works) rows = greatestCommonDivisor(rows, work.rows);
  for (const access of accesses) if (written.has(access.buffer)) rows = greatestCommonDivisor(rows, access.rows);
  if (rows < fewestRows || works.some((work) => work.rows === 0)) return undefined;
  const rowBytes = new Map<Buffer, number>();
  for (const { buffer, rows: own } of accesses) if (own % rows === 0) rowBytes.set(buffer, buffer.bytes / rows);
  if (rowBytes.size > mostBuffers || sum(rowBytes.values()) > blockBytes) return undefined;
  return { works, rows, rowBytes };
}

function sharesRows({ rowBytes }: Block, { reads, writes }: RowWork): boolean {
  return [...reads, ...writes].some(({ buffer, rows }) => rows > 1 && rowBytes.has(buffer));
}

/** Whether `later` must not run before `earlier`. */
function dependsOn(later: Step, earlier: Step): boolean {
  const overwritten = new Set(later.writes);
  const touched = new Set([...later.reads, ...later.writes]);
  const conflicts = (used: ReadonlySet<Buffer>) => (buffer: Buffer) => used.has(buffer);
  return earlier.reads.some(conflicts(overwritten)) || [...earlier.writes, ...earlier.scratch].some(conflicts(touched));
}

/** In how many steps each buffer is named. */
export function countUsers(steps: readonly Step[]): Map<Buffer, number> {
  const users = new Map<Buffer, number>();
  for (const { reads, writes, scratch } of steps) {
    for (const buffer of new Set([...reads, ...writes, ...scratch])) users.set(buffer, (users.get(buffer) ?? 0) + 1);
  }
  return users;
}

function blockedStep(
  { works, rows, rowBytes }: Block,
  users: ReadonlyMap<Buffer, number>,
  temporary: (bytes: number) => Buffer,
  threads: number,
): Step {
  const steps = works.map(({ step }) => step);
  const own = countUsers(steps);
  const together = Math.min(rows, Math.floor(blockBytes / sum(rowBytes.values())));
  const locals: { place: number; rowBytes: number }[] = [];
  let scratchBytes = 0;
  for (const [buffer, bytes] of rowBytes) {
    // Memory of the arena that no other step names is written here before it is read.
    if (!isInArena(buffer) || own.get(buffer) !== users.get(buffer)) continue;
    makeLocal(buffer, locals.length);
    locals.push({ place: scratchBytes, rowBytes: bytes });
    scratchBytes += Math.ceil((together * bytes) / alignment) * alignment;
  }
  // Kernels may read a vector beyond the last row.
  scratchBytes += alignment;
  return makeStep("blocked", {
    rows,
    together,
    scratch: temporary(scratchBytes * threads),
    scratchBytes,
    locals,
    steps,
  });
}

const isInArena = (buffer: Buffer) => buffer.slot === arenaSlot;

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function rowWorkOf(step: Step, index: number): RowWork {
  if (isNamed(step, "elementwise")) return { step, index, rows: step.fields.count, ...accessesOf(step.fields) };
  if (isNamed(step, "convolution")) {
    const { source, weight, output, batch, groups, epilogue } = step.fields;
    if (groups === 1) return rowsOf(step, index, batch, source, output, epilogue, [{ buffer: weight, rows: 1 }]);
  }
  if (isNamed(step, "winogradColumns")) {
    const { source, weights, output, batch, groups, epilogue } = step.fields;
    if (groups === 1) return rowsOf(step, index, batch, source, output, epilogue, [{ buffer: weights, rows: 1 }]);
  }
  if (isNamed(step, "pool")) {
    const { input, output, planes, epilogue } = step.fields;
    return rowsOf(step, index, planes, input, output, epilogue);
  }
  if (isNamed(step, "reduce")) {
    const { input, output, inputSize, inputOffset, outputOffset, keptDims, keptStrides, epilogue } = step.fields;
    // Rows are apart where the outermost axis is kept.
    const isApart = inputOffset === 0 && outputOffset === 0 && keptDims[0] * keptStrides[0] === inputSize;
    return rowsOf(step, index, isApart ? keptDims[0] : 1, input, output, epilogue);
  }
  return { step, index, rows: 0, reads: [], writes: [] };
}

function rowsOf(
  step: Step,
  index: number,
  rows: number,
  input: Buffer,
  output: Buffer,
  epilogue: ElementwiseFields | undefined,
  others: readonly Access[] = [],
): RowWork {
  const finish = epilogue && accessesOf(epilogue);
  return {
    step,
    index,
    rows,
    reads: [{ buffer: input, rows }, ...others, ...(finish?.reads ?? [])],
    writes: [{ buffer: output, rows }, ...(finish?.writes ?? [])],
  };
}

function accessesOf({ count, inputs, outputs, dims }: ElementwiseFields) {
  return {
    reads: inputs.map(({ buffer, mode, strides }): Access => {
      if (mode === operandModes.strided) return { buffer, rows: stretchedRows(dims, strides) };
      return { buffer, rows: mode === operandModes.contiguous ? count : 1 };
    }),
    writes: outputs.map(({ buffer }): Access => ({ buffer, rows: count })),
  };
}

/** Elements of an input of which each is read by so many neighbours, one after the other; 1 if it is read otherwise. */
function stretchedRows(dims: readonly number[], strides: readonly number[]): number {
  const stretched = strides.findLastIndex((stride) => stride !== 0) + 1;
  let rows = 1;
  for (let axis = stretched - 1; axis >= 0; axis--) {
    if (strides[axis] !== rows) return 1;
    rows *= dims[axis];
  }
  return rows;
}
