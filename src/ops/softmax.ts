/** Softmax and its logarithm, from the ops they are made of. */

import { normalizeAxis, type Shape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { composite } from "./composites.js";
import { div, mul, sub } from "./elementwise/arithmetic.js";
import { exp, log } from "./elementwise/functions.js";
import { max } from "./reduce/extreme.js";
import { sum } from "./reduce/sum.js";
import { detach } from "./shape/reshape.js";
import { asTensor, type TensorLike } from "./tensors.js";
import { withGradient } from "./withGradient.js";

/** x minus its largest element along `axis`: the same softmax, and no exponential overflows. */
function shifted<S extends Shape>(what: string, x: TensorLike<S>, axis: number): { input: Tensor<S>; axis: number } {
  const tensor = asTensor(what, x);
  const along = normalizeAxis(what, axis, tensor.rank);
  return { input: sub(tensor, detach(max(tensor, along, { keepdim: true }))) as Tensor<S>, axis: along };
}

/** Probabilities along `axis`: eˣ / Σ eˣ. @example softmax(logits) // the last axis */
export function softmax<T extends TensorLike>(x: T, axis = -1): Tensor<T["shape"]> {
  const { input, axis: along } = shifted("softmax", x, axis);
  const exponentials = exp(input);
  const shares = mul(exponentials, div(1, sum(exponentials, along, { keepdim: true }))) as Tensor<T["shape"]>;
  const given: Tensor = asTensor("softmax", x);
  const result: Tensor<T["shape"]> = withGradient(shares, given, (upstream) => {
    return mul(result, sub(upstream, sum(mul(upstream, result), along, { keepdim: true }))) as Tensor;
  });
  return composite({ name: "softmax", inputs: [given], params: { axis: along } }, result);
}

/** log(softmax(x)), without the loss of accuracy of taking the logarithm afterwards. */
export function logSoftmax<T extends TensorLike>(x: T, axis = -1): Tensor<T["shape"]> {
  const { input, axis: along } = shifted("logSoftmax", x, axis);
  const result = sub(input, log(sum(exp(input), along, { keepdim: true }))) as Tensor<T["shape"]>;
  return composite({ name: "logSoftmax", inputs: [asTensor("logSoftmax", x)], params: { axis: along } }, result);
}
