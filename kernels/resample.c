/*
 * Planes made larger or smaller: every element is a weighted sum of neighbours, first along rows and then over rows or
 * the other way round. A unit of work is a band of rows of one plane.
 */
#include "panels.h"

typedef struct {
  const ResampleStep *step;
  const WeightedRun *rows, *columns;
  const Weight *weights;
  const float *plane;
  float *memory;
  int32_t next; /* row of the input that the ring takes next */
} Resampler;

/* One row of the output's width from one of the input's. */
static void resample_along(const Resampler *r, const float *from, float *to) {
  int32_t width = r->step->output_size[1];
  for (int32_t x = 0; x < width; x++) {
    const WeightedRun run = r->columns[x];
    const float *in = from + run.begin;
    const Weight *weights = r->weights + run.weights;
    if (run.count == 2) {
      to[x] = in[0] * weights[0].value + in[1] * weights[1].value;
    } else {
      float sum = 0;
      for (int32_t i = 0; i < run.count; i++) sum += in[i] * weights[i].value;
      to[x] = sum;
    }
  }
}

/* A row that sums are made of: of the input, or one resampled along, which stays while later rows may need it. */
static const float *resample_source(Resampler *r, int32_t row) {
  const ResampleStep *step = r->step;
  ptrdiff_t pitch = step->input_size[1];
  if (!step->columns_first) return r->plane + row * pitch;
  ptrdiff_t width = step->output_size[1];
  for (; r->next <= row; r->next++) {
    resample_along(r, r->plane + r->next * pitch, r->memory + r->next % step->kept * width);
  }
  return r->memory + row % step->kept * width;
}

/* to = a · w */
static void scale_row(float *to, const float *a, float w, int32_t n) {
  int32_t i = 0;
  for (; i + VW <= n; i += VW) store(to + i, load(a + i) * splat(w));
  if (i < n) store_part(to + i, load_part(a + i, n - i) * splat(w), n - i);
}

/* to = a · wa + b · wb; `to` may be a. */
static void add_rows(float *to, const float *a, float wa, const float *b, float wb, int32_t n) {
  int32_t i = 0;
  for (; i + VW <= n; i += VW) store(to + i, fma_(load(b + i), splat(wb), load(a + i) * splat(wa)));
  if (i < n) store_part(to + i, fma_(load_part(b + i, n - i), splat(wb), load_part(a + i, n - i) * splat(wa)), n - i);
}

/* The weighted sum of some rows of n elements. */
static void resample_over(Resampler *r, const WeightedRun *run, float *to, int32_t n) {
  const Weight *weights = r->weights + run->weights;
  if (run->count == 0) {
    __builtin_memset(to, 0, (size_t)n * 4);
    return;
  }
  r->next = max_int(r->next, run->begin);
  const float *first = resample_source(r, run->begin);
  if (run->count == 1) {
    if (weights[0].value == 1.0f) {
      copy_floats(to, first, n);
    } else {
      scale_row(to, first, weights[0].value, n);
    }
    return;
  }
  add_rows(to, first, weights[0].value, resample_source(r, run->begin + 1), weights[1].value, n);
  for (int32_t i = 2; i < run->count; i++) add_rows(to, to, 1, resample_source(r, run->begin + i), weights[i].value, n);
}

static void resample_band(Resampler *r, float *out, int32_t begin, int32_t end) {
  const ResampleStep *step = r->step;
  int32_t width = step->output_size[1], rows_change = step->rows.count > 0;
  r->next = 0;
  for (int32_t y = begin; y < end; y++) {
    float *to = out + (ptrdiff_t)y * width;
    WeightedRun run = {y, 1, 0};
    if (rows_change) run = r->rows[y];
    if (step->columns_first || step->columns.count == 0) {
      resample_over(r, &run, to, width);
    } else if (run.count == 1 && r->weights[run.weights].value == 1.0f) {
      resample_along(r, resample_source(r, run.begin), to);
    } else {
      resample_over(r, &run, r->memory, step->input_size[1]);
      resample_along(r, r->memory, to);
    }
  }
}

static void kernel_resample(const Context *context, const ResampleStep *step) {
  int32_t height = step->output_size[0], width = step->output_size[1], bands = step->bands;
  const float *in = floats(context, step->input);
  float *out = floats(context, step->output);
  Resampler r = {
      .step = step,
      .rows = RECORDS(context, WeightedRun, step->rows),
      .columns = RECORDS(context, WeightedRun, step->columns),
      .weights = RECORDS(context, Weight, step->weights),
      .memory = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats,
  };
  int32_t units = step->planes * bands;
  for (Range own = first_share(context, units); own.begin < own.end; own = next_share(context, units)) {
    for (int32_t unit = own.begin; unit < own.end; unit++) {
      int32_t plane = unit / bands, band = unit % bands;
      int32_t begin = (int32_t)((int64_t)height * band / bands), end = (int32_t)((int64_t)height * (band + 1) / bands);
      ptrdiff_t at = (ptrdiff_t)plane * height * width;
      r.plane = in + (ptrdiff_t)plane * step->input_size[0] * step->input_size[1];
      resample_band(&r, out + at, begin, end);
      elementwise_range(context, EPILOGUE(context, step->epilogue), (int32_t)at + begin * width, (int32_t)at + end * width);
    }
  }
}
