/*
 * Haloed planes: copies of input planes with their borders filled in, so that loops over windows need no bounds.
 *
 * Rows and columns are dealt out by their remainder under the window's stride, which puts the elements that
 * neighbouring windows read side by side: windows of any stride read consecutive floats.
 */
#ifndef FOVEA_HALO_H
#define FOVEA_HALO_H

#include "panels.h"

/*
 * One axis of a halo. Window g reads source positions stride · (start + g) + origin + t for taps t in 0 … span-1. Halo
 * element (r, j), r < residues, j < length, holds position stride · (start + j) + origin + r.
 */
typedef struct {
  int32_t size; /* of the source */
  int32_t stride;
  int32_t origin;
  int32_t residues; /* min(stride, span) */
  int32_t extra;    /* (span - 1) / stride: elements beyond the number of windows */
} HaloAxis;

INLINE HaloAxis halo_axis(int32_t size, int32_t stride, int32_t origin, int32_t span) {
  return (HaloAxis){size, stride, origin, min_int(stride, span), (span - 1) / stride};
}

/* Planes lie `plane` floats apart: [row residue][column residue][rows][columns]. */
typedef struct {
  HaloAxis y, x;
  int32_t rows, columns;
} Halo;

INLINE int32_t halo_plane(const Halo *halo) {
  return halo->y.residues * halo->x.residues * halo->rows * halo->columns;
}

/* Where window 0 finds the tap (y, x). */
INLINE int32_t halo_offset(const Halo *halo, int32_t y, int32_t x) {
  int32_t block = y % halo->y.stride * halo->x.residues + x % halo->x.stride;
  return (block * halo->rows + y / halo->y.stride) * halo->columns + x / halo->x.stride;
}

INLINE void fill(float *p, int32_t count, float value) {
  for (int32_t i = 0; i < count; i++) p[i] = value;
}

/* Whole vectors: up to VW-1 floats too many. The first on its own: compilers make a call to memset of the loop. */
INLINE void fill_loose(float *p, int32_t count, vf value) {
  if (count <= 0) return;
  store(p, value);
  for (int32_t i = VW; i < count; i += VW) store(p + i, value);
}

#if VW == 4
#define EVEN_LANES 0, 2, 4, 6
#elif VW == 8
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14
#else
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#endif

/* Every stride-th of the elements from source[0] on. */
INLINE void copy_strided(float *target, const float *source, int32_t count, int32_t stride) {
  int32_t i = 0;
  if (stride == 1) {
    copy_floats(target, source, count);
    return;
  }
  if (stride == 2) {
    for (; i + VW < count; i += VW) {
      store(target + i, SHUFFLE(load(source + 2 * i), load(source + 2 * i + VW), EVEN_LANES));
    }
  }
  for (; i < count; i++) target[i] = source[(ptrdiff_t)i * stride];
}

/* The same in whole vectors: up to VW-1 elements more are written, and up to stride · VW read. */
INLINE void copy_loose(float *target, const float *source, int32_t count, int32_t stride) {
  if (stride == 1) {
    for (int32_t i = 0; i < count; i += VW) store(target + i, load(source + i));
  } else if (stride == 2) {
    for (int32_t i = 0; i < count; i += VW) {
      store(target + i, SHUFFLE(load(source + 2 * i), load(source + 2 * i + VW), EVEN_LANES));
    }
  } else {
    copy_strided(target, source, count, stride);
  }
}

/*
 * Fills a halo from the plane at `source` for windows that start at (start_y, start_x). `end` is where the tensor ends
 * that the plane belongs to. Rows may be written too long, over what is filled next: up to VW floats after the plane.
 * Rows outside the source are left as they are unless `complete`.
 */
static void fill_halo(const Halo *halo, const float *source, const float *end, int32_t start_y, int32_t start_x,
                      float border, int32_t complete, float *target) {
  int32_t columns = halo->columns, width = halo->x.size, stride = halo->x.stride;
  for (int32_t ry = 0; ry < halo->y.residues; ry++) {
    for (int32_t rx = 0; rx < halo->x.residues; rx++) {
      int32_t x = stride * start_x + halo->x.origin + rx;
      int32_t before = x < 0 ? min_int(ceil_div(-x, stride), columns) : 0;
      int32_t inside = x + before * stride < width ? (width - 1 - x) / stride + 1 - before : 0;
      if (inside > columns - before) inside = columns - before;
      int32_t after = columns - before - inside, reach = (inside + VW) * stride;
      for (int32_t j = 0; j < halo->rows; j++, target += columns) {
        int32_t y = halo->y.stride * (start_y + j) + halo->y.origin + ry;
        if (y < 0 || y >= halo->y.size) {
          if (complete) fill_loose(target, columns, splat(border));
          continue;
        }
        const float *from = source + (ptrdiff_t)y * width + x + before * stride;
        fill_loose(target, before, splat(border));
        if (end - from >= reach) {
          copy_loose(target + before, from, inside, stride);
        } else {
          copy_strided(target + before, from, inside, stride);
        }
        fill_loose(target + before + inside, after, splat(border));
      }
    }
  }
}

#endif
