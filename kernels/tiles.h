/*
 * Register tiles: the innermost loops of matrix products and convolutions. A tile keeps rows × vectors sums in
 * registers while it walks the summed axis once; everything else only decides what its operands point at.
 *
 *   broadcast_tile  sum[i][lane] += x[i][offset of k] · panel[k][lane]    lanes are columns or channels
 *   lane_tile       sum[i][lane] += factors[k][i] · x[offsets[k] + lane]  lanes are neighbouring pixels
 *   dot_tile        sum[i][j][lane] += a[i][k + lane] · b[j][k + lane]    lanes are terms of the sum
 *
 * The number of rows is limited so that sums, one row of vectors and a factor fit into the registers. A result depends
 * on its own operands only, not on the shape of the tile it fell into.
 */
#ifndef FOVEA_TILES_H
#define FOVEA_TILES_H

#include "fovea.h"

#define UNROLL _Pragma("GCC unroll 16")

/* Vectors in a row of a panel, known to src/backends/cpu/kernels/panels.ts. */
#if VW == 8
#define PANEL_VECTORS 2
#else
#define PANEL_VECTORS 4
#endif
#define MAX_ROWS 12
#define MAX_LANE_ROWS 6
#define MAX_DOT_VECTORS 8

#if defined(__AVX512F__) || defined(__aarch64__)
static const int8_t broadcast_rows[PANEL_VECTORS] = {12, 8, 8, 6};
static const int8_t lane_vectors[MAX_LANE_ROWS] = {4, 4, 4, 4, 4, 4};
#define LANE_ROWS 6
#define DOT_ROWS 6
#define BROADCAST_TILES(X) ROWS_12(X, 1) ROWS_8(X, 2) ROWS_8(X, 3) ROWS_6(X, 4)
#define LANE_TILES(X) ROWS_6(X, 1) ROWS_6(X, 2) ROWS_6(X, 3) ROWS_6(X, 4)
#elif defined(__AVX2__)
static const int8_t broadcast_rows[PANEL_VECTORS] = {12, 6};
static const int8_t lane_vectors[MAX_LANE_ROWS] = {4, 4, 4, 3, 2, 2};
#define LANE_ROWS 6
#define DOT_ROWS 4
#define BROADCAST_TILES(X) ROWS_12(X, 1) ROWS_6(X, 2)
#define LANE_TILES(X) ROWS_6(X, 1) ROWS_6(X, 2) ROWS_4(X, 3) ROWS_3(X, 4)
#elif defined(__wasm_relaxed_simd__)
/* Engines have 15 registers to give: 6 × 2 sums take all of them, and wider rows are computed two vectors at a time. */
static const int8_t broadcast_rows[PANEL_VECTORS] = {6, 6, 6, 6};
static const int8_t lane_vectors[MAX_LANE_ROWS] = {4, 4};
#define LANE_ROWS 2
#define DOT_ROWS 2
#define BROADCAST_TILES(X) ROWS_6(X, 2)
#define BROADCAST_PASSES 1
#define LANE_TILES(X) ROWS_2(X, 1) ROWS_2(X, 2) ROWS_2(X, 3) ROWS_2(X, 4)
#else
static const int8_t broadcast_rows[PANEL_VECTORS] = {8, 4, 3, 2};
static const int8_t lane_vectors[MAX_LANE_ROWS] = {4, 4};
#define LANE_ROWS 2
#define DOT_ROWS 2
#define BROADCAST_TILES(X) ROWS_8(X, 1) ROWS_4(X, 2) ROWS_3(X, 3) ROWS_2(X, 4)
#define LANE_TILES(X) ROWS_2(X, 1) ROWS_2(X, 2) ROWS_2(X, 3) ROWS_2(X, 4)
#endif

/* Whether tiles serve for any number of vectors, so many at a time, and for one more. */
#ifndef BROADCAST_PASSES
#define BROADCAST_PASSES 0
#endif

#define ROWS_2(X, v) X(1, v) X(2, v)
#define ROWS_3(X, v) ROWS_2(X, v) X(3, v)
#define ROWS_4(X, v) ROWS_3(X, v) X(4, v)
#define ROWS_6(X, v) ROWS_4(X, v) X(5, v) X(6, v)
#define ROWS_8(X, v) ROWS_6(X, v) X(7, v) X(8, v)
#define ROWS_12(X, v) ROWS_8(X, v) X(9, v) X(10, v) X(11, v) X(12, v)

/* Every tile stores its sums, or adds them to what is there. */
INLINE void keep(float *out, vf sum, int32_t add) { store(out, add ? load(out) + sum : sum); }

/*
 * What is read next, fetched into the second-level cache meanwhile, from `line` on, `stride` floats with each term: memory
 * then moves while registers compute.
 */
typedef struct {
  const float *line;
  ptrdiff_t stride;
} Ahead;

/* Nothing: a line that is there. */
INLINE Ahead nothing_ahead(const float *panel) { return (Ahead){panel, 0}; }

/* A panel and the one that is read after it, which the first `sharers` of the tiles that read the panel fetch. */
typedef struct {
  const float *panel, *next;
  ptrdiff_t stride;
  int32_t sharers;
} AheadPanel;

INLINE AheadPanel fetch_ahead(const float *panel, const float *next, ptrdiff_t panel_stride, int32_t tiles) {
#ifdef __wasm__
  /* There is nothing to fetch with. */
  (void)next, (void)panel_stride, (void)tiles;
  return (AheadPanel){panel, panel, 0, 0};
#else
  static const int8_t sharers[] = {1, 1, 2, 2, 4, 4, 4, 4, 8};
  /* Where a term is a line, any number shares: the more of them, the more evenly memory is asked. */
  int32_t count = VW == 8 ? max_int(min_int(tiles, 8), 1) : sharers[min_int(tiles, 8)];
  return (AheadPanel){panel, next, ceil_div((int32_t)panel_stride, count), count};
#endif
}

/* The share of a tile of `count` terms. */
INLINE Ahead tile_ahead(const AheadPanel *a, int32_t tile, int32_t count) {
  if (tile >= a->sharers) return nothing_ahead(a->panel);
  return (Ahead){a->next + tile * a->stride * count, a->stride};
}

/* Where the terms of a sum lie; each `run` of them are `step` floats apart. */
typedef struct {
  const int32_t *offsets;
  int32_t run;
  ptrdiff_t step;
} Terms;

/* A multiply-add that stays where it is written, its sum in its register where compilers would move it. */
#ifdef __wasm__
/* Clang would otherwise put a sum's multiply-adds of several terms next to each other, and engines spill all the others. */
#define ADD_PRODUCT(sum, a, b) (sum) = fma_(a, b, sum); __asm__ volatile("" : "+r"(sum) : : "memory")
#elif defined(__AVX2__) && VW == 8
/* Compilers would otherwise move sums from register to register, and read a vector of weights once for each of them. */
#define ADD_PRODUCT(sum, a, b) __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b))
#else
#define ADD_PRODUCT(sum, a, b) (sum) = fma_(a, b, sum)
#endif

INLINE void broadcast_term(const int rows, const int vectors, const float *const *x, ptrdiff_t offset, const float *panel,
                           vf sum[MAX_ROWS][PANEL_VECTORS]) {
  vf b[PANEL_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) b[j] = load(panel + j * VW);
  UNROLL for (int i = 0; i < rows; i++) {
    vf a = splat(x[i][offset]);
    UNROLL for (int j = 0; j < vectors; j++) {
      ADD_PRODUCT(sum[i][j], a, b[j]);
    }
  }
}

/* The same where rows lie side by side. */
INLINE void broadcast_column(const int rows, const int vectors, const float *x, const float *panel,
                             vf sum[MAX_ROWS][PANEL_VECTORS]) {
  const float *q[MAX_ROWS];
  UNROLL for (int i = 0; i < rows; i++) q[i] = x + i;
  broadcast_term(rows, vectors, q, 0, panel, sum);
}

#ifndef __wasm__
INLINE void fetch_line(const int vectors, Ahead *ahead) {
  __builtin_prefetch(ahead->line, 0, 2);
  if (VW == 16 && ahead->stride > VW) {
    UNROLL for (int j = 1; j < vectors; j++) __builtin_prefetch(ahead->line + j * VW, 0, 2);
  }
  ahead->line += ahead->stride;
}
#endif

INLINE void broadcast_tile(const int rows, const int vectors, const float *const *x, Terms terms, int32_t count,
                           const float *panel, ptrdiff_t panel_stride, float *const *out, ptrdiff_t column, int32_t add,
                           Ahead ahead) {
  const float *p[MAX_ROWS];
  vf sum[MAX_ROWS][PANEL_VECTORS];
  UNROLL for (int i = 0; i < rows; i++) {
    p[i] = x[i];
    UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = (vf){};
  }
  int32_t is_large = rows * vectors >= 8, is_column = 1, k = 0;
  UNROLL for (int i = 1; i < rows; i++) is_column &= x[i] == x[0] + i;
#ifdef __wasm__
  /*
   * Engines have no registers left for the address of each term's offset, and as many instructions as a core can start in a cycle:
   * four terms at a time share the addresses of rows whose terms lie side by side, or of terms whose rows do.
   */
  (void)ahead;
  for (int32_t begin = 0; begin < count; begin += terms.run) {
    ptrdiff_t offset = terms.offsets[begin];
    k = 0;
    if (is_large && terms.step == 1) {
      const float *q[MAX_ROWS];
      UNROLL for (int i = 0; i < rows; i++) q[i] = p[i] + offset;
      for (; k < terms.run - 3; k += 4) {
        UNROLL for (int u = 0; u < 4; u++, panel += panel_stride) broadcast_term(rows, vectors, q, u, panel, sum);
        UNROLL for (int i = 0; i < rows; i++) q[i] += 4;
      }
    } else if (is_large && is_column) {
      const float *first = p[0] + offset;
      for (; k < terms.run - 3; k += 4) {
        UNROLL for (int u = 0; u < 4; u++, first += terms.step, panel += panel_stride) {
          broadcast_column(rows, vectors, first, panel, sum);
        }
      }
    }
    offset += k * terms.step;
    for (; k < terms.run; k++, offset += terms.step, panel += panel_stride) {
      broadcast_term(rows, vectors, p, offset, panel, sum);
    }
  }
#else
  /* With AVX2 instructions are short before multipliers are, too, above all while a neighbour uses the same core. */
  if (VW == 8 && is_large && terms.step == 1 && terms.run % 4 == 0 && panel_stride == vectors * VW) {
    while (k < count) {
      ptrdiff_t offset = terms.offsets[k], end = offset + terms.run;
      k += terms.run;
      for (; offset < end; offset += 4, panel += 4 * vectors * VW) {
        if (ahead.stride != 0) {
          UNROLL for (int u = 0; u < 4; u++) fetch_line(vectors, &ahead);
        }
        UNROLL for (int u = 0; u < 4; u++) {
          broadcast_term(rows, vectors, p, offset + u, panel + u * vectors * VW, sum);
        }
      }
    }
  } else if (VW == 8 && is_large && is_column && ahead.stride == 0) {
    while (k < count) {
      const float *first = p[0] + terms.offsets[k];
      k += terms.run;
      int32_t left = terms.run;
      for (; left > 3; left -= 4) {
        UNROLL for (int u = 0; u < 4; u++, first += terms.step, panel += panel_stride) {
          broadcast_column(rows, vectors, first, panel, sum);
        }
      }
      for (; left > 0; left--, first += terms.step, panel += panel_stride) {
        broadcast_column(rows, vectors, first, panel, sum);
      }
    }
  }
  for (; k < count; k++, panel += panel_stride) {
    fetch_line(vectors, &ahead);
    broadcast_term(rows, vectors, p, terms.offsets[k], panel, sum);
  }
#endif
  UNROLL for (int i = 0; i < rows; i++) {
    float *to = out[i] + column;
    UNROLL for (int j = 0; j < vectors; j++) keep(to + j * VW, sum[i][j], add);
  }
}

#ifndef __wasm__
/* The same where terms lie side by side, rows equally far apart, and the panel's vectors one after the other. */
INLINE void rows_tile(const int rows, const int vectors, const float *x, ptrdiff_t x_next, int32_t count,
                      const float *panel, float *out, ptrdiff_t out_next, int32_t add, const Ahead *ahead) {
  const float *p[MAX_ROWS], *line = ahead->line;
  ptrdiff_t stride = ahead->stride;
  vf sum[MAX_ROWS][PANEL_VECTORS];
  UNROLL for (int i = 0; i < rows; i++) {
    p[i] = x + i * x_next;
    UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = (vf){};
  }
  ptrdiff_t k = 0;
  for (; k < count - 3; k += 4, panel += 4 * vectors * VW) {
    if (stride != 0) {
      Ahead next = {line, stride};
      UNROLL for (int u = 0; u < 4; u++) fetch_line(vectors, &next);
      line = next.line;
    }
    UNROLL for (int u = 0; u < 4; u++) broadcast_term(rows, vectors, p, k + u, panel + u * vectors * VW, sum);
  }
  for (; k < count; k++, panel += vectors * VW) broadcast_term(rows, vectors, p, k, panel, sum);
  UNROLL for (int i = 0; i < rows; i++, out += out_next) {
    UNROLL for (int j = 0; j < vectors; j++) keep(out + j * VW, sum[i][j], add);
  }
}
#endif

/* Repeated for `lines` lines, x_pitch and out_pitch apart. */
INLINE void lane_tile(const int rows, const int vectors, const float *factors, const float *x, const int32_t *offsets,
                      int32_t count, float *out, ptrdiff_t out_stride, int32_t lines, ptrdiff_t x_pitch,
                      ptrdiff_t out_pitch, int32_t add) {
  for (int32_t line = 0; line < lines; line++) {
    const float *f = factors;
    vf sum[MAX_LANE_ROWS][4];
    UNROLL for (int i = 0; i < rows; i++) {
      UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = (vf){};
    }
    for (int32_t k = 0; k < count; k++) {
      const float *p = x + offsets[k];
      vf b[4];
      UNROLL for (int j = 0; j < vectors; j++) b[j] = load(p + j * VW);
      UNROLL for (int i = 0; i < rows; i++) {
        vf a = splat(f[i]);
        UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = fma_(a, b[j], sum[i][j]);
      }
      f += rows;
    }
    UNROLL for (int i = 0; i < rows; i++) {
      UNROLL for (int j = 0; j < vectors; j++) keep(out + i * out_stride + j * VW, sum[i][j], add);
    }
    x += x_pitch;
    out += out_pitch;
  }
}

/*
 * Operands are `lines` lines of `count` floats, a multiple of VW, that follow each other at a_pitch and b_pitch. Sums are
 * left as vectors; sum_lanes() folds them.
 */
INLINE void dot_tile(const int rows, const int vectors, const float *const *a, const float *const *b, int32_t count,
                     int32_t lines, ptrdiff_t a_pitch, ptrdiff_t b_pitch, float *out, ptrdiff_t out_stride,
                     int32_t add) {
  const float *p[MAX_LANE_ROWS], *q[MAX_DOT_VECTORS];
  vf sum[MAX_LANE_ROWS][MAX_DOT_VECTORS];
  UNROLL for (int j = 0; j < vectors; j++) q[j] = b[j];
  UNROLL for (int i = 0; i < rows; i++) {
    p[i] = a[i];
    UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = (vf){};
  }
  for (int32_t line = 0; line < lines; line++) {
    for (ptrdiff_t k = 0; k < count; k += VW) {
      vf y[MAX_DOT_VECTORS];
      UNROLL for (int j = 0; j < vectors; j++) y[j] = load(q[j] + k);
      UNROLL for (int i = 0; i < rows; i++) {
        vf x = load(p[i] + k);
        UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = fma_(x, y[j], sum[i][j]);
      }
    }
    UNROLL for (int i = 0; i < rows; i++) p[i] += a_pitch;
    UNROLL for (int j = 0; j < vectors; j++) q[j] += b_pitch;
  }
  UNROLL for (int i = 0; i < rows; i++) {
    UNROLL for (int j = 0; j < vectors; j++) keep(out + i * out_stride + j * VW, sum[i][j], add);
  }
}

/* One function for every shape, and tables to choose from: [vectors - 1][rows - 1]. */
typedef void (*BroadcastTile)(const float *const *x, Terms terms, int32_t count, const float *panel,
                              ptrdiff_t panel_stride, int32_t vectors, float *const *out, int32_t add, Ahead ahead);
typedef void (*LaneTile)(const float *factors, const float *x, const int32_t *offsets, int32_t count, float *out,
                         ptrdiff_t out_stride, int32_t lines, ptrdiff_t x_pitch, ptrdiff_t out_pitch, int32_t add);
typedef void (*DotTile)(const float *const *a, const float *const *b, int32_t count, int32_t lines, ptrdiff_t a_pitch,
                        ptrdiff_t b_pitch, float *out, ptrdiff_t out_stride, int32_t add);

#define DEFINE_BROADCAST(r, v)                                                                                       \
  NOINLINE void broadcast_##r##_##v(const float *const *x, Terms terms, int32_t count, const float *panel,           \
                                    ptrdiff_t panel_stride, int32_t vectors, float *const *out, int32_t add,         \
                                    Ahead ahead) {                                                                   \
    int32_t j = 0;                                                                                                   \
    for (; j + v <= (BROADCAST_PASSES ? vectors : v); j += v) {                                                      \
      broadcast_tile(r, v, x, terms, count, panel + j * VW, panel_stride, out, j * VW, add, ahead);                  \
    }                                                                                                                \
    if (BROADCAST_PASSES && j < vectors) {                                                                           \
      broadcast_tile(r, 1, x, terms, count, panel + j * VW, panel_stride, out, j * VW, add, ahead);                  \
    }                                                                                                                \
  }
#ifndef __wasm__
typedef void (*RowsTile)(const float *x, ptrdiff_t x_next, int32_t count, const float *panel, float *out,
                         ptrdiff_t out_next, int32_t add, const Ahead *ahead);
#define DEFINE_ROWS(r, v)                                                                                            \
  NOINLINE void rows_##r##_##v(const float *x, ptrdiff_t x_next, int32_t count, const float *panel, float *out,      \
                               ptrdiff_t out_next, int32_t add, const Ahead *ahead) {                                \
    rows_tile(r, v, x, x_next, count, panel, out, out_next, add, ahead);                                             \
  }
#define ROWS_ENTRY(r, v) [v - 1][r - 1] = rows_##r##_##v,
BROADCAST_TILES(DEFINE_ROWS)
static const RowsTile rows_tiles[PANEL_VECTORS][MAX_ROWS] = {BROADCAST_TILES(ROWS_ENTRY)};
#endif
#define DEFINE_LANE(r, v)                                                                                            \
  NOINLINE void lane_##r##_##v(const float *factors, const float *x, const int32_t *offsets, int32_t count,          \
                               float *out, ptrdiff_t out_stride, int32_t lines, ptrdiff_t x_pitch,                   \
                               ptrdiff_t out_pitch, int32_t add) {                                                   \
    lane_tile(r, v, factors, x, offsets, count, out, out_stride, lines, x_pitch, out_pitch, add);                    \
  }
#define DEFINE_DOT(r, v)                                                                                             \
  NOINLINE void dot_##r##_##v(const float *const *a, const float *const *b, int32_t count, int32_t lines,            \
                              ptrdiff_t a_pitch, ptrdiff_t b_pitch, float *out, ptrdiff_t out_stride, int32_t add) { \
    dot_tile(r, v, a, b, count, lines, a_pitch, b_pitch, out, out_stride, add);                                      \
  }
#define BROADCAST_ENTRY(r, v) [v - 1][r - 1] = broadcast_##r##_##v,
#define LANE_ENTRY(r, v) [v - 1][r - 1] = lane_##r##_##v,
#define DOT_ENTRY(r, v) [v - 1][r - 1] = dot_##r##_##v,

BROADCAST_TILES(DEFINE_BROADCAST)
LANE_TILES(DEFINE_LANE)
LANE_TILES(DEFINE_DOT)
#ifdef __wasm__
/* Pages of 4 KB, and nothing fetched ahead: the more rows are read at once, the more of memory's delays overlap. */
#define DOT_LINE 8
DEFINE_DOT(1, 8)
static const DotTile dot_line = dot_1_8;
#else
#define DOT_LINE 4
static const DotTile dot_line = dot_1_4;
#endif
#if BROADCAST_PASSES
#define BROADCAST_PASS(r, v) broadcast_##r##_##v,
#define BROADCAST_ROWS {BROADCAST_TILES(BROADCAST_PASS)}
static const BroadcastTile broadcast_tiles[PANEL_VECTORS][MAX_ROWS] = {BROADCAST_ROWS, BROADCAST_ROWS, BROADCAST_ROWS,
                                                                           BROADCAST_ROWS};
#else
static const BroadcastTile broadcast_tiles[PANEL_VECTORS][MAX_ROWS] = {BROADCAST_TILES(BROADCAST_ENTRY)};
#endif

/*
 * One of these for rows that lie equally far apart, of terms side by side. Natively it has tiles of its own, which spend less on
 * starting: a sum of 64 terms is but 400 cycles.
 */
INLINE void multiply_rows(int32_t rows, int32_t vectors, const float *x, ptrdiff_t x_next, int32_t count,
                          const float *panel, float *out, ptrdiff_t out_next, int32_t add, Ahead ahead) {
#ifdef __wasm__
  static const int32_t first = 0;
  const float *from[MAX_ROWS];
  float *to[MAX_ROWS];
  for (int32_t i = 0; i < rows; i++, x += x_next, out += out_next) {
    from[i] = x;
    to[i] = out;
  }
  broadcast_tiles[vectors - 1][rows - 1](from, (Terms){&first, count, 1}, count, panel, vectors * VW, vectors, to, add,
                                         ahead);
#else
  rows_tiles[vectors - 1][rows - 1](x, x_next, count, panel, out, out_next, add, &ahead);
#endif
}

static const LaneTile lane_tiles[4][MAX_LANE_ROWS] = {LANE_TILES(LANE_ENTRY)};
static const DotTile dot_tiles[4][MAX_LANE_ROWS] = {LANE_TILES(DOT_ENTRY)};

/* The sum of a vector's lanes, always in the same order. */
INLINE float sum_lanes(const float *lanes) {
  float sum[VW];
  __builtin_memcpy(sum, lanes, sizeof sum);
  for (int width = VW / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) sum[i] += sum[i + width];
  }
  return sum[0];
}

/* Part `index` of `count` things in `parts` parts whose sizes differ by at most one: where it begins. */
INLINE int32_t part_begin(int32_t count, int32_t parts, int32_t index) {
  return (int32_t)((int64_t)count * index / parts);
}

/* The sizes of such parts one after the other, with a single division. */
typedef struct {
  int32_t size, rest, parts, carry;
} Parts;

INLINE Parts cut(int32_t count, int32_t parts) { return (Parts){count / parts, count % parts, parts, 0}; }

INLINE int32_t next_part(Parts *p) {
  p->carry += p->rest;
  if (p->carry < p->parts) return p->size;
  p->carry -= p->parts;
  return p->size + 1;
}

#endif
