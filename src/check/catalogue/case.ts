/** Calls of functions whose gradients are checked, and random inputs for them. */

import { allocate, type DType } from "../../core/dtype.js";
import type { RandomStream } from "../../core/philox.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import type { SampleInput } from "../../graph/op.js";
import type { AnyTensor, Tensor } from "../../graph/tensor.js";
import { tensorOver } from "../../ops/create.js";

/** A shape stands for float32 values of −1 … 1. */
export type CheckInput = Shape | SampleInput;

/** A call of a function of tensors. */
export interface CheckCase {
  /** The function's name. */
  readonly name: string;
  /** What is special about this call; empty for a plain one. */
  readonly setting: string;
  readonly inputs: readonly CheckInput[];
  readonly fn: (...inputs: never[]) => Tensor<Shape> | readonly Tensor<Shape>[];
  /** It draws random numbers, of which a device makes others each time. */
  readonly draws?: true;
}

/** A function with its inputs, and what is special about the call. */
export function check(name: string, fn: CheckCase["fn"], inputs: readonly CheckInput[], setting = ""): CheckCase {
  return { name, setting, inputs, fn };
}

export function within(low: number, high: number, ...shape: number[]): SampleInput {
  return { shape, dtype: "float32", range: [low, high] };
}

/** Values that all differ, so that the largest stays the largest. */
export function distinct(...shape: number[]): SampleInput {
  return { shape, dtype: "float32", distinct: true };
}

export function classes(below: number, ...shape: number[]): SampleInput {
  return { shape, dtype: "int32", below };
}

/** Random values as an input asks for them. */
export function randomTensor(input: CheckInput, random: RandomStream): AnyTensor {
  const sample: SampleInput = "shape" in input ? input : { shape: input, dtype: "float32" };
  const { shape, dtype, below = 2, range = [-1, 1] } = sample;
  const size = sizeOf(shape);
  const data = allocate<DType>(dtype, size);
  const ranks = sample.distinct ? random.permutation(size) : undefined;
  for (let i = 0; i < size; i++) {
    if (dtype !== "float32") data[i] = random.integer(below);
    else if (ranks !== undefined) data[i] = (2 * (ranks[i] + 0.5)) / size - 1;
    else data[i] = random.uniform(range[0], range[1]);
  }
  return tensorOver<Shape, DType>(data, shape, dtype);
}
