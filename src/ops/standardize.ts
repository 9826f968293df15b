/** What batch, layer, group and instance normalization have in common. */

import type { Tensor } from "../graph/tensor.js";
import { add, div, mul, sub } from "./elementwise/arithmetic.js";
import { sqrt } from "./elementwise/functions.js";
import { mean } from "./reduce/mean.js";
import { withGradient } from "./withGradient.js";

/** (x − mean) / √(variance + eps) over some axes, which mean and variance keep with length 1. */
export function standardize(
  x: Tensor,
  axes: readonly number[],
  eps: number,
): { readonly result: Tensor; readonly mean: Tensor; readonly variance: Tensor } {
  const centre = mean(x, axes, { keepdim: true });
  const deviation = sub(x, centre) as Tensor;
  const variance = mean(mul(deviation, deviation) as Tensor, axes, { keepdim: true });
  const scale = div(1, sqrt(add(variance, eps))) as Tensor;
  // Neither a constant added to x nor a factor changes the result: its gradient is at right angles to both.
  const result: Tensor = withGradient(mul(deviation, scale) as Tensor, x, (upstream) => {
    const shift = mean(upstream, axes, { keepdim: true });
    const stretch = mean(mul(upstream, result) as Tensor, axes, { keepdim: true });
    return mul(scale, sub(sub(upstream, shift), mul(result, stretch))) as Tensor;
  });
  return { result, mean: centre, variance };
}
