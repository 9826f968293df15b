/** Making tensors from numbers. */

import type { Device } from "../backends/backend.js";
import { allocate, type DType, type TypedArray, type TypedArrayOf } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { checkShape, formatShape, type Shape, sizeOf } from "../core/shape.js";
import { defaultDevice } from "../graph/device.js";
import { Tensor } from "../graph/tensor.js";
import { expand } from "./reduce/sum.js";
import { numberTensor } from "./tensors.js";

export interface TensorOptions<D extends DType> {
  /** Default: what a typed array holds; float32 for numbers; bool for booleans. */
  readonly dtype?: D;
  /** Default: the one chosen with `setDevice`. */
  readonly device?: Device;
}

export interface CopyOptions {
  /**
   * `false` takes a typed array as it is, which costs nothing: it must hold the dtype already, and nobody may change it
   * while the tensor is in use. Default: true.
   */
  readonly copy?: boolean;
}

// Two overloads each: were there one with a default, TypeScript would infer the type from what is expected of the result.
type Typed<D extends DType> = TensorOptions<D> & { readonly dtype: D };
type Untyped = TensorOptions<never>;

type NestedOf<T> = T | readonly NestedOf<T>[];

/** Numbers or booleans, nested as deep as the tensor has axes. */
export type Nested = NestedOf<number | boolean>;

/** Typed arrays that `tensor` takes; float64 values are rounded to float32. */
export type NumericArray = Float32Array | Float64Array | Int32Array | Uint8Array;

type DTypeOfArray<A> = A extends Int32Array ? "int32" : A extends Uint8Array ? "uint8" : "float32";

/**
 * A tensor from nested numbers, or from a typed array and a shape. The values are copied, unless `copy` is false.
 *
 * @example
 * tensor([[1, 2], [3, 4]]);
 * tensor(new Float32Array(784), [1, 1, 28, 28]);
 * tensor(pixels, [1, 3, 224, 224], { copy: false });
 * tensor([3, 1, 4], { dtype: "int32" });
 */
export function tensor<A extends NumericArray, const S extends Shape>(
  values: A,
  shape: S,
  options?: Untyped & CopyOptions,
): Tensor<S, DTypeOfArray<A>>;
export function tensor<const S extends Shape, D extends DType>(
  values: NumericArray,
  shape: S,
  options: Typed<D> & CopyOptions,
): Tensor<S, D>;
export function tensor<A extends NumericArray>(
  values: A,
  options?: Untyped & CopyOptions,
): Tensor<[number], DTypeOfArray<A>>;
export function tensor<D extends DType>(values: NumericArray, options: Typed<D> & CopyOptions): Tensor<[number], D>;
export function tensor(values: number, options?: Untyped): Tensor<[]>;
export function tensor(values: boolean, options?: Untyped): Tensor<[], "bool">;
export function tensor<D extends DType>(values: number | boolean, options: Typed<D>): Tensor<[], D>;
export function tensor(values: NestedOf<number>, options?: Untyped): Tensor;
export function tensor(values: NestedOf<boolean>, options?: Untyped): Tensor<Shape, "bool">;
export function tensor<D extends DType>(values: Nested, options: Typed<D>): Tensor<Shape, D>;
export function tensor(
  values: Nested | NumericArray,
  shapeOrOptions: Shape | (TensorOptions<DType> & CopyOptions) = {},
  moreOptions: TensorOptions<DType> & CopyOptions = {},
): Tensor<Shape, DType> {
  const given = isShape(shapeOrOptions) ? shapeOrOptions : undefined;
  const { dtype, device = defaultDevice(), copy = true } = isShape(shapeOrOptions) ? moreOptions : shapeOrOptions;
  if (ArrayBuffer.isView(values)) {
    const shape = given ?? [values.length];
    checkShape("tensor", shape);
    if (sizeOf(shape) !== values.length) {
      throw new ShapeError(
        `tensor: ${values.length} values do not fill ${formatShape(shape)}, which has ${sizeOf(shape)} elements.`,
      );
    }
    const type = dtype ?? typeOfArray(values);
    if (copy) return fromValues(values, shape, type, device);
    if (!holds(values, type)) {
      throw new ArgumentError(
        `tensor: ${values.constructor.name} cannot be ${type} without being copied. Expected with copy: false: ` +
          "Float32Array for float32, Int32Array for int32, Uint8Array for uint8, none of shared memory. Fix: leave copy out.",
      );
    }
    return tensorOver(values, shape, type, device);
  }
  const shape = shapeOfNested(values);
  const flat: (number | boolean)[] = [];
  flatten(values, shape, 0, flat);
  const isBoolean = flat.length > 0 && flat.every((value) => typeof value === "boolean");
  return fromValues(flat.map(Number), shape, dtype ?? (isBoolean ? "bool" : "float32"), device);
}

/** Whether an array is one that tensors of the type have. */
function holds(values: NumericArray, dtype: DType): values is TypedArray {
  return values.buffer instanceof ArrayBuffer && !(values instanceof Float64Array) && typeOfArray(values) === dtype;
}

function isShape(value: Shape | TensorOptions<DType>): value is Shape {
  return Array.isArray(value);
}

function typeOfArray(values: NumericArray): DType {
  if (values instanceof Int32Array) return "int32";
  return values instanceof Uint8Array ? "uint8" : "float32";
}

function fromValues(values: ArrayLike<number>, shape: Shape, dtype: DType, device: Device): Tensor<Shape, DType> {
  // A loop takes ten times as long.
  if (dtype === "float32") return tensorOver(new Float32Array(values), shape, dtype, device);
  const data = allocate(dtype, values.length);
  const [low, high] = ranges[dtype];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!(Number.isInteger(value) && value >= low && value <= high)) {
      throw new ArgumentError(
        `tensor: ${value} (value ${i}) cannot be ${dtype}. Expected an integer from ${low} to ${high}.`,
      );
    }
    data[i] = value;
  }
  return new Tensor<Shape, DType>(shape, dtype, device, { kind: "data", data });
}

const ranges: Readonly<Record<DType, readonly [number, number]>> = {
  float32: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 255],
  bool: [0, 1],
};

/** Takes over `data` without copying it; the caller must not change it any more. @internal */
export function tensorOver<S extends Shape, D extends DType>(
  data: TypedArrayOf<D> & TypedArray,
  shape: S,
  dtype: D,
  device: Device = defaultDevice(),
): Tensor<S, D> {
  return new Tensor(shape, dtype, device, { kind: "data", data });
}

function shapeOfNested(values: Nested): number[] {
  const shape: number[] = [];
  for (let level: Nested | undefined = values; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  return shape;
}

function flatten(values: Nested, shape: Shape, axis: number, into: (number | boolean)[]): void {
  if (axis === shape.length) {
    if (typeof values !== "number" && typeof values !== "boolean") {
      const found = Array.isArray(values) ? `an array of ${values.length}` : String(values);
      throw new ShapeError(
        `tensor: the array is ragged: found ${found} where the first row has a number. Expected ${formatShape(shape)} throughout.`,
      );
    }
    into.push(values);
    return;
  }
  if (!Array.isArray(values) || values.length !== shape[axis]) {
    const found = Array.isArray(values) ? `a row of ${values.length}` : String(values);
    throw new ShapeError(
      `tensor: the array is ragged: found ${found} where the first row has ${shape[axis]}. Expected ${formatShape(shape)} throughout.`,
    );
  }
  for (const row of values) flatten(row, shape, axis + 1, into);
}

/** A tensor filled with one number. @example full([2, 2], 7) */
export function full<const S extends Shape>(shape: S, value: number, options?: Untyped): Tensor<S>;
export function full<const S extends Shape, D extends DType>(shape: S, value: number, options: Typed<D>): Tensor<S, D>;
export function full(
  shape: Shape,
  value: number,
  { dtype = "float32", device }: TensorOptions<DType> = {},
): Tensor<Shape, DType> {
  checkShape("full", shape);
  return expand(numberTensor(value, dtype, device), shape);
}

/** A tensor of zeros. @example zeros([2, 3]) */
export function zeros<const S extends Shape>(shape: S, options?: Untyped): Tensor<S>;
export function zeros<const S extends Shape, D extends DType>(shape: S, options: Typed<D>): Tensor<S, D>;
export function zeros(shape: Shape, options: TensorOptions<DType> = {}): Tensor<Shape, DType> {
  return full(shape, 0, { dtype: "float32", ...options });
}

/** A tensor of ones. @example ones([2, 3]) */
export function ones<const S extends Shape>(shape: S, options?: Untyped): Tensor<S>;
export function ones<const S extends Shape, D extends DType>(shape: S, options: Typed<D>): Tensor<S, D>;
export function ones(shape: Shape, options: TensorOptions<DType> = {}): Tensor<Shape, DType> {
  return full(shape, 1, { dtype: "float32", ...options });
}
