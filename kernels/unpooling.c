/*
 * The way back from pooling: the average's input gradient, and moving values within planes.
 *
 * Each input element collects, from all windows that cover it, the upstream gradient divided by the window's count. The
 * windows in which it finds them are those of a convolution's input gradient (windows.h).
 */
#include "pooling.h"

#if VW == 4
#define DOUBLED_LOW 0, 0, 1, 1
#define DOUBLED_HIGH 2, 2, 3, 3
#elif VW == 8
#define DOUBLED_LOW 0, 0, 1, 1, 2, 2, 3, 3
#define DOUBLED_HIGH 4, 4, 5, 5, 6, 6, 7, 7
#else
#define DOUBLED_LOW 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7
#define DOUBLED_HIGH 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15
#endif

typedef struct {
  const AveragePoolGradientStep *step;
  Axis y, x;
  Halo halo;
  float *counts; /* elements that windows count along a column, then along a row */
  float *quotients, *haloed;
  float *sums; /* of one row, phase by phase */
} AverageGradient;

/* Windows that count nothing pass nothing on. */
INLINE float divisor(int32_t count) { return count == 0 ? __builtin_inff() : (float)count; }

static AverageGradient plan_average_gradient(const Context *context, const AveragePoolGradientStep *step) {
  AverageGradient g = {.step = step};
  Axis *axes[2] = {&g.y, &g.x};
  for (int32_t i = 0; i < 2; i++) {
    *axes[i] = gradient_axis(step->upstream_size[i], step->input_size[i], step->kernel[i], step->stride[i],
                             step->padding[2 * i], step->dilation[i]);
  }
  g.halo = (Halo){g.y.source, g.x.source, step->halo_size[0], step->halo_size[1]};
  g.counts = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  g.quotients = g.counts + step->quotients_at;
  g.haloed = g.counts + step->halo_at;
  g.sums = g.counts + step->sums_at;
  int32_t height = step->upstream_size[0];
  for (int32_t y = 0; y < height; y++) g.counts[y] = divisor(COUNTED(step, 0, y));
  for (int32_t x = 0; x < step->upstream_size[1]; x++) g.counts[height + x] = divisor(COUNTED(step, 1, x));
  return g;
}

static void divide_upstream(const AverageGradient *g, const float *upstream, const float *end) {
  int32_t height = g->step->upstream_size[0], width = g->step->upstream_size[1];
  for (int32_t y = 0; y < height; y++) {
    vf rows = splat(g->counts[y]);
    for (int32_t x = 0; x < width; x += VW, upstream += VW) {
      vf u = end - upstream >= VW ? load(upstream) : load_part(upstream, width - x);
      store(g->quotients + y * width + x, u / (rows * load(g->counts + height + x)));
    }
    upstream -= ceil_div(width, VW) * VW - width;
  }
}

/* Windows that neither overlap nor leave gaps: every quotient is repeated. */
static void repeat_quotients(const AverageGradient *g, float *plane) {
  int32_t stride_y = g->step->stride[0], stride = g->step->stride[1], width = g->x.target;
  int32_t windows = g->step->upstream_size[1], covered = windows * stride;
  for (int32_t y = 0; y < g->step->upstream_size[0]; y++) {
    const float *q = g->quotients + y * windows;
    if (stride == 2) {
      for (int32_t i = 0; i < windows; i += VW) {
        vf v = load(q + i);
        store(g->sums + 2 * i, SHUFFLE(v, v, DOUBLED_LOW));
        store(g->sums + 2 * i + VW, SHUFFLE(v, v, DOUBLED_HIGH));
      }
    } else {
      for (int32_t i = 0; i < windows; i++) fill(g->sums + i * stride, stride, q[i]);
    }
    fill(g->sums + covered, width - covered, 0);
    for (int32_t i = 0; i < stride_y; i++, plane += width) copy_floats(plane, g->sums, width);
  }
  fill(plane, (g->y.target - g->step->upstream_size[0] * stride_y) * width, 0);
}

/* Sums over the taps of `count` windows from `windows` on. */
static void sum_taps(const AverageGradient *g, const Taps *ty, const Taps *tx, const float *windows, int32_t count,
                     float *sums) {
  for (int32_t i = 0; i < count; i += VW) {
    vf sum = {0};
    for (int32_t a = 0; a < ty->count; a++) {
      const float *row = windows + i + (ptrdiff_t)(ty->first_tap + a * ty->tap_step) * g->halo.columns;
      for (int32_t b = 0; b < tx->count; b++) sum += load(row + tx->first_tap + b * tx->tap_step);
    }
    store(sums + i, sum);
  }
}

/* Rows of one phase: windows of every phase of a row are summed, then dealt out. */
static void gather_rows(const AverageGradient *g, int32_t phase_y, float *plane) {
  int32_t start_y = g->y.shift / g->y.phases, start_x = g->x.shift / g->x.phases, width = g->x.target;
  int32_t row = first_window(&g->y, phase_y, 0), end = first_window(&g->y, phase_y, g->y.target);
  Taps ty = phase_taps(&g->y, phase_y);
  for (int32_t phase = 0; phase < g->x.phases; phase++) {
    Taps tx = phase_taps(&g->x, phase);
    int32_t column = first_window(&g->x, phase, 0), count = first_window(&g->x, phase, width) - column;
    int32_t first = target_position(&g->x, phase, column);
    for (int32_t y = row; y < end && count > 0; y++) {
      const float *windows = g->haloed + (ptrdiff_t)(y - start_y) * g->halo.columns + column - start_x;
      float *to = plane + (ptrdiff_t)target_position(&g->y, phase_y, y) * width + first;
      sum_taps(g, &ty, &tx, windows, count, g->sums);
      if (g->x.phases == 1) {
        copy_floats(to, g->sums, count);
      } else {
        for (int32_t i = 0; i < count; i++) to[(ptrdiff_t)i * g->x.phases] = g->sums[i];
      }
    }
  }
}

static void kernel_average_pool_gradient(const Context *context, const AveragePoolGradientStep *step) {
  Range range = first_share(context, step->planes);
  if (range.begin == range.end) return;
  AverageGradient g = plan_average_gradient(context, step);
  const float *upstream = floats(context, step->upstream);
  float *output = floats(context, step->output);
  int32_t plane = step->input_size[0] * step->input_size[1];
  int32_t windows = step->upstream_size[0] * step->upstream_size[1];
  int32_t whole = windows == 1 && COVERED(step, 0) && COVERED(step, 1);
  const float *end = upstream + (ptrdiff_t)step->planes * windows;
  int32_t touching = 1;
  for (int32_t i = 0; i < 2; i++) {
    touching &= step->kernel[i] == step->stride[i] && step->dilation[i] == 1 && step->padding[2 * i] == 0 &&
                step->upstream_size[i] * step->stride[i] <= step->input_size[i];
  }
  for (; range.begin < range.end; range = next_share(context, step->planes)) {
    int32_t done = range.begin * plane;
    for (int32_t u = range.begin; u < range.end; u++) {
      float *out = output + (ptrdiff_t)u * plane;
      divide_upstream(&g, upstream + (ptrdiff_t)u * windows, end);
      if (whole) {
        fill(out, plane, g.quotients[0]);
      } else if (touching) {
        repeat_quotients(&g, out);
      } else {
        fill_halo(&g.halo, g.quotients, g.quotients + windows, g.y.shift / g.y.phases, g.x.shift / g.x.phases, 0,
                  1, g.haloed);
        for (int32_t phase = 0; phase < g.y.phases; phase++) gather_rows(&g, phase, out);
      }
      done = finish_planes(context, step->epilogue, done, (u + 1) * plane, u + 1 == range.end);
    }
  }
}

static void kernel_scatter_plane(const Context *context, const ScatterPlaneStep *step) {
  const float *values = floats(context, step->values);
  const int32_t *indices = ints(context, step->indices);
  float *output = floats(context, step->output);
  Range range = share(context, step->planes);
  int32_t done = range.begin * step->plane;
  for (int32_t u = range.begin; u < range.end; u++) {
    float *out = output + (ptrdiff_t)u * step->plane;
    fill(out, step->plane, 0);
    for (int32_t i = u * step->per_plane; i < (u + 1) * step->per_plane; i++) {
      int32_t index = indices[i];
      if ((uint32_t)index < (uint32_t)step->plane) {
        out[index] += values[i];
      } else {
        report(context, FOVEA_INDEX_OUT_OF_RANGE, i, index, step->plane);
      }
    }
    done = finish_planes(context, step->epilogue, done, (u + 1) * step->plane, u + 1 == range.end);
  }
}

static void kernel_gather_plane(const Context *context, const GatherPlaneStep *step) {
  const float *input = floats(context, step->input);
  const int32_t *indices = ints(context, step->indices);
  float *output = floats(context, step->output);
  Range range = share(context, step->planes);
  int32_t done = range.begin * step->per_plane;
  for (int32_t u = range.begin; u < range.end; u++) {
    const float *from = input + (ptrdiff_t)u * step->plane;
    for (int32_t i = u * step->per_plane; i < (u + 1) * step->per_plane; i++) {
      int32_t index = indices[i], valid = (uint32_t)index < (uint32_t)step->plane;
      if (!valid) report(context, FOVEA_INDEX_OUT_OF_RANGE, i, index, step->plane);
      output[i] = valid ? from[index] : 0;
    }
    done = finish_planes(context, step->epilogue, done, (u + 1) * step->per_plane, u + 1 == range.end);
  }
}
