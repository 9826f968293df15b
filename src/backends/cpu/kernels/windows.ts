/** How convolution windows lie on their source (kernels/windows.h and halo.h): sizes of haloed planes. */

import type { Pair } from "../../../core/shape.js";
import type { Conv2dParams } from "../../../ops/convolution/geometry.js";

/** One axis: window g reads positions stride · g + origin + t of the source, for taps t in 0 … span-1. */
export interface WindowAxis {
  readonly source: number;
  readonly target: number;
  readonly stride: number;
  readonly origin: number;
  readonly span: number;
  /** Target position p belongs to window ⌊(p + shift) / phases⌋. */
  readonly phases: number;
  readonly shift: number;
}

/** The axes of a convolution from `source` to `target`, or of its input gradient. */
export function windowAxes(
  source: Pair,
  target: Pair,
  kernel: Pair,
  { stride, padding, dilation }: Conv2dParams,
  gradient: boolean,
): readonly [WindowAxis, WindowAxis] {
  const axis = (i: 0 | 1): WindowAxis => {
    const reach = (kernel[i] - 1) * dilation[i];
    const before = padding[2 * i];
    const sizes = { source: source[i], target: target[i] };
    if (!gradient) return { ...sizes, stride: stride[i], origin: -before, span: reach + 1, phases: 1, shift: 0 };
    const last = Math.floor(reach / stride[i]);
    return { ...sizes, stride: 1, origin: -last, span: last + 1, phases: stride[i], shift: before };
  };
  return [axis(0), axis(1)];
}

/** Windows that targets begin … end-1 belong to. */
export function windowsBetween({ phases, shift }: WindowAxis, begin: number, end: number): number {
  return end <= begin ? 0 : Math.floor((end - 1 + shift) / phases) - Math.floor((begin + shift) / phases) + 1;
}

/** Length of a haloed axis with that many windows, for one remainder under the stride. */
export function haloLength({ span, stride }: WindowAxis, windows: number): number {
  return windows + Math.floor((span - 1) / stride);
}

/** Length of an axis with that many windows, as it is. */
export function interleavedLength({ span, stride }: WindowAxis, windows: number): number {
  return (windows - 1) * stride + span;
}

/** Remainders under the stride that a haloed axis keeps apart. */
export function residues({ span, stride }: WindowAxis): number {
  return Math.min(stride, span);
}

/** Whether no window overhangs its source. */
export function liesOnSource(axis: WindowAxis): boolean {
  const first = Math.floor(axis.shift / axis.phases);
  const last = first + windowsBetween(axis, 0, axis.target) - 1;
  return axis.stride * first + axis.origin >= 0 && axis.stride * last + axis.origin + axis.span <= axis.source;
}

/** Sizes of a convolution, or of the input gradient of one of stride 1, and how far its first windows overhang the source. */
export function plainSizes([y, x]: readonly [WindowAxis, WindowAxis]) {
  const overhang = ({ origin, shift, phases }: WindowAxis) => -origin - Math.floor(shift / phases);
  return {
    sourceSize: [y.source, x.source],
    targetSize: [y.target, x.target],
    padding: [overhang(y), overhang(x)],
  };
}

/** Where part `index` of `count` things in `parts` nearly equal parts begins: `part_begin` in C. */
export function partBegin(count: number, parts: number, index: number): number {
  return Math.floor((count * index) / parts);
}

/** The most windows in any of `bands` bands of rows. */
export function windowsInBand(axis: WindowAxis, bands: number): number {
  let most = 0;
  for (let i = 0; i < bands; i++) {
    const windows = windowsBetween(axis, partBegin(axis.target, bands, i), partBegin(axis.target, bands, i + 1));
    most = Math.max(most, windows);
  }
  return most;
}
