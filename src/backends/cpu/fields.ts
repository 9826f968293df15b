/**
 * The vocabulary in which steps are declared (kernels/*.ts beside this file). Every field is a 32-bit word or a fixed
 * row of words, so TypeScript and C agree on offsets without alignment rules.
 */

import type { Buffer, Step } from "../backend.js";
import type { records } from "./records.js";

/** Tensors of at most this many axes reach the kernels, after neighbouring axes that can be walked as one are merged. */
export const maxRank = 6;

export type RecordName = keyof typeof records;

export type Field =
  /** A signed or unsigned integer, or a float. */
  | { readonly kind: "i32" | "u32" | "f32" }
  /** `length` integers; a shorter list is filled up with zeros. */
  | { readonly kind: "row"; readonly length: number }
  /** A buffer that the step only reads, writes from scratch, or reads and then changes. Two words: slot, offset / 64. */
  | { readonly kind: "input" | "output" | "inout" }
  /** A buffer that the step only reads, or none: slot 0xffffffff, a null pointer in C. */
  | { readonly kind: "optionalInput" }
  /** Working memory from `Emitter.temporary`, dead after the step. */
  | { readonly kind: "scratch" }
  /** Records stored elsewhere in the program: byte offset and count. */
  | { readonly kind: "list"; readonly record: string }
  /** Elementwise work on each piece of the output as soon as it is finished: byte offset of that step, 0 for none. */
  | { readonly kind: "epilogue" }
  /** Other steps, carried out by this one: byte offset and count of a list of stepEntry. */
  | { readonly kind: "steps" };

export type Fields = Readonly<Record<string, Field>>;

export const i32 = { kind: "i32" } as const;
export const u32 = { kind: "u32" } as const;
export const f32 = { kind: "f32" } as const;
export const row = <N extends number>(length: N) => ({ kind: "row", length }) as const;
export const input = { kind: "input" } as const;
export const optionalInput = { kind: "optionalInput" } as const;
export const output = { kind: "output" } as const;
export const inout = { kind: "inout" } as const;
export const scratch = { kind: "scratch" } as const;
export const list = <R extends string>(record: R) => ({ kind: "list", record }) as const;
export const epilogue = { kind: "epilogue" } as const;
export const stepsField = { kind: "steps" } as const;

/**
 * The slot of buffers that belong to one step, of which each thread has only the part that it works on: their offset / 64 is
 * a number in the step's list of locals.
 */
export const localSlot = 0xfffffffe;

/** Makes a buffer of the arena the local one with this number. */
export function makeLocal(buffer: Buffer, number = 0): void {
  buffer.slot = localSlot;
  buffer.offset = number * 64;
}

/** The value that TypeScript gives for a field. */
export type ValueOf<F extends Field> = F["kind"] extends "i32" | "u32" | "f32"
  ? number
  : F["kind"] extends "row"
    ? readonly number[]
    : F["kind"] extends "input" | "output" | "inout" | "scratch"
      ? Buffer
      : F["kind"] extends "optionalInput"
        ? Buffer | undefined
        : F["kind"] extends "epilogue"
          ? ElementwiseFields | undefined
          : F["kind"] extends "steps"
            ? readonly Step[]
            : F extends { record: infer R extends RecordName }
              ? readonly ValuesOf<(typeof records)[R]>[]
              : never;

/** The values of all of a step's or record's fields. */
export type ValuesOf<F extends Fields> = { readonly [Name in keyof F]: ValueOf<F[Name]> };

/** The fields of an elementwise step, as `records.ts` declares them. */
export interface ElementwiseFields {
  readonly count: number;
  readonly rank: number;
  readonly dims: readonly number[];
  readonly registers: number;
  readonly inputs: readonly ValuesOf<(typeof records)["inputOperand"]>[];
  readonly outputs: readonly ValuesOf<(typeof records)["outputOperand"]>[];
  readonly instructions: readonly ValuesOf<(typeof records)["instruction"]>[];
}

/** Numbers of the element types: `FOVEA_FLOAT32` … in C. */
export const dtypeCodes = { float32: 0, int32: 1, uint8: 2, bool: 3 } as const;

/** Words that a field takes in the encoded step. */
export function wordsOf(field: Field): number {
  switch (field.kind) {
    case "row":
      return field.length;
    case "i32":
    case "u32":
    case "f32":
    case "epilogue":
      return 1;
    default:
      return 2;
  }
}
