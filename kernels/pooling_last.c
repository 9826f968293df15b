/*
 * Pooling of tensors whose channels lie side by side: lanes are channels. A unit of work is a row of the target of one
 * image.
 */
#include "pooling.h"

/* The taps of a window along one axis that lie on the input: elements first, first + step, … of it. */
typedef struct {
  int32_t first, step, count;
} PoolTaps;

static PoolTaps pool_taps_of(const PoolLastStep *step, int32_t axis, int32_t window) {
  PoolTaps taps = {window * step->stride[axis] - step->padding[2 * axis], step->dilation[axis], step->kernel[axis]};
  while (taps.count > 0 && taps.first < 0) {
    taps.first += taps.step;
    taps.count--;
  }
  while (taps.count > 0 && taps.first + (taps.count - 1) * taps.step >= step->input_size[axis]) taps.count--;
  return taps;
}

/*
 * Where the largest element of one window is: its number on the plane, whose rows are `width` long. The window's first
 * element is number `first`.
 */
INLINE vi pool_winner(const float *x, PoolTaps ty, ptrdiff_t row, PoolTaps tx, ptrdiff_t column, int32_t width) {
  int32_t first = ty.count * tx.count > 0 ? ty.first * width + tx.first : -1;
  vf best = splat(-__builtin_inff());
  vi index = splat_int(first);
  for (int32_t i = 0; i < ty.count; i++, x += row) {
    for (int32_t j = 0; j < tx.count; j++) {
      vf v = load(x + j * column);
      vi better = (v > best) | (v != v);
      best = select_(better, v, best);
      index = select_int(better, splat_int(first + i * ty.step * width + j * tx.step), index);
    }
  }
  return index;
}

/* One window: `rows` rows of `columns` elements that lie `row` and `column` floats apart. */
INLINE vf pool_window(const int kind, const float *x, int32_t rows, ptrdiff_t row, int32_t columns, ptrdiff_t column) {
  vf result = kind == POOL_MAXIMUM ? splat(-__builtin_inff()) : (vf){};
  vi unordered = {0};
  for (int32_t i = 0; i < rows; i++, x += row) {
    const float *p = x;
    for (int32_t j = 0; j < columns; j++, p += column) {
      vf v = load(p);
      if (kind == POOL_MAXIMUM) {
        result = larger(v, result);
        unordered |= v != v;
      } else {
        result += v;
      }
    }
  }
  return kind == POOL_MAXIMUM ? select_(unordered, splat(__builtin_nanf("")), result) : result;
}

static void kernel_pool_last(const Context *context, const PoolLastStep *step) {
  int32_t height = step->output_size[0], width = step->output_size[1], channels = step->channels;
  int32_t units = step->batch * height, row = width * channels;
  const float *input = floats(context, step->input);
  float *output = floats(context, step->output);
  ptrdiff_t input_row = (ptrdiff_t)step->input_size[1] * channels;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    int32_t done = range.begin * row;
    for (int32_t u = range.begin; u < range.end; u++) {
      const float *image = input + u / height * step->input_size[0] * input_row;
      PoolTaps y = pool_taps_of(step, 0, u % height);
      for (int32_t i = 0; i < width; i++) {
        PoolTaps x = pool_taps_of(step, 1, i);
        const float *from = image + y.first * input_row + (ptrdiff_t)x.first * channels;
        float *to = output + (ptrdiff_t)u * row + (ptrdiff_t)i * channels;
        ptrdiff_t next_row = y.step * input_row, next = (ptrdiff_t)x.step * channels;
        if (step->kind == POOL_MAXIMUM && y.count == 2 && x.count == 2) {
          for (int32_t c = 0; c < channels; c += VW) store(to + c, largest_of_four(from + c, next_row, next));
        } else if (step->kind == POOL_MAXIMUM && y.count == 3 && x.count == 3) {
          /* With constant counts the loops are unrolled. */
          for (int32_t c = 0; c < channels; c += VW) {
            store(to + c, pool_window(POOL_MAXIMUM, from + c, 3, next_row, 3, next));
          }
        } else if (step->kind == POOL_MAXIMUM) {
          for (int32_t c = 0; c < channels; c += VW) {
            store(to + c, pool_window(POOL_MAXIMUM, from + c, y.count, next_row, x.count, next));
          }
        } else if (step->kind == POOL_INDICES) {
          for (int32_t c = 0; c < channels; c += VW) {
            store(to + c, (vf)pool_winner(from + c, y, next_row, x, next, step->input_size[1]));
          }
        } else {
          int32_t count = COUNTED(step, 0, u % height) * COUNTED(step, 1, i);
          for (int32_t c = 0; c < channels; c += VW) {
            vf sum = pool_window(POOL_AVERAGE, from + c, y.count, next_row, x.count, next);
            store(to + c, count == 0 ? (vf){} : sum / splat((float)count));
          }
        }
      }
      done = finish_planes(context, step->epilogue, done, (u + 1) * row, u + 1 == range.end);
    }
  }
}
