/** Sums, products, powers, and functions of one number. */

import type { Tensor } from "../../../graph/tensor.js";
import { add, clip, div, maximum, minimum, mul, pow, quotient, sub } from "../../../ops/elementwise/arithmetic.js";
import { equal, greater, less, notEqual } from "../../../ops/elementwise/comparison.js";
import { ceil, round, tan } from "../../../ops/elementwise/derived.js";
import {
  abs,
  cos,
  erf,
  exp,
  expm1,
  floor,
  log,
  log1p,
  neg,
  sign,
  sin,
  sqrt,
  tanh,
} from "../../../ops/elementwise/functions.js";
import { cast, where } from "../../../ops/elementwise/select.js";
import type { Call } from "../call.js";
import { constantValues } from "../constants.js";
import { type Attribute, type Definition, define, float, int, type OpTable } from "../definition.js";
import { dtypeOf, isFloat } from "../elementTypes.js";
import { type TensorValue, tensorValue } from "../value.js";
import {
  commonType,
  fitted,
  floorModulo,
  type Int,
  type Numeric,
  numeric,
  operands,
  remainder,
  typed,
} from "./numeric.js";
import { withinPlane } from "./planePositions.js";

/** Attributes by which operands were matched before NumPy's broadcasting came with opset 7. */
export const oldBroadcasting: { broadcast: Attribute<number>; axis: Attribute<number | undefined> } = {
  broadcast: int(0),
  axis: int(),
};

/** An op of two tensors of one type. */
function binary(compute: (a: Numeric, b: Numeric) => Numeric): Definition[] {
  const build = (call: Call, [a, b]: readonly [TensorValue, TensorValue]) =>
    typed(commonType(call, [a, b]), compute(numeric(a.tensor), numeric(b.tensor)));
  return [
    define({
      since: 1,
      attributes: oldBroadcasting,
      build: (call, attributes) => build(call, operands(call, attributes)),
    }),
    define({ since: 7, build: (call) => build(call, [call.any(0), call.any(1)]) }),
  ];
}

/** An op of one tensor of numbers. */
function unary(since: number, compute: (x: Numeric) => Numeric): Definition[] {
  return [define({ since, build: (call) => typed(call.type(0), compute(numeric(call.tensor(0)))) })];
}

/** An op of one tensor of floating point. */
export function floatUnary(since: number, compute: (x: Tensor) => Tensor): Definition[] {
  return [define({ since, build: (call) => tensorValue(call.type(0), compute(call.float(0))) })];
}

/** An op of any number of tensors of one type. */
function variadic(
  since: number,
  combine: (a: Numeric, b: Numeric) => Numeric,
  finish?: (sum: Numeric, count: number) => Numeric,
) {
  return [
    define({
      since,
      build: (call) => {
        const values = call.inputs.map((_, i) => call.any(i));
        const total = values.map(({ tensor }) => numeric(tensor)).reduce(combine);
        return typed(commonType(call, values), finish === undefined ? total : finish(total, values.length));
      },
    }),
  ];
}

const divide = (a: Numeric, b: Numeric): Numeric =>
  a.dtype === "float32" ? (div(a as Tensor, b as Tensor) as Tensor) : (quotient(a as Int, b as Int) as Int);

/** The rest of a division towards zero, as C's fmod: exact only where the quotient is one that float32 holds. */
function floatRemainder(a: Tensor, b: Tensor): Tensor {
  const ratio = div(a, b) as Tensor;
  const whole = where(less(ratio, 0), ceil(ratio), floor(ratio)) as Tensor;
  return where(equal(abs(b), Number.POSITIVE_INFINITY), a, sub(a, mul(whole, b))) as Tensor;
}

/** The rest of a division that rounds down: it has the divisor's sign, as Python's %. */
function floatModulo(a: Tensor, b: Tensor): Tensor {
  const rest = floatRemainder(a, b);
  const other = notEqual(less(rest, 0), less(b, 0));
  return where(equal(rest, 0), mul(abs(rest), sign(b)), where(other, add(rest, b), rest)) as Tensor;
}

const arctangentTerms = [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1];

/** arctan x: the argument brought below tan(π/8), then a polynomial (Moshier's Cephes library). */
function arctangent(x: Tensor): Tensor {
  const size = abs(x);
  const large = greater(size, Math.tan((3 * Math.PI) / 8));
  const middle = greater(size, Math.tan(Math.PI / 8));
  const inverted = div(-1, where(large, size, 1)) as Tensor;
  const turned = div(sub(size, 1), add(size, 1)) as Tensor;
  const reduced = where(large, inverted, where(middle, turned, size)) as Tensor;
  const offset = where(large, Math.PI / 2, where(middle, Math.PI / 4, mul(size, 0))) as Tensor;
  const square = mul(reduced, reduced) as Tensor;
  const [first, ...others] = arctangentTerms;
  let sum = mul(square, first) as Tensor;
  for (const [i, term] of others.entries())
    sum = (i === others.length - 1 ? add(sum, term) : mul(add(sum, term), square)) as Tensor;
  const angle = add(offset, add(mul(mul(sum, square), reduced), reduced)) as Tensor;
  return where(less(x, 0), neg(angle), angle) as Tensor;
}

/** arcsin x = arctan(x / √(1 − x²)), which is ±π/2 at ±1. */
function arcsine(x: Tensor): Tensor {
  const rest = mul(sub(1, x), add(1, x)) as Tensor;
  const edge = equal(rest, 0);
  const inside = arctangent(div(x, sqrt(where(edge, 1, rest) as Tensor)) as Tensor);
  return where(edge, mul(sign(x), Math.PI / 2), inside) as Tensor;
}

/** Of a function that is odd: computed for |x|. */
const odd = (compute: (size: Tensor) => Tensor) => (x: Tensor) => mul(sign(x), compute(abs(x))) as Tensor;

const hyperbolicSine = odd((x) => {
  const grown = expm1(x);
  return mul(add(grown, div(grown, add(grown, 1))), 0.5) as Tensor;
});

const hyperbolicCosine = (x: Tensor): Tensor => {
  const grown = exp(abs(x));
  return mul(add(grown, div(1, grown)), 0.5) as Tensor;
};

/** log(x + √(x² + 1)), written so that nothing is lost near 0. */
const areaSine = odd((x) => {
  const square = mul(x, x) as Tensor;
  return log1p(add(x, div(square, add(sqrt(add(square, 1) as Tensor), 1))) as Tensor);
});

const areaCosine = (x: Tensor): Tensor => {
  const above = sub(x, 1) as Tensor;
  return log1p(add(above, sqrt(mul(above, add(x, 1)) as Tensor)) as Tensor);
};

const areaTangent = (x: Tensor): Tensor => mul(log1p(div(mul(x, 2), sub(1, x)) as Tensor), 0.5) as Tensor;

function power(base: TensorValue, exponent: TensorValue) {
  if (isFloat(base.type)) {
    const exponents = cast(exponent.tensor, "float32") as Tensor;
    return tensorValue(base.type, pow(base.tensor as Tensor, exponents));
  }
  if (isFloat(exponent.type)) {
    const result = pow(cast(base.tensor, "float32") as Tensor, exponent.tensor as Tensor) as Tensor;
    return typed(base.type, cast(result, "int32"));
  }
  return typed(base.type, integerPower(numeric(base.tensor) as Int, numeric(exponent.tensor) as Int));
}

/** By squaring: exact, and wrapping around as integers do. Negative exponents give 0, but for bases of 1 and −1. */
function integerPower(base: Int, exponent: Int): Int {
  let result = add(mul(base, 0), 1) as Int;
  let square = base;
  let rest = abs(exponent) as Int;
  for (let bit = 0; bit < 31; bit++) {
    const half = quotient(rest, 2) as Int;
    result = where(notEqual(sub(rest, mul(half, 2)), 0), mul(result, square), result) as Int;
    square = mul(square, square) as Int;
    rest = half;
  }
  return where(less(exponent, 0), where(equal(abs(base), 1), result, 0), result) as Int;
}

/** As NumPy clips: where the bounds are the wrong way round, the upper one counts. */
function clipped(call: Call): TensorValue {
  const { type, tensor } = call.any(0);
  const [low, high] = [1, 2].map((i) => (call.has(i) ? constantValues(call.tensor(i))?.[0] : undefined));
  if (low !== undefined && high !== undefined && low <= high && isFloat(type))
    return tensorValue(type, clip(call.float(0), low, high));
  let x = numeric(tensor);
  if (call.has(1)) x = maximum(x, numeric(call.tensor(1))) as Numeric;
  if (call.has(2)) x = minimum(x, numeric(call.tensor(2))) as Numeric;
  return fitted(type, x);
}

const largestFloat = 3.4028234663852886e38;

export const arithmetic: OpTable = {
  Add: binary((a, b) => add(a, b)),
  Sub: binary((a, b) => sub(a, b)),
  Mul: binary((a, b) => mul(a, b)),
  Div: binary(divide),
  Pow: [
    define({
      since: 1,
      attributes: oldBroadcasting,
      build: (call, attributes) => power(...operands(call, attributes)),
    }),
    define({ since: 7, build: (call) => power(call.any(0), call.any(1)) }),
  ],
  Mod: [
    define({
      since: 10,
      attributes: { fmod: int(0) },
      build: (call, { fmod }) => {
        const type = commonType(call, [call.any(0), call.any(1)]);
        if (isFloat(type)) {
          if (fmod === 0 && call.opset < 28) throw call.error("fmod is 0 for floating point. Expected 1");
          const remainder = fmod === 0 ? floatModulo : floatRemainder;
          return tensorValue(type, remainder(call.float(0), call.float(1)));
        }
        const [a, b] = [call.int(0), call.int(1)];
        const within = b.rank === 0 ? withinPlane(a, constantValues(b)?.[0] ?? 0) : undefined;
        return typed(type, within ?? (fmod === 0 ? floorModulo(a, b) : remainder(a, b)));
      },
    }),
  ],
  Max: variadic(1, (a, b) => maximum(a, b)),
  Min: variadic(1, (a, b) => minimum(a, b)),
  Sum: variadic(1, (a, b) => add(a, b)),
  Mean: variadic(
    1,
    (a, b) => add(a, b),
    (total, count) => mul(total as Tensor, 1 / count) as Tensor,
  ),
  Neg: unary(1, (x) => neg(x)),
  Abs: unary(1, (x) => abs(x)),
  Sign: unary(9, (x) => sign(x)),
  Floor: floatUnary(1, floor),
  Ceil: floatUnary(1, ceil),
  Round: floatUnary(11, round),
  Reciprocal: floatUnary(1, (x) => div(1, x) as Tensor),
  Sqrt: floatUnary(1, sqrt),
  Exp: floatUnary(1, exp),
  Log: floatUnary(1, log),
  Erf: [
    define({
      since: 9,
      build: (call) => {
        const x = cast(call.tensor(0), "float32") as Tensor;
        return tensorValue(call.type(0), cast(erf(x), dtypeOf(call.type(0))));
      },
    }),
  ],
  Sin: floatUnary(7, sin),
  Cos: floatUnary(7, cos),
  Tan: floatUnary(7, tan),
  Asin: floatUnary(7, arcsine),
  Acos: floatUnary(7, (x) => sub(Math.PI / 2, arcsine(x)) as Tensor),
  Atan: floatUnary(7, arctangent),
  Sinh: floatUnary(9, hyperbolicSine),
  Cosh: floatUnary(9, hyperbolicCosine),
  Tanh: floatUnary(1, tanh),
  Asinh: floatUnary(9, areaSine),
  Acosh: floatUnary(9, areaCosine),
  Atanh: floatUnary(9, areaTangent),
  Clip: [
    define({
      since: 1,
      attributes: { min: float(-largestFloat), max: float(largestFloat) },
      build: (call, { min, max }) => tensorValue(call.type(0), minimum(maximum(call.float(0), min), max) as Tensor),
    }),
    define({ since: 11, build: clipped }),
  ],
};
