/*
 * The transforms of Winograd's convolution F(m×m, 3×3) (Winograd 1980; Lavin and Gray 2015): n = m + 2 values an axis.
 * Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A, with the matrices of Toom and Cook for the points 0, ±1, ∞ (m = 2) and
 * 0, ±5/8, ±3/2, ∞ (m = 4), which lose less to rounding than 0, ±1, ±2, ∞.
 *
 * Lanes are channels. `m` is a constant at every call, so that loops over it unroll.
 */
#ifndef FOVEA_WINOGRAD_TRANSFORMS_H
#define FOVEA_WINOGRAD_TRANSFORMS_H

#include "panels.h"

#define MAX_TILE 4
#define MAX_TAPS 6 /* MAX_TILE + 2 */
/* Natively rolled loops over an axis are a little faster. */
#ifdef __wasm__
#define UNROLL_AXIS UNROLL
#else
#define UNROLL_AXIS
#endif

/* The points other than 0 and ∞ of F(4×4), and their squares. */
#define POINT_A 0.625f
#define POINT_B 1.5f
#define SQUARE_A (POINT_A * POINT_A)
#define SQUARE_B (POINT_B * POINT_B)

/* Bᵀ d along one axis. */
INLINE void transform_input_axis(const int m, const vf *d, vf *t) {
  if (m == 2) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[3] - d[1];
    return;
  }
  vf sum = splat(-(SQUARE_A + SQUARE_B)), product = splat(SQUARE_A * SQUARE_B);
  vf even_a = fma_(d[2], splat(-SQUARE_B), d[4]), odd_a = splat(POINT_A) * fma_(d[1], splat(-SQUARE_B), d[3]);
  vf even_b = fma_(d[2], splat(-SQUARE_A), d[4]), odd_b = splat(POINT_B) * fma_(d[1], splat(-SQUARE_A), d[3]);
  t[0] = fma_(d[0], product, fma_(d[2], sum, d[4]));
  t[1] = even_a + odd_a;
  t[2] = even_a - odd_a;
  t[3] = even_b + odd_b;
  t[4] = even_b - odd_b;
  t[5] = fma_(d[1], product, fma_(d[3], sum, d[5]));
}

/* G g along one axis. */
INLINE void transform_weight_axis(const int m, const vf *g, vf *t) {
  if (m == 2) {
    vf half = splat(0.5f), outer = half * (g[0] + g[2]), inner = half * g[1];
    t[0] = g[0];
    t[1] = outer + inner;
    t[2] = outer - inner;
    t[3] = g[2];
    return;
  }
  const float scale_a = 1 / (2 * SQUARE_A * (SQUARE_A - SQUARE_B)), scale_b = 1 / (2 * SQUARE_B * (SQUARE_B - SQUARE_A));
  vf even_a = fma_(g[2], splat(SQUARE_A * scale_a), g[0] * splat(scale_a)), odd_a = g[1] * splat(POINT_A * scale_a);
  vf even_b = fma_(g[2], splat(SQUARE_B * scale_b), g[0] * splat(scale_b)), odd_b = g[1] * splat(POINT_B * scale_b);
  t[0] = g[0] * splat(1 / (SQUARE_A * SQUARE_B));
  t[1] = even_a + odd_a;
  t[2] = even_a - odd_a;
  t[3] = even_b + odd_b;
  t[4] = even_b - odd_b;
  t[5] = g[2];
}

/* What upstream gradients take the place of weights with: G of F(3×3, m×m), for the same points. */
INLINE void transform_upstream_axis(const int m, const vf *g, vf *t) {
  if (m == 2) {
    t[0] = g[0];
    t[1] = splat(0.5f) * (g[0] + g[1]);
    t[2] = splat(0.5f) * (g[0] - g[1]);
    t[3] = g[1];
    return;
  }
  const float scale_a = 1 / (2 * SQUARE_A * (SQUARE_A - SQUARE_B)), scale_b = 1 / (2 * SQUARE_B * (SQUARE_B - SQUARE_A));
  vf even_a = fma_(g[2], splat(SQUARE_A * scale_a), g[0] * splat(scale_a));
  vf odd_a = fma_(g[3], splat(POINT_A * SQUARE_A * scale_a), g[1] * splat(POINT_A * scale_a));
  vf even_b = fma_(g[2], splat(SQUARE_B * scale_b), g[0] * splat(scale_b));
  vf odd_b = fma_(g[3], splat(POINT_B * SQUARE_B * scale_b), g[1] * splat(POINT_B * scale_b));
  t[0] = g[0] * splat(1 / (SQUARE_A * SQUARE_B));
  t[1] = even_a + odd_a;
  t[2] = even_a - odd_a;
  t[3] = even_b + odd_b;
  t[4] = even_b - odd_b;
  t[5] = g[3];
}

/* Aᵀ of F(3×3, m×m): its results are weights. */
INLINE void transform_gradient_axis(const int m, const vf *x, vf *y) {
  if (m == 2) {
    y[0] = x[0] + x[1] + x[2];
    y[1] = x[1] - x[2];
    y[2] = x[1] + x[2] + x[3];
    return;
  }
  vf even_a = x[1] + x[2], odd_a = x[1] - x[2], even_b = x[3] + x[4], odd_b = x[3] - x[4];
  y[0] = x[0] + even_a + even_b;
  y[1] = fma_(odd_a, splat(POINT_A), odd_b * splat(POINT_B));
  y[2] = fma_(even_a, splat(SQUARE_A), fma_(even_b, splat(SQUARE_B), x[5]));
}

/* Aᵀ x along one axis. */
INLINE void transform_output_axis(const int m, const vf *x, vf *y) {
  if (m == 2) {
    y[0] = x[0] + x[1] + x[2];
    y[1] = x[1] - x[2] + x[3];
    return;
  }
  vf even_a = x[1] + x[2], odd_a = x[1] - x[2], even_b = x[3] + x[4], odd_b = x[3] - x[4];
  y[0] = x[0] + even_a + even_b;
  y[1] = fma_(odd_a, splat(POINT_A), odd_b * splat(POINT_B));
  y[2] = fma_(even_a, splat(SQUARE_A), even_b * splat(SQUARE_B));
  y[3] = fma_(odd_a, splat(POINT_A * SQUARE_A), fma_(odd_b, splat(POINT_B * SQUARE_B), x[5]));
}

/* One tile: n×n vectors, neighbours `pixel` floats apart and rows `pitch`; results `distance` floats apart. */
INLINE void transform_input_tile(const int m, const float *from, ptrdiff_t pixel, ptrdiff_t pitch, float *to,
                                 ptrdiff_t distance) {
  const int n = m + 2;
  vf half[MAX_TAPS][MAX_TAPS];
  UNROLL_AXIS for (int j = 0; j < n; j++) {
    vf d[MAX_TAPS], t[MAX_TAPS];
    UNROLL for (int i = 0; i < n; i++) d[i] = load(from + i * pitch + j * pixel);
    transform_input_axis(m, d, t);
    UNROLL for (int i = 0; i < n; i++) half[i][j] = t[i];
  }
  UNROLL_AXIS for (int i = 0; i < n; i++) {
    vf t[MAX_TAPS];
    transform_input_axis(m, half[i], t);
    UNROLL for (int j = 0; j < n; j++, to += distance) store(to, t[j]);
  }
}

/* One tile: n×n vectors `distance` floats apart; results are m×m vectors, `pixel` floats apart and rows `pitch`. */
INLINE void transform_output_tile(const int m, const float *from, ptrdiff_t distance, float *to, ptrdiff_t pixel,
                                  ptrdiff_t pitch) {
  const int n = m + 2;
  vf half[MAX_TILE][MAX_TAPS];
  UNROLL_AXIS for (int j = 0; j < n; j++) {
    vf x[MAX_TAPS], y[MAX_TILE];
    UNROLL for (int i = 0; i < n; i++) x[i] = load(from + (i * n + j) * distance);
    transform_output_axis(m, x, y);
    UNROLL for (int i = 0; i < m; i++) half[i][j] = y[i];
  }
  UNROLL_AXIS for (int i = 0; i < m; i++) {
    vf y[MAX_TILE];
    transform_output_axis(m, half[i], y);
    UNROLL for (int j = 0; j < m; j++) store(to + i * pitch + j * pixel, y[j]);
  }
}

/* One tile of an upstream gradient: m×m vectors, neighbours `pixel` floats apart and rows `pitch`; results `distance`. */
INLINE void transform_upstream_tile(const int m, const float *from, ptrdiff_t pixel, ptrdiff_t pitch, float *to,
                                    ptrdiff_t distance) {
  const int n = m + 2;
  vf half[MAX_TAPS][MAX_TILE];
  UNROLL_AXIS for (int j = 0; j < m; j++) {
    vf g[MAX_TILE], t[MAX_TAPS];
    UNROLL for (int i = 0; i < m; i++) g[i] = load(from + i * pitch + j * pixel);
    transform_upstream_axis(m, g, t);
    UNROLL for (int i = 0; i < n; i++) half[i][j] = t[i];
  }
  UNROLL_AXIS for (int i = 0; i < n; i++) {
    vf t[MAX_TAPS];
    transform_upstream_axis(m, half[i], t);
    UNROLL for (int j = 0; j < n; j++, to += distance) store(to, t[j]);
  }
}

/* The gradient of one kernel: n×n vectors `distance` floats apart; results are 3×3 vectors. */
INLINE void transform_gradient_tile(const int m, const float *from, ptrdiff_t distance, float *to) {
  const int n = m + 2;
  vf half[3][MAX_TAPS];
  UNROLL_AXIS for (int j = 0; j < n; j++) {
    vf x[MAX_TAPS], y[3];
    UNROLL for (int i = 0; i < n; i++) x[i] = load(from + (i * n + j) * distance);
    transform_gradient_axis(m, x, y);
    UNROLL for (int i = 0; i < 3; i++) half[i][j] = y[i];
  }
  UNROLL_AXIS for (int i = 0; i < 3; i++) {
    vf y[3];
    transform_gradient_axis(m, half[i], y);
    UNROLL for (int j = 0; j < 3; j++, to += VW) store(to, y[j]);
  }
}

/* One kernel: 3×3 vectors `step` floats apart (backwards, if negative); results `distance` floats apart. */
INLINE void transform_weight_tile(const int m, const float *from, ptrdiff_t step, float *to, ptrdiff_t distance) {
  const int n = m + 2;
  vf half[MAX_TAPS][3];
  UNROLL_AXIS for (int j = 0; j < 3; j++) {
    vf g[3], t[MAX_TAPS];
    UNROLL for (int i = 0; i < 3; i++) g[i] = load(from + (i * 3 + j) * step);
    transform_weight_axis(m, g, t);
    UNROLL for (int i = 0; i < n; i++) half[i][j] = t[i];
  }
  UNROLL_AXIS for (int i = 0; i < n; i++) {
    vf t[MAX_TAPS];
    transform_weight_axis(m, half[i], t);
    UNROLL for (int j = 0; j < n; j++, to += distance) store(to, t[j]);
  }
}

#endif
