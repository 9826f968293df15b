/** Checks of shapes by the TypeScript compiler: only lengths that are known as literals are compared. */

import type { Shape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import type { TensorLike } from "../ops/tensors.js";

/** The call signature of layers that keep the shape. */
export type KeepsShape = <T extends TensorLike>(x: T) => Tensor<T["shape"]>;

/** The length of the last axis, `number` where it is not known. */
export type LastAxis<S extends Shape> = S extends readonly [...number[], infer Last extends number] ? Last : number;

/** The length of axis 1, the channels of N×C×H×W. */
export type Channels<S extends Shape> = S extends readonly [number, infer C extends number, ...number[]] ? C : number;

/** The results of pooling one, two and three axes, as far as types can tell. */
export type Pooled1d<S extends Shape> = Tensor<[S[0], Channels<S>, number]>;
export type Pooled2d<S extends Shape> = Tensor<[S[0], Channels<S>, number, number]>;
export type Pooled3d<S extends Shape> = Tensor<[S[0], Channels<S>, number, number, number]>;

/** All axes but the last. */
export type Leading<S extends Shape> = S extends readonly [...infer Lead extends number[], number] ? Lead : number[];

/** Nothing to object to, or a message in place of the argument's type. */
export type MustBe<What extends string, Found extends number, Expected extends number> = [Expected] extends [never]
  ? unknown
  : number extends Found
    ? unknown
    : number extends Expected
      ? unknown
      : Found extends Expected
        ? unknown
        : `${What}: got ${Found}, but this layer expects ${Expected}`;
