/** Random numbers of less usual distributions. */

import type { RandomStream } from "./philox.js";

/** Gamma of a shape above 0, and scale 1 (Marsaglia & Tsang, "A simple method for generating gamma variables", 2000). */
export function drawGamma(shape: number, random: RandomStream): number {
  if (shape < 1) return drawGamma(shape + 1, random) * random.uniform() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Beta of two numbers above 0: a share, which two gamma variables have of their sum. */
export function drawBeta(a: number, b: number, random: RandomStream): number {
  const [x, y] = [drawGamma(a, random), drawGamma(b, random)];
  // Both can be too small for numbers where a and b are: then one of the ends is all that there is.
  return x + y > 0 ? x / (x + y) : random.integer(2);
}

/** Laplacian, of mean 0 and some standard deviation: a sharper peak and longer tails than the normal distribution has. */
export function drawLaplacian(deviation: number, random: RandomStream): number {
  // The inverse of the distribution function; numbers have 24 bits, so that 1 − 2|u| is above 0.
  const u = random.uniform(-0.5, 0.5) + 2 ** -25;
  return (-deviation / Math.SQRT2) * Math.sign(u) * Math.log(1 - 2 * Math.abs(u));
}
