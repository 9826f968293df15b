/** Functions of each element by itself, activations, and arithmetic. */

import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import * as activations from "../../ops/elementwise/activations.js";
import * as arithmetic from "../../ops/elementwise/arithmetic.js";
import { greater } from "../../ops/elementwise/comparison.js";
import * as derived from "../../ops/elementwise/derived.js";
import * as functions from "../../ops/elementwise/functions.js";
import { cast, where } from "../../ops/elementwise/select.js";
import { gradientReversal } from "../../ops/gradientReversal.js";
import { dropout, featureDropout } from "../../ops/random/random.js";
import { logSoftmax, softmax } from "../../ops/softmax.js";
import { type CheckCase, check, within } from "./case.js";

type Unary = (x: Tensor) => Tensor<Shape>;

const wide = within(-8, 8, 12, 10);
const positive = within(0.2, 3, 4, 5);

const { abs, cos, erf, exp, expm1, floor, log, log1p, neg, relu, sigmoid, sign, sin, sqrt, tanh } = functions;
const { add, clip, div, maximum, minimum, mul, pow, sub } = arithmetic;
const { elu, gelu, hardshrink, hardsigmoid, hardswish, hardtanh, leakyRelu, logSigmoid, mish } = activations;
const { prelu, relu6, selu, silu, softplus, softshrink, softsign } = activations;

const { ceil, round, rsqrt, square, tan } = derived;

const unary = { abs, ceil, cos, erf, exp, expm1, floor, neg, relu, round, sigmoid, sign, sin, square, tanh } as const;
const units = {
  elu,
  gelu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  relu6,
  selu,
  silu,
  softplus,
  softshrink,
  softsign,
} as const;
const binary = { add, sub, mul, div, maximum, minimum } as const;

export const elementwiseCases: readonly CheckCase[] = [
  ...Object.entries<Unary>(unary).map(([name, fn]) => check(name, fn, [within(-3, 3, 4, 5)])),
  ...Object.entries<Unary>({ log, log1p, rsqrt, sqrt }).map(([name, fn]) => check(name, fn, [positive])),
  ...Object.entries<Unary>(units).map(([name, fn]) => check(name, (x: Tensor) => fn(x), [wide])),
  check("tan", (x: Tensor) => tan(x), [within(-1.2, 1.2, 4, 5)]),
  check("gelu", (x: Tensor) => gelu(x, { approximate: "tanh" }), [wide], "tanh"),
  check("elu", (x: Tensor) => elu(x, 0.3), [wide], "alpha 0.3"),
  check("softplus", (x: Tensor) => softplus(x, 2), [wide], "beta 2"),
  check("hardtanh", (x: Tensor) => hardtanh(x, -2, 3), [wide], "-2 … 3"),
  check("prelu", (x: Tensor, w: Tensor) => prelu(x, w), [[2, 3, 4], [3]], "a slope for each channel"),
  check("prelu", (x: Tensor, w: Tensor) => prelu(x, w), [[2, 3, 4], [1]], "one slope"),
  check("softmax", (x: Tensor) => softmax(x, 1), [within(-3, 3, 3, 4, 2)], "axis 1"),
  check("logSoftmax", (x: Tensor) => logSoftmax(x, 1), [within(-3, 3, 3, 4, 2)], "axis 1"),
  ...Object.entries<(a: Tensor, b: Tensor) => Tensor<Shape>>(binary).map(([name, fn]) =>
    check(name, (a: Tensor, b: Tensor) => fn(a, b), [[3, 1, 4], within(1, 3, 2, 1)], "stretched"),
  ),
  check("pow", (a: Tensor, b: Tensor) => pow(a, b), [positive, within(-2, 3, 5)], "stretched"),
  check("pow", (a: Tensor) => pow(a, 3) as Tensor, [within(-2, 2, 8)], "of negative numbers"),
  check("clip", (x: Tensor) => clip(x, -0.5, 0.7), [[4, 5]]),
  // Turned round twice, by factors whose product is 1, it is the gradient of what was computed.
  check("gradientReversal", (x: Tensor) => gradientReversal(gradientReversal(square(x) as Tensor, 4), 0.25), [[4, 5]]),
  check("where", (a: Tensor, b: Tensor) => where(greater(a, b), a, neg(b)) as Tensor, [[3, 4], [4]]),
  check("cast", (x: Tensor) => mul(x, cast(cast(x, "int32"), "float32")) as Tensor, [within(-5, 5, 9)]),
  { ...check("dropout", (x: Tensor) => dropout(x, 0.4), [[5, 6]]), draws: true },
  { ...check("featureDropout", (x: Tensor) => featureDropout(x, 0.4), [[4, 5, 2, 2]]), draws: true },
];
