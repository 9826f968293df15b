/** How far a network is from treating a moved picture like the picture. */

import { ArgumentError, ShapeError } from "../core/errors.js";
import { formatShape, type Shape, sameShape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { mul, sub } from "../ops/elementwise/arithmetic.js";
import { sum } from "../ops/reduce/sum.js";
import { slice } from "../ops/shape/slice.js";
import { asFloats, type TensorLike } from "../ops/tensors.js";
import type { Move } from "./moves.js";

export interface EquivarianceOptions {
  /** Pictures, N×C×H×W. */
  readonly inputs: TensorLike;
  /** Compare with the result for the picture as it was: classes should not move with it. Default false. */
  readonly invariant?: boolean;
  /** Rows and columns at each side of the maps that are left out, where what was beyond the border shows. Default 0. */
  readonly crop?: number;
}

/**
 * ‖model(move(x)) − move(model(x))‖ / ‖move(model(x))‖: 0 for a network that is equivariant. With
 * `invariant`, ‖model(move(x)) − model(x)‖ / ‖model(x)‖. Switch dropout off before, with `model.eval()`.
 *
 * @example
 * await equivarianceError(new nn.Conv2d(1, 4, 3, { padding: "same", paddingMode: "circular" }), moves.shift(2, 3), { inputs });
 */
export async function equivarianceError(
  model: (input: Tensor) => Tensor<Shape>,
  move: Move,
  { inputs, invariant = false, crop = 0 }: EquivarianceOptions,
): Promise<number> {
  const x: Tensor = asFloats("equivarianceError", inputs);
  if (x.rank !== 4)
    throw new ShapeError(`equivarianceError: the inputs are ${formatShape(x.shape)}. Expected N×C×H×W.`);
  if (!Number.isInteger(crop) || crop < 0)
    throw new ArgumentError(`equivarianceError: crop is ${crop}. Expected an integer of 0 or more.`);
  const moved: Tensor = model(move.apply(x));
  const before: Tensor = model(x);
  if (!invariant && before.rank !== 4) {
    throw new ShapeError(
      `equivarianceError: the model gives ${formatShape(before.shape)}, which has no height and width to move. Fix: { invariant: true }, or the part of the model that gives N×C×H×W.`,
    );
  }
  const ratio = [before.shape[2] / x.shape[2], before.shape[3] / x.shape[3]] as const;
  const expected = invariant ? before : move.applyToMaps(before, ratio, moved.shape);
  if (!sameShape(moved.shape, expected.shape)) {
    throw new ShapeError(
      `equivarianceError: after ${move.name} the model gives ${formatShape(moved.shape)}, to be compared with ${formatShape(expected.shape)}. Expected equal shapes.`,
    );
  }
  const [a, b] = [moved, expected].map((maps) => cropped(maps, crop));
  const difference = sub(a, b) as Tensor;
  const [distance, size] = await Promise.all(
    [difference, b].map((values) => (sum(mul(values, values) as Tensor) as Tensor).item()),
  );
  return distance === 0 ? 0 : Math.sqrt(distance / size);
}

function cropped(maps: Tensor, crop: number): Tensor {
  if (crop === 0) return maps;
  if (maps.rank !== 4 || maps.shape[2] <= 2 * crop || maps.shape[3] <= 2 * crop) {
    throw new ShapeError(
      `equivarianceError: nothing is left of ${formatShape(maps.shape)} without ${crop} elements at each side. Expected N×C×H×W, larger than that.`,
    );
  }
  return slice(maps, null, null, [crop, -crop], [crop, -crop]);
}
