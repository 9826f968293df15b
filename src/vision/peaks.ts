/** The places where a map is largest. */

import { checkCount } from "../core/check.js";
import { ArgumentError } from "../core/errors.js";
import type { TensorLike } from "../ops/tensors.js";
import { asPicture } from "./pictures.js";

/** A place in a map; of a template's response its upper left corner. */
export interface Peak {
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

export interface PeakOptions {
  /** The most peaks to find. Default 1. */
  readonly count?: number;
  /** Smaller values are no peaks. Default: any value will do. */
  readonly threshold?: number;
  /** How far apart peaks are, in rows or columns: nothing within this distance is larger. Default 1. */
  readonly distance?: number;
}

/**
 * The largest values that have nothing larger near them, largest first; of equal ones the first in reading order.
 *
 * @param map H×W
 * @example const eyes = await vision.findPeaks(response, { count: 2, threshold: 0.7, distance: 10 });
 */
export async function findPeaks(map: TensorLike, options: PeakOptions = {}): Promise<Peak[]> {
  const { count = 1, threshold = Number.NEGATIVE_INFINITY, distance = 1 } = options;
  const tensor = asPicture("findPeaks", "map", map, [2]);
  if (count !== Number.POSITIVE_INFINITY) checkCount("findPeaks", "count", count);
  checkCount("findPeaks", "distance", distance);
  if (Number.isNaN(threshold)) throw new ArgumentError("findPeaks: threshold is NaN. Expected a number.");
  const [height, width] = tensor.shape;
  const values = await tensor.data();
  const candidates: Peak[] = [];
  for (let i = 0; i < values.length; i++) {
    const peak = { row: Math.floor(i / width), column: i % width, value: values[i] };
    if (peak.value >= threshold && isHighest(values, height, width, peak, distance)) candidates.push(peak);
  }
  candidates.sort((a, b) => (a.value === b.value ? 0 : b.value - a.value));
  const peaks: Peak[] = [];
  for (const candidate of candidates) {
    if (peaks.length >= count) break;
    // Of a plateau one place is enough.
    if (peaks.every((peak) => apart(peak, candidate) > distance)) peaks.push(candidate);
  }
  return peaks;
}

function apart(a: Peak, b: Peak): number {
  return Math.max(Math.abs(a.row - b.row), Math.abs(a.column - b.column));
}

function isHighest(values: ArrayLike<number>, height: number, width: number, peak: Peak, distance: number): boolean {
  const lastRow = Math.min(height - 1, peak.row + distance);
  const lastColumn = Math.min(width - 1, peak.column + distance);
  for (let row = Math.max(0, peak.row - distance); row <= lastRow; row++) {
    for (let column = Math.max(0, peak.column - distance); column <= lastColumn; column++) {
      if (values[row * width + column] > peak.value) return false;
    }
  }
  return true;
}
