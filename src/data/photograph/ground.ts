/** How bright the paper is, with the light as it falls: a smooth surface under what is drawn on it. */

/** Numbers row by row. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/** 1, x, y, x², xy and y². */
const terms = 6;
const rounds = 6;
/** Pixels that the surface is fitted to, about: it has only six numbers. */
const looksAt = 4096;

export interface AboveGround {
  /** Brightness less that of the ground. */
  readonly rest: Plane;
  /** As far as brightness is from the ground's where there is nothing but ground, in levels. */
  readonly noise: number;
}

/** Takes off the ground, which is fitted by a paraboloid: to all pixels, then to those that are not far off it. */
export function lessGround({ width, height, values }: Plane): AboveGround {
  const step = Math.ceil(Math.sqrt(values.length / looksAt));
  const fitted: number[] = [];
  for (let y = step >> 1; y < height; y += step) {
    for (let x = step >> 1; x < width; x += step) fitted.push(y * width + x);
  }
  const at = new Float64Array(terms);
  const sizes = new Float32Array(fitted.length);
  let surface = new Float64Array(terms);
  let limit = Number.POSITIVE_INFINITY;
  const restAt = (pixel: number) => {
    termsAt(pixel, width, height, at);
    let value = values[pixel];
    for (let k = 0; k < terms; k++) value -= at[k] * surface[k];
    return value;
  };
  for (let round = 0; round < rounds; round++) {
    const system = new Float64Array(terms * (terms + 1));
    for (const pixel of fitted) {
      // In the first round the surface is 0, and every pixel counts.
      if (Math.abs(restAt(pixel)) <= limit) addEquation(system, at, values[pixel]);
    }
    // What few pixels do not determine stays near 0.
    for (let row = 0; row < terms; row++) system[row * (terms + 1) + row] += 1e-6 * fitted.length;
    surface = solve(system);
    for (let i = 0; i < fitted.length; i++) sizes[i] = Math.abs(restAt(fitted[i]));
    sizes.sort();
    // 1.48 times the median size is a normal distribution's standard deviation; below 4 levels there is nothing to see.
    limit = Math.max(4, 2.5 * 1.4826 * sizes[sizes.length >> 1]);
  }
  const above = Float32Array.from({ length: values.length }, (_, pixel) => restAt(pixel));
  return { rest: { width, height, values: above }, noise: limit };
}

/** Of a pixel the terms, with x and y from -1 to 1. */
function termsAt(pixel: number, width: number, height: number, into: Float64Array): void {
  const x = (2 * (pixel % width) + 1) / width - 1;
  const y = (2 * Math.floor(pixel / width) + 1) / height - 1;
  into[0] = 1;
  into[1] = x;
  into[2] = y;
  into[3] = x * x;
  into[4] = x * y;
  into[5] = y * y;
}

/** Of least squares, to the normal equations: a row for each term, the right-hand side last. */
function addEquation(system: Float64Array, at: Float64Array, value: number): void {
  for (let row = 0; row < terms; row++) {
    const start = row * (terms + 1);
    for (let column = 0; column < terms; column++) system[start + column] += at[row] * at[column];
    system[start + terms] += at[row] * value;
  }
}

/** Gauss and Jordan; the system is symmetric and positive definite, so that no rows need to be exchanged. */
function solve(system: Float64Array): Float64Array<ArrayBuffer> {
  const columns = terms + 1;
  for (let pivot = 0; pivot < terms; pivot++) {
    for (let row = 0; row < terms; row++) {
      if (row === pivot) continue;
      const factor = system[row * columns + pivot] / system[pivot * columns + pivot];
      for (let column = pivot; column < columns; column++)
        system[row * columns + column] -= factor * system[pivot * columns + column];
    }
  }
  return Float64Array.from({ length: terms }, (_, row) => system[row * columns + terms] / system[row * columns + row]);
}
