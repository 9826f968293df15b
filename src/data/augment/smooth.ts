/** Gaussian smoothing, rows first, then columns; beyond the borders pictures are mirrored in their outermost pixels. */

/** Weights at the distances 0, 1, … radius, such that all together come to 1. */
export function gaussianWeights(sigma: number, radius: number): Float64Array {
  const weights = new Float64Array(radius + 1);
  let sum = 0;
  for (let distance = 0; distance <= radius; distance++) {
    weights[distance] = Math.exp((-0.5 * distance * distance) / (sigma * sigma));
    sum += distance === 0 ? 1 : 2 * weights[distance];
  }
  return weights.map((weight) => weight / sum);
}

/** Pixels that kernels reach to each side: four standard deviations hold all but 0.01 % of a Gaussian. */
export function radiusOf(sigma: number): number {
  return Math.floor(4 * sigma + 0.5);
}

/** One plane, smoothed. */
export function smooth(
  plane: ArrayLike<number>,
  height: number,
  width: number,
  sigma: number,
  radius = radiusOf(sigma),
): Float64Array {
  const weights = gaussianWeights(sigma, radius);
  const between = new Float64Array(height * width);
  const result = new Float64Array(height * width);
  for (let y = 0; y < height; y++) smoothLine(plane, y * width, 1, width, weights, between);
  for (let x = 0; x < width; x++) smoothLine(between, x, width, height, weights, result);
  return result;
}

function smoothLine(
  from: ArrayLike<number>,
  start: number,
  stride: number,
  length: number,
  weights: Float64Array,
  to: Float64Array,
): void {
  const radius = weights.length - 1;
  for (let i = 0; i < length; i++) {
    let sum = weights[0] * from[start + i * stride];
    const inside = i >= radius && i + radius < length;
    for (let distance = 1; distance <= radius; distance++) {
      const before = inside ? i - distance : reflected(i - distance, length);
      const after = inside ? i + distance : reflected(i + distance, length);
      sum += weights[distance] * (from[start + before * stride] + from[start + after * stride]);
    }
    to[start + i * stride] = sum;
  }
}

/** The position within 0 … length − 1 that a mirrored one shows. */
export function reflected(at: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const within = ((at % period) + period) % period;
  return Math.min(within, period - within);
}
