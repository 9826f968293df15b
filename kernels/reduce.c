/*
 * Reductions: sum, max and min over any axes, and where a largest or smallest element is.
 *
 * Floats are summed in several accumulators that are emptied, every few dozen additions, into a sum of two floats
 * (Knuth's error-free sum), so that the error does not grow with the length. The order depends on the shape and the
 * vector width alone. Extremes propagate NaN.
 */
#include "fovea.h"
#include "tiles.h"
#include "vector_math.h"

/* As numbered in src/backends/cpu/kernels/reduce.ts. */
enum { SUM_FLOAT, MAX_FLOAT, MIN_FLOAT, SUM_INT, MAX_INT, MIN_INT };

/* Additions into an accumulator before it is emptied. */
#define REDUCE_PATIENCE 32
/* Columns that are reduced together. */
#define REDUCE_COLUMNS 512
/* Columns up to which several rows are taken as one. */
#define REDUCE_NARROW 12

INLINE vf reduce_identity(int operation) {
  switch (operation) {
    case MAX_FLOAT: return splat(-FLOAT_INFINITY);
    case MIN_FLOAT: return splat(FLOAT_INFINITY);
    case MAX_INT: return (vf)splat_int(INT32_MIN);
    case MIN_INT: return (vf)splat_int(INT32_MAX);
    default: return splat(0);
  }
}

INLINE vf combine(int operation, vf a, vf b) {
  switch (operation) {
    case MAX_FLOAT: return maximum_(a, b);
    case MIN_FLOAT: return minimum_(a, b);
    case SUM_INT: return (vf)((vu)a + (vu)b);
    case MAX_INT: return (vf)select_int((vi)a > (vi)b, (vi)a, (vi)b);
    case MIN_INT: return (vf)select_int((vi)a < (vi)b, (vi)a, (vi)b);
    default: return a + b;
  }
}

#if VW == 16
#define FOLD(v, n) \
  __builtin_shufflevector(v, v, (n) ^ 0, (n) ^ 1, (n) ^ 2, (n) ^ 3, (n) ^ 4, (n) ^ 5, (n) ^ 6, (n) ^ 7, (n) ^ 8, \
                          (n) ^ 9, (n) ^ 10, (n) ^ 11, (n) ^ 12, (n) ^ 13, (n) ^ 14, (n) ^ 15)
#elif VW == 8
#define FOLD(v, n) \
  __builtin_shufflevector(v, v, (n) ^ 0, (n) ^ 1, (n) ^ 2, (n) ^ 3, (n) ^ 4, (n) ^ 5, (n) ^ 6, (n) ^ 7)
#else
#define FOLD(v, n) __builtin_shufflevector(v, v, (n) ^ 0, (n) ^ 1, (n) ^ 2, (n) ^ 3)
#endif

/* All lanes combined, in each of them. */
INLINE vf combine_lanes(int operation, vf v) {
#if VW >= 16
  v = combine(operation, v, FOLD(v, 8));
#endif
#if VW >= 8
  v = combine(operation, v, FOLD(v, 4));
#endif
  v = combine(operation, v, FOLD(v, 2));
  return combine(operation, v, FOLD(v, 1));
}

/* Adds x to high + low. The errors of an infinite sum are not numbers, and do not count. */
INLINE void add_exactly(vf *high, vf *low, vf x) {
  vf sum = *high + x;
  vf of_high = sum - x;
  vf error = (*high - of_high) + (x - (sum - of_high));
  *low = select_(sum - sum == splat(0), *low + error, splat(0));
  *high = sum;
}

INLINE vi lane_numbers(void) {
  int32_t numbers[VW];
  for (int32_t lane = 0; lane < VW; lane++) numbers[lane] = lane;
  return load_int(numbers);
}

/* The first n < VW elements from p on, of which `limit` may be read. */
INLINE vf load_some(const float *p, int32_t n, int32_t limit) {
  if (limit >= VW) return load(p);
  float some[VW] = {0};
  for (int32_t i = 0; i < n; i++) some[i] = p[i];
  return load(some);
}

/* Offsets of the positions of some axes, in order. */
typedef struct {
  int32_t rank, offset;
  const int32_t *dims, *strides;
  int32_t index[MAX_RANK];
} Walk;

INLINE Walk walk_from(int32_t rank, const int32_t *dims, const int32_t *strides, int32_t position) {
  Walk walk = {rank, 0, dims, strides, {0}};
  for (int32_t axis = rank - 1; axis >= 0 && position > 0; axis--) {
    walk.index[axis] = position % dims[axis];
    walk.offset += walk.index[axis] * strides[axis];
    position /= dims[axis];
  }
  return walk;
}

/* The current position's offset; moves on to the next. */
INLINE int32_t next_offset(Walk *walk) {
  int32_t offset = walk->offset;
  for (int32_t axis = walk->rank - 1; axis >= 0; axis--) {
    walk->offset += walk->strides[axis];
    if (++walk->index[axis] < walk->dims[axis]) break;
    walk->offset -= walk->index[axis] * walk->strides[axis];
    walk->index[axis] = 0;
  }
  return offset;
}

static int32_t positions(int32_t rank, const int32_t *dims) {
  int32_t count = 1;
  for (int32_t axis = 0; axis < rank; axis++) count *= dims[axis];
  return count;
}

/*
 * The lanes of a run's last vector that count: the last whole vector of the run with what came before left out, or all of
 * a run that is shorter than a vector.
 */
INLINE vi tail_of_run(int32_t n) {
  return n < VW ? lane_numbers() < splat_int(n) : lane_numbers() >= splat_int(VW - n % VW);
}

/* One output of neighbours: `count` runs of n elements. `limit` elements may be read from x on. */
INLINE float reduce_runs(const int operation, const float *x, int32_t limit, Walk runs, int32_t count, int32_t n,
                         vi tail) {
  const vf identity = reduce_identity(operation);
  vf a = identity, b = identity, c = identity, d = identity;
  vf high = splat(0), low = splat(0);
  int32_t pending = 0, emptied = 0;
  for (int32_t run = 0; run < count; run++) {
    int32_t offset = next_offset(&runs);
    const float *p = x + offset;
    int32_t i = 0;
    do {
      int32_t stop = min_int(n - n % (4 * VW), i + REDUCE_PATIENCE * 4 * VW);
      pending += (stop - i) / (4 * VW) + 1;
      for (; i < stop; i += 4 * VW) {
        a = combine(operation, a, load(p + i));
        b = combine(operation, b, load(p + i + VW));
        c = combine(operation, c, load(p + i + 2 * VW));
        d = combine(operation, d, load(p + i + 3 * VW));
      }
      if (operation == SUM_FLOAT && pending >= REDUCE_PATIENCE) {
        add_exactly(&high, &low, (a + b) + (c + d));
        a = b = c = d = splat(0);
        pending = 0;
        emptied = 1;
      }
    } while (i + 4 * VW <= n);
    if (i + 2 * VW <= n) {
      a = combine(operation, a, load(p + i));
      b = combine(operation, b, load(p + i + VW));
      i += 2 * VW;
    }
    if (i + VW <= n) {
      c = combine(operation, c, load(p + i));
      i += VW;
    }
    if (i < n) {
      vf last = n < VW ? load_some(p, n, limit - offset) : load(p + n - VW);
      d = combine(operation, d, select_(tail, last, identity));
    }
  }
  vf rest = combine(operation, combine(operation, a, b), combine(operation, c, d));
  if (!emptied) return combine_lanes(operation, rest)[0];
  add_exactly(&high, &low, rest);
  double sum = 0;
  for (int32_t lane = 0; lane < VW; lane++) sum += (double)high[lane] + (double)low[lane];
  return (float)sum;
}

INLINE void reduce_to_rows(const int operation, const ReduceStep *step, const float *x, int32_t readable, float *out,
                           Range outputs) {
  int32_t count = positions(step->row_rank, step->row_dims), n = step->length;
  const vi tail = tail_of_run(n);
  const Walk rows = walk_from(step->row_rank, step->row_dims, step->row_strides, 0);
  Walk kept = walk_from(step->kept_rank, step->kept_dims, step->kept_strides, outputs.begin);
  for (int32_t i = outputs.begin; i < outputs.end; i++) {
    int32_t offset = step->input_offset + next_offset(&kept);
    int32_t limit = readable - offset;
    if (count == 1 && n < VW) {
      vf run = select_(tail, load_some(x + offset, n, limit), reduce_identity(operation));
      out[i] = combine_lanes(operation, run)[0];
    } else {
      out[i] = reduce_runs(operation, x + offset, limit, rows, count, n, tail);
    }
  }
}

NOINLINE void empty_sums(vf *high, vf *low, vf *sums, int32_t vectors, int32_t emptied) {
  for (int32_t v = 0; v < vectors; v++) {
    if (!emptied) high[v] = low[v] = splat(0);
    add_exactly(high + v, low + v, sums[v]);
    sums[v] = splat(0);
  }
}

/* Adds `count` times four rows, `distance` floats apart, to `sums`: a few vectors at a time, which stay in registers. */
NOINLINE void sum_rows(const float *x, ptrdiff_t distance, int32_t count, vf *sums, int32_t vectors) {
  int32_t v = 0;
#define SUM_ROWS(N) \
  for (; v + N <= vectors; v += N) { \
    const float *p = x + v * VW; \
    vf own[N]; \
    UNROLL for (int k = 0; k < N; k++) own[k] = sums[v + k]; \
    for (int32_t i = 0; i < count; i++, p += 4 * distance) { \
      UNROLL for (int k = 0; k < N; k++) { \
        vf first = load(p + k * VW) + load(p + distance + k * VW); \
        own[k] += first + (load(p + 2 * distance + k * VW) + load(p + 3 * distance + k * VW)); \
      } \
    } \
    UNROLL for (int k = 0; k < N; k++) sums[v + k] = own[k]; \
  }
  SUM_ROWS(4)
  SUM_ROWS(1)
#undef SUM_ROWS
}

/* n neighbouring outputs, REDUCE_COLUMNS at most: all of `count` rows. `limit` elements may be read from x on. */
INLINE void reduce_columns(const int operation, const float *x, int32_t limit, Walk rows, int32_t count, float *out,
                           int32_t n) {
  vf sums[REDUCE_COLUMNS / VW], high[REDUCE_COLUMNS / VW], low[REDUCE_COLUMNS / VW];
  vf copies[4][REDUCE_COLUMNS / VW];
  int32_t vectors = ceil_div(n, VW), pending = 0, emptied = 0, distance = rows.rank == 1 ? rows.strides[0] : 0;
  for (int32_t v = 0; v < vectors; v++) sums[v] = reduce_identity(operation);
  for (int32_t row = 0; row < count;) {
    int32_t fours = operation == SUM_FLOAT && rows.rank == 1 ? min_int((count - row) / 4, REDUCE_PATIENCE - pending) : 0;
    if (fours > 0 && (row + 4 * fours - 1) * distance + vectors * VW <= limit) {
      sum_rows(x + (ptrdiff_t)row * distance, distance, fours, sums, vectors);
      row += 4 * fours;
      pending = (pending + fours) % REDUCE_PATIENCE;
      if (pending == 0 && row < count) {
        empty_sums(high, low, sums, vectors, emptied);
        emptied = 1;
      }
      continue;
    }
    const float *p[4];
    int32_t together = count - row >= 4 ? 4 : 1;
    for (int32_t k = 0; k < together; k++) {
      int32_t offset = rows.rank == 1 ? (row + k) * distance : next_offset(&rows);
      p[k] = x + offset;
      /* Whole vectors may read beyond a row, not beyond the input. */
      if (offset + vectors * VW > limit) {
        copies[k][vectors - 1] = splat(0);
        __builtin_memcpy(copies[k], x + offset, (size_t)n * 4);
        p[k] = (const float *)copies[k];
      }
    }
    if (together == 4) {
      for (int32_t v = 0; v < vectors; v++) {
        vf first = combine(operation, load(p[0] + v * VW), load(p[1] + v * VW));
        vf second = combine(operation, load(p[2] + v * VW), load(p[3] + v * VW));
        sums[v] = combine(operation, sums[v], combine(operation, first, second));
      }
    } else {
      for (int32_t v = 0; v < vectors; v++) sums[v] = combine(operation, sums[v], load(p[0] + v * VW));
    }
    row += together;
    if (operation == SUM_FLOAT && ++pending == REDUCE_PATIENCE && row < count) {
      empty_sums(high, low, sums, vectors, emptied);
      pending = 0;
      emptied = 1;
    }
  }
  if (emptied) {
    for (int32_t v = 0; v < vectors; v++) {
      add_exactly(high + v, low + v, sums[v]);
      sums[v] = high[v] + low[v];
    }
  }
  __builtin_memcpy(out, sums, (size_t)n * 4);
}

/* Few columns in many neighbouring rows: several rows make one long row, whose parts are reduced at the end. */
INLINE void reduce_narrow_columns(const int operation, const float *x, int32_t limit, int32_t count, float *out,
                                  int32_t columns) {
  float parts[2 * REDUCE_NARROW * REDUCE_NARROW];
  int32_t together = REDUCE_NARROW * REDUCE_NARROW / columns;
  int32_t width = together * columns, full = count / together, rest = count % together;
  reduce_columns(operation, x, limit, walk_from(1, &full, &width, 0), full, parts, width);
  __builtin_memcpy(parts + width, x + (size_t)full * width, (size_t)(rest * columns) * 4);
  int32_t rows = together + rest;
  reduce_columns(operation, parts, rows * columns, walk_from(1, &rows, &columns, 0), rows, out, columns);
}

INLINE void reduce_to_columns(const int operation, const ReduceStep *step, const float *x, int32_t readable, float *out,
                              Range outputs) {
  int32_t columns = step->columns, count = positions(step->row_rank, step->row_dims);
  Walk rows = walk_from(step->row_rank, step->row_dims, step->row_strides, 0);
  Walk kept = walk_from(step->kept_rank, step->kept_dims, step->kept_strides, outputs.begin / columns);
  int narrow = columns <= REDUCE_NARROW && step->row_rank == 1 && step->row_strides[0] == columns &&
               count >= 4 * REDUCE_NARROW;
  for (int32_t i = outputs.begin; i < outputs.end;) {
    int32_t offset = step->input_offset + next_offset(&kept);
    int32_t column = i % columns, end = min_int(columns, column + outputs.end - i);
    if (narrow) {
      float whole[REDUCE_NARROW];
      reduce_narrow_columns(operation, x + offset, readable - offset, count, whole, columns);
      __builtin_memcpy(out + i, whole + column, (size_t)(end - column) * 4);
      i += end - column;
      continue;
    }
    while (column < end) {
      int32_t n = min_int(end - column, REDUCE_COLUMNS), at = offset + column;
      reduce_columns(operation, x + at, readable - at, rows, count, out + i, n);
      column += n;
      i += n;
    }
  }
}

NOINLINE void reduce_outputs(const ReduceStep *step, const float *x, int32_t readable, float *out, Range outputs) {
#define REDUCE(OPERATION) \
  case OPERATION: \
    if (step->columns == 1) { \
      reduce_to_rows(OPERATION, step, x, readable, out, outputs); \
    } else { \
      reduce_to_columns(OPERATION, step, x, readable, out, outputs); \
    } \
    return;
  switch (step->operation) {
    REDUCE(SUM_FLOAT)
    REDUCE(MAX_FLOAT)
    REDUCE(MIN_FLOAT)
    REDUCE(SUM_INT)
    REDUCE(MAX_INT)
    REDUCE(MIN_INT)
  }
#undef REDUCE
}

/* Outputs of the step. */
static int32_t reduced_count(const ReduceStep *step) {
  return step->columns * positions(step->kept_rank, step->kept_dims);
}

/* The outputs from own.begin on to own.end, from an input of which `readable` elements may be read. */
static void reduce_range(const Context *context, const ReduceStep *step, int32_t readable, Range own) {
  if (own.begin >= own.end) return;
  float *out = floats(context, step->output) + step->output_offset;
  reduce_outputs(step, floats(context, step->input), readable, out, own);
  elementwise_range(context, EPILOGUE(context, step->epilogue), own.begin, own.end);
}

static void kernel_reduce(const Context *context, const ReduceStep *step) {
  int32_t count = reduced_count(step);
  /* Columns are shared out by cache lines, rows one by one. */
  int32_t unit = step->columns == 1 ? 1 : 16;
  Range own = share(context, count / unit + (count % unit > 0));
  reduce_range(context, step, step->input_size, (Range){own.begin * unit, min_int(own.end * unit, count)});
}

/* Whether a beats b, of an earlier position; NaN beats all numbers. */
INLINE vi beats(int operation, vf a, vf b) {
  switch (operation) {
    case MAX_FLOAT: return (a > b) | ((a != a) & (b == b));
    case MIN_FLOAT: return (a < b) | ((a != a) & (b == b));
    case MAX_INT: return (vi)a > (vi)b;
    default: return (vi)a < (vi)b;
  }
}

/* The index of the best of n neighbours, of which `limit` may be read. */
INLINE int32_t best_of_run(const int operation, const float *x, int32_t n, int32_t limit) {
  vi index = lane_numbers(), at = index;
  vf value;
  if (n < VW) {
    vi given = index < splat_int(n);
    value = select_(given, load_some(x, n, limit), splat(x[0]));
    index &= given;
  } else {
    value = load(x);
    for (int32_t i = VW; i < n; i += VW) {
      /* The last vector overlaps the one before, whose elements do not beat themselves. */
      int32_t from = min_int(i, n - VW);
      vf v = load(x + from);
      at = lane_numbers() + splat_int(from);
      vi wins = beats(operation, v, value);
      value = select_(wins, v, value);
      index = select_int(wins, at, index);
    }
  }
  vf best = combine_lanes(operation, value);
  vi wins = ~beats(operation, best, value);
  vf first = combine_lanes(MIN_INT, (vf)select_int(wins, index, splat_int(INT32_MAX)));
  return ((vi)first)[0];
}

/* The same for up to VW neighbouring columns of n elements, `stride` apart. */
INLINE void best_of_columns(const int operation, const float *x, int32_t stride, int32_t n, int32_t *out,
                            int32_t columns) {
  float first[VW] = {0};
  int32_t indices[VW];
  __builtin_memcpy(first, x, (size_t)columns * 4);
  vf value = load(first);
  vi index = splat_int(0);
  for (int32_t i = 1; i < n; i++) {
    vf v;
    if (columns == VW) {
      v = load(x + (size_t)i * stride);
    } else {
      __builtin_memcpy(first, x + (size_t)i * stride, (size_t)columns * 4);
      v = load(first);
    }
    vi wins = beats(operation, v, value);
    value = select_(wins, v, value);
    index = select_int(wins, splat_int(i), index);
  }
  store_int(indices, index);
  __builtin_memcpy(out, indices, (size_t)columns * 4);
}

INLINE void best_positions(const int operation, const ArgReduceStep *step, const float *x, int32_t *out, Range own) {
  int32_t inner = step->inner, length = step->length, rows = step->outer;
  for (int32_t i = own.begin; i < own.end;) {
    int32_t column = i % inner;
    const float *p = x + (size_t)(i / inner) * length * inner + column;
    if (inner == 1) {
      /* Nothing may be read behind the last row. */
      out[i] = best_of_run(operation, p, length, i + VW < rows ? VW : length);
      i++;
    } else {
      int32_t columns = min_int(min_int(inner - column, own.end - i), VW);
      best_of_columns(operation, p, inner, length, out + i, columns);
      i += columns;
    }
  }
}

static void kernel_arg_reduce(const Context *context, const ArgReduceStep *step) {
  Range own = share(context, step->outer * step->inner);
  if (own.begin >= own.end) return;
  const float *x = floats(context, step->input);
  int32_t *out = ints(context, step->output);
  switch (step->operation) {
    case MAX_FLOAT: best_positions(MAX_FLOAT, step, x, out, own); break;
    case MIN_FLOAT: best_positions(MIN_FLOAT, step, x, out, own); break;
    case MAX_INT: best_positions(MAX_INT, step, x, out, own); break;
    default: best_positions(MIN_INT, step, x, out, own); break;
  }
  elementwise_range(context, EPILOGUE(context, step->epilogue), own.begin, own.end);
}
