/* The way back from pooling where channels lie side by side: lanes are channels. */
#include "pooling.h"

/* The window of which an element is tap k along an axis; -1 if there is none. */
INLINE int32_t covering_window(const AveragePoolGradientLastStep *step, int32_t axis, int32_t position, int32_t k) {
  int32_t at = position + step->padding[2 * axis] - k * step->dilation[axis], stride = step->stride[axis];
  return at >= 0 && at % stride == 0 && at / stride < step->upstream_size[axis] ? at / stride : -1;
}

/* Adds what the window (y, x) passes on to each of its elements; one that counts nothing passes nothing on. */
INLINE void add_quotients(const AveragePoolGradientLastStep *step, const float *image, int32_t y, int32_t x, float *to) {
  int32_t count = COUNTED(step, 0, y) * COUNTED(step, 1, x);
  const float *from = image + ((ptrdiff_t)y * step->upstream_size[1] + x) * step->channels;
  for (int32_t c = 0; c < step->channels && count > 0; c += VW) {
    store(to + c, load(to + c) + load(from + c) / splat((float)count));
  }
}

static void kernel_average_pool_gradient_last(const Context *context, const AveragePoolGradientLastStep *step) {
  int32_t height = step->input_size[0], width = step->input_size[1], channels = step->channels;
  int32_t units = step->batch * height, row = width * channels;
  ptrdiff_t upstream_image = (ptrdiff_t)step->upstream_size[0] * step->upstream_size[1] * channels;
  const float *upstream = floats(context, step->upstream);
  float *output = floats(context, step->output);
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    int32_t done = range.begin * row;
    for (int32_t u = range.begin; u < range.end; u++) {
      const float *image = upstream + u / height * upstream_image;
      float *to = output + (ptrdiff_t)u * row;
      fill_loose(to, row, (vf){});
      for (int32_t i = 0; i < step->kernel[0]; i++) {
        int32_t y = covering_window(step, 0, u % height, i);
        for (int32_t k = 0; y >= 0 && k < width * step->kernel[1]; k++) {
          int32_t x = covering_window(step, 1, k / step->kernel[1], k % step->kernel[1]);
          if (x >= 0) add_quotients(step, image, y, x, to + k / step->kernel[1] * channels);
        }
      }
      done = finish_planes(context, step->epilogue, done, (u + 1) * row, u + 1 == range.end);
    }
  }
}

/* Windows that are fetched before they are needed. */
#define SCATTER_AHEAD 16

/* A unit of scatterPlaneLast: some channels of an image, from `first` on. */
typedef struct {
  const ScatterPlaneLastStep *step;
  const float *values;
  const int32_t *indices;
  float *out;
  int32_t image, first, count;
} Scatter;

/* Zeros from element `done` of the plane on up to `end`. */
static int32_t clear_elements(const Scatter *s, int32_t done, int32_t end) {
  for (; done < end; done++) fill_loose(s->out + (ptrdiff_t)done * s->step->channels, s->count, (vf){});
  return done;
}

/* The largest index of a row of values; no larger than `most`. */
static int32_t largest_index(const Scatter *s, int32_t row, int32_t most) {
  int32_t width = s->step->values_size[1], largest = 0, lanes[VW];
  vi found = splat_int(0);
  for (int32_t i = row * width; i < (row + 1) * width; i++) {
    for (int32_t c = 0; c < s->count; c += VW) {
      vi index = load_int(s->indices + (ptrdiff_t)i * s->step->channels + c);
      found = select_int(index > found, index, found);
    }
  }
  store_int(lanes, found);
  for (int32_t i = 0; i < VW; i++) largest = max_int(largest, lanes[i]);
  return min_int(largest, most);
}

/* Adds one value after the other to zeros, which are written right before: where they are still in the cache. */
static void scatter_one_by_one(const Context *context, const Scatter *s) {
  int32_t channels = s->step->channels, plane = s->step->size[0] * s->step->size[1];
  int32_t width = s->step->values_size[1], per_plane = s->step->values_size[0] * width, done = 0;
  for (int32_t i = 0; i < per_plane; i++) {
    if (i % width == 0) done = clear_elements(s, done, largest_index(s, i / width, plane - 1) + 1);
    for (int32_t c = 0; c < s->count; c++) {
      int32_t index = s->indices[(ptrdiff_t)i * channels + c];
      if ((uint32_t)index < (uint32_t)plane) {
        s->out[(ptrdiff_t)index * channels + c] += s->values[(ptrdiff_t)i * channels + c];
      } else {
        /* Which one, in the order of the axes. */
        int32_t which = (s->image * channels + s->first + c) * per_plane + i;
        report(context, FOVEA_INDEX_OUT_OF_RANGE, which, index, plane);
      }
    }
  }
  clear_elements(s, done, plane);
}

/*
 * The same where each value goes to a window of its own, as from pooling whose windows neither overlap nor leave gaps. Returns
 * whether it is like that.
 */
static int32_t scatter_to_windows(const Scatter *s) {
  const int32_t *size = s->step->size, *given = s->step->values_size;
  int32_t channels = s->step->channels, rows = size[0] / max_int(given[0], 1), columns = size[1] / max_int(given[1], 1);
  if (rows * columns == 0) return 0;
  for (int32_t y = 0; y < size[0]; y++) {
    int32_t i = y / rows, wide = i < given[0] ? given[1] * columns : 0;
    for (int32_t x = wide; x < size[1]; x++) fill_loose(s->out + (ptrdiff_t)(y * size[1] + x) * channels, s->count, (vf){});
  }
  for (int32_t window = 0; window < given[0] * given[1]; window++) {
    int32_t corner = window / given[1] * rows * size[1] + window % given[1] * columns;
    const float *values = s->values + (ptrdiff_t)window * channels;
    const int32_t *indices = s->indices + (ptrdiff_t)window * channels;
    vi missing = {0};
    for (int32_t c = 0; c < s->count; c += VW) {
      vf value = load(values + c);
      vi index = load_int(indices + c), found = {0};
      for (int32_t i = 0; i < rows; i++) {
        for (int32_t j = 0; j < columns; j++) {
          int32_t at = corner + i * size[1] + j;
          vi hit = index == splat_int(at);
          store(s->out + (ptrdiff_t)at * channels + c, select_(hit, value, splat(0)));
          found |= hit;
        }
      }
      missing |= ~found;
    }
    if (any_negative(missing)) return 0;
  }
  return 1;
}

/*
 * The same where neighbouring windows share an element along each axis, as those of 3×3 at steps of 2 do, and begin `before`
 * elements outside the plane. Windows come in order, so that sums are those of adding one value after the other.
 */
static int32_t scatter_to_overlapping_windows(const Scatter *s, int32_t before) {
  const int32_t *size = s->step->size, *given = s->step->values_size;
  int32_t channels = s->step->channels, stride[2], done = 0;
  for (int32_t i = 0; i < 2; i++) {
    if (given[i] == 0) return 0;
    stride[i] = (size[i] + given[i] / 2) / given[i];
  }
  for (int32_t window = 0; window < given[0] * given[1]; window++) {
    int32_t top = window / given[1] * stride[0] - before, left = window % given[1] * stride[1] - before;
    int32_t bottom = min_int(top + stride[0] + 1, size[0]), right = min_int(left + stride[1] + 1, size[1]);
    if (left <= 0) done = clear_elements(s, done, bottom * size[1]);
    const float *values = s->values + (ptrdiff_t)window * channels;
    const int32_t *indices = s->indices + (ptrdiff_t)window * channels;
    vi missing = {0};
    for (int32_t c = 0; c < s->count; c += VW) {
      vf value = load(values + c);
      vi index = load_int(indices + c), found = {0};
      __builtin_prefetch(values + c + SCATTER_AHEAD * channels, 0, 2);
      __builtin_prefetch(indices + c + SCATTER_AHEAD * channels, 0, 2);
      for (int32_t y = max_int(top, 0); y < bottom; y++) {
        for (int32_t x = max_int(left, 0); x < right; x++) {
          float *to = s->out + (ptrdiff_t)(y * size[1] + x) * channels + c;
          vi hit = index == splat_int(y * size[1] + x);
          store(to, load(to) + select_(hit, value, splat(0)));
          found |= hit;
        }
      }
      missing |= ~found;
    }
    if (any_negative(missing)) return 0;
  }
  clear_elements(s, done, size[0] * size[1]);
  return 1;
}

static void kernel_scatter_plane_last(const Context *context, const ScatterPlaneLastStep *step) {
  const float *values = floats(context, step->values);
  const int32_t *indices = ints(context, step->indices);
  float *output = floats(context, step->output);
  int32_t channels = step->channels, vectors = channels / VW, units = step->batch * step->parts;
  int32_t plane = step->size[0] * step->size[1], per_plane = step->values_size[0] * step->values_size[1];
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t image = u / step->parts, first = part_begin(vectors, step->parts, u % step->parts) * VW;
      int32_t count = part_begin(vectors, step->parts, u % step->parts + 1) * VW - first;
      int32_t begin = image * plane * channels + first, from = image * per_plane * channels + first;
      Scatter s = {step, values + from, indices + from, output + begin, image, first, count};
      int32_t is_done = scatter_to_windows(&s) || scatter_to_overlapping_windows(&s, 0) || scatter_to_overlapping_windows(&s, 1);
      if (!is_done) scatter_one_by_one(context, &s);
      elementwise_region(context, EPILOGUE(context, step->epilogue), (Region){begin, plane, count, channels});
    }
  }
}
