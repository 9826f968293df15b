/** Pooling along one to three axes, from ops that pool pictures. */

import type { DType } from "../../core/dtype.js";
import type { Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { reshape } from "../shape/reshape.js";
import type { Pool2dParams, PoolSettings } from "./geometry.js";

/** The settings of some axes as the kernels see them. */
export function params2d(settings: PoolSettings, rows: number | undefined, columns: number | undefined): Pool2dParams {
  const { kernel, stride, padding, dilation, ceil } = settings;
  const at = (list: readonly number[], axis: number | undefined, none: number) =>
    axis === undefined ? none : list[axis];
  return {
    kernel: [at(kernel, rows, 1), at(kernel, columns, 1)],
    stride: [at(stride, rows, 1), at(stride, columns, 1)],
    dilation: [at(dilation, rows, 1), at(dilation, columns, 1)],
    padding: [
      at(padding, rows === undefined ? undefined : 2 * rows, 0),
      at(padding, rows === undefined ? undefined : 2 * rows + 1, 0),
      at(padding, columns === undefined ? undefined : 2 * columns, 0),
      at(padding, columns === undefined ? undefined : 2 * columns + 1, 0),
    ],
    ceil,
  };
}

type Pool<D extends DType> = (picture: Tensor, params: Pool2dParams) => Tensor<Shape, D>;

/** Pools `x` along its last axis, or its last two: one as a picture of one row. */
export function alongPicture<D extends DType>(x: Tensor, settings: PoolSettings, pool: Pool<D>): Tensor<Shape, D> {
  if (x.rank === 4) return pool(x, params2d(settings, 0, 1));
  const [n, channels, length] = x.shape;
  const result = pool(reshape(x, [n, channels, 1, length]), params2d(settings, undefined, 0));
  return reshape(result, [n, channels, result.shape[3]]);
}

/**
 * Pools `x` along its last one to three axes: three first in height and width, then in depth, which comes to the same for
 * maxima and for means.
 */
export function along(x: Tensor, settings: PoolSettings, pool: Pool<"float32">): Tensor {
  if (x.rank < 5) return alongPicture(x, settings, pool);
  const [n, channels, ...size] = x.shape;
  const flat = pool(reshape(x, [n, channels * size[0], size[1], size[2]]), params2d(settings, 1, 2));
  const [, , rows, columns] = flat.shape;
  const deep = pool(reshape(flat, [n, channels, size[0], rows * columns]), params2d(settings, 0, undefined));
  return reshape(deep, [n, channels, deep.shape[2], rows, columns]);
}
