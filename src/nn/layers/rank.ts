/** Layers that come in one to three dimensions, and check which. */

import { ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import { layoutName } from "../../ops/convolution/geometry.js";
import type { TensorLike } from "../../ops/tensors.js";

/** Throws unless `x` has N, C and so many axes of places. */
export function checkPlaces(layer: string, x: TensorLike<Shape>, axes: number): void {
  if (x.shape.length === axes + 2) return;
  throw new ShapeError(
    `${layer}: the input is ${formatShape(x.shape)}. Expected ${layoutName("NC", axes)}. Fix: unsqueeze() a missing axis, or the layer for another number of them.`,
  );
}
