/*
 * Pooling. A unit of work is a band of rows of one plane. Windows without a border that are one or two elements apart
 * are read in place; others from a copy (halo.h) in which the same elements of all windows are consecutive.
 */
#include "pooling.h"
#include "vector_math.h"

typedef struct {
  const PoolStep *step;
  Halo halo;
  int32_t taps;
  int32_t uniform;        /* every window counts `taps` elements */
  int32_t squares;        /* windows are 2×2 neighbours, two apart */
  int32_t *halo_offsets;  /* of each tap from its window, in the halo */
  int32_t *input_offsets; /* in the input */
  float *counts;          /* elements that windows count along a row */
  float *haloed;
} Pool;

/* Rows of windows: in row y, tap t of window i is x[y · pitch + offsets[t] + i · stride]. */
typedef struct {
  const float *x;
  ptrdiff_t pitch;
  const int32_t *offsets;
  int32_t first, rows, count; /* the first row's number; how many rows of how many windows */
  float *out;
  const float *limit;
} Windows;

static Pool plan_pool(const Context *context, const PoolStep *step) {
  Pool p = {.step = step, .taps = step->kernel[0] * step->kernel[1], .uniform = 1};
  HaloAxis axes[2];
  for (int32_t i = 0; i < 2; i++) {
    axes[i] = halo_axis(step->input_size[i], step->stride[i], -step->padding[2 * i],
                        (step->kernel[i] - 1) * step->dilation[i] + 1);
    for (int32_t g = 0; g < step->output_size[i]; g++) p.uniform &= COUNTED(step, i, g) == step->kernel[i];
  }
  p.squares = 1;
  for (int32_t i = 0; i < 2; i++) p.squares &= step->kernel[i] == 2 && step->stride[i] == 2 && step->dilation[i] == 1;
  p.halo = (Halo){axes[0], axes[1], step->halo_size[0], step->halo_size[1]};
  float *memory = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  p.haloed = memory;
  p.halo_offsets = (int32_t *)(memory + step->tables_at);
  p.input_offsets = p.halo_offsets + p.taps;
  p.counts = memory + step->counts_at;
  for (int32_t t = 0; t < p.taps; t++) {
    int32_t y = t / step->kernel[1] * step->dilation[0], x = t % step->kernel[1] * step->dilation[1];
    p.halo_offsets[t] = halo_offset(&p.halo, y, x);
    p.input_offsets[t] = (y - step->padding[0]) * step->input_size[1] + x - step->padding[2];
  }
  for (int32_t x = 0; x < step->output_size[1]; x++) p.counts[x] = (float)COUNTED(step, 1, x);
  return p;
}

INLINE int32_t any_negative(vi v) {
  int32_t lanes[VW], any = 0;
  store_int(lanes, v);
  for (int32_t i = 0; i < VW; i++) any |= lanes[i];
  return any < 0;
}

INLINE vf load_windows(const float *x, const int stride) {
  return stride == 1 ? load(x) : SHUFFLE(load(x), load(x + VW), EVEN_LANES);
}

INLINE void pool_maxima(const Windows *w, const int taps, const int stride) {
  for (int32_t y = 0; y < w->rows; y++) {
    for (int32_t i = 0; i < w->count; i += VW) {
      const float *x = w->x + y * w->pitch + (ptrdiff_t)i * stride;
      vf best = splat(-__builtin_inff());
      vi unordered = {0};
      for (int32_t t = 0; t < taps; t++) {
        vf v = load_windows(x + w->offsets[t], stride);
        best = larger(v, best);
        unordered |= v != v;
      }
      best = select_(unordered, splat(__builtin_nanf("")), best);
      store_ahead(w->out + y * w->count + i, best, w->count - i, w->limit);
    }
  }
}

INLINE void pool_averages(const Pool *p, const Windows *w, const int taps, const int stride) {
  /* The same as dividing, where it is exact. */
  int32_t factor = (taps & (taps - 1)) == 0;
  vf part = splat(1.0f / (float)taps);
  for (int32_t y = 0; y < w->rows; y++) {
    float rows = p->uniform ? (float)taps : (float)COUNTED(p->step, 0, w->first + y);
    for (int32_t i = 0; i < w->count; i += VW) {
      const float *x = w->x + y * w->pitch + (ptrdiff_t)i * stride;
      vf sum = {0};
      for (int32_t t = 0; t < taps; t++) sum += load_windows(x + w->offsets[t], stride);
      if (p->uniform) {
        sum = factor ? sum * part : sum / splat(rows);
      } else {
        vf count = splat(rows) * load(p->counts + i);
        sum = select_(count == 0, (vf){0}, sum / count);
      }
      store_ahead(w->out + y * w->count + i, sum, w->count - i, w->limit);
    }
  }
}

/* A window of nothing but -infinity is won by its first element on the plane, if it has one. */
static int32_t first_in_window(const Pool *p, int32_t y, int32_t x) {
  const PoolStep *step = p->step;
  for (int32_t t = 0; t < p->taps; t++) {
    int32_t at_y = y * step->stride[0] + t / step->kernel[1] * step->dilation[0] - step->padding[0];
    int32_t at_x = x * step->stride[1] + t % step->kernel[1] * step->dilation[1] - step->padding[2];
    if (at_y >= 0 && at_y < step->input_size[0] && at_x >= 0 && at_x < step->input_size[1]) {
      return at_y * step->input_size[1] + at_x;
    }
  }
  return -1;
}

static void replace_missing(const Pool *p, const Windows *w) {
  int32_t *index = (int32_t *)w->out;
  for (int32_t y = 0; y < w->rows; y++) {
    for (int32_t x = 0; x < w->count; x++, index++) {
      if (*index < 0) *index = first_in_window(p, w->first + y, x);
    }
  }
}

INLINE void pool_indices(const Pool *p, const Windows *w, const int taps, const int stride) {
  const PoolStep *step = p->step;
  vi lane, missing = {0};
  for (int32_t i = 0; i < VW; i++) lane[i] = i * step->stride[1];
  for (int32_t y = 0; y < w->rows; y++) {
    vi first = lane + (w->first + y) * step->stride[0] * step->input_size[1];
    for (int32_t i = 0; i < w->count; i += VW) {
      const float *x = w->x + y * w->pitch + (ptrdiff_t)i * stride;
      vf best = splat(-__builtin_inff());
      vi index = splat_int(-1);
      for (int32_t t = 0; t < taps; t++) {
        vf v = load_windows(x + w->offsets[t], stride);
        vi better = (v > best) | (v != v);
        best = select_(better, v, best);
        index = select_int(better, first + p->input_offsets[t], index);
      }
      store_ahead(w->out + y * w->count + i, (vf)index, w->count - i, w->limit);
      missing |= index;
      first += VW * step->stride[1];
    }
  }
  if (any_negative(missing)) replace_missing(p, w);
}

/* The even and the odd lanes of two vectors, in an order that PAIRS_IN_ORDER puts right. */
#if VW == 8
#define FIRST_OF_PAIRS 0, 2, 8, 10, 4, 6, 12, 14
#define SECOND_OF_PAIRS 1, 3, 9, 11, 5, 7, 13, 15
#define PAIRS_IN_ORDER 0, 1, 4, 5, 2, 3, 6, 7
#elif VW == 4
#define FIRST_OF_PAIRS 0, 2, 4, 6
#define SECOND_OF_PAIRS 1, 3, 5, 7
#define PAIRS_IN_ORDER 0, 1, 2, 3
#else
#define FIRST_OF_PAIRS 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define SECOND_OF_PAIRS 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define PAIRS_IN_ORDER 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#endif

INLINE vf join(vf a, vf b, const int kind) { return kind == POOL_MAXIMUM ? maximum_(a, b) : a + b; }

/* Windows of 2×2: rows are joined before neighbours, so that in place half as many need to be put side by side. */
INLINE void pool_squares(const Windows *w, const int kind, const int stride) {
  for (int32_t y = 0; y < w->rows; y++) {
    const float *x = w->x + y * w->pitch;
    float *out = w->out + y * w->count;
    for (int32_t i = 0; i < w->count; i += VW, x += stride * VW) {
      const float *below = x + w->offsets[2], *right = stride == 1 ? x + w->offsets[1] : x + VW;
      vf a = join(load(x), load(below), kind), b = join(load(right), load(below + (right - x)), kind), v;
      if (stride == 1) {
        v = join(a, b, kind);
      } else {
        v = join(SHUFFLE(a, b, FIRST_OF_PAIRS), SHUFFLE(a, b, SECOND_OF_PAIRS), kind);
        v = SHUFFLE(v, v, PAIRS_IN_ORDER);
      }
      store_ahead(out + i, kind == POOL_AVERAGE ? v * splat(0.25f) : v, w->count - i, w->limit);
    }
  }
}

INLINE void pool_taps(const Pool *p, const Windows *w, const int taps, const int stride) {
  if (p->step->kind == POOL_MAXIMUM) pool_maxima(w, taps, stride);
  if (p->step->kind == POOL_INDICES) pool_indices(p, w, taps, stride);
  if (p->step->kind == POOL_AVERAGE) pool_averages(p, w, taps, stride);
}

static void pool_windows(const Pool *p, const Windows *w, int32_t stride) {
  int32_t kind = p->squares ? p->step->kind : POOL_INDICES;
  if (kind == POOL_MAXIMUM) {
    stride == 1 ? pool_squares(w, POOL_MAXIMUM, 1) : pool_squares(w, POOL_MAXIMUM, 2);
  } else if (kind == POOL_AVERAGE && p->uniform) {
    stride == 1 ? pool_squares(w, POOL_AVERAGE, 1) : pool_squares(w, POOL_AVERAGE, 2);
  } else if (stride == 1) {
    pool_taps(p, w, p->taps, 1);
  } else {
    pool_taps(p, w, p->taps, 2);
  }
}

/* Rows first … first+rows-1 of the plane at `plane`; the input ends at `end`. */
static void pool_band(const Pool *p, const float *plane, const float *end, int32_t first, int32_t rows, float *out,
                      const float *limit) {
  const PoolStep *step = p->step;
  int32_t width = step->output_size[1], stride = step->stride[1];
  ptrdiff_t next_row = (ptrdiff_t)step->stride[0] * step->input_size[1];
  const float *x = plane + first * next_row;
  const float *last = x + (rows - 1) * next_row + p->input_offsets[p->taps - 1];
  if (step->in_place && end - last >= (width + VW) * stride) {
    Windows w = {x, next_row, p->input_offsets, first, rows, width, out, limit};
    pool_windows(p, &w, stride);
    return;
  }
  fill_halo(&p->halo, plane, end, first, 0, step->kind == POOL_AVERAGE ? 0 : -__builtin_inff(), 1, p->haloed);
  Windows w = {p->haloed, p->halo.columns, p->halo_offsets, first, rows, width, out, limit};
  /* Where rows of windows follow each other without gaps they are one row. */
  if (w.pitch == width && (step->kind == POOL_MAXIMUM || (step->kind == POOL_AVERAGE && p->uniform))) {
    w.rows = 1;
    w.count = rows * width;
  }
  pool_windows(p, &w, 1);
}

/* One window that covers its plane. */
static float plane_average(const float *plane, int32_t count) {
  vf sum = {0};
  int32_t i = 0;
  for (; i + VW <= count; i += VW) sum += load(plane + i);
  sum += load_part(plane + i, count - i);
  float lanes[VW];
  store(lanes, sum);
  return sum_lanes(lanes) / (float)count;
}

/* `planes` of the input may be read. */
static void pool_units(const Context *context, const Pool *p, Range range, int32_t planes) {
  const PoolStep *step = p->step;
  const float *input = floats(context, step->input);
  float *output = floats(context, step->output);
  int32_t height = step->output_size[0], width = step->output_size[1];
  ptrdiff_t input_plane = (ptrdiff_t)step->input_size[0] * step->input_size[1];
  const float *end = input + planes * input_plane;
  int32_t whole = step->kind == POOL_AVERAGE && height * width == 1;
  for (int32_t i = 0; i < 2; i++) whole &= COVERED(step, i);
#define BAND_BEGIN(u) ((u) / step->bands * height * width + part_begin(height, step->bands, (u) % step->bands) * width)
  const float *limit = output + BAND_BEGIN(range.end);
  int32_t done = BAND_BEGIN(range.begin);
  for (int32_t u = range.begin; u < range.end; u++) {
    const float *plane = input + u / step->bands * input_plane;
    int32_t first = part_begin(height, step->bands, u % step->bands);
    int32_t rows = part_begin(height, step->bands, u % step->bands + 1) - first;
    float *out = output + BAND_BEGIN(u);
    if (whole) {
      *out = plane_average(plane, p->taps);
    } else {
      pool_band(p, plane, end, first, rows, out, limit);
    }
    done = finish_planes(context, step->epilogue, done, BAND_BEGIN(u + 1), u + 1 == range.end);
  }
#undef BAND_BEGIN
}

static void kernel_pool(const Context *context, const PoolStep *step) {
  int32_t units = step->planes * step->bands;
  Range range = first_share(context, units);
  if (range.begin == range.end) return;
  Pool p = plan_pool(context, step);
  for (; range.begin < range.end; range = next_share(context, units)) {
    pool_units(context, &p, range, step->planes);
  }
}

/* Behind these planes somebody else may be writing. */
static void pool_planes(const Context *context, const PoolStep *step, Range planes) {
  Pool p = plan_pool(context, step);
  pool_units(context, &p, (Range){planes.begin * step->bands, planes.end * step->bands}, planes.end);
}
