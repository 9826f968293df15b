/** Drawing the settings of functions that are made of ops. */

import type { SampleInput } from "../../../src/graph/op.js";
import type { AnyTensor, Tensor } from "../../../src/graph/tensor.js";
import type { Draw } from "./draw.js";

/** One call of a function. */
export interface FunctionCall {
  readonly inputs: readonly SampleInput[];
  readonly settings: unknown;
  readonly call: (...inputs: Tensor[]) => readonly AnyTensor[] | AnyTensor;
}

export type DrawCall = (draw: Draw) => FunctionCall;

export const perAxis = <T>(axes: number, make: (axis: number) => T): T[] =>
  Array.from({ length: axes }, (_, axis) => make(axis));
export const positive = (shape: readonly number[]): SampleInput => ({ shape, dtype: "float32", range: [0.1, 2] });
export const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
