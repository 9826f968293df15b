/** What can be done to a picture whose sense stays the same: for `equivarianceError`. */

import { ArgumentError } from "../core/errors.js";
import { normalizeAxis, type Shape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { roll } from "../ops/arrange.js";
import { add, mul } from "../ops/elementwise/arithmetic.js";
import { transpose } from "../ops/shape/permute.js";
import { flip as flipAxes } from "../ops/shape/slice.js";
import { upsample } from "../ops/upsampling.js";

/** Something done to a picture, N×C×H×W, and what should be seen of it in the maps that a network makes of it. */
export interface Move {
  readonly name: string;
  apply(picture: Tensor): Tensor;
  /**
   * The same for maps.
   *
   * @param ratio their height and width as a share of the picture's
   * @param wanted the shape of what it is compared with
   */
  applyToMaps(maps: Tensor, ratio: readonly [number, number], wanted: Shape): Tensor;
}

/** Moves elements along one axis; what leaves comes in at the other side. By half an element: the means of neighbours. */
function rollBetween(x: Tensor, axis: number, by: number): Tensor {
  const whole = Math.floor(by);
  const share = by - whole;
  const near = roll(x, whole, axis);
  if (share < 1e-9) return near;
  return add(mul(near, 1 - share), mul(roll(x, whole + 1, axis), share)) as Tensor;
}

/**
 * Moves pictures down and to the right, by whole pixels; what leaves at one side comes in at the other. Maps of half the
 * size move by half as much; where that lies between two pixels, their weighted mean is taken.
 */
export function shift(dy: number, dx: number): Move {
  for (const by of [dy, dx])
    if (!Number.isInteger(by)) throw new ArgumentError(`shift: ${by} pixels. Expected an integer.`);
  return {
    name: `shift(${dy}, ${dx})`,
    apply: (picture) => roll(roll(picture, dy, 2), dx, 3),
    applyToMaps: (maps, [y, x]) => rollBetween(rollBetween(maps, 2, dy * y), 3, dx * x),
  };
}

/** Mirrors pictures. @param axis 2 turns them upside down, 3 (or −1) swaps left and right */
export function flip(axis: number): Move {
  const at = normalizeAxis("flip", axis, 4);
  if (at < 2) throw new ArgumentError(`flip: axis ${axis}. Expected 2 or 3: the height or the width of N×C×H×W.`);
  const apply = (picture: Tensor) => flipAxes(picture, at);
  return { name: `flip(${axis})`, apply, applyToMaps: apply };
}

/** Turns pictures by k · 90°, against the clock. */
export function rotate90(k = 1): Move {
  if (!Number.isInteger(k)) throw new ArgumentError(`rotate90: ${k} turns. Expected an integer.`);
  const turns = ((k % 4) + 4) % 4;
  const apply = (picture: Tensor): Tensor => {
    if (turns === 0) return picture;
    if (turns === 2) return flipAxes(picture, [2, 3]);
    return flipAxes(transpose(picture, 2, 3), turns === 1 ? 2 : 3);
  };
  return { name: `rotate90(${k})`, apply, applyToMaps: apply };
}

/** Makes pictures `factor` times as large, with straight lines between pixels; maps are brought to the size that comes out. */
export function scale(factor: number): Move {
  if (!(factor > 0 && factor < Number.POSITIVE_INFINITY))
    throw new ArgumentError(`scale: ${factor} times. Expected a number above 0.`);
  return {
    name: `scale(${factor})`,
    apply: (picture) => upsample(picture, { scale: factor, mode: "linear" }),
    applyToMaps: (maps, _, wanted) => upsample(maps, { size: wanted.slice(2), mode: "linear" }),
  };
}
