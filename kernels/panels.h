/*
 * Panels: operands rearranged so that a tile reads them front to back. A panel is a matrix whose rows are vectors of
 * lanes; packing one from rows that lie along memory, and storing one back into such rows, is a transposition.
 */
#ifndef FOVEA_PANELS_H
#define FOVEA_PANELS_H

#include "tiles.h"

#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

/*
 * Transpositions work on square blocks of BLOCK floats a side: interleaving lanes, then pairs, then blocks of four. Eight
 * are enough: with sixteen rows at a time memory keeps up less well.
 */
#define BLOCK (VW < 8 ? VW : 8)
typedef float Row __attribute__((vector_size(4 * BLOCK)));
typedef float Row_any __attribute__((vector_size(4 * BLOCK), aligned(4), may_alias));

#if VW == 4
#define LANES_LOW 0, 4, 1, 5
#define LANES_HIGH 2, 6, 3, 7
#define PAIRS_LOW 0, 1, 4, 5
#define PAIRS_HIGH 2, 3, 6, 7
#else
#define LANES_LOW 0, 8, 1, 9, 4, 12, 5, 13
#define LANES_HIGH 2, 10, 3, 11, 6, 14, 7, 15
#define PAIRS_LOW 0, 1, 8, 9, 4, 5, 12, 13
#define PAIRS_HIGH 2, 3, 10, 11, 6, 7, 14, 15
#define FOURS_LOW 0, 1, 2, 3, 8, 9, 10, 11
#define FOURS_HIGH 4, 5, 6, 7, 12, 13, 14, 15
#endif

INLINE Row load_row(const float *p) { return *(const Row_any *)p; }
INLINE void store_row(float *p, Row v) { *(Row_any *)p = v; }

INLINE void transpose(Row *r) {
  Row t[BLOCK];
  UNROLL for (int i = 0; i < BLOCK; i += 4) {
    Row a = SHUFFLE(r[i], r[i + 1], LANES_LOW), b = SHUFFLE(r[i], r[i + 1], LANES_HIGH);
    Row c = SHUFFLE(r[i + 2], r[i + 3], LANES_LOW), d = SHUFFLE(r[i + 2], r[i + 3], LANES_HIGH);
    t[i] = SHUFFLE(a, c, PAIRS_LOW);
    t[i + 1] = SHUFFLE(a, c, PAIRS_HIGH);
    t[i + 2] = SHUFFLE(b, d, PAIRS_LOW);
    t[i + 3] = SHUFFLE(b, d, PAIRS_HIGH);
  }
#if VW == 4
  UNROLL for (int i = 0; i < 4; i++) r[i] = t[i];
#else
  UNROLL for (int i = 0; i < 4; i++) {
    r[i] = SHUFFLE(t[i], t[i + 4], FOURS_LOW);
    r[i + 4] = SHUFFLE(t[i], t[i + 4], FOURS_HIGH);
  }
#endif
}

/* The first n floats at p; zeros in the other lanes. */
INLINE Row load_row_part(const float *p, int32_t n) {
  float lanes[BLOCK] = {0};
  for (int32_t i = 0; i < n; i++) lanes[i] = p[i];
  return load_row(lanes);
}

INLINE void store_row_part(float *p, Row v, int32_t n) {
  float lanes[BLOCK];
  store_row(lanes, v);
  for (int32_t i = 0; i < n; i++) p[i] = lanes[i];
}

/* The same for vectors. */
INLINE vf load_part(const float *p, int32_t n) {
  float lanes[VW] = {0};
  for (int32_t i = 0; i < n; i++) lanes[i] = p[i];
  return load(lanes);
}

INLINE void store_part(float *p, vf v, int32_t n) {
  float lanes[VW];
  store(lanes, v);
  for (int32_t i = 0; i < n; i++) p[i] = lanes[i];
}

/* Copies whole vectors, the last of them overlapping if need be. */
INLINE void copy_floats(float *target, const float *source, int32_t count) {
  int32_t i = 0;
  for (; i + VW <= count; i += VW) store(target + i, load(source + i));
  if (i < count && count > VW) {
    store(target + count - VW, load(source + count - VW));
  } else {
    for (; i < count; i++) target[i] = source[i];
  }
}

/*
 * Floats of a row, and of what mostly follows it, that are fetched before they are needed: processors do not follow as many
 * rows on their own.
 */
#define PACK_AHEAD 64

/*
 * Packs `lanes` rows of `count` floats, `stride` apart, as a panel of `count` rows of `vectors` vectors: column k goes
 * to panel row positions[k] (k, if there are none). Missing lanes become zeros. Reads stay below `end`.
 */
static void pack_columns(const float *source, ptrdiff_t stride, int32_t lanes, int32_t count, const float *end,
                         float *panel, int32_t vectors, const int32_t *positions) {
  ptrdiff_t width = (ptrdiff_t)vectors * VW;
  /* Two blocks of a row are a line of the cache; panel rows are filled while they are in it. */
  for (int32_t begin = 0; begin < count; begin += 2 * BLOCK) {
    for (int32_t lane = 0; lane < width; lane += BLOCK) {
      int32_t rows = min_int(lanes - lane, BLOCK);
      for (int32_t i = 0; i < BLOCK && count >= PACK_AHEAD; i++) {
        __builtin_prefetch(source + (lane + i) * stride + begin + PACK_AHEAD, 0, 2);
      }
      for (int32_t k = begin; k < min_int(count, begin + 2 * BLOCK); k += BLOCK) {
        int32_t n = min_int(count - k, BLOCK);
        const float *p = source + lane * stride + k;
        if (n <= 2) {
          for (int32_t i = 0; i < n; i++) {
            float *to = panel + (positions == NULL ? k + i : positions[k + i]) * width + lane;
            for (int32_t j = 0; j < BLOCK; j++) to[j] = j < rows ? p[j * stride + i] : 0;
          }
          continue;
        }
        Row r[BLOCK];
        if (rows == BLOCK && end - (p + (BLOCK - 1) * stride) >= BLOCK) {
          UNROLL for (int i = 0; i < BLOCK; i++) r[i] = load_row(p + i * stride);
        } else {
          UNROLL for (int i = 0; i < BLOCK; i++) r[i] = i < rows ? load_row_part(p + i * stride, n) : (Row){};
        }
        transpose(r);
        float *target = panel + lane;
        UNROLL for (int i = 0; i < BLOCK; i++) {
          if (i < n) store_row(target + (positions == NULL ? k + i : positions[k + i]) * width, r[i]);
        }
      }
    }
  }
}

/* Packs `count` rows of `lanes` floats, `stride` apart, as a panel of rows of `vectors` vectors. */
static void pack_rows(const float *source, ptrdiff_t stride, int32_t lanes, int32_t count, float *panel,
                      int32_t vectors) {
  for (int32_t k = 0; k < count; k++) {
    for (int32_t j = 0; j < vectors; j++) {
      int32_t n = lanes - j * VW;
      store(panel, n >= VW ? load(source + j * VW) : load_part(source + j * VW, n));
      panel += VW;
    }
    source += stride;
  }
}

/* Stores the first `lanes` columns of a panel of `count` rows as rows of `count` floats, `stride` apart. */
NOINLINE void store_columns(const float *panel, int32_t vectors, int32_t lanes, int32_t count, float *target,
                            ptrdiff_t stride) {
  ptrdiff_t width = (ptrdiff_t)vectors * VW;
  for (int32_t lane = 0; lane < lanes; lane += BLOCK) {
    int32_t rows = min_int(lanes - lane, BLOCK);
    for (int32_t k = 0; k < count; k += BLOCK) {
      /* The last block overlaps the one before it. */
      int32_t n = min_int(count, BLOCK), first = min_int(k, count - n);
      Row r[BLOCK];
      UNROLL for (int i = 0; i < BLOCK; i++) r[i] = i < n ? load_row(panel + (first + i) * width + lane) : (Row){};
      transpose(r);
      float *p = target + lane * stride + first;
      if (n == BLOCK) {
        UNROLL for (int i = 0; i < BLOCK; i++) {
          if (i < rows) store_row(p + i * stride, r[i]);
        }
      } else {
        UNROLL for (int i = 0; i < BLOCK; i++) {
          if (i < rows) store_row_part(p + i * stride, r[i], n);
        }
      }
    }
  }
}

#endif
