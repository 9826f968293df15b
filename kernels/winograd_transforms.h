/*
 * The transforms of Winograd's convolution F(m×m, r×r) (Winograd 1980; Lavin and Gray 2015): n = m + r - 1 values an axis.
 * Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A, with the matrices of Toom and Cook for these points:
 *
 *   n = 4   F(2, 3)   0, ±1, ∞
 *   n = 6   F(4, 3)   0, ±5/8, ±3/2, ∞, which lose less to rounding than 0, ±1, ±2, ∞
 *   n = 7   F(3, 5)   ±1, ±2, ±1/2, ∞
 *   n = 8   F(4, 5)   0, ±1, ±2, ±1/2, ∞, along one axis only
 *
 * Lanes are channels. `n` is a constant at every call, so that loops over it unroll.
 */
#ifndef FOVEA_WINOGRAD_TRANSFORMS_H
#define FOVEA_WINOGRAD_TRANSFORMS_H

#include "panels.h"

#define MAX_TILE 4
#define MAX_KERNEL 5
#define MAX_POINTS 8
/* m and r. */
#define TILE_OF(n) ((n) == 4 ? 2 : (n) == 7 ? 3 : 4)
#define KERNEL_OF(n) ((n) > 6 ? 5 : 3)
/* Natively rolled loops over an axis are a little faster. In WebAssembly they are slower, but fewer bytes: only n = 6 has none. */
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
INLINE void transform_input_axis(const int n, const vf *d, vf *t) {
  if (n == 4) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[3] - d[1];
    return;
  }
  if (n == 7) {
    vf even = fma_(d[2], splat(-4.25f), d[0] + d[4]), odd = fma_(d[3], splat(-4.25f), d[1] + d[5]);
    t[0] = even + odd;
    t[1] = even - odd;
    even = fma_(d[0], splat(0.5f), fma_(d[2], splat(-2.5f), d[4] + d[4]));
    odd = fma_(d[1], splat(0.25f), fma_(d[3], splat(-1.25f), d[5]));
    t[2] = even + odd;
    t[3] = even - odd;
    even = fma_(d[4], splat(0.5f), fma_(d[2], splat(-2.5f), d[0] + d[0]));
    odd = fma_(d[1], splat(4.0f), fma_(d[3], splat(-5.0f), d[5]));
    t[4] = even + odd;
    t[5] = even - odd;
    t[6] = fma_(d[2] - d[4], splat(5.25f), d[6] - d[0]);
    return;
  }
  if (n == 8) {
    vf even = fma_(d[4], splat(-4.25f), d[2] + d[6]), odd = fma_(d[3], splat(-4.25f), d[1] + d[5]);
    t[0] = fma_(d[4] - d[2], splat(5.25f), d[0] - d[6]);
    t[1] = even + odd;
    t[2] = even - odd;
    even = fma_(d[2], splat(0.25f), fma_(d[4], splat(-1.25f), d[6]));
    odd = fma_(d[1], splat(0.5f), fma_(d[3], splat(-2.5f), d[5] + d[5]));
    t[3] = even + odd;
    t[4] = even - odd;
    even = fma_(d[2], splat(4.0f), fma_(d[4], splat(-5.0f), d[6]));
    odd = fma_(d[5], splat(0.5f), fma_(d[3], splat(-2.5f), d[1] + d[1]));
    t[5] = even + odd;
    t[6] = even - odd;
    t[7] = fma_(d[3] - d[5], splat(5.25f), d[7] - d[1]);
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
INLINE void transform_weight_axis(const int n, const vf *g, vf *t) {
  if (n == 4) {
    vf half = splat(0.5f), outer = half * (g[0] + g[2]), inner = half * g[1];
    t[0] = g[0];
    t[1] = outer + inner;
    t[2] = outer - inner;
    t[3] = g[2];
    return;
  }
  if (n == 7) {
    vf even = g[0] + g[2] + g[4], odd = g[1] + g[3], factor = splat(-2.0f / 9);
    t[0] = (even + odd) * factor;
    t[1] = (even - odd) * factor;
    even = fma_(g[4], splat(16.0f), fma_(g[2], splat(4.0f), g[0]));
    odd = fma_(g[3], splat(8.0f), g[1] + g[1]);
    factor = splat(1.0f / 45);
    t[2] = (even + odd) * factor;
    t[3] = (even - odd) * factor;
    even = fma_(g[0], splat(16.0f), fma_(g[2], splat(4.0f), g[4]));
    odd = fma_(g[1], splat(8.0f), g[3] + g[3]);
    t[4] = (even + odd) * factor;
    t[5] = (even - odd) * factor;
    t[6] = g[4];
    return;
  }
  if (n == 8) {
    vf even = g[0] + g[2] + g[4], odd = g[1] + g[3], factor = splat(-2.0f / 9);
    t[0] = g[0];
    t[1] = (even + odd) * factor;
    t[2] = (even - odd) * factor;
    even = fma_(g[4], splat(16.0f), fma_(g[2], splat(4.0f), g[0]));
    odd = fma_(g[3], splat(8.0f), g[1] + g[1]);
    factor = splat(1.0f / 90);
    t[3] = (even + odd) * factor;
    t[4] = (even - odd) * factor;
    even = fma_(g[0], splat(16.0f), fma_(g[2], splat(4.0f), g[4]));
    odd = fma_(g[1], splat(8.0f), g[3] + g[3]);
    factor = splat(2.0f / 45);
    t[5] = (even + odd) * factor;
    t[6] = (even - odd) * factor;
    t[7] = g[4];
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
INLINE void transform_upstream_axis(const int n, const vf *g, vf *t) {
  if (n == 4) {
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
INLINE void transform_gradient_axis(const int n, const vf *x, vf *y) {
  if (n == 4) {
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
INLINE void transform_output_axis(const int n, const vf *x, vf *y) {
  if (n == 4) {
    y[0] = x[0] + x[1] + x[2];
    y[1] = x[1] - x[2] + x[3];
    return;
  }
  if (n == 7) {
    vf sum1 = x[0] + x[1], sum2 = x[2] + x[3], sum3 = x[4] + x[5];
    vf difference1 = x[0] - x[1], difference2 = x[2] - x[3], difference3 = x[4] - x[5];
    y[0] = sum1 + sum2 + sum3;
    y[1] = fma_(difference3, splat(0.5f), fma_(difference2, splat(2.0f), difference1));
    y[2] = fma_(sum3, splat(0.25f), fma_(sum2, splat(4.0f), sum1 + x[6]));
    return;
  }
  if (n == 8) {
    vf sum1 = x[1] + x[2], sum2 = x[3] + x[4], sum3 = x[5] + x[6];
    vf difference1 = x[1] - x[2], difference2 = x[3] - x[4], difference3 = x[5] - x[6];
    y[0] = x[0] + sum1 + sum2 + sum3;
    y[1] = fma_(difference3, splat(0.5f), fma_(difference2, splat(2.0f), difference1));
    y[2] = fma_(sum3, splat(0.25f), fma_(sum2, splat(4.0f), sum1));
    y[3] = fma_(difference3, splat(0.125f), fma_(difference2, splat(8.0f), difference1 + x[7]));
    return;
  }
  vf even_a = x[1] + x[2], odd_a = x[1] - x[2], even_b = x[3] + x[4], odd_b = x[3] - x[4];
  y[0] = x[0] + even_a + even_b;
  y[1] = fma_(odd_a, splat(POINT_A), odd_b * splat(POINT_B));
  y[2] = fma_(even_a, splat(SQUARE_A), even_b * splat(SQUARE_B));
  y[3] = fma_(odd_a, splat(POINT_A * SQUARE_A), fma_(odd_b, splat(POINT_B * SQUARE_B), x[5]));
}

/* Of a tile, column j transformed along it, and row i along itself. */
INLINE void transform_input_column(const int n, const float *from, ptrdiff_t pitch, vf half[][MAX_POINTS], int j) {
  vf d[MAX_POINTS], t[MAX_POINTS];
  UNROLL for (int i = 0; i < n; i++) d[i] = load(from + i * pitch);
  transform_input_axis(n, d, t);
  UNROLL for (int i = 0; i < n; i++) half[i][j] = t[i];
}
INLINE void transform_input_row(const int n, const vf *half, float *to, ptrdiff_t distance) {
  vf t[MAX_POINTS];
  transform_input_axis(n, half, t);
  UNROLL for (int j = 0; j < n; j++) store(to + j * distance, t[j]);
}

/* One tile: n×n vectors, neighbours `pixel` floats apart and rows `pitch`; results `distance` floats apart. */
INLINE void transform_input_tile(const int n, const float *from, ptrdiff_t pixel, ptrdiff_t pitch, float *to,
                                 ptrdiff_t distance) {
  vf half[MAX_POINTS][MAX_POINTS];
  if (n != 6) {
    for (int j = 0; j < n; j++) transform_input_column(n, from + j * pixel, pitch, half, j);
    for (int i = 0; i < n; i++) transform_input_row(n, half[i], to + i * n * distance, distance);
  } else {
    UNROLL_AXIS for (int j = 0; j < n; j++) transform_input_column(n, from + j * pixel, pitch, half, j);
    UNROLL_AXIS for (int i = 0; i < n; i++) transform_input_row(n, half[i], to + i * n * distance, distance);
  }
}

/* The same of products. */
INLINE void transform_output_column(const int n, const float *from, ptrdiff_t distance, vf half[][MAX_POINTS], int j) {
  const int m = TILE_OF(n);
  vf x[MAX_POINTS], y[MAX_TILE];
  UNROLL for (int i = 0; i < n; i++) x[i] = load(from + i * n * distance);
  transform_output_axis(n, x, y);
  UNROLL for (int i = 0; i < m; i++) half[i][j] = y[i];
}
INLINE void transform_output_row(const int n, const vf *half, float *to, ptrdiff_t pixel) {
  const int m = TILE_OF(n);
  vf y[MAX_TILE];
  transform_output_axis(n, half, y);
  UNROLL for (int j = 0; j < m; j++) store(to + j * pixel, y[j]);
}

/* One tile: n×n vectors `distance` floats apart; results are m×m vectors, `pixel` floats apart and rows `pitch`. */
INLINE void transform_output_tile(const int n, const float *from, ptrdiff_t distance, float *to, ptrdiff_t pixel,
                                  ptrdiff_t pitch) {
  const int m = TILE_OF(n);
  vf half[MAX_TILE][MAX_POINTS];
  if (n != 6) {
    for (int j = 0; j < n; j++) transform_output_column(n, from + j * distance, distance, half, j);
    for (int i = 0; i < m; i++) transform_output_row(n, half[i], to + i * pitch, pixel);
  } else {
    UNROLL_AXIS for (int j = 0; j < n; j++) transform_output_column(n, from + j * distance, distance, half, j);
    UNROLL_AXIS for (int i = 0; i < m; i++) transform_output_row(n, half[i], to + i * pitch, pixel);
  }
}

/* One tile of an upstream gradient: m×m vectors, neighbours `pixel` floats apart and rows `pitch`; results `distance`. */
INLINE void transform_upstream_tile(const int n, const float *from, ptrdiff_t pixel, ptrdiff_t pitch, float *to,
                                    ptrdiff_t distance) {
  const int m = TILE_OF(n);
  vf half[MAX_POINTS][MAX_TILE];
  for (int j = 0; j < m; j++) {
    vf g[MAX_TILE], t[MAX_POINTS];
    UNROLL for (int i = 0; i < m; i++) g[i] = load(from + i * pitch + j * pixel);
    transform_upstream_axis(n, g, t);
    UNROLL for (int i = 0; i < n; i++) half[i][j] = t[i];
  }
  for (int i = 0; i < n; i++) {
    vf t[MAX_POINTS];
    transform_upstream_axis(n, half[i], t);
    UNROLL for (int j = 0; j < n; j++, to += distance) store(to, t[j]);
  }
}

/* The gradient of one kernel: n×n vectors `distance` floats apart; results are 3×3 vectors. */
INLINE void transform_gradient_tile(const int n, const float *from, ptrdiff_t distance, float *to) {
  vf half[3][MAX_POINTS];
  for (int j = 0; j < n; j++) {
    vf x[MAX_POINTS], y[3];
    UNROLL for (int i = 0; i < n; i++) x[i] = load(from + (i * n + j) * distance);
    transform_gradient_axis(n, x, y);
    UNROLL for (int i = 0; i < 3; i++) half[i][j] = y[i];
  }
  for (int i = 0; i < 3; i++) {
    vf y[3];
    transform_gradient_axis(n, half[i], y);
    UNROLL for (int j = 0; j < 3; j++, to += VW) store(to, y[j]);
  }
}

/* One kernel: r×r vectors `step` floats apart (backwards, if negative); results `distance` floats apart. */
INLINE void transform_weight_tile(const int n, const float *from, ptrdiff_t step, float *to, ptrdiff_t distance) {
  const int r = KERNEL_OF(n);
  vf half[MAX_POINTS][MAX_KERNEL];
  for (int j = 0; j < r; j++) {
    vf g[MAX_KERNEL], t[MAX_POINTS];
    UNROLL for (int i = 0; i < r; i++) g[i] = load(from + (i * r + j) * step);
    transform_weight_axis(n, g, t);
    UNROLL for (int i = 0; i < n; i++) half[i][j] = t[i];
  }
  for (int i = 0; i < n; i++) {
    vf t[MAX_POINTS];
    transform_weight_axis(n, half[i], t);
    UNROLL for (int j = 0; j < n; j++, to += distance) store(to, t[j]);
  }
}

#endif
