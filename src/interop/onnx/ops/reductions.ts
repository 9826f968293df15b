/** Sums, means, extremes and norms along axes; running sums. */

import { sizeOf } from "../../../core/shape.js";
import type { Tensor } from "../../../graph/tensor.js";
import { full } from "../../../ops/create.js";
import { add, mul, quotient, sub } from "../../../ops/elementwise/arithmetic.js";
import { abs, log, sqrt } from "../../../ops/elementwise/functions.js";
import { cast } from "../../../ops/elementwise/select.js";
import { argmax, argmin, max, min } from "../../../ops/reduce/extreme.js";
import { mean } from "../../../ops/reduce/mean.js";
import { logSumExp, prod } from "../../../ops/reduce/statistics.js";
import { sum } from "../../../ops/reduce/sum.js";
import { pad } from "../../../ops/shape/pad.js";
import { reshape } from "../../../ops/shape/reshape.js";
import { flip } from "../../../ops/shape/slice.js";
import type { Call } from "../call.js";
import { type Definition, define, int, ints, type OpTable } from "../definition.js";
import { type ElementType, isFloat, ranges } from "../elementTypes.js";
import { type TensorValue, tensorValue } from "../value.js";
import { type Int, type Numeric, numeric, typed } from "./numeric.js";

/** Reduces axes, which stay with length 1. */
type Reduction = (x: Numeric, axes: readonly number[], type: ElementType) => Numeric;

/** Of an empty axis. */
function filledLike(x: Numeric, axes: readonly number[], value: number): Numeric {
  const shape = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  return full(shape, value, { dtype: x.dtype, device: x.device });
}

function isEmpty(x: Numeric, axes: readonly number[]): boolean {
  return axes.some((axis) => x.shape[axis] === 0);
}

const summed: Reduction = (x, axes) => sum(x, axes, { keepdim: true });

const product: Reduction = (x, axes) => prod(x, axes, { keepdim: true });

const average: Reduction = (x, axes) => {
  if (x.dtype === "float32") return mean(x as Tensor, axes, { keepdim: true });
  const count = sizeOf(axes.map((axis) => x.shape[axis]));
  return quotient(sum(x as Int, axes, { keepdim: true }), count) as Int;
};

const extreme = (compute: typeof max, largest: boolean): Reduction => {
  return (x, axes, type) => {
    if (!isEmpty(x, axes)) return compute(x, axes, { keepdim: true });
    const none = largest ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    if (isFloat(type)) return filledLike(x, axes, none);
    const [low, high] = ranges[type as keyof typeof ranges];
    return filledLike(x, axes, Math.min(Math.max(largest ? low : high, -(2 ** 31)), 2 ** 31 - 1));
  };
};

function logSum(x: Tensor, axes: readonly number[]): Tensor {
  if (isEmpty(x, axes)) return filledLike(x, axes, Number.NEGATIVE_INFINITY) as Tensor;
  return logSumExp(x, axes, { keepdim: true });
}

/** The result, without the reduced axes unless they are to stay. */
function reduced(
  call: Call,
  reduction: Reduction,
  given: readonly number[] | undefined,
  { keepdims, keepAll }: { readonly keepdims: number; readonly keepAll: boolean },
): TensorValue {
  const { tensor, type } = call.any(0);
  const all = tensor.shape.map((_, axis) => axis);
  const axes = given === undefined || given.length === 0 ? (keepAll ? [] : all) : call.axes(given, tensor.rank);
  const result = reduction(numeric(tensor), axes, type);
  const shape = tensor.shape.flatMap((length, axis) => (axes.includes(axis) ? (keepdims === 0 ? [] : [1]) : [length]));
  return typed(type, reshape(result, shape));
}

/** @param since the opset from which axes are an input */
function reduction(since: number, compute: Reduction): Definition[] {
  return [
    define({
      since: 1,
      attributes: { axes: ints(), keepdims: int(1) },
      build: (call, { axes, keepdims }) => reduced(call, compute, axes, { keepdims, keepAll: false }),
    }),
    define({
      since,
      attributes: { keepdims: int(1), noop_with_empty_axes: int(0) },
      known: [1],
      *build(call, { keepdims, noop_with_empty_axes: keepAll }) {
        return reduced(call, compute, yield* call.optionalIntegers(1), { keepdims, keepAll: keepAll !== 0 });
      },
    }),
  ];
}

/** Of floating point only. */
const ofFloats =
  (compute: (x: Tensor, axes: readonly number[]) => Tensor): Reduction =>
  (x, axes) =>
    compute(cast(x, "float32") as Tensor, axes);

function argument(choose: typeof argmax): Definition[] {
  return [
    define({
      since: 1,
      attributes: { axis: int(0), keepdims: int(1), select_last_index: int(0) },
      build: (call, { axis, keepdims, select_last_index: last }) => {
        const x = numeric(call.tensor(0));
        const along = call.axis(axis, x.rank);
        const options = { keepdim: keepdims !== 0 };
        if (last === 0) return tensorValue("int64", choose(x, along, options));
        const fromEnd = choose(flip(x, along), along, options);
        return tensorValue("int64", sub(x.shape[along] - 1, fromEnd) as Int);
      },
    }),
  ];
}

/** Sums or products of each element and all before it, in steps of 1, 2, 4 …: exact for integers. */
function running(x: Numeric, axis: number, combine: (a: Numeric, b: Numeric) => Numeric, neutral: number): Numeric {
  let result = x;
  for (let step = 1; step < x.shape[axis]; step *= 2) result = combine(result, delayed(result, axis, step, neutral));
  return result;
}

/** Moved towards the end of an axis; `neutral` comes in at its beginning. */
function delayed(x: Numeric, axis: number, by: number, neutral: number): Numeric {
  const widths = x.shape.map((_, i) => (i === axis ? ([by, -by] as const) : ([0, 0] as const)));
  return pad(x, widths, neutral);
}

function cumulative(since: number, combine: (a: Numeric, b: Numeric) => Numeric, neutral: number): Definition[] {
  return [
    define({
      since,
      attributes: { exclusive: int(0), reverse: int(0) },
      known: [1],
      *build(call, { exclusive, reverse }) {
        const { tensor, type } = call.any(0);
        const axis = call.axis(yield* call.number(1), tensor.rank);
        const x = numeric(tensor);
        const turned = reverse === 0 ? x : flip(x, axis);
        const start = exclusive === 0 ? turned : delayed(turned, axis, Math.min(1, x.shape[axis]), neutral);
        const result = running(start, axis, combine, neutral);
        return typed(type, reverse === 0 ? result : flip(result, axis));
      },
    }),
  ];
}

export const reductions: OpTable = {
  ReduceSum: reduction(13, summed),
  ReduceMean: reduction(18, average),
  ReduceMax: reduction(18, extreme(max, true)),
  ReduceMin: reduction(18, extreme(min, false)),
  ReduceProd: reduction(18, product),
  ReduceSumSquare: reduction(18, (x, axes) => sum(mul(x, x) as Numeric, axes, { keepdim: true })),
  ReduceL1: reduction(18, (x, axes) => sum(abs(x), axes, { keepdim: true })),
  ReduceL2: reduction(
    18,
    ofFloats((x, axes) => sqrt(sum(mul(x, x) as Tensor, axes, { keepdim: true }))),
  ),
  ReduceLogSum: reduction(
    18,
    ofFloats((x, axes) => log(sum(x, axes, { keepdim: true }))),
  ),
  ReduceLogSumExp: reduction(18, ofFloats(logSum)),
  ArgMax: argument(argmax),
  ArgMin: argument(argmin),
  CumSum: cumulative(11, (a, b) => add(a, b), 0),
  CumProd: cumulative(26, (a, b) => mul(a, b), 1),
};
