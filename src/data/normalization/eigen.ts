/** Eigenvalues and eigenvectors of symmetric matrices. */

import { FoveaError } from "../../core/errors.js";

export interface Eigen {
  /** From the largest to the smallest. */
  readonly values: Float64Array<ArrayBuffer>;
  /** n×n: row k is the eigenvector of value k, of length 1, its largest entry above 0. */
  readonly vectors: Float64Array<ArrayBuffer>;
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix: Householder's reflections make it tridiagonal, then implicit QL
 * steps make it diagonal (Golub & Van Loan, "Matrix Computations", chapter 8). Takes some 5·n³ operations.
 *
 * @param matrix n×n, symmetric; it is overwritten
 */
export function symmetricEigen(matrix: Float64Array<ArrayBuffer>, n: number): Eigen {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const rows = tridiagonalize(matrix, n, diagonal, beside);
  diagonalize(diagonal, beside, rows, n);
  const order = Array.from(diagonal, (_, k) => k).sort((a, b) => diagonal[b] - diagonal[a]);
  const vectors = new Float64Array(n * n);
  for (const [k, from] of order.entries()) {
    const vector = rows.subarray(from * n, (from + 1) * n);
    let largest = 0;
    for (let i = 1; i < n; i++) if (Math.abs(vector[i]) > Math.abs(vector[largest])) largest = i;
    const sign = vector[largest] < 0 ? -1 : 1;
    for (let i = 0; i < n; i++) vectors[k * n + i] = sign * vector[i];
  }
  return { values: Float64Array.from(order, (k) => diagonal[k]), vectors };
}

/**
 * Reflections that leave a diagonal and what is beside it (`beside[i]` couples i and i + 1).
 *
 * @returns Qᵀ, where the matrix was Q·T·Qᵀ
 */
function tridiagonalize(
  a: Float64Array<ArrayBuffer>,
  n: number,
  diagonal: Float64Array,
  beside: Float64Array,
): Float64Array<ArrayBuffer> {
  const strengths = new Float64Array(n);
  const [p, w] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k + 2 < n; k++) {
    // The reflection that turns what is right of the diagonal in row k onto its first entry; it is kept in that row.
    const v = a.subarray(k * n, (k + 1) * n);
    let rest = 0;
    for (let i = k + 2; i < n; i++) rest += v[i] * v[i];
    beside[k] = v[k + 1];
    if (rest === 0) continue;
    const norm = Math.sqrt(v[k + 1] * v[k + 1] + rest);
    beside[k] = v[k + 1] > 0 ? -norm : norm;
    v[k + 1] -= beside[k];
    const strength = 2 / (v[k + 1] * v[k + 1] + rest);
    strengths[k] = strength;
    let overlap = 0;
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += a[row + j] * v[j];
      p[i] = strength * sum;
      overlap += p[i] * v[i];
    }
    for (let i = k + 1; i < n; i++) w[i] = p[i] - 0.5 * strength * overlap * v[i];
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      const [vi, wi] = [v[i], w[i]];
      for (let j = k + 1; j < n; j++) a[row + j] -= vi * w[j] + wi * v[j];
    }
  }
  for (let i = 0; i < n; i++) diagonal[i] = a[i * n + i];
  if (n > 1) beside[n - 2] = a[(n - 1) * n + n - 2];

  // Q is the product of the reflections; being applied from the last to the first, each touches only what is non-zero.
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  for (let k = n - 3; k >= 0; k--) {
    if (strengths[k] === 0) continue;
    const v = a.subarray(k * n, (k + 1) * n);
    p.fill(0);
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      const scale = v[i];
      for (let j = k + 1; j < n; j++) p[j] += scale * q[row + j];
    }
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      const scale = strengths[k] * v[i];
      for (let j = k + 1; j < n; j++) q[row + j] -= scale * p[j];
    }
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) [q[i * n + j], q[j * n + i]] = [q[j * n + i], q[i * n + j]];
  }
  return q;
}

/** No matrix has been seen to need more steps for one eigenvalue than a few. */
const MOST_STEPS = 60;

/** QL steps with implicit shifts; the rows of `vectors` are turned along. */
function diagonalize(diagonal: Float64Array, beside: Float64Array, vectors: Float64Array, n: number): void {
  // What is below rounding of the largest entries couples nothing.
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(diagonal[i]) + Math.abs(beside[i]));
  const negligible = Number.EPSILON * largest;
  for (let first = 0; first < n; first++) {
    for (let step = 0; ; step++) {
      let last = first;
      while (last < n - 1 && Math.abs(beside[last]) > negligible) last++;
      if (last === first) break;
      if (step === MOST_STEPS) throw new FoveaError("FOVEA_INTERNAL", `eigenvalue ${first} of ${n} does not converge`);
      takeStep(diagonal, beside, vectors, n, first, last);
    }
  }
}

/** One QL step on the block from `first` to `last`, with Wilkinson's shift. */
function takeStep(
  diagonal: Float64Array,
  beside: Float64Array,
  vectors: Float64Array,
  n: number,
  first: number,
  last: number,
): void {
  const half = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first]);
  const root = Math.sqrt(half * half + 1);
  let g = diagonal[last] - diagonal[first] + beside[first] / (half + (half < 0 ? -root : root));
  let [sine, cosine, shift] = [1, 1, 0];
  for (let i = last - 1; i >= first; i--) {
    const f = sine * beside[i];
    const b = cosine * beside[i];
    const length = Math.sqrt(f * f + g * g);
    beside[i + 1] = length;
    if (length === 0) {
      // The block falls apart here.
      diagonal[i + 1] -= shift;
      beside[last] = 0;
      return;
    }
    sine = f / length;
    cosine = g / length;
    const lower = diagonal[i + 1] - shift;
    const turn = (diagonal[i] - lower) * sine + 2 * cosine * b;
    shift = sine * turn;
    diagonal[i + 1] = lower + shift;
    g = cosine * turn - b;
    const [row, next] = [i * n, (i + 1) * n];
    for (let k = 0; k < n; k++) {
      const [x, y] = [vectors[row + k], vectors[next + k]];
      vectors[next + k] = sine * x + cosine * y;
      vectors[row + k] = cosine * x - sine * y;
    }
  }
  diagonal[first] -= shift;
  beside[first] = g;
  beside[last] = 0;
}
