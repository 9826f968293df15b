/**
 * MaxPool counts positions through the whole tensor, Fovea within each plane. Those within are remembered, so that what
 * asks for them again, as exported graphs do, gets them: they depend neither on the number of samples nor on channels.
 */

import type { AnyTensor } from "../../../graph/tensor.js";
import type { Int } from "./numeric.js";

const planes = new WeakMap<AnyTensor, { readonly within: Int; readonly size: number }>();

/** Says that `positions` are `within`, in planes of `size` values one behind the other. */
export function rememberPlanes(positions: AnyTensor, within: Int, size: number): void {
  planes.set(positions, { within, size });
}

/** The rest of dividing positions by the size of a plane; undefined for what are no positions in planes of that size. */
export function withinPlane(positions: AnyTensor, size: number): Int | undefined {
  const known = planes.get(positions);
  return known?.size === size ? known.within : undefined;
}
