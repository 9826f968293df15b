/** Which pixels are ink: a threshold, and the connected areas above it that belong to a digit. */

import type { Plane } from "./ground.js";

/** Rows and columns, the last ones not included. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Parts values into low and high ones with the least variance within both (Otsu 1979), in 256 steps.
 *
 * @returns the middle between the means of the two, at which few values are where the two are far apart
 */
export function otsuThreshold(values: Float32Array): number {
  const most = values.reduce((largest, value) => Math.max(largest, value), 0);
  if (most === 0) return 0;
  const counts = new Float64Array(256);
  for (const value of values) counts[Math.min(255, Math.floor((256 * Math.max(0, value)) / most))]++;
  const total = counts.reduce((sum, count, level) => sum + count * level, 0);
  let [low, sumLow, best, middle] = [0, 0, -1, 0];
  for (let level = 0; level < 255; level++) {
    low += counts[level];
    sumLow += counts[level] * level;
    const high = values.length - low;
    if (low === 0 || high === 0) continue;
    const [meanLow, meanHigh] = [sumLow / low, (total - sumLow) / high];
    const between = low * high * (meanHigh - meanLow) ** 2;
    if (between > best) [best, middle] = [between, (meanLow + meanHigh) / 2];
  }
  return ((middle + 0.5) * most) / 256;
}

interface Area extends Box {
  readonly pixels: readonly number[];
  readonly reachesEdge: boolean;
}

/** Connected areas above a threshold, with the corners of pixels touching, too. */
function areasAbove({ width, height, values }: Plane, threshold: number): Area[] {
  const seen = new Uint8Array(values.length);
  const areas: Area[] = [];
  for (let start = 0; start < values.length; start++) {
    if (seen[start] === 1 || values[start] <= threshold) continue;
    const pixels = [start];
    seen[start] = 1;
    let [left, top, right, bottom] = [width, height, 0, 0];
    // Grows while it is gone through.
    for (let next = 0; next < pixels.length; next++) {
      const [x, y] = [pixels[next] % width, Math.floor(pixels[next] / width)];
      [left, top, right, bottom] = [
        Math.min(left, x),
        Math.min(top, y),
        Math.max(right, x + 1),
        Math.max(bottom, y + 1),
      ];
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const neighbour = row * width + column;
          if (seen[neighbour] === 1 || values[neighbour] <= threshold) continue;
          seen[neighbour] = 1;
          pixels.push(neighbour);
        }
      }
    }
    const reachesEdge = left === 0 || top === 0 || right === width || bottom === height;
    areas.push({ left, top, right, bottom, pixels, reachesEdge });
  }
  return areas;
}

const largestOf = (areas: readonly Area[]) =>
  areas.reduce<Area | undefined>(
    (best, area) => (best && best.pixels.length >= area.pixels.length ? best : area),
    undefined,
  );

/**
 * The largest area, and what else is large enough and near to be a stroke of the same digit. What reaches in from an edge is the
 * table, a shadow or a finger, unless there is nothing else of a digit's height.
 */
export function strokesAbove(
  plane: Plane,
  threshold: number,
): { readonly box: Box; readonly mask: Uint8Array } | undefined {
  const { width, height } = plane;
  const areas = areasAbove(plane, threshold);
  const inside = areas.filter((area) => !area.reachesEdge);
  const isTall = ({ top, bottom }: Area) => bottom - top >= 0.1 * height;
  const candidates = inside.some(isTall) ? inside : areas;
  const main = largestOf(candidates.filter(isTall)) ?? largestOf(candidates);
  if (main === undefined) return undefined;
  const reach = 0.5 * Math.max(main.right - main.left, main.bottom - main.top);
  const isPart = (area: Area) =>
    area.pixels.length >= 0.04 * main.pixels.length &&
    area.left < main.right + reach &&
    area.right > main.left - reach &&
    area.top < main.bottom + reach &&
    area.bottom > main.top - reach;
  const parts = candidates.filter((area) => area === main || isPart(area));
  const mask = new Uint8Array(width * height);
  for (const { pixels } of parts) for (const pixel of pixels) mask[pixel] = 1;
  const end = (of: keyof Box, pick: (...values: number[]) => number) => pick(...parts.map((area) => area[of]));
  return {
    box: {
      left: end("left", Math.min),
      top: end("top", Math.min),
      right: end("right", Math.max),
      bottom: end("bottom", Math.max),
    },
    mask,
  };
}
