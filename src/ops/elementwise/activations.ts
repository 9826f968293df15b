/** Activation functions other than the elementary ones in functions.ts, from the ops they are made of. */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { composite } from "../composites.js";
import { reshape } from "../shape/reshape.js";
import { asFloats, asTensor, type TensorLike } from "../tensors.js";
import { withGradient } from "../withGradient.js";
import { add, div, maximum, minimum, mul, sub } from "./arithmetic.js";
import { greater, less, logicalAnd } from "./comparison.js";
import { abs, erf, exp, expm1, log1p, neg, sigmoid, tanh } from "./functions.js";
import { where } from "./select.js";

/** Where x is positive `positive`, else `other`. */
function split<S extends Shape>(x: Tensor<S>, positive: Tensor<S> | number, other: Tensor<S> | number): Tensor<S> {
  return where(greater(x, 0), positive, other) as Tensor<S>;
}

/** x where it is negative, else 0: keeps exponentials of what is not chosen from overflowing. */
function negativePart<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return split(x, 0, x);
}

/** x where it is positive, else `slope` · x (Maas et al. 2013). @param slope default 0.01 */
export function leakyRelu<T extends TensorLike>(x: T, slope = 0.01): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("leakyRelu", x);
  const flat = mul(input, slope) as Tensor<T["shape"]>;
  // A maximum shares nothing with the gradient that would have to be kept for it.
  const value = slope >= 0 && slope <= 1 ? (maximum(input, flat) as Tensor<T["shape"]>) : split(input, input, flat);
  const result = withGradient(value, input, (upstream) => split(input, upstream, mul(upstream, slope)));
  return composite({ name: "leakyRelu", inputs: [input], params: { slope } }, result);
}

/**
 * Leaky ReLU whose slopes are learned (He et al. 2015).
 *
 * @param weight one slope, or one for each channel (axis 1)
 */
export function prelu<T extends TensorLike>(x: T, weight: TensorLike): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("prelu", x);
  const slopes = asFloats("prelu", weight);
  const channels = input.shape[1] ?? 1;
  if (slopes.rank > 1 || (slopes.size !== 1 && slopes.size !== channels)) {
    throw new ShapeError(
      `prelu: there are ${formatShape(slopes.shape)} slopes for an input of ${formatShape(input.shape)}. Expected 1, or ${channels}: one for each channel.`,
    );
  }
  const stretched = reshape(slopes, slopes.size === 1 ? [] : [channels, ...Array(input.rank - 2).fill(1)]);
  const result = split(input, input, mul(input, stretched) as Tensor<T["shape"]>);
  return composite({ name: "prelu", inputs: [input, stretched], params: {} }, result);
}

/** x where it is positive, else `alpha` · (eˣ − 1) (Clevert et al. 2015). @param alpha default 1 */
export function elu<T extends TensorLike>(x: T, alpha = 1): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("elu", x);
  const value = split(input, input, mul(expm1(negativePart(input)), alpha) as Tensor<T["shape"]>);
  // alpha · eˣ is the result + alpha.
  const result: Tensor<T["shape"]> = withGradient(value, input, (upstream) =>
    split(input, upstream, mul(upstream, add(result, alpha))),
  );
  return composite({ name: "elu", inputs: [input], params: { alpha } }, result);
}

/** ELU scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017). */
export function selu<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("selu", x);
  const result = mul(elu(input, 1.6732632423543772), 1.0507009873554805) as Tensor<T["shape"]>;
  return composite({ name: "selu", inputs: [input], params: {} }, result);
}

/** x · Φ(x), with the normal distribution's Φ (Hendrycks & Gimpel 2016); `"tanh"` approximates it. */
export function gelu<T extends TensorLike>(
  x: T,
  { approximate = "none" }: { readonly approximate?: "none" | "tanh" } = {},
): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("gelu", x);
  if (approximate !== "none" && approximate !== "tanh")
    throw new ArgumentError(`gelu: approximate is ${JSON.stringify(approximate)}. Expected "none" or "tanh".`);
  const squared = mul(input, input) as Tensor<T["shape"]>;
  if (approximate === "tanh") {
    const inner = mul(input, add(mul(squared, 0.044715 * Math.sqrt(2 / Math.PI)), Math.sqrt(2 / Math.PI)));
    return mul(mul(input, 0.5), add(tanh(inner as Tensor<T["shape"]>), 1)) as Tensor<T["shape"]>;
  }
  const share = add(mul(erf(mul(input, Math.SQRT1_2) as Tensor<T["shape"]>), 0.5), 0.5);
  return withGradient(mul(input, share) as Tensor<T["shape"]>, input, (upstream) => {
    const density = mul(exp(mul(squared, -0.5) as Tensor), 1 / Math.sqrt(2 * Math.PI));
    return mul(upstream, add(share, mul(input, density))) as Tensor;
  });
}

/** x · sigmoid(x), also called swish (Elfwing et al. 2017). */
export function silu<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("silu", x);
  return mul(input, sigmoid(input)) as Tensor<T["shape"]>;
}

/** log(1 + e^(beta · x)) / beta: a smooth ReLU (Dugas et al. 2001). @param beta default 1 */
export function softplus<T extends TensorLike>(x: T, beta = 1): Tensor<T["shape"]> {
  if (!(beta > 0)) throw new ArgumentError(`softplus: beta is ${beta}. Expected a number above 0.`);
  const input: Tensor<T["shape"]> = asTensor("softplus", x);
  const scaled = mul(input, beta) as Tensor<T["shape"]>;
  // Neither part overflows, and both derivatives at 0 add up to the right one.
  const smooth = add(log1p(exp(neg(abs(scaled)))), mul(add(scaled, abs(scaled)), 0.5));
  const result = mul(smooth, 1 / beta) as Tensor<T["shape"]>;
  return beta === 1 ? composite({ name: "softplus", inputs: [input], params: {} }, result) : result;
}

/** log(sigmoid(x)), without the loss of accuracy of taking the logarithm afterwards. */
export function logSigmoid<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  return neg(softplus(neg(asTensor("logSigmoid", x))));
}

/** x · tanh(softplus(x)) (Misra 2019). */
export function mish<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("mish", x);
  return mul(input, tanh(softplus(input))) as Tensor<T["shape"]>;
}

/** x / (1 + |x|). */
export function softsign<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("softsign", x);
  return div(input, add(abs(input), 1)) as Tensor<T["shape"]>;
}

/** x between `low` and `high`, by default −1 and 1. At a bound its gradient is 0, unlike that of `clip`. */
export function hardtanh<T extends TensorLike>(x: T, low = -1, high = 1): Tensor<T["shape"]> {
  if (!(low < high)) throw new ArgumentError(`hardtanh: the bounds are ${low} and ${high}. Expected the lower first.`);
  const input: Tensor<T["shape"]> = asTensor("hardtanh", x);
  const limited = maximum(minimum(input, high), low) as Tensor<T["shape"]>;
  const result = withGradient(limited, input, (upstream) => {
    return where(logicalAnd(less(low, input), less(input, high)), upstream, 0) as Tensor;
  });
  return composite({ name: "clip", inputs: [input], params: { low, high } }, result);
}

/** min(max(x, 0), 6). */
export function relu6<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  return hardtanh(x, 0, 6);
}

/** x / 6 + 1/2 between 0 and 1: a sigmoid of straight lines. */
export function hardsigmoid<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("hardsigmoid", x);
  const value = mul(maximum(minimum(add(input, 3), 6), 0), 1 / 6) as Tensor<T["shape"]>;
  const result = withGradient(value, input, (upstream) => {
    return where(less(abs(input), 3), mul(upstream, 1 / 6), 0) as Tensor;
  });
  return composite({ name: "hardsigmoid", inputs: [input], params: {} }, result);
}

/** x · hardsigmoid(x) (Howard et al. 2019). */
export function hardswish<T extends TensorLike>(x: T): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("hardswish", x);
  const result = withGradient(mul(input, hardsigmoid(input)) as Tensor<T["shape"]>, input, (upstream) => {
    // Of the input alone: nothing else has to be kept for it.
    const slope = where(less(abs(input), 3), add(mul(input, 1 / 3), 0.5), split<Shape>(input, 1, 0));
    return mul(upstream, slope) as Tensor;
  });
  return composite({ name: "hardswish", inputs: [input], params: {} }, result);
}

/** x where |x| is larger than `bound`, else 0. @param bound default 0.5 */
export function hardshrink<T extends TensorLike>(x: T, bound = 0.5): Tensor<T["shape"]> {
  const input: Tensor<T["shape"]> = asTensor("hardshrink", x);
  return where(greater(abs(input), bound), input, 0) as Tensor<T["shape"]>;
}

/** x moved towards 0 by `bound`, and 0 nearer than that. @param bound default 0.5 */
export function softshrink<T extends TensorLike>(x: T, bound = 0.5): Tensor<T["shape"]> {
  if (!(bound >= 0)) throw new ArgumentError(`softshrink: the bound is ${bound}. Expected a number of 0 or more.`);
  const input: Tensor<T["shape"]> = asTensor("softshrink", x);
  const moved = sub(input, maximum(minimum(input, bound), -bound)) as Tensor<T["shape"]>;
  return withGradient(moved, input, (upstream) => where(greater(abs(input), bound), upstream, 0) as Tensor);
}
