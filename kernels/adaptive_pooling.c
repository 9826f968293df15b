/*
 * Largest elements of even parts of planes, ⌊i · size / count⌋ … ⌈(i + 1) · size / count⌉ in each direction. A unit of work
 * is a row of parts: first the best of each column of its rows, then the best of each part's columns.
 */
#include "pooling.h"
#include "vector_math.h"

INLINE Range part_of(int32_t i, int32_t size, int32_t count) {
  int64_t begin = (int64_t)i * size / count, end = ((int64_t)(i + 1) * size + count - 1) / count;
  return (Range){(int32_t)begin, (int32_t)end};
}

/* The best of each column of `rows`, and in which row it is. May write VW - 1 lanes too many. */
static void best_of_rows(const float *plane, int32_t width, Range rows, float *best, int32_t *row) {
  for (int32_t x = 0; x < width; x += VW) {
    int32_t n = min_int(VW, width - x);
    const float *p = plane + (ptrdiff_t)rows.begin * width + x;
    vf value = n == VW ? load(p) : load_part(p, n);
    vi at = splat_int(rows.begin);
    for (int32_t y = rows.begin + 1; y < rows.end; y++) {
      p += width;
      vf v = n == VW ? load(p) : load_part(p, n);
      vi wins = (v > value) | (v != v);
      value = select_(wins, v, value);
      at = select_int(wins, splat_int(y), at);
    }
    store(best + x, value);
    store_int(row + x, at);
  }
}

/* With NaN in a part its last one wins, row by row. */
static int32_t last_nan(const float *plane, int32_t width, Range rows, Range columns) {
  for (int32_t y = rows.end - 1;; y--) {
    for (int32_t x = columns.end - 1; x >= columns.begin; x--) {
      float v = plane[(ptrdiff_t)y * width + x];
      if (v != v || (y == rows.begin && x == columns.begin)) return y * width + x;
    }
  }
}

/* The winner of a part: of equal ones the first, row by row. */
static int32_t best_of_part(const float *plane, int32_t width, Range rows, Range columns, const float *best,
                            const int32_t *row) {
  int32_t winner = columns.begin, is_nan = 0;
  for (int32_t x = columns.begin; x < columns.end; x++) {
    is_nan |= best[x] != best[x];
    if (best[x] > best[winner] || (best[x] == best[winner] && row[x] < row[winner])) winner = x;
  }
  return is_nan ? last_nan(plane, width, rows, columns) : row[winner] * width + winner;
}

static void kernel_adaptive_pool(const Context *context, const AdaptivePoolStep *step) {
  int32_t height = step->input_size[0], width = step->input_size[1];
  int32_t down = step->output_size[0], across = step->output_size[1];
  const float *in = floats(context, step->input);
  float *out = floats(context, step->output);
  int32_t *indices = ints(context, step->output);
  float *best = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  int32_t *row = (int32_t *)best + step->scratch_floats / 2;
  Range own = share(context, step->planes * down);
  int32_t finished = own.begin * across;
  for (int32_t unit = own.begin; unit < own.end; unit++) {
    const float *plane = in + (ptrdiff_t)(unit / down) * height * width;
    Range rows = part_of(unit % down, height, down);
    best_of_rows(plane, width, rows, best, row);
    for (int32_t i = 0; i < across; i++) {
      int32_t at = best_of_part(plane, width, rows, part_of(i, width, across), best, row);
      if (step->kind == POOL_INDICES) {
        indices[unit * across + i] = at;
      } else {
        out[unit * across + i] = plane[at];
      }
    }
    finished = finish_planes(context, step->epilogue, finished, (unit + 1) * across, unit + 1 == own.end);
  }
}
