/** Training against what a head learns. */

import { ArgumentError } from "../core/errors.js";
import type { Shape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { mul } from "./elementwise/arithmetic.js";
import { neg } from "./elementwise/functions.js";
import { asFloats, type TensorLike } from "./tensors.js";
import { withGradient } from "./withGradient.js";

/**
 * `x` itself, whose gradient is turned round: multiplied by −`scale`. What comes after it learns as ever; what comes before
 * learns to make that hard. So a head that tells an attribute (gender, the camera) from features makes the features forget
 * it (Ganin & Lempitsky, "Unsupervised domain adaptation by backpropagation", 2015).
 *
 * @param scale how strongly, a number of 0 or more or a tensor of one element, which may grow while training. Default 1
 * @example const loss = add(crossEntropy(head(features), labels), crossEntropy(other(gradientReversal(features)), gender));
 */
export function gradientReversal<S extends Shape>(x: TensorLike<S>, scale: number | Tensor<[]> = 1): Tensor<S> {
  if (typeof scale === "number" && !(scale >= 0 && Number.isFinite(scale)))
    throw new ArgumentError(`gradientReversal: scale is ${scale}. Expected a finite number of 0 or more.`);
  const input = asFloats("gradientReversal", x) as Tensor<S>;
  return withGradient(input, input, (upstream) => neg(mul(upstream, scale)) as Tensor);
}
