/** Random tensors and dropout. */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { philox, unitFromBits } from "../../core/philox.js";
import { formatShape, type Shape, sizeOf } from "../../core/shape.js";
import { defineOp, nonDifferentiable, type ReferenceArray } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { add, mul } from "../elementwise/arithmetic.js";
import { less } from "../elementwise/comparison.js";
import { where } from "../elementwise/select.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { defaultGenerator, drawFrom, type Generator } from "./generator.js";

export interface RandomParams {
  readonly shape: Shape;
}

/** Word `i` of the draw: the same bits as the kernels and `RandomStream`. */
function words(draw: ReferenceArray, count: number): Uint32Array {
  const [seedLow, seedHigh, low, high] = draw.data;
  const result = new Uint32Array(Math.ceil(count / 4) * 4);
  const block = new Uint32Array(4);
  for (let i = 0; i < count; i += 4) {
    philox(i / 4, 0, low, high, seedLow >>> 0, seedHigh >>> 0, block);
    result.set(block, i);
  }
  return result;
}

const draws = { draw: { shape: [4], dtype: "int32", below: 2 ** 31 - 1 } } as const;
const noInputs = nonDifferentiable("random numbers depend on nothing");

export const uniformOp = defineOp<"uniform", "draw", RandomParams>({
  name: "uniform",
  inputs: ["draw"],
  shape: (_, { shape }) => shape,
  dtype: () => "float32",
  reference: ({ draw }, { shape }, output) => {
    const bits = words(draw, sizeOf(shape));
    for (let i = 0; i < output.data.length; i++) output.data[i] = unitFromBits(bits[i]);
  },
  gradient: noInputs,
  cost: (_, __, output) => ({ macs: 0, operations: sizeOf(output) }),
  samples: [
    { inputs: draws, params: { shape: [3, 5] } },
    { inputs: draws, params: { shape: [1] } },
  ],
});

/** Box & Muller (1958): two uniform words give two normal numbers. */
export const normalOp = defineOp<"normal", "draw", RandomParams>({
  name: "normal",
  inputs: ["draw"],
  shape: (_, { shape }) => shape,
  dtype: () => "float32",
  reference: ({ draw }, { shape }, output) => {
    const bits = words(draw, sizeOf(shape) + 1);
    for (let i = 0; i < output.data.length; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(1 - unitFromBits(bits[i])));
      const angle = 2 * Math.PI * unitFromBits(bits[i + 1]);
      output.data[i] = radius * Math.cos(angle);
      if (i + 1 < output.data.length) output.data[i + 1] = radius * Math.sin(angle);
    }
  },
  gradient: noInputs,
  cost: (_, __, output) => ({ macs: 0, operations: sizeOf(output) }),
  samples: [
    { inputs: draws, params: { shape: [4, 5] } },
    { inputs: draws, params: { shape: [3] } },
  ],
});

export interface RandomOptions {
  /** Default: the one that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** Numbers drawn evenly from low … high. @example uniform([3, 3], -1, 1) */
export function uniform<const S extends Shape>(
  shape: S,
  low = 0,
  high = 1,
  { generator = defaultGenerator }: RandomOptions = {},
): Tensor<S> {
  if (!(low <= high)) throw new ArgumentError(`uniform: the bounds are ${low} and ${high}. Expected the lower first.`);
  const unit = uniformOp({ draw: drawFrom(generator) }, { shape }) as Tensor<S>;
  if (low === 0 && high === 1) return unit;
  return add(mul(unit, high - low), low) as Tensor<S>;
}

/** Numbers drawn from a normal distribution. @example normal([3, 3]) */
export function normal<const S extends Shape>(
  shape: S,
  mean = 0,
  deviation = 1,
  { generator = defaultGenerator }: RandomOptions = {},
): Tensor<S> {
  if (!(deviation >= 0))
    throw new ArgumentError(`normal: the deviation is ${deviation}. Expected a number of 0 or more.`);
  const standard = normalOp({ draw: drawFrom(generator) }, { shape }) as Tensor<S>;
  if (mean === 0 && deviation === 1) return standard;
  return add(mul(standard, deviation), mean) as Tensor<S>;
}

export interface DropoutOptions extends RandomOptions {
  /** Without it, nothing is changed. Default true. */
  readonly training?: boolean;
}

/**
 * Sets each element to zero with probability `p`, and scales the others so that the mean stays (Srivastava et al. 2014).
 * Without `training` it changes nothing.
 *
 * @param p 0 … 1. Default 0.5.
 */
export function dropout<S extends Shape>(x: TensorLike<S>, p = 0.5, options: DropoutOptions = {}): Tensor<S> {
  const input = asTensor("dropout", x);
  return dropWhole("dropout", input, input.shape, p, options);
}

/**
 * Sets whole feature maps of N×C×… to zero with probability `p`, and scales the others: neighbours in a map are too alike
 * for dropping single elements to do much (Tompson et al. 2015).
 *
 * @param p 0 … 1. Default 0.5.
 */
export function featureDropout<S extends Shape>(x: TensorLike<S>, p = 0.5, options: DropoutOptions = {}): Tensor<S> {
  const input = asTensor("featureDropout", x);
  if (input.rank < 3)
    throw new ShapeError(
      `featureDropout: the input is ${formatShape(input.shape)}. Expected N×C×…, with maps to drop.`,
    );
  const maps = input.shape.map((length, axis) => (axis < 2 ? length : 1));
  return dropWhole("featureDropout", input, maps, p, options);
}

/** Drops with one decision for each element of `decisions`, which is stretched over the input. */
function dropWhole<S extends Shape>(
  op: string,
  input: Tensor<S>,
  decisions: Shape,
  p: number,
  { training = true, generator = defaultGenerator }: DropoutOptions,
): Tensor<S> {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${op}: the probability is ${p}. Expected 0 … 1.`);
  if (!training || p === 0) return input;
  const keep = less(uniformOp({ draw: drawFrom(generator) }, { shape: decisions }) as Tensor, 1 - p);
  const scaled: Tensor = mul(input, p === 1 ? 0 : 1 / (1 - p));
  return where(keep, scaled, 0) as Tensor<Shape> as Tensor<S>;
}
