/**
 * The elementwise ops: one expression each. Their gradients use one another, so they live together; the functions that
 * users call are in arithmetic.ts, functions.ts, comparison.ts and select.ts.
 */

import { type DType, dtypes } from "../../core/dtype.js";
import { DTypeError } from "../../core/errors.js";
import { type Shape, sizeOf } from "../../core/shape.js";
import { defineOp, nonDifferentiable, type SampleInput, sameDType } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { numberTensor } from "../tensors.js";
import { defineElementwise, noParams } from "./define.js";
import { errorFunction } from "./errorFunction.js";

const numeric = ["float32", "int32"] as const;
const float = ["float32"] as const;

const between = (low: number, high: number, ...shape: number[]): SampleInput => ({
  shape,
  dtype: "float32",
  range: [low, high],
});

const binarySamples = [
  { a: [2, 3], b: [2, 3] },
  { a: [2, 3, 4], b: [3, 1] },
  { a: [], b: [5] },
] as const;

const flags = (...shape: number[]): SampleInput => ({ shape, dtype: "bool", below: 2 });

const noDerivative = nonDifferentiable("its result is not a number that varies smoothly");

// Shorthands for gradients, which are always float32.
const number = (value: number, like: Tensor): Tensor => numberTensor(value, "float32", like.device);
const times = (a: Tensor, b: Tensor): Tensor => multiplyOp({ a, b }, noParams) as Tensor;
const plus = (a: Tensor, b: Tensor): Tensor => addOp({ a, b }, noParams) as Tensor;
const minus = (a: Tensor, b: Tensor): Tensor => subtractOp({ a, b }, noParams) as Tensor;
const over = (a: Tensor, b: Tensor): Tensor => divideOp({ a, b }, noParams) as Tensor;
const negative = (x: Tensor): Tensor => negateOp({ x }, noParams) as Tensor;
const oneMinus = (x: Tensor): Tensor => minus(number(1, x), x);
type Condition = Tensor<Shape, "bool">;
const isLess = (a: Tensor, b: Tensor): Condition => lessOp({ a, b }, noParams) as Condition;
const isEqual = (a: Tensor, b: Tensor): Condition => equalOp({ a, b }, noParams) as Condition;
const exponential = (x: Tensor): Tensor => expOp({ x }, noParams) as Tensor;
const sine = (x: Tensor): Tensor => sinOp({ x }, noParams) as Tensor;
const cosine = (x: Tensor): Tensor => cosOp({ x }, noParams) as Tensor;
const choose = (condition: Condition, a: Tensor, b: Tensor): Tensor => whereOp({ condition, a, b }, noParams) as Tensor;

export const addOp = defineElementwise({
  name: "add",
  inputs: ["a", "b"],
  value: (a, b) => a + b,
  dtype: sameDType("add", numeric),
  gradient: (_, upstream) => ({ a: () => upstream, b: () => upstream }),
  samples: binarySamples,
});

export const subtractOp = defineElementwise({
  name: "subtract",
  inputs: ["a", "b"],
  value: (a, b) => a - b,
  dtype: sameDType("subtract", numeric),
  gradient: (_, upstream) => ({ a: () => upstream, b: () => negative(upstream) }),
  samples: binarySamples,
});

export const multiplyOp = defineElementwise({
  name: "multiply",
  inputs: ["a", "b"],
  value: (a, b) => a * b,
  dtype: sameDType("multiply", numeric),
  gradient: ({ a, b }, upstream) => ({ a: () => times(upstream, b), b: () => times(upstream, a) }),
  samples: binarySamples,
});

export const divideOp = defineElementwise({
  name: "divide",
  inputs: ["a", "b"],
  value: (a, b) => a / b,
  dtype: sameDType("divide", float),
  gradient: ({ b }, upstream, output) => ({
    a: () => over(upstream, b),
    b: () => negative(over(times(upstream, output), b)),
  }),
  samples: [
    { a: [2, 3], b: between(0.5, 2, 2, 3) },
    { a: [2, 3, 4], b: between(-2, -0.5, 3, 1) },
    { a: [], b: between(0.5, 2, 5) },
  ],
});

export const quotientOp = defineElementwise({
  name: "quotient",
  inputs: ["a", "b"],
  value: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
  dtype: sameDType("quotient", ["int32"]),
  gradient: noDerivative,
  samples: [
    { a: { shape: [4, 3], dtype: "int32", below: 100 }, b: { shape: [3], dtype: "int32", below: 7 } },
    { a: { shape: [37], dtype: "int32", below: 2 ** 31 - 1 }, b: { shape: [], dtype: "int32", below: 1000 } },
  ],
});

/** What a's share of the gradient of max(a, b) is: all where a is larger, half where both are equal, as in PyTorch. */
const shareOfLarger = (a: Tensor, b: Tensor): Tensor =>
  choose(isLess(b, a), number(1, a), choose(isEqual(a, b), number(0.5, a), number(0, a)));

export const maximumOp = defineElementwise({
  name: "maximum",
  inputs: ["a", "b"],
  value: (a, b) => Math.max(a, b),
  dtype: sameDType("maximum", numeric),
  gradient: ({ a, b }, upstream) => ({
    a: () => times(upstream, shareOfLarger(a, b)),
    b: () => times(upstream, shareOfLarger(b, a)),
  }),
  samples: binarySamples,
});

export const minimumOp = defineElementwise({
  name: "minimum",
  inputs: ["a", "b"],
  value: (a, b) => Math.min(a, b),
  dtype: sameDType("minimum", numeric),
  gradient: ({ a, b }, upstream) => ({
    a: () => times(upstream, shareOfLarger(b, a)),
    b: () => times(upstream, shareOfLarger(a, b)),
  }),
  samples: binarySamples,
});

export const powerOp = defineElementwise({
  name: "power",
  inputs: ["a", "b"],
  value: (a, b) => a ** b,
  dtype: sameDType("power", float),
  gradient: ({ a, b }, upstream, output) => ({
    // The derivative of a⁰ is 0, also where 0 · a⁻¹ is not a number.
    a: () => {
      const lowered = powerOp({ a, b: minus(b, number(1, b)) }, noParams) as Tensor;
      return times(upstream, choose(isEqual(b, number(0, b)), number(0, b), times(b, lowered)));
    },
    // aᵇ · log a, and 0 for bases of 0 and below, where it is not defined.
    b: () => {
      const positive = isLess(number(0, a), a);
      const logarithm = logOp({ x: choose(positive, a, number(1, a)) }, noParams) as Tensor;
      return times(upstream, choose(positive, times(output, logarithm), number(0, a)));
    },
  }),
  samples: [
    { a: between(0.3, 2, 2, 3), b: [2, 3] },
    { a: between(0.3, 2, 4, 3), b: [3] },
  ],
});

export const negateOp = defineElementwise({
  name: "negate",
  inputs: ["x"],
  value: (x) => -x,
  dtype: sameDType("negate", numeric),
  gradient: (_, upstream) => ({ x: () => negative(upstream) }),
  samples: [{ x: [2, 3] }],
});

export const absoluteOp = defineElementwise({
  name: "absolute",
  inputs: ["x"],
  value: Math.abs,
  dtype: sameDType("absolute", numeric),
  gradient: ({ x }, upstream) => ({ x: () => times(upstream, signOp({ x }, noParams) as Tensor) }),
  samples: [{ x: between(0.1, 2, 2, 3) }, { x: between(-2, -0.1, 4) }],
});

export const signOp = defineElementwise({
  name: "sign",
  inputs: ["x"],
  value: Math.sign,
  dtype: sameDType("sign", numeric),
  gradient: () => ({}),
  samples: [{ x: between(0.1, 2, 2, 3) }, { x: between(-2, -0.1, 4) }],
});

export const floorOp = defineElementwise({
  name: "floor",
  inputs: ["x"],
  value: Math.floor,
  dtype: sameDType("floor", float),
  gradient: () => ({}),
  samples: [{ x: between(0.1, 0.9, 2, 3) }, { x: between(-2.9, -2.1, 4) }],
});

export const expOp = defineElementwise({
  name: "exp",
  inputs: ["x"],
  value: Math.exp,
  dtype: sameDType("exp", float),
  gradient: (_, upstream, output) => ({ x: () => times(upstream, output) }),
  samples: [{ x: between(-4, 4, 3, 5) }],
});

export const logOp = defineElementwise({
  name: "log",
  inputs: ["x"],
  value: Math.log,
  dtype: sameDType("log", float),
  gradient: ({ x }, upstream) => ({ x: () => over(upstream, x) }),
  samples: [{ x: between(0.2, 4, 3, 5) }],
});

export const expm1Op = defineElementwise({
  name: "expm1",
  inputs: ["x"],
  value: Math.expm1,
  dtype: sameDType("expm1", float),
  gradient: (_, upstream, output) => ({ x: () => times(upstream, plus(output, number(1, output))) }),
  samples: [{ x: between(-4, 4, 3, 5) }, { x: between(-1e-3, 1e-3, 7) }],
});

export const log1pOp = defineElementwise({
  name: "log1p",
  inputs: ["x"],
  value: Math.log1p,
  dtype: sameDType("log1p", float),
  gradient: ({ x }, upstream) => ({ x: () => over(upstream, plus(x, number(1, x))) }),
  samples: [{ x: between(-0.9, 4, 3, 5) }, { x: between(-1e-3, 1e-3, 7) }],
});

/** erf x = 2/√π ∫₀ˣ exp(−t²) dt. */
export const erfOp = defineElementwise({
  name: "erf",
  inputs: ["x"],
  value: errorFunction,
  dtype: sameDType("erf", float),
  gradient: ({ x }, upstream) => ({
    x: () => times(upstream, times(number(2 / Math.sqrt(Math.PI), x), exponential(negative(times(x, x))))),
  }),
  samples: [{ x: between(-4, 4, 3, 5) }, { x: between(-1, 1, 7) }],
});

export const sqrtOp = defineElementwise({
  name: "sqrt",
  inputs: ["x"],
  value: Math.sqrt,
  dtype: sameDType("sqrt", float),
  gradient: (_, upstream, output) => ({ x: () => over(upstream, times(number(2, output), output)) }),
  samples: [{ x: between(0.2, 4, 3, 5) }],
});

export const sinOp = defineElementwise({
  name: "sin",
  inputs: ["x"],
  value: Math.sin,
  dtype: sameDType("sin", float),
  gradient: ({ x }, upstream) => ({ x: () => times(upstream, cosine(x)) }),
  samples: [{ x: between(-4, 4, 3, 5) }],
});

export const cosOp = defineElementwise({
  name: "cos",
  inputs: ["x"],
  value: Math.cos,
  dtype: sameDType("cos", float),
  gradient: ({ x }, upstream) => ({ x: () => negative(times(upstream, sine(x))) }),
  samples: [{ x: between(-4, 4, 3, 5) }],
});

export const tanhOp = defineElementwise({
  name: "tanh",
  inputs: ["x"],
  value: Math.tanh,
  dtype: sameDType("tanh", float),
  gradient: (_, upstream, output) => ({ x: () => times(upstream, oneMinus(times(output, output))) }),
  samples: [{ x: between(-3, 3, 3, 5) }],
});

export const sigmoidOp = defineElementwise({
  name: "sigmoid",
  inputs: ["x"],
  value: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  dtype: sameDType("sigmoid", float),
  gradient: (_, upstream, output) => ({ x: () => times(upstream, times(output, oneMinus(output))) }),
  samples: [{ x: between(-5, 5, 3, 5) }],
});

export const reluOp = defineElementwise({
  name: "relu",
  inputs: ["x"],
  value: (x) => Math.max(x, 0),
  dtype: sameDType("relu", float),
  // The derivative at 0 is taken as 0, as in PyTorch.
  gradient: (_, upstream, output) => ({
    x: () => choose(isLess(number(0, output), output), upstream, number(0, output)),
  }),
  samples: [{ x: between(0.1, 2, 3, 5) }, { x: between(-2, -0.1, 4) }],
});

const comparison = (name: string) => (dtypes: Readonly<Record<string, DType>>) => {
  sameDType(name, ["float32", "int32", "uint8", "bool"])(dtypes);
  return "bool" as const;
};

export const equalOp = defineElementwise({
  name: "equal",
  inputs: ["a", "b"],
  value: (a, b) => (a === b ? 1 : 0),
  dtype: comparison("equal"),
  gradient: noDerivative,
  samples: [{ a: { shape: [4, 3], dtype: "int32", below: 3 }, b: { shape: [3], dtype: "int32", below: 3 } }],
});

export const notEqualOp = defineElementwise({
  name: "notEqual",
  inputs: ["a", "b"],
  value: (a, b) => (a === b ? 0 : 1),
  dtype: comparison("notEqual"),
  gradient: noDerivative,
  samples: [{ a: { shape: [4, 3], dtype: "int32", below: 3 }, b: { shape: [3], dtype: "int32", below: 3 } }],
});

export const lessOp = defineElementwise({
  name: "less",
  inputs: ["a", "b"],
  value: (a, b) => (a < b ? 1 : 0),
  dtype: comparison("less"),
  gradient: noDerivative,
  samples: [{ a: [4, 3], b: [3] }],
});

export const lessEqualOp = defineElementwise({
  name: "lessEqual",
  inputs: ["a", "b"],
  value: (a, b) => (a <= b ? 1 : 0),
  dtype: comparison("lessEqual"),
  gradient: noDerivative,
  samples: [{ a: [4, 3], b: [3] }],
});

export const andOp = defineElementwise({
  name: "and",
  inputs: ["a", "b"],
  value: (a, b) => a & b,
  dtype: sameDType("and", ["bool"]),
  gradient: noDerivative,
  samples: [{ a: flags(4, 3), b: flags(3) }],
});

export const orOp = defineElementwise({
  name: "or",
  inputs: ["a", "b"],
  value: (a, b) => a | b,
  dtype: sameDType("or", ["bool"]),
  gradient: noDerivative,
  samples: [{ a: flags(4, 3), b: flags(3) }],
});

export const notOp = defineElementwise({
  name: "not",
  inputs: ["x"],
  value: (x) => 1 - x,
  dtype: sameDType("not", ["bool"]),
  gradient: noDerivative,
  samples: [{ x: flags(4, 3) }],
});

export const whereOp = defineElementwise({
  name: "where",
  inputs: ["condition", "a", "b"],
  value: (condition, a, b) => (condition === 0 ? b : a),
  dtype: ({ condition, a, b }) => {
    if (condition !== "bool") {
      throw new DTypeError(`where: the condition must be bool, not ${condition}. Fix: compare, as in greater(x, 0).`);
    }
    return sameDType("where", ["float32", "int32", "uint8", "bool"])({ a, b });
  },
  gradient: ({ condition }, upstream) => ({
    a: () => choose(condition as Tensor<Shape, DType> as Condition, upstream, number(0, upstream)),
    b: () => choose(condition as Tensor<Shape, DType> as Condition, number(0, upstream), upstream),
  }),
  samples: [{ condition: flags(4, 3), a: [4, 3], b: [3] }],
});

const truncate = (x: number, low: number, high: number) =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high);

const conversions: Readonly<Record<DType, (x: number) => number>> = {
  float32: (x) => x,
  int32: (x) => truncate(x, -(2 ** 31), 2 ** 31 - 1),
  uint8: (x) => truncate(x, 0, 255),
  bool: (x) => (x === 0 ? 0 : 1),
};

/** Conversion: towards zero, and to the nearest number that the type holds; NaN becomes 0. */
export const castOp = defineOp<"cast", "x", { readonly to: DType }>({
  name: "cast",
  inputs: ["x"],
  kind: "elementwise",
  shape: ({ x }) => x,
  dtype: (_, { to }) => to,
  reference: ({ x }, { to }, output) => {
    for (let i = 0; i < x.data.length; i++) output.data[i] = conversions[to](x.data[i]);
  },
  gradient: nonDifferentiable("whole numbers have no derivative"),
  cost: (_, __, output) => ({ macs: 0, operations: sizeOf(output) }),
  samples: dtypes.flatMap((to) => [
    { inputs: { x: between(-300, 300, 4, 3) }, params: { to } },
    { inputs: { x: { shape: [5], dtype: "int32", below: 300 } as const }, params: { to } },
    { inputs: { x: flags(6) }, params: { to } },
  ]),
});
