/** What batch, layer, group and instance normalization have in common. */

import type { Tensor } from "../graph/tensor.js";
import { add, div, mul, sub } from "./elementwise/arithmetic.js";
import { sqrt } from "./elementwise/functions.js";
import { mean } from "./reduce/mean.js";
import { sumTo } from "./reduce/sum.js";
import { withGradients } from "./withGradient.js";

/** Factors and summands in the shape of the means. */
export interface Affine {
  readonly weight?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
}

/** (x − mean) / √(variance + eps) · weight + bias over some axes, which mean and variance keep with length 1. */
export function standardize(
  x: Tensor,
  axes: readonly number[],
  eps: number,
  { weight, bias }: Affine = {},
): { readonly result: Tensor; readonly mean: Tensor; readonly variance: Tensor } {
  const centre = mean(x, axes, { keepdim: true });
  const deviation = sub(x, centre) as Tensor;
  const variance = mean(mul(deviation, deviation) as Tensor, axes, { keepdim: true });
  const scale = div(1, sqrt(add(variance, eps))) as Tensor;
  const share = centre.size / x.size;
  // Neither a constant added to x nor a factor changes the standard values: their gradient is at right angles to both.
  const differentiable = (value: Tensor, factor?: Tensor, summand?: Tensor): Tensor => {
    const inputs = [x, factor, summand].filter((input) => input !== undefined);
    return withGradients(value, inputs, (upstream) => {
      const total = sumTo(upstream, centre.shape);
      const stretch = sumTo(mul(upstream, standard) as Tensor, centre.shape);
      const across = sub(sub(upstream, mul(total, share)), mul(standard, mul(stretch, share)));
      const ofInput = mul(factor === undefined ? scale : mul(scale, factor), across) as Tensor;
      return [ofInput, ...(factor === undefined ? [] : [stretch]), total];
    });
  };
  const standard = differentiable(mul(deviation, scale) as Tensor);
  if (weight === undefined && bias === undefined) return { result: standard, mean: centre, variance };
  const scaled = weight === undefined ? standard : mul(standard, weight);
  const shifted = (bias === undefined ? scaled : add(scaled, bias)) as Tensor;
  return { result: differentiable(shifted, weight, bias), mean: centre, variance };
}
