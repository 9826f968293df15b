/* What pooling and the way back from it share. */
#ifndef FOVEA_POOLING_H
#define FOVEA_POOLING_H

#include "vector_math.h"
#include "windows.h"

/* As numbered in src/backends/cpu/kernels/pooling.ts. */
enum { POOL_MAXIMUM, POOL_INDICES, POOL_AVERAGE };

/* Epilogues wait until there are so many elements, or a thread's last are there. */
#define POOL_EPILOGUE 1024

INLINE int32_t finish_planes(const Context *context, uint32_t epilogue, int32_t begin, int32_t end, int32_t is_last) {
  if (!is_last && end - begin < POOL_EPILOGUE) return begin;
  elementwise_range(context, EPILOGUE(context, epilogue), begin, end);
  return end;
}

/* The largest elements of 2 × 2 that lie `row` and `column` floats apart. */
INLINE vf largest_of_four(const float *x, ptrdiff_t row, ptrdiff_t column) {
  vf upper = maximum_(load(x), load(x + column)), lower = maximum_(load(x + row), load(x + row + column));
  return maximum_(upper, lower);
}

/* Stores the first n lanes, or all where later stores overwrite the rest: below `limit`. */
INLINE void store_ahead(float *p, vf v, int32_t n, const float *limit) {
  if (n >= VW || limit - p >= VW) {
    store(p, v);
  } else {
    store_part(p, v, n);
  }
}

/* How many elements of window g an average counts along an axis. */
#define COUNTED(step, axis, g)                                                                                       \
  counted((step)->kernel[axis], (step)->dilation[axis], (g) * (step)->stride[axis] - (step)->padding[2 * (axis)],    \
          (step)->input_size[axis], (step)->count_padding ? (step)->padding[2 * (axis) + 1] : -1)

/* Of `kernel` elements from `first` on, those on the input or, unless `after` is -1, at most so far behind it. */
static int32_t counted(int32_t kernel, int32_t dilation, int32_t first, int32_t size, int32_t after) {
  int32_t count = 0;
  for (int32_t k = 0; k < kernel; k++, first += dilation) {
    count += after >= 0 ? first < size + after : first >= 0 && first < size;
  }
  return count;
}

/* Whether window 0 covers just the input. */
#define COVERED(step, axis)                                                                                          \
  ((step)->kernel[axis] == (step)->input_size[axis] && (step)->padding[2 * (axis)] == 0 &&                           \
   ((step)->dilation[axis] == 1 || (step)->kernel[axis] == 1))

#endif
