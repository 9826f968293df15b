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
  for (let i = 0; i < between.length; i++) between[i] = plane[i];
  const lines = [new Line(width, weights), new Line(height, weights)];
  for (let y = 0; y < height; y++) lines[0].smooth(between, y * width, 1, result);
  for (let x = 0; x < width; x++) lines[1].smooth(result, x, width, between);
  return between;
}

/** Smooths rows, or columns, of one length. */
class Line {
  readonly #weights: Float64Array;
  /** Which pixel stands where: those beyond the borders are mirrored. */
  readonly #positions: Int32Array;
  readonly #padded: Float64Array;

  constructor(length: number, weights: Float64Array) {
    const radius = weights.length - 1;
    this.#weights = weights;
    this.#positions = Int32Array.from({ length: length + 2 * radius }, (_, i) => reflected(i - radius, length));
    this.#padded = new Float64Array(length + 2 * radius);
  }

  smooth(from: Float64Array, start: number, stride: number, to: Float64Array): void {
    const [weights, positions, padded] = [this.#weights, this.#positions, this.#padded];
    const radius = weights.length - 1;
    for (let i = 0; i < padded.length; i++) padded[i] = from[start + positions[i] * stride];
    for (let i = radius; i < padded.length - radius; i++) {
      let sum = weights[0] * padded[i];
      for (let distance = 1; distance <= radius; distance++)
        sum += weights[distance] * (padded[i - distance] + padded[i + distance]);
      to[start + (i - radius) * stride] = sum;
    }
  }
}

/** The position within 0 … length − 1 that a mirrored one shows. */
export function reflected(at: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const within = ((at % period) + period) % period;
  return Math.min(within, period - within);
}
