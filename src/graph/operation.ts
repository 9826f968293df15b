/** What the system knows about an op. */

import type { DType } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import type { Tensor } from "./tensor.js";

/** A tensor as reference code sees it: float32 tensors hold float64 numbers there. */
export interface ReferenceArray {
  readonly data: Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Says in an op's declaration that it has no gradient, and why. */
export interface NonDifferentiable {
  readonly reason: string;
}

export function nonDifferentiable(reason: string): NonDifferentiable {
  return { reason };
}

/** What it takes to run an op once. */
export interface Cost {
  /** Multiply-adds of the op's definition, whatever algorithm computes it. */
  readonly macs: number;
  /** Other arithmetic: an element computed, compared or added up counts once. Default 0: values are only moved. */
  readonly operations?: number;
}

/** Inputs for the tests: shapes (float32), or int32 values below `below`. */
export interface Sample<Inputs extends string, Params> {
  readonly inputs: Readonly<Record<Inputs, Shape | SampleInput>>;
  readonly params: Params;
}

export interface SampleInput {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Random integers 0 … below - 1 for integer types. */
  readonly below?: number;
  /** Bounds of random float32 values; -1 … 1 unless given. */
  readonly range?: readonly [number, number];
  /** Float values are kept at least this far apart, so that a maximum stays the maximum in a gradient check. */
  readonly distinct?: boolean;
}

/** Everything the system knows about an op. */
export interface OpSpec<Name extends string, Inputs extends string, Params extends object> {
  readonly name: Name;
  /** Names of the inputs, in order; of a `variadic` op, none: its inputs are numbered. */
  readonly inputs: readonly Inputs[];
  readonly variadic?: true | undefined;
  /** Pure function of the input shapes: the only place where this op's sizes are computed and checked. */
  readonly shape: (shapes: Readonly<Record<Inputs, Shape>>, params: Params) => Shape;
  /** The result's element type; throws `DTypeError` for inputs that the op does not take. */
  readonly dtype: (dtypes: Readonly<Record<Inputs, DType>>, params: Params) => DType;
  /** The op's meaning in plain loops over float64. */
  readonly reference: (
    inputs: Readonly<Record<Inputs, ReferenceArray>>,
    params: Params,
    output: ReferenceArray,
  ) => void;
  /** The gradient for each input as a thunk, so that only what is asked for is built. */
  readonly gradient:
    | NonDifferentiable
    | ((
        inputs: Readonly<Record<Inputs, Tensor>>,
        params: Params,
        upstream: Tensor,
        output: Tensor,
      ) => { readonly [Input in Inputs]?: () => Tensor });
  readonly cost: (shapes: Readonly<Record<Inputs, Shape>>, params: Params, output: Shape) => Cost;
  /** Calls that every test of ops is run on. */
  readonly samples: readonly Sample<Inputs, Params>[];
  /**
   * `alias`: the result has the first input's elements in the same order. `elementwise`: each element of the result depends on
   * one element of each input, after broadcasting. `stretch`: the result is the input, broadcast. Otherwise a kernel of
   * its own computes it.
   */
  readonly kind?: "alias" | "elementwise" | "stretch" | undefined;
  /** For ops with an input named `indices`: its values must lie in 0 … limit − 1. Kernels check that, and nothing else can fail. */
  readonly indexLimit?: ((shapes: Readonly<Record<Inputs, Shape>>, params: Params) => number) | undefined;
  /** For ops whose results are indices: they lie in 0 … n − 1 whatever the inputs hold, so nobody need expect them to fail. */
  readonly indexBelow?: ((shapes: Readonly<Record<Inputs, Shape>>, params: Params) => number) | undefined;
  /** What to do about an index outside, for the error: by default to check labels. */
  readonly indexMend?: string | undefined;
}

/** An op as the compiler sees it, whatever its inputs and parameters. */
export interface Operation extends OpSpec<string, string, object> {
  /** Distinguishes ops in signatures of graphs. */
  readonly id: number;
}

/** The inputs of a variadic op, under their numbers. */
export function inputNames(op: Operation, count: number): readonly string[] {
  return op.variadic ? Array.from({ length: count }, (_, i) => String(i)) : op.inputs;
}
