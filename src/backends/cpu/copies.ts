/**
 * Copies of copies become one: where a copy with strides makes what only the copies right behind it read, these read
 * from where it did. Turning a picture, a transposition and then a reversal, so goes through it once.
 */

import { sizeOf, stridesOf } from "../../core/shape.js";
import type { Buffer, CombinedStep, Step } from "../backend.js";
import { isNamed, makeStep } from "./encode.js";
import { type CopyFields, copyFields } from "./kernels/movement.js";

type Copy = Step & { readonly fields: CopyFields };

/** As `Buffer.slot` has it. */
const arenaSlot = 0;

/** The steps without copies that can be left out; the others stay in order. */
export function composeCopies(steps: readonly Step[]): CombinedStep[] {
  const users = usersOf(steps);
  const composed: (CombinedStep | undefined)[] = steps.map((step, index) => ({ step, parts: [index] }));
  for (let index = 0; index < steps.length; index++) {
    const first = composed[index];
    if (first === undefined || !isCopy(first.step) || !isWhole(first.step.fields)) continue;
    const { input, output } = first.step.fields;
    const readers = (users.get(output) ?? []).filter((user) => user !== index);
    const last = readers[readers.length - 1] ?? index;
    if (output.slot !== arenaSlot || last === index || readers[0] < index) continue;
    // With nothing but copies between, what the first one reads is still there.
    const between = steps.slice(index + 1, last + 1);
    if (!between.every((step) => isCopy(step) && !step.writes.includes(input))) continue;
    const copies = composeAll(first.step.fields, readers, composed);
    if (copies === undefined) continue;
    composed[index] = undefined;
    for (const [i, reader] of readers.entries()) {
      const parts = [...first.parts, ...(composed[reader]?.parts ?? [])];
      composed[reader] = { step: makeStep("stridedCopy", copies[i]), parts };
    }
  }
  return composed.filter((step) => step !== undefined);
}

const isCopy = (step: Step): step is Copy => isNamed(step, "stridedCopy");

/** Whether a copy fills its output from the first element to the last. */
function isWhole({ dims, outputOffset, outputStrides }: CopyFields): boolean {
  return outputOffset === 0 && stridesOf(dims).every((stride, axis) => stride === outputStrides[axis]);
}

/** The numbers of the steps that name each buffer. */
function usersOf(steps: readonly Step[]): ReadonlyMap<Buffer, number[]> {
  const users = new Map<Buffer, number[]>();
  for (const [index, { reads, writes, scratch }] of steps.entries()) {
    for (const buffer of new Set([...reads, ...writes, ...scratch])) {
      const own = users.get(buffer);
      if (own === undefined) users.set(buffer, [index]);
      else own.push(index);
    }
  }
  return users;
}

/** What the readers of a copy become without it; undefined where that is not possible, or slower. */
function composeAll(
  first: CopyFields,
  readers: readonly number[],
  composed: readonly (CombinedStep | undefined)[],
): CopyFields[] | undefined {
  const copies: CopyFields[] = [];
  let elements = 0;
  for (const reader of readers) {
    const step = composed[reader]?.step;
    if (step === undefined || !isCopy(step) || step.fields.output === first.output) return undefined;
    const copy = compose(first, step.fields);
    if (copy === undefined || !goesAlongRows(copy)) return undefined;
    elements += sizeOf(step.fields.dims);
    copies.push(copy);
  }
  // What is read more than once is better read where it lies in order.
  return elements <= sizeOf(first.dims) ? copies : undefined;
}

/** Both copies as one; undefined where an axis of the second one runs across several of the first one's. */
function compose(first: CopyFields, second: CopyFields): CopyFields | undefined {
  const strides = stridesOf(first.dims);
  // Where along the first one's axes the second one starts, and then the furthest it goes in either direction.
  const begin = strides.map((stride, axis) => Math.floor(second.inputOffset / stride) % first.dims[axis]);
  const [low, high] = [[...begin], [...begin]];
  const dims: number[] = [];
  const inputStrides: number[] = [];
  const outputStrides: number[] = [];
  for (const { length, stride, outputStride } of axesAlong(first.dims, second)) {
    const along = strides.findIndex((each) => Math.abs(stride) >= each);
    const steps = along < 0 ? 0 : stride / strides[along];
    if (!Number.isInteger(steps)) return undefined;
    if (steps !== 0) (steps < 0 ? low : high)[along] += steps * (length - 1);
    dims.push(length);
    inputStrides.push(steps === 0 ? 0 : steps * first.inputStrides[along]);
    outputStrides.push(outputStride);
  }
  if (!first.dims.every((length, axis) => low[axis] >= 0 && high[axis] < length)) return undefined;
  const inputOffset = begin.reduce((at, place, axis) => at + place * first.inputStrides[axis], first.inputOffset);
  return copyFields("copy", { ...second, input: first.input, inputOffset, dims, inputStrides, outputStrides });
}

interface CopyAxis {
  readonly length: number;
  readonly stride: number;
  readonly outputStride: number;
}

/** The axes of a copy, those in parts that run through several of the axes `dims` of what it reads. */
function axesAlong(dims: readonly number[], copy: CopyFields): CopyAxis[] {
  const strides = stridesOf(dims);
  const parts = ({ length, stride, outputStride }: CopyAxis): CopyAxis[] => {
    const along = strides.findIndex((each) => Math.abs(stride) >= each);
    const inside = along < 0 ? length : (dims[along] * strides[along]) / Math.abs(stride);
    if (length <= inside || !Number.isInteger(inside) || length % inside !== 0)
      return [{ length, stride, outputStride }];
    const outer = { length: length / inside, stride: stride * inside, outputStride: outputStride * inside };
    return [...parts(outer), { length: inside, stride, outputStride }];
  };
  return copy.dims.flatMap((length, axis) =>
    parts({ length, stride: copy.inputStrides[axis], outputStride: copy.outputStrides[axis] }),
  );
}

/** Whether neighbours come from neighbours, or rows from columns: the copies that the kernel does vector by vector. */
function goesAlongRows({ inputStrides, outputStrides }: CopyFields): boolean {
  const inner = Math.abs(inputStrides[inputStrides.length - 1]);
  return outputStrides[outputStrides.length - 1] === 1 && (inner <= 1 || inputStrides.includes(1));
}
