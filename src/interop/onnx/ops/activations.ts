/** Activation functions. */

import type { Tensor } from "../../../graph/tensor.js";
import {
  elu,
  gelu,
  hardsigmoid,
  hardswish,
  leakyRelu,
  mish,
  softplus,
  softsign,
} from "../../../ops/elementwise/activations.js";
import { add, clip, div, mul, sub } from "../../../ops/elementwise/arithmetic.js";
import { greater, less } from "../../../ops/elementwise/comparison.js";
import { relu, sigmoid } from "../../../ops/elementwise/functions.js";
import { cast, where } from "../../../ops/elementwise/select.js";
import { oneHot } from "../../../ops/indexing/oneHot.js";
import { argmax } from "../../../ops/reduce/extreme.js";
import { permute } from "../../../ops/shape/permute.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { logSoftmax, softmax } from "../../../ops/softmax.js";
import type { Call } from "../call.js";
import { type Definition, define, float, int, type OpTable, string } from "../definition.js";
import { isFloat } from "../elementTypes.js";
import { tensorValue } from "../value.js";
import { floatUnary } from "./arithmetic.js";
import { type Numeric, numeric, typed } from "./numeric.js";
import { matrixAt } from "./shapes.js";

/** A function along an axis; before opset 13 of all axes from there on, taken as one. */
function alongAxis(compute: (x: Tensor, axis: number) => Tensor): Definition[] {
  return [
    define({
      since: 1,
      attributes: { axis: int(1) },
      build: (call, { axis }) => {
        const x = call.float(0);
        const first = axis === x.rank ? x.rank : call.axis(axis, x.rank);
        return tensorValue(call.type(0), reshape(compute(matrixAt(x, first), 1), x.shape));
      },
    }),
    define({
      since: 13,
      attributes: { axis: int(-1) },
      build: (call, { axis }) => {
        const x = call.float(0);
        return tensorValue(call.type(0), compute(x, call.axis(axis, x.rank)));
      },
    }),
  ];
}

/** 1 at the largest element along the axis, 0 elsewhere. */
function hardmax(x: Tensor, axis: number): Tensor {
  const chosen = oneHot(argmax(x, axis), x.shape[axis]);
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
  return permute(
    chosen,
    x.shape.map((_, i) => (i === axis ? others.length : others.indexOf(i))),
  );
}

/** PRelu's slopes, which before opset 7 are one for each channel. */
function slopes(call: Call): Tensor {
  const slope = call.float(1);
  const rank = call.tensor(0).rank;
  if (call.opset >= 7 || slope.rank !== 1 || slope.size === 1 || rank < 2) return slope;
  return reshape(slope, [slope.size, ...Array.from({ length: rank - 2 }, () => 1)]);
}

function positivePart(x: Numeric): Numeric {
  return x.dtype === "float32" ? relu(x as Tensor) : (where(less(x, 0), 0, x) as Numeric);
}

const prelu = (call: Call) => {
  const { tensor, type } = call.any(0);
  const x = numeric(tensor);
  const slope = isFloat(type) ? slopes(call) : numeric(call.tensor(1));
  return typed(type, where(less(x, 0), mul(x, slope), x) as Numeric);
};

export const activations: OpTable = {
  Relu: [define({ since: 1, build: (call) => typed(call.type(0), positivePart(numeric(call.tensor(0)))) })],
  LeakyRelu: scaled(1, 0.01, leakyRelu),
  PRelu: [define({ since: 1, build: prelu })],
  Elu: scaled(1, 1, (x, alpha) => elu(x, alpha)),
  Celu: scaled(12, 1, (x, alpha) => mul(elu(div(x, alpha) as Tensor), alpha) as Tensor),
  ThresholdedRelu: scaled(10, 1, (x, alpha) => where(greater(x, alpha), x, 0) as Tensor),
  Swish: scaled(24, 1, (x, alpha) => mul(x, sigmoid(mul(x, alpha) as Tensor)) as Tensor),
  Selu: [selu(1, 1.6732, 1.0507), selu(6, 1.6732631921768188, 1.0507010221481323)],
  Sigmoid: floatUnary(1, sigmoid),
  HardSigmoid: [
    define({
      since: 1,
      attributes: { alpha: float(0.2), beta: float(0.5) },
      build: (call, { alpha, beta }) => {
        const x = call.float(0);
        const isUsual = Math.fround(alpha) === Math.fround(1 / 6) && beta === 0.5;
        return tensorValue(call.type(0), isUsual ? hardsigmoid(x) : clip(add(mul(x, alpha), beta) as Tensor, 0, 1));
      },
    }),
  ],
  HardSwish: floatUnary(14, (x) => hardswish(x)),
  Softplus: floatUnary(1, (x) => softplus(x)),
  Softsign: floatUnary(1, softsign),
  Mish: floatUnary(18, mish),
  Gelu: [
    define({
      since: 20,
      attributes: { approximate: string("none") },
      build: (call, { approximate }) => {
        if (approximate !== "none" && approximate !== "tanh")
          throw call.error(`approximate is ${JSON.stringify(approximate)}`);
        return tensorValue(call.type(0), gelu(call.float(0), { approximate }));
      },
    }),
  ],
  Shrink: [
    define({
      since: 9,
      attributes: { lambd: float(0.5), bias: float(0) },
      build: (call, { lambd, bias }) => {
        const { tensor, type } = call.any(0);
        const x = cast(tensor, "float32") as Tensor;
        const shrunk = where(less(x, -lambd), add(x, bias), where(greater(x, lambd), sub(x, bias), 0)) as Tensor;
        return typed(type, isFloat(type) ? shrunk : cast(shrunk, "int32"));
      },
    }),
  ],
  Softmax: alongAxis(softmax),
  LogSoftmax: alongAxis(logSoftmax),
  Hardmax: alongAxis(hardmax),
  SwiGLU: [
    define({
      since: 28,
      attributes: { alpha: float(1) },
      build: (call, { alpha }) => {
        const gate = call.float(0);
        return tensorValue(call.type(0), mul(mul(gate, sigmoid(mul(gate, alpha) as Tensor)), call.float(1)) as Tensor);
      },
    }),
  ],
};

/** An op with one setting, `alpha`. */
function scaled(since: number, fallback: number, compute: (x: Tensor, alpha: number) => Tensor): Definition[] {
  return [
    define({
      since,
      attributes: { alpha: float(fallback) },
      build: (call, { alpha }) => tensorValue(call.type(0), compute(call.float(0), alpha)),
    }),
  ];
}

function selu(since: number, alpha: number, gamma: number): Definition {
  return define({
    since,
    attributes: { alpha: float(alpha), gamma: float(gamma) },
    build: (call, settings) =>
      tensorValue(call.type(0), mul(elu(call.float(0), settings.alpha), settings.gamma) as Tensor),
  });
}
