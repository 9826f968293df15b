/** Records that steps hold in lists, and the instruction set of the elementwise machine (kernels/elementwise.c). */

import { f32, i32, input, list, maxRank, output, row, u32 } from "./fields.js";

/**
 * How an elementwise step reads an input. `contiguous`: element i belongs to output element i. `scalar`: one element
 * for all. `strided`: by `strides` over the step's `dims`, 0 where the input is stretched.
 */
export const operandModes = { contiguous: 0, scalar: 1, strided: 2 } as const;

export const records = {
  /** At the start of every encoded program. `steps` lists stepEntry. */
  programHeader: { magic: u32, schemaHash: u32, bytes: u32, slots: u32, commitStart: u32, steps: list("stepEntry") },
  /** `kernel` is the number of the step's kind, `offset` where its fields start. */
  stepEntry: { kernel: u32, offset: u32 },
  /** A buffer of a blocked step: where in a thread's scratch its rows lie, in bytes, and how long they are. */
  localBuffer: { place: u32, rowBytes: i32 },
  /** A sum of `count` neighbours from `begin` on, times the weights from number `weights` on. */
  weightedRun: { begin: i32, count: i32, weights: i32 },
  weight: { value: f32 },
  /** `offset` counts elements from the start of the buffer. */
  inputOperand: { buffer: input, dtype: u32, mode: u32, offset: i32, strides: row(maxRank) },
  /** Stores the register `source`, contiguously. */
  outputOperand: { buffer: output, dtype: u32, source: u32 },
  /** `a`, `b`, `c` and `target` are registers: first one for each input, then temporaries. */
  instruction: { opcode: u32, target: u32, a: u32, b: u32, c: u32, d: u32 },
} as const;

/**
 * A register holds 32-bit lanes: `f` float32, `i` int32 (uint8 and bool inputs are loaded as int32). Letters give the
 * operands' types and then the result's; comparisons give 0 or 1. int32 arithmetic wraps, and quotients by 0 are 0. maximum, minimum and relu
 * propagate NaN. floatToInt truncates towards zero and saturates (NaN gives 0); toUint8 saturates to 0 … 255;
 * toBool and floatToBool give 1 for anything but 0.
 *
 * The last ones are pairs, with the same results as one after the other: a · b + c, a · b − c, c − a · b, a · b · c, (a + b) · c,
 * (a − b) · c, maximum(minimum(a, b), c), a < b ? c : d and a ≤ b ? c : d.
 * a and b may change places in those from multiplyAdd to addMultiply.
 */
export const instructions = {
  add: "ff>f",
  subtract: "ff>f",
  multiply: "ff>f",
  divide: "ff>f",
  maximum: "ff>f",
  minimum: "ff>f",
  power: "ff>f",
  negate: "f>f",
  absolute: "f>f",
  sign: "f>f",
  floor: "f>f",
  exp: "f>f",
  log: "f>f",
  expm1: "f>f",
  log1p: "f>f",
  erf: "f>f",
  sqrt: "f>f",
  sin: "f>f",
  cos: "f>f",
  tanh: "f>f",
  sigmoid: "f>f",
  relu: "f>f",
  equal: "ff>i",
  notEqual: "ff>i",
  less: "ff>i",
  lessEqual: "ff>i",
  addInt: "ii>i",
  subtractInt: "ii>i",
  multiplyInt: "ii>i",
  quotientInt: "ii>i",
  maximumInt: "ii>i",
  minimumInt: "ii>i",
  negateInt: "i>i",
  absoluteInt: "i>i",
  signInt: "i>i",
  equalInt: "ii>i",
  notEqualInt: "ii>i",
  lessInt: "ii>i",
  lessEqualInt: "ii>i",
  and: "ii>i",
  or: "ii>i",
  not: "i>i",
  select: "iff>f",
  selectInt: "iii>i",
  intToFloat: "i>f",
  floatToInt: "f>i",
  floatToBool: "f>i",
  toUint8: "i>i",
  toBool: "i>i",
  multiplyAdd: "fff>f",
  multiplySubtract: "fff>f",
  subtractProduct: "fff>f",
  multiplyMultiply: "fff>f",
  addMultiply: "fff>f",
  subtractMultiply: "fff>f",
  clamp: "fff>f",
  selectLess: "ffff>f",
  selectLessEqual: "ffff>f",
} as const;

export type InstructionName = keyof typeof instructions;
