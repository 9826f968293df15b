/** Means and variances. */

import { normalizeAxes, type Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { composite } from "../composites.js";
import { mul, sub } from "../elementwise/arithmetic.js";
import { asTensor, type TensorLike } from "../tensors.js";
import { type ReduceOptions, reducedCount, sum } from "./sum.js";

/** The mean over some axes, or over all. @example mean(x, [2, 3]) // global average pooling */
export function mean(
  x: TensorLike,
  axis?: number | readonly number[],
  { keepdim = false }: ReduceOptions = {},
): Tensor {
  const input = asTensor("mean", x);
  const axes = normalizeAxes("mean", axis, input.rank);
  const result = mul(sum(input, axes, { keepdim }), 1 / reducedCount(input.shape, axes)) as Tensor;
  return composite({ name: "mean", inputs: [input], params: { axes, keepdim } }, result);
}

export interface VarianceOptions extends ReduceOptions {
  /** Divides by n − correction: 1 estimates from a sample (the default, as in PyTorch), 0 describes the data itself. */
  readonly correction?: number;
}

/** The variance over some axes, or over all. */
export function variance(
  x: TensorLike,
  axis?: number | readonly number[],
  { keepdim = false, correction = 1 }: VarianceOptions = {},
): Tensor {
  const input = asTensor("variance", x);
  const axes = normalizeAxes("variance", axis, input.rank);
  const centred = sub(input, mean(input, axes, { keepdim: true })) as Tensor<Shape>;
  const count = reducedCount(input.shape, axes) - correction;
  return mul(sum(mul(centred, centred), axes, { keepdim }), 1 / count) as Tensor;
}
