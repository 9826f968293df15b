/** Where the elements of a resized axis lie on the axis before, and which elements there they are made of. */

/** One axis that is resized. */
export interface Axis {
  readonly before: number;
  readonly after: number;
  readonly scale: number;
  /** The part of the axis that is looked at, 0 … 1, for "tf_crop_and_resize". */
  readonly region?: readonly [number, number];
}

export interface Sampling {
  /** "nearest", "linear" or "cubic" */
  readonly mode: string;
  /** How positions correspond. */
  readonly transform: string;
  /** How "nearest" rounds. */
  readonly nearest: string;
  /** The steepness of "cubic". */
  readonly coefficient: number;
  /** Whether what lies beyond the border has no weight, instead of that of the border element. */
  readonly excludeOutside: boolean;
  /** Whether windows grow when shrinking. */
  readonly antialias: boolean;
}

/** For each element of the result the elements it is made of, with their weights; `outside` is filled with a number. */
export interface Taps {
  readonly indices: readonly (readonly number[])[];
  readonly weights: readonly (readonly number[])[];
  readonly outside: readonly boolean[];
}

const { fround } = Math;

/**
 * The position on the axis before of element `i`; undefined for a transform that is not known. In float32, as elsewhere:
 * a position that falls on an element in exact arithmetic must not be rounded down to the one before.
 */
function positionOf(i: number, { before, after, scale, region = [0, 1] }: Axis, transform: string): number | undefined {
  const length = fround(scale * before);
  const centre = fround(fround((i + 0.5) / scale) - 0.5);
  switch (transform) {
    case "align_corners":
      return length === 1 ? 0 : fround((i * (before - 1)) / (length - 1));
    case "asymmetric":
      return fround(i / scale);
    case "half_pixel":
      return centre;
    case "pytorch_half_pixel":
      return length === 1 ? -0.5 : centre;
    case "half_pixel_symmetric":
      return fround((before / 2) * (1 - after / length) + centre);
    case "tf_half_pixel_for_nn":
      return fround((i + 0.5) / scale);
    case "tf_crop_and_resize": {
      const [begin, end] = region;
      const first = begin * (before - 1);
      return length === 1
        ? fround(first + ((end - begin) * (before - 1)) / 2)
        : fround(first + (i * (end - begin) * (before - 1)) / (length - 1));
    }
    default:
      return undefined;
  }
}

type Weights = (distance: number) => number;

const triangle: Weights = (distance) => Math.max(0, 1 - Math.abs(distance));

/** Keys' cubic (1981). */
const cubic =
  (a: number): Weights =>
  (distance) => {
    const x = Math.abs(distance);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
  };

function nearestIndex(position: number, rule: string): number | undefined {
  const below = Math.floor(position);
  switch (rule) {
    case "round_prefer_floor":
      return Math.ceil(position - 0.5);
    case "round_prefer_ceil":
      return Math.floor(position + 0.5);
    case "floor":
      return below;
    case "ceil":
      return Math.ceil(position);
    default:
      return undefined;
  }
}

/** The elements that those of the resized axis are made of; a text that says what is not known. */
export function tapsOf(axis: Axis, sampling: Sampling): Taps | string {
  const { mode, transform, nearest, antialias } = sampling;
  const indices: number[][] = [];
  const weights: number[][] = [];
  const outside: boolean[] = [];
  const inside = (index: number) => Math.min(Math.max(index, 0), axis.before - 1);
  const shrink = antialias ? Math.min(axis.scale, 1) : 1;
  for (let i = 0; i < axis.after; i++) {
    const position = positionOf(i, axis, transform);
    if (position === undefined) return `coordinate_transformation_mode is ${JSON.stringify(transform)}`;
    outside.push(transform === "tf_crop_and_resize" && (position < 0 || position > axis.before - 1));
    if (mode === "nearest") {
      const index = nearestIndex(position, nearest);
      if (index === undefined) return `nearest_mode is ${JSON.stringify(nearest)}`;
      indices.push([inside(index)]);
      weights.push([1]);
      continue;
    }
    const shape = mode === "linear" ? triangle : mode === "cubic" ? cubic(sampling.coefficient) : undefined;
    if (shape === undefined) return `mode is ${JSON.stringify(mode)}. Expected "nearest", "linear" or "cubic"`;
    const reach = (mode === "linear" ? 1 : 2) / shrink;
    // Of a position on an element, the one before it is the lower neighbour.
    const lower = Math.ceil(position) - 1;
    const first = lower + Math.floor(-reach) + 1;
    const last = lower - Math.floor(-reach);
    const places = Array.from({ length: last - first + 1 }, (_, k) => first + k);
    const shares = places.map((place) => {
      if (sampling.excludeOutside && (place < 0 || place >= axis.before)) return 0;
      return shape((place - position) * shrink);
    });
    const total = antialias || sampling.excludeOutside ? shares.reduce((a, b) => a + b, 0) : 1;
    indices.push(places.map(inside));
    weights.push(shares.map((share) => share / total));
  }
  return { indices, weights, outside };
}
