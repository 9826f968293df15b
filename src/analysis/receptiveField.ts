/** Receptive fields, and how often the input's pixels are used: what is made of the dependences. */

import { ArgumentError } from "../core/errors.js";
import type { Fields } from "./dependence.js";
import { countOf, type Field, mostExact } from "./fields.js";

/** A number for all axes of places alike, or one for each: [vertical, horizontal]. */
export type PerAxis = number | readonly number[];

/**
 * The part of the input that an output position can depend on.
 *
 * It is counted as if the input went on beyond its borders, so it may be larger than the input. Where paths of different
 * reach come together it spans all of them. What depends on the whole map (global pooling, fully connected layers) has the
 * input's size, and stride 0.
 */
export interface ReceptiveField {
  /** Pixels from the first to the last. */
  readonly size: PerAxis;
  /** Pixels from the field of a position to that of the next; below 1 after going back up. */
  readonly stride: PerAxis;
  /** First pixel that position 0 sees; negative where that is padding. */
  readonly start: PerAxis;
}

/** How many positions of an output see a pixel of the input: of the least and most used one, and on average. */
export interface PixelUse {
  readonly least: number;
  readonly most: number;
  readonly mean: number;
}

/** Undefined where the input has no places, or nothing of it is seen. */
export function describeField(fields: Fields): ReceptiveField | undefined {
  const axes = fields.map(describeAxis);
  if (axes.length === 0 || axes.some(({ size }) => size < 1)) return undefined;
  return {
    size: perAxis(axes.map(({ size }) => size)),
    stride: perAxis(axes.map(({ stride }) => stride)),
    start: perAxis(axes.map(({ start }) => start)),
  };
}

function perAxis(values: readonly number[]): PerAxis {
  return values.every((value) => value === values[0]) ? values[0] : values;
}

function describeAxis(field: Field): { size: number; stride: number; start: number } {
  const { axis, pattern } = field;
  if (axis !== undefined && pattern !== undefined) {
    const { period, advance, first, last } = pattern;
    // A position that sees nothing of its own, between the nails of a bed, has no size.
    const sizes = first.map((begin, p) => last[p] - begin + 1);
    const start = Number.isFinite(first[0]) ? first[0] : Math.min(...first);
    return { size: Math.max(...sizes), stride: advance / period, start };
  }
  const seen = field.runs.filter((each) => each.length > 0);
  if (seen.length === 0) return { size: 0, stride: 0, start: 0 };
  const size = seen.reduce((largest, each) => Math.max(largest, each[each.length - 1] - each[0] + 1), 0);
  const [start] = seen[0];
  const [end] = seen[seen.length - 1];
  return { size, stride: seen.length === 1 ? 0 : (end - start) / (seen.length - 1), start };
}

/** Undefined where axes are so long that counting would take long. */
export function describeUse(fields: Fields): PixelUse | undefined {
  if (fields.length === 0 || fields.some(({ extent, count }) => Math.max(extent, count) > mostExact)) return undefined;
  const counts = fields.map(useAlong);
  const product = (of: (list: readonly number[]) => number) => counts.reduce((all, list) => all * of(list), 1);
  return {
    least: product((list) => list.reduce((a, b) => Math.min(a, b))),
    most: product((list) => list.reduce((a, b) => Math.max(a, b))),
    mean: product((list) => list.reduce((a, b) => a + b) / list.length),
  };
}

/** How many positions see each pixel along one axis of the input. */
export function useAlong({ runs, extent }: Field): number[] {
  const changes = new Int32Array(extent + 1);
  for (const each of runs) {
    for (let i = 0; i < each.length; i += 2) {
      changes[each[i]]++;
      changes[each[i + 1] + 1]--;
    }
  }
  let count = 0;
  return Array.from({ length: extent }, (_, i) => {
    count += changes[i];
    return count;
  });
}

/** What one position really sees along an axis: the first and last pixel, and how many of those between. */
export interface Sight {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** @throws ArgumentError for a position that is not there */
export function sightOf(fields: Fields, position: readonly number[]): readonly Sight[] {
  if (position.length !== fields.length) {
    throw new ArgumentError(
      `position [${position.join(", ")}]: the input has ${fields.length} axes of places. Expected a number for each.`,
    );
  }
  const runs = fields.map(({ axis, runs }, each) => {
    const seen = runs[axis === undefined ? 0 : position[each]];
    if (seen === undefined) {
      throw new ArgumentError(
        `position [${position.join(", ")}] lies outside a map of ${runs.length} along axis ${each}. Expected 0 … ${runs.length - 1}.`,
      );
    }
    return seen;
  });
  // Where there is only padding along one axis, nothing is seen at all.
  if (runs.some((seen) => seen.length === 0)) return runs.map(() => ({ first: 0, last: -1, count: 0 }));
  return runs.map((seen) => ({ first: seen[0], last: seen[seen.length - 1], count: countOf(seen) }));
}
