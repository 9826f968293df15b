/*
 * Picking elements by index, adding them back, and counting.
 *
 * A thread owns a part of the output and adds to it in the order of the indices, so sums do not depend on the number of
 * threads. An index that names nothing is reported and taken as 0.
 */
#include "fovea.h"

/* A word of any type. */
typedef int32_t word_any __attribute__((may_alias));

/* Words of a picked row that are one unit of work. */
#define TAKE_CHUNK 8192

INLINE int32_t checked_index(const Context *context, const int32_t *indices, int32_t element, int32_t limit) {
  int32_t value = indices[element];
  if (__builtin_expect((uint32_t)value < (uint32_t)limit, 1)) return value;
  report(context, FOVEA_INDEX_OUT_OF_RANGE, element, value, limit);
  return 0;
}

/* There is nothing to pick from: the output is zeros. */
static void take_from_nothing(const Context *context, const int32_t *indices, uint8_t *out, int32_t bytes,
                              int32_t picked, int32_t count) {
  Range own = share(context, picked);
  __builtin_memset(out + (size_t)own.begin * bytes, 0, (size_t)(own.end - own.begin) * bytes);
  if (picked > 0 && count > 0) checked_index(context, indices, 0, 0);
}

INLINE void take_along_axis(const Context *context, const int bytes, const TakeAlongAxisStep *step) {
  int32_t inner = step->inner, count = step->count, limit = step->limit;
  const uint8_t *in = address(context, step->input);
  const int32_t *indices = ints(context, step->indices);
  uint8_t *out = address(context, step->output);
  Range own = share(context, step->outer * count * inner);
  if (own.begin == own.end) return;
  int32_t column = own.begin % inner, row = own.begin / inner % count;
  size_t outer = (size_t)(own.begin / inner / count);
  for (int32_t i = own.begin; i < own.end; i++) {
    size_t from = (outer * limit + checked_index(context, indices, i, limit)) * inner + column;
    if (bytes == 4) {
      ((word_any *)out)[i] = ((const word_any *)in)[from];
    } else {
      out[i] = in[from];
    }
    if (++column < inner) continue;
    column = 0;
    if (++row < count) continue;
    row = 0;
    outer++;
  }
}

static void kernel_take_along_axis(const Context *context, const TakeAlongAxisStep *step) {
  if (step->limit == 0) {
    int32_t picked = step->outer * step->count * step->inner;
    take_from_nothing(context, ints(context, step->indices), address(context, step->output), step->element_bytes, picked,
                      step->count);
  } else if (step->element_bytes == 4) {
    take_along_axis(context, 4, step);
  } else {
    take_along_axis(context, 1, step);
  }
}

static void kernel_take(const Context *context, const TakeStep *step) {
  int32_t inner = step->inner, count = step->count, limit = step->limit, bytes = step->element_bytes;
  const uint8_t *in = address(context, step->input);
  const int32_t *indices = ints(context, step->indices);
  uint8_t *out = address(context, step->output);
  if (limit == 0) {
    take_from_nothing(context, indices, out, bytes, step->outer * count * inner, count);
    return;
  }
  if (inner == 0) return;
  int32_t chunks = (inner - 1) / TAKE_CHUNK + 1;
  Range own = share(context, step->outer * count * chunks);
  for (int32_t unit = own.begin; unit < own.end; unit++) {
    int32_t row = unit / chunks, begin = unit % chunks * TAKE_CHUNK, n = min_int(TAKE_CHUNK, inner - begin);
    int32_t index = checked_index(context, indices, row % count, limit);
    size_t from = ((size_t)(row / count) * limit + index) * inner + begin, to = (size_t)row * inner + begin;
    if (bytes == 4 && n < 64) {
      const word_any *source = (const word_any *)in + from;
      word_any *target = (word_any *)out + to;
      for (int32_t i = 0; i < n; i++) target[i] = source[i];
    } else {
      __builtin_memcpy(out + to * bytes, in + from * bytes, (size_t)n * bytes);
    }
  }
}

/* A part of an output of outer × rows × columns. */
typedef struct {
  Range outer, rows, columns;
} Part;

/* This thread's part, cut along one axis. */
static Part own_part(const Context *context, int32_t outer, int32_t rows, int32_t columns) {
  Part part = {{0, outer}, {0, rows}, {0, columns}};
  if (outer >= 64) {
    part.outer = share(context, outer);
  } else if (columns >= 1024) {
    Range lines = share(context, (columns - 1) / 16 + 1);
    part.columns = (Range){lines.begin * 16, min_int(lines.end * 16, columns)};
  } else {
    part.rows = share(context, rows);
  }
  return part;
}

INLINE int contains(Range range, int32_t i) { return i >= range.begin && i < range.end; }

static void clear_part(word_any *out, int32_t rows, int32_t columns, Part part) {
  size_t width = (size_t)(part.columns.end - part.columns.begin);
  for (int32_t o = part.outer.begin; o < part.outer.end; o++) {
    word_any *slab = out + (size_t)o * rows * columns;
    if (width == (size_t)columns) {
      size_t owned = (size_t)(part.rows.end - part.rows.begin) * columns;
      __builtin_memset(slab + (size_t)part.rows.begin * columns, 0, owned * 4);
    } else {
      for (int32_t row = part.rows.begin; row < part.rows.end; row++) {
        __builtin_memset(slab + (size_t)row * columns + part.columns.begin, 0, width * 4);
      }
    }
  }
}

/* Adds n neighbours, as floats or as integers that wrap. */
INLINE void add_run(const int is_float, word_any *out, const word_any *in, int32_t n) {
  int32_t i = 0;
  for (; i + VW <= n; i += VW) {
    vi a = load_int((const int32_t *)out + i), b = load_int((const int32_t *)in + i);
    store_int((int32_t *)out + i, is_float ? (vi)((vf)a + (vf)b) : (vi)((vu)a + (vu)b));
  }
  for (; i < n; i++) {
    if (is_float) {
      typedef float float_any __attribute__((may_alias));
      *(float_any *)(out + i) += *(const float_any *)(in + i);
    } else {
      out[i] = (int32_t)((uint32_t)out[i] + (uint32_t)in[i]);
    }
  }
}

INLINE void scatter_along_axis(const Context *context, const int is_float, const ScatterAlongAxisStep *step) {
  int32_t inner = step->inner, count = step->count, limit = step->limit;
  const word_any *in = address(context, step->input);
  const int32_t *indices = ints(context, step->indices);
  word_any *out = address(context, step->output);
  Part part = own_part(context, step->outer, limit, inner);
  clear_part(out, limit, inner, part);
  for (int32_t o = part.outer.begin; o < part.outer.end; o++) {
    word_any *slab = out + (size_t)o * limit * inner;
    for (int32_t row = 0; row < count; row++) {
      int32_t first = (o * count + row) * inner;
      for (int32_t column = part.columns.begin; column < part.columns.end; column++) {
        int32_t index = checked_index(context, indices, first + column, limit);
        if (!contains(part.rows, index)) continue;
        add_run(is_float, slab + (size_t)index * inner + column, in + first + column, 1);
      }
    }
  }
}

static void kernel_scatter_along_axis(const Context *context, const ScatterAlongAxisStep *step) {
  if (step->dtype == FOVEA_FLOAT32) {
    scatter_along_axis(context, 1, step);
  } else {
    scatter_along_axis(context, 0, step);
  }
}

INLINE void scatter_take(const Context *context, const int is_float, const ScatterTakeStep *step) {
  int32_t inner = step->inner, count = step->count, limit = step->limit;
  const word_any *in = address(context, step->input);
  const int32_t *indices = ints(context, step->indices);
  word_any *out = address(context, step->output);
  Part part = own_part(context, step->outer, limit, inner);
  int32_t begin = part.columns.begin, width = part.columns.end - begin;
  clear_part(out, limit, inner, part);
  for (int32_t o = part.outer.begin; o < part.outer.end; o++) {
    for (int32_t k = 0; k < count; k++) {
      int32_t index = checked_index(context, indices, k, limit);
      if (!contains(part.rows, index)) continue;
      const word_any *from = in + ((size_t)o * count + k) * inner + begin;
      add_run(is_float, out + ((size_t)o * limit + index) * inner + begin, from, width);
    }
  }
}

static void kernel_scatter_take(const Context *context, const ScatterTakeStep *step) {
  if (step->dtype == FOVEA_FLOAT32) {
    scatter_take(context, 1, step);
  } else {
    scatter_take(context, 0, step);
  }
}

static void kernel_one_hot(const Context *context, const OneHotStep *step) {
  int32_t classes = step->classes;
  const int32_t *indices = ints(context, step->indices);
  float *out = floats(context, step->output);
  Range own = share(context, step->count);
  for (int32_t i = own.begin; i < own.end; i++) {
    float *row = out + (size_t)i * classes;
    __builtin_memset(row, 0, (size_t)classes * 4);
    row[checked_index(context, indices, i, classes)] = 1;
  }
}

static void kernel_iota(const Context *context, const IotaStep *step) {
  int32_t *out = ints(context, step->output);
  Range own = share(context, step->count);
  for (int32_t i = own.begin; i < own.end; i++) out[i] = i;
}
