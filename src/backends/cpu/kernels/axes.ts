/** Axes as kernels walk them: as few as possible. */

import { UnsupportedOpError } from "../../../core/errors.js";
import { formatShape, type Shape, sizeOf } from "../../../core/shape.js";
import { maxRank } from "../fields.js";

export interface Walk {
  readonly dims: readonly number[];
  /** For each tensor, its stride along each of `dims`. */
  readonly strides: readonly (readonly number[])[];
}

/** Leaves out axes of length 1 and merges neighbours that all tensors walk as one. */
export function mergeAxes(what: string, shape: Shape, strides: readonly (readonly number[])[]): Walk {
  const dims: number[] = [];
  const merged: number[][] = strides.map(() => []);
  if (sizeOf(shape) === 0) return { dims: [0], strides: strides.map(() => [0]) };
  for (const [axis, length] of shape.entries()) {
    if (length === 1) continue;
    const last = dims.length - 1;
    if (last >= 0 && strides.every((own, i) => merged[i][last] === own[axis] * length)) {
      dims[last] *= length;
      for (const [i, own] of strides.entries()) merged[i][last] = own[axis];
    } else {
      dims.push(length);
      for (const [i, own] of strides.entries()) merged[i].push(own[axis]);
    }
  }
  if (dims.length > maxRank) {
    throw new UnsupportedOpError(
      `${what}: a tensor of ${formatShape(shape)} has ${dims.length} axes that cannot be walked as one, and the CPU ` +
        `kernels take at most ${maxRank}. Fix: reshape() it so that neighbouring axes merge, or work in two steps.`,
    );
  }
  return { dims, strides: merged };
}
