/** Picking elements by index, adding them back, and counting. */

import { bytesPerElement, type DType } from "../../../core/dtype.js";
import { UnsupportedOpError } from "../../../core/errors.js";
import { type Shape, sizeOf } from "../../../core/shape.js";
import { dtypeCodes, i32, input, output, scratch } from "../fields.js";
import type { Lower } from "../lowering.js";

/** The indexed tensor is seen as outer × limit × inner, what is picked from it as outer × count × inner. */
const axes = { outer: i32, count: i32, inner: i32, limit: i32 } as const;

export const indexingSteps = {
  /** One index for each picked element. */
  takeAlongAxis: { input, indices: input, output, elementBytes: i32, ...axes },
  /** One index for each of `count` positions. */
  take: { input, indices: input, output, elementBytes: i32, ...axes },
  /** Their gradients: zeros, and the elements of `input` added where the indices say, in their order. */
  scatterAlongAxis: { input, indices: input, output, dtype: i32, ...axes },
  scatterTake: { input, indices: input, output, dtype: i32, ...axes },
  /** Where the elements of each `length`, `inner` apart, are in order: the first `count` of them. */
  argSort: { input, output, scratch, dtype: i32, descending: i32, outer: i32, length: i32, inner: i32, count: i32 },
  oneHot: { indices: input, output, count: i32, classes: i32 },
  iota: { output, count: i32 },
} as const;

export interface AxisParams {
  readonly axis: number;
}

export interface ScatterParams {
  readonly axis: number;
  /** Length of the axis in the result. */
  readonly length: number;
}

export interface ArgSortParams {
  readonly axis: number;
  readonly descending: boolean;
  readonly count: number;
}

export interface OneHotParams {
  readonly classes: number;
}

export interface IotaParams {
  readonly shape: Shape;
}

const outerOf = (shape: Shape, axis: number) => sizeOf(shape.slice(0, axis));
const innerOf = (shape: Shape, axis: number) => sizeOf(shape.slice(axis + 1));

const takeAlongAxis: Lower<"input" | "indices", AxisParams> = ({ inputs, params: { axis }, output: into }, to) => {
  const { input: from, indices } = inputs;
  to.step("takeAlongAxis", {
    input: from.buffer,
    indices: indices.buffer,
    output: into.buffer,
    elementBytes: bytesPerElement(from.dtype),
    outer: outerOf(from.shape, axis),
    count: indices.shape[axis],
    inner: innerOf(from.shape, axis),
    limit: from.shape[axis],
  });
};

const take: Lower<"input" | "indices", AxisParams> = ({ inputs, params: { axis }, output: into }, to) => {
  const { input: from, indices } = inputs;
  to.step("take", {
    input: from.buffer,
    indices: indices.buffer,
    output: into.buffer,
    elementBytes: bytesPerElement(from.dtype),
    outer: outerOf(from.shape, axis),
    count: sizeOf(indices.shape),
    inner: innerOf(from.shape, axis),
    limit: from.shape[axis],
  });
};

function kernelDType(op: string, dtype: DType): number {
  if (dtype === "float32" || dtype === "int32") return dtypeCodes[dtype];
  throw new UnsupportedOpError(
    `${op}: native and wasm have no kernel for it with ${dtype}. Fix: cast() to int32 first, or the reference device, which has all.`,
  );
}

const scatter =
  (name: "scatterAlongAxis" | "scatterTake"): Lower<"upstream" | "indices", ScatterParams> =>
  ({ inputs: { upstream, indices }, params: { axis, length }, output: into }, to) =>
    to.step(name, {
      input: upstream.buffer,
      indices: indices.buffer,
      output: into.buffer,
      dtype: kernelDType(name, upstream.dtype),
      outer: outerOf(into.shape, axis),
      count: name === "scatterTake" ? sizeOf(indices.shape) : indices.shape[axis],
      inner: innerOf(into.shape, axis),
      limit: length,
    });

const argSort: Lower<"input", ArgSortParams> = ({ inputs, params: { axis, descending, count }, output: into }, to) => {
  const { buffer, shape, dtype } = inputs.input;
  const length = shape[axis];
  to.step("argSort", {
    input: buffer,
    output: into.buffer,
    // Two words of eight bytes for each element.
    scratch: to.temporary(16 * length * to.machine.threads),
    dtype: kernelDType("argSort", dtype),
    descending: descending ? 1 : 0,
    outer: outerOf(shape, axis),
    length,
    inner: innerOf(shape, axis),
    count,
  });
};

const oneHot: Lower<"indices", OneHotParams> = ({ inputs: { indices }, params: { classes }, output: into }, to) =>
  to.step("oneHot", { indices: indices.buffer, output: into.buffer, count: sizeOf(indices.shape), classes });

const iota: Lower<never, IotaParams> = ({ output: into }, to) =>
  to.step("iota", { output: into.buffer, count: sizeOf(into.shape) });

export const indexingLowerings = {
  takeAlongAxis,
  take,
  scatterAlongAxis: scatter("scatterAlongAxis"),
  scatterTake: scatter("scatterTake"),
  argSort,
  oneHot,
  iota,
} as const;
