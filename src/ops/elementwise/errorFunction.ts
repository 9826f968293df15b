/** The error function in float64, which JavaScript lacks. */

/**
 * erf x = 2/√π ∫₀ˣ exp(−t²) dt, to within 1e-15: its Maclaurin series up to 2, beyond that the continued fraction of its
 * complement (Abramowitz & Stegun, "Handbook of Mathematical Functions", 7.1.6 and 7.1.14).
 */
export function errorFunction(x: number): number {
  if (Number.isNaN(x)) return x;
  const t = Math.abs(x);
  const value = t < 2 ? series(t) : 1 - complement(Math.min(t, 30));
  return x < 0 ? -value : value;
}

/** 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1)), all of whose terms are positive. */
function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** exp(−x²)/√π · 1/(x + ½/(x + 1/(x + 3/2/(x + …)))). */
function complement(x: number): number {
  let fraction = x;
  for (let n = 120; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}
