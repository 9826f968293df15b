/** The methods of tensors that are ops: `x.add(y)` is `add(x, y)`. Importing this file attaches them. */

import type { DType } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import { Tensor } from "../graph/tensor.js";
import type { Operand, ShapeOf } from "./elementwise/arithmetic.js";
import * as arithmetic from "./elementwise/arithmetic.js";
import * as comparison from "./elementwise/comparison.js";
import * as functions from "./elementwise/functions.js";
import { cast } from "./elementwise/select.js";
import { backward } from "./gradient.js";
import { matmul } from "./linear/matmul.js";
import * as extreme from "./reduce/extreme.js";
import { mean, type VarianceOptions, variance } from "./reduce/mean.js";
import { all, any, type NormOptions, norm, prod, std } from "./reduce/statistics.js";
import { expand, type ReduceOptions, sum } from "./reduce/sum.js";
import { permute, transpose } from "./shape/permute.js";
import type { Filled } from "./shape/reshape.js";
import * as reshaping from "./shape/reshape.js";
import { flip, type Range, slice } from "./shape/slice.js";
import { logSoftmax, softmax } from "./softmax.js";
import type { Broadcast, TensorLike } from "./tensors.js";

// Not named by shape: a union of tensors, such as the layers of an array give, has these methods too.
type AnyNumeric = Tensor<Shape, "float32" | "int32">;
type Axes = number | readonly number[];

declare module "../graph/tensor.js" {
  interface Tensor<out S extends Shape, out D extends DType> {
    /** this + other. */
    add<B extends TensorLike<Shape, D> | number>(this: AnyNumeric, other: B): Tensor<Broadcast<S, ShapeOf<B>>, D>;
    /** this − other. */
    sub<B extends TensorLike<Shape, D> | number>(this: AnyNumeric, other: B): Tensor<Broadcast<S, ShapeOf<B>>, D>;
    /** this · other, element by element. */
    mul<B extends TensorLike<Shape, D> | number>(this: AnyNumeric, other: B): Tensor<Broadcast<S, ShapeOf<B>>, D>;
    /** this / other. */
    div<B extends TensorLike | number>(this: Tensor, other: B): Tensor<Broadcast<S, ShapeOf<B>>>;
    /** this to the power of other. */
    pow<B extends TensorLike | number>(this: Tensor, other: B): Tensor<Broadcast<S, ShapeOf<B>>>;
    /** The matrix product. */
    matmul(this: Tensor, other: TensorLike): Tensor;
    neg(this: Tensor): Tensor<S>;
    abs(this: Tensor): Tensor<S>;
    exp(this: Tensor): Tensor<S>;
    log(this: Tensor): Tensor<S>;
    sqrt(this: Tensor): Tensor<S>;
    tanh(this: Tensor): Tensor<S>;
    sigmoid(this: Tensor): Tensor<S>;
    relu(this: Tensor): Tensor<S>;
    softmax(this: Tensor, axis?: number): Tensor<S>;
    logSoftmax(this: Tensor, axis?: number): Tensor<S>;
    clip(this: Tensor, low: number, high: number): Tensor<S>;
    /** The sum over some axes, or over all. */
    sum(this: AnyNumeric, axis?: Axes, options?: ReduceOptions): Tensor<Shape, D>;
    mean(this: Tensor, axis?: Axes, options?: ReduceOptions): Tensor;
    variance(this: Tensor, axis?: Axes, options?: VarianceOptions): Tensor;
    std(this: Tensor, axis?: Axes, options?: VarianceOptions): Tensor;
    prod(this: AnyNumeric, axis?: Axes, options?: ReduceOptions): Tensor<Shape, D>;
    /** The length of a vector, (Σ |x|ᵖ)^(1/p). */
    norm(this: Tensor, axis?: Axes, options?: NormOptions): Tensor;
    /** Whether any element is true, or other than 0. */
    any(axis?: Axes, options?: ReduceOptions): Tensor<Shape, "bool">;
    all(axis?: Axes, options?: ReduceOptions): Tensor<Shape, "bool">;
    max(this: AnyNumeric, axis?: Axes, options?: ReduceOptions): Tensor<Shape, D>;
    min(this: AnyNumeric, axis?: Axes, options?: ReduceOptions): Tensor<Shape, D>;
    /** Where along `axis` (default: the last) the largest element is. */
    argmax(this: AnyNumeric, axis?: number, options?: ReduceOptions): Tensor<Shape, "int32">;
    argmin(this: AnyNumeric, axis?: number, options?: ReduceOptions): Tensor<Shape, "int32">;
    equal(other: Operand<DType>): Tensor<Shape, "bool">;
    notEqual(other: Operand<DType>): Tensor<Shape, "bool">;
    less(other: Operand<DType>): Tensor<Shape, "bool">;
    lessEqual(other: Operand<DType>): Tensor<Shape, "bool">;
    greater(other: Operand<DType>): Tensor<Shape, "bool">;
    greaterEqual(other: Operand<DType>): Tensor<Shape, "bool">;
    /** The same elements under another shape; -1 stands for whatever length fits. */
    reshape<const T extends Shape>(shape: T): Tensor<Filled<T>, D>;
    /** PyTorch's name for `reshape`. */
    view<const T extends Shape>(shape: T): Tensor<Filled<T>, D>;
    flatten(startAxis?: number, endAxis?: number): Tensor<Shape, D>;
    squeeze(axis?: number): Tensor<Shape, D>;
    unsqueeze(axis: number): Tensor<Shape, D>;
    expand<const T extends Shape>(shape: T): Tensor<T, D>;
    permute(axes: readonly number[]): Tensor<Shape, D>;
    transpose(axis0?: number, axis1?: number): Tensor<Shape, D>;
    /** A piece, as in Python's x[1:4, ::-1, 2]: `x.slice([1, 4], [null, null, -1], 2)`. */
    slice(...ranges: readonly Range[]): Tensor<Shape, D>;
    flip(axes: Axes): Tensor<S, D>;
    /** The same value, through which nothing is differentiated. */
    detach(): Tensor<S, D>;
    /** The same values as another element type. */
    to<E extends DType>(dtype: E): Tensor<S, E>;
    /** Computes the gradient of this one number for every parameter behind it, into `parameter.grad`. */
    backward(this: Tensor): void;
  }
}

/** Makes a method of each function: its first argument is the tensor. */
function attach(methods: Readonly<Record<string, (tensor: never, ...rest: never[]) => unknown>>): void {
  for (const [name, method] of Object.entries(methods)) {
    Object.defineProperty(Tensor.prototype, name, {
      configurable: true,
      writable: true,
      value(this: never, ...rest: never[]) {
        return method(this, ...rest);
      },
    });
  }
}

const { add, sub, mul, div, pow, clip } = arithmetic;
const { neg, abs, exp, log, sqrt, tanh, sigmoid, relu } = functions;
const { equal, notEqual, less, lessEqual, greater, greaterEqual } = comparison;
const { max, min, argmax, argmin } = extreme;
const { reshape, flatten, squeeze, unsqueeze, detach } = reshaping;

attach({ add, sub, mul, div, pow, clip, matmul });
attach({ neg, abs, exp, log, sqrt, tanh, sigmoid, relu, softmax, logSoftmax });
attach({ equal, notEqual, less, lessEqual, greater, greaterEqual });
attach({ sum, mean, variance, std, prod, norm, any, all, max, min, argmax, argmin });
attach({ reshape, view: reshape, flatten, squeeze, unsqueeze, expand, permute, transpose, slice, flip, detach });
attach({ to: cast, backward });
