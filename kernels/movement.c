/*
 * Moving elements without computing: permuting, stretching, slicing, joining, and placing a tensor inside a larger one.
 *
 * Elements are words of four bytes, or bytes. Offsets and strides count elements.
 */
#include "fovea.h"

/* A word of any type. */
typedef int32_t word_any __attribute__((may_alias));
typedef int32_t quad_any __attribute__((vector_size(16), aligned(4), may_alias));

/* Elements of a row that are one unit of work. */
#define MOVE_CHUNK 16384
/* Edge of the square tiles of a transposition: a cache line of words. */
#define MOVE_TILE 16
/* Elements along the output that one unit of a transposition covers. */
#define MOVE_STRIP 256

INLINE void move_one(const int bytes, uint8_t *out, int32_t to, const uint8_t *in, int32_t from) {
  if (bytes == 4) {
    ((word_any *)out)[to] = ((const word_any *)in)[from];
  } else {
    out[to] = in[from];
  }
}

/* n neighbours to n neighbours. */
INLINE void move_run(const int bytes, uint8_t *out, int32_t to, const uint8_t *in, int32_t from, int32_t n) {
  if (n * bytes >= (bytes == 4 ? 512 : 16)) {
    __builtin_memcpy(out + (size_t)to * bytes, in + (size_t)from * bytes, (size_t)n * bytes);
    return;
  }
  int32_t i = 0;
  if (bytes == 4) {
    const int32_t *source = (const int32_t *)in + from;
    int32_t *target = (int32_t *)out + to;
    for (; i + VW <= n; i += VW) store_int(target + i, load_int(source + i));
    if (n > VW && i < n) {
      /* The last vector overlaps the one before. */
      store_int(target + n - VW, load_int(source + n - VW));
      return;
    }
  }
  for (; i < n; i++) move_one(bytes, out, to + i, in, from + i);
}

/* n neighbours, of which the first one comes last in the input. */
INLINE void move_reversed(const int bytes, uint8_t *out, int32_t to, const uint8_t *in, int32_t from, int32_t n) {
  int32_t i = 0;
  if (bytes == 4) {
    for (; i + 4 <= n; i += 4) {
      quad_any v = *(const quad_any *)((const word_any *)in + from - i - 3);
      *(quad_any *)((word_any *)out + to + i) = __builtin_shufflevector(v, v, 3, 2, 1, 0);
    }
  }
  for (; i < n; i++) move_one(bytes, out, to + i, in, from - i);
}

INLINE void fill_run(const int bytes, uint8_t *out, int32_t to, int32_t value, int32_t n) {
  if (bytes == 1) {
    __builtin_memset(out + to, (uint8_t)value, (size_t)n);
    return;
  }
  int32_t i = 0;
  for (; i + VW <= n; i += VW) store_int((int32_t *)out + to + i, splat_int(value));
  for (; i < n; i++) ((word_any *)out)[to + i] = value;
}

/* One row, or a part of it, along the innermost axis. */
INLINE void move_row(const int bytes, uint8_t *out, int32_t to, int32_t to_stride, const uint8_t *in, int32_t from,
                     int32_t from_stride, int32_t n) {
  if (to_stride == 1 && from_stride == 1) {
    move_run(bytes, out, to, in, from, n);
  } else if (to_stride == 1 && from_stride == 0) {
    fill_run(bytes, out, to, bytes == 4 ? ((const word_any *)in)[from] : in[from], n);
  } else if (to_stride == 1 && from_stride == -1) {
    move_reversed(bytes, out, to, in, from, n);
  } else {
    for (int32_t i = 0; i < n; i++) move_one(bytes, out, to + i * to_stride, in, from + i * from_stride);
  }
}

/* Adds what a position of axes 0 … rank - 1, the last fastest, means for both tensors' offsets; returns the rest. */
INLINE int32_t add_position(const StridedCopyStep *step, int32_t rank, int32_t skipped, int32_t position, int32_t *from,
                            int32_t *to, int32_t *index) {
  for (int32_t axis = rank - 1; axis >= 0; axis--) {
    if (axis == skipped) continue;
    index[axis] = position % step->dims[axis];
    position /= step->dims[axis];
    *from += index[axis] * step->input_strides[axis];
    *to += index[axis] * step->output_strides[axis];
  }
  return position;
}

INLINE void move_rows(const Context *context, const int bytes, const StridedCopyStep *step, uint8_t *out,
                      const uint8_t *in) {
  int32_t inner = step->rank - 1, length = step->dims[inner];
  int32_t from_stride = step->input_strides[inner], to_stride = step->output_strides[inner];
  int32_t rows = 1, chunks = (length - 1) / MOVE_CHUNK + 1;
  for (int32_t axis = 0; axis < inner; axis++) rows *= step->dims[axis];
  Range own = share(context, rows * chunks);
  int32_t index[MAX_RANK], from = step->input_offset, to = step->output_offset;
  int32_t chunk = own.begin % chunks;
  add_position(step, inner, -1, own.begin / chunks, &from, &to, index);
  for (int32_t unit = own.begin; unit < own.end; unit++) {
    int32_t begin = chunk * MOVE_CHUNK, n = min_int(MOVE_CHUNK, length - begin);
    move_row(bytes, out, to + begin * to_stride, to_stride, in, from + begin * from_stride, from_stride, n);
    if (++chunk < chunks) continue;
    chunk = 0;
    for (int32_t axis = inner - 1; axis >= 0; axis--) {
      from += step->input_strides[axis];
      to += step->output_strides[axis];
      if (++index[axis] < step->dims[axis]) break;
      from -= index[axis] * step->input_strides[axis];
      to -= index[axis] * step->output_strides[axis];
      index[axis] = 0;
    }
  }
}

/* Four rows of four words become columns, as rows `to_stride` apart. */
INLINE void transpose_four(word_any *out, int32_t to_stride, quad_any a, quad_any b, quad_any c, quad_any d) {
  quad_any ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  quad_any AB = __builtin_shufflevector(a, b, 2, 6, 3, 7), CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(quad_any *)out = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  *(quad_any *)(out + to_stride) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  *(quad_any *)(out + 2 * to_stride) = __builtin_shufflevector(AB, CD, 0, 1, 4, 5);
  *(quad_any *)(out + 3 * to_stride) = __builtin_shufflevector(AB, CD, 2, 3, 6, 7);
}

/* A whole tile of words: in rows `from_stride` apart, out columns of these as rows `to_stride` apart. */
INLINE void transpose_tile(word_any *out, int32_t to_stride, const word_any *in, int32_t from_stride) {
  /* Whole cache lines are read and written one after the other, since lines a power of two apart evict each other. */
  quad_any tile[MOVE_TILE][MOVE_TILE / 4];
  for (int32_t row = 0; row < MOVE_TILE; row++) {
    for (int32_t k = 0; k < MOVE_TILE / 4; k++) tile[row][k] = *(const quad_any *)(in + row * from_stride + 4 * k);
  }
  for (int32_t k = 0; k < MOVE_TILE / 4; k++) {
    for (int32_t row = 0; row < MOVE_TILE; row += 4) {
      transpose_four(out + 4 * k * to_stride + row, to_stride, tile[row][k], tile[row + 1][k], tile[row + 2][k],
                     tile[row + 3][k]);
    }
  }
}

/* Neighbours of the input lie along `axis`, neighbours of the output along the innermost one. */
INLINE void move_transposed(const Context *context, const int bytes, const StridedCopyStep *step, uint8_t *out,
                            const uint8_t *in, int32_t axis) {
  int32_t inner = step->rank - 1, length = step->dims[inner], across = step->dims[axis];
  int32_t from_stride = step->input_strides[inner], to_stride = step->output_strides[axis];
  int32_t strips = ceil_div(length, MOVE_STRIP), bands = ceil_div(across, MOVE_TILE), units = strips * bands;
  for (int32_t other = 0; other < inner; other++) {
    if (other != axis) units *= step->dims[other];
  }
  Range own = share(context, units);
  for (int32_t unit = own.begin; unit < own.end; unit++) {
    int32_t index[MAX_RANK], from = step->input_offset, to = step->output_offset;
    int32_t strip = unit % strips, band = unit / strips % bands;
    add_position(step, inner, axis, unit / strips / bands, &from, &to, index);
    int32_t i = strip * MOVE_STRIP, end = min_int(i + MOVE_STRIP, length);
    int32_t first = band * MOVE_TILE, last = min_int(first + MOVE_TILE, across);
    if (bytes == 4 && last - first == MOVE_TILE) {
      for (; i + MOVE_TILE <= end; i += MOVE_TILE) {
        transpose_tile((word_any *)out + to + first * to_stride + i, to_stride,
                       (const word_any *)in + from + i * from_stride + first, from_stride);
      }
    }
    for (; bytes == 4 && i + 4 <= end; i += 4) {
      int32_t j = first;
      for (; j + 4 <= last; j += 4) {
        const word_any *p = (const word_any *)in + from + i * from_stride + j;
        transpose_four((word_any *)out + to + j * to_stride + i, to_stride, *(const quad_any *)p,
                       *(const quad_any *)(p + from_stride), *(const quad_any *)(p + 2 * from_stride),
                       *(const quad_any *)(p + 3 * from_stride));
      }
      for (; j < last; j++) {
        for (int32_t k = i; k < i + 4; k++) move_one(bytes, out, to + j * to_stride + k, in, from + k * from_stride + j);
      }
    }
    if (length < MOVE_TILE) {
      for (int32_t k = i; k < end; k++) {
        for (int32_t j = first; j < last; j++) {
          move_one(bytes, out, to + j * to_stride + k, in, from + k * from_stride + j);
        }
      }
    } else {
      for (int32_t j = first; j < last; j++) {
        for (int32_t k = i; k < end; k++) {
          move_one(bytes, out, to + j * to_stride + k, in, from + k * from_stride + j);
        }
      }
    }
  }
}

INLINE void strided_copy(const Context *context, const int bytes, const StridedCopyStep *step) {
  uint8_t *out = address(context, step->output);
  const uint8_t *in = address(context, step->input);
  int32_t inner = step->rank - 1;
  int32_t inner_stride = step->input_strides[inner];
  if (step->output_strides[inner] == 1 && inner_stride != 1 && inner_stride != 0) {
    for (int32_t axis = 0; axis < inner; axis++) {
      if (step->input_strides[axis] == 1) {
        move_transposed(context, bytes, step, out, in, axis);
        return;
      }
    }
  }
  move_rows(context, bytes, step, out, in);
}

static void kernel_strided_copy(const Context *context, const StridedCopyStep *step) {
  if (step->element_bytes == 4) {
    strided_copy(context, 4, step);
  } else {
    strided_copy(context, 1, step);
  }
}

/* The place along `axis` whose element comes to output index i, or -1. */
INLINE int32_t placed(const EmbedStep *step, int32_t axis, int32_t i) {
  int32_t distance = i - step->begin[axis], stride = step->step[axis];
  if (stride < 0) {
    distance = -distance;
    stride = -stride;
  }
  if (distance < 0 || (stride > 1 && distance % stride != 0)) return -1;
  int32_t place = stride > 1 ? distance / stride : distance;
  return place < step->placed[axis] ? place : -1;
}

/* Elements begin … end - 1 of the output row at `to`, which holds the input row at `from` (none: -1). */
INLINE void embed_row(const int bytes, const EmbedStep *step, uint8_t *out, int32_t to, const uint8_t *in, int32_t from,
                      int32_t begin, int32_t end) {
  int32_t inner = step->rank - 1, first = step->begin[inner], stride = step->step[inner];
  int32_t count = from < 0 ? 0 : step->placed[inner];
  if (count == 0 || stride != 1) {
    fill_run(bytes, out, to + begin, step->value, end - begin);
    /* The elements that fall into this part: from the one at least `near` to the one at most `far` from the first. */
    int32_t near = stride > 0 ? begin - first : first - (end - 1), far = stride > 0 ? end - 1 - first : first - begin;
    int32_t apart = stride > 0 ? stride : -stride;
    int32_t i = near <= 0 ? 0 : ceil_div(near, apart), stop = far < 0 ? 0 : min_int(count, far / apart + 1);
    for (; i < stop; i++) move_one(bytes, out, to + first + i * stride, in, from + i);
    return;
  }
  int32_t left = max_int(begin, min_int(end, first)), right = max_int(left, min_int(end, first + count));
  fill_run(bytes, out, to + begin, step->value, left - begin);
  move_run(bytes, out, to + left, in, from + left - first, right - left);
  fill_run(bytes, out, to + right, step->value, end - right);
}

INLINE void embed(const Context *context, const int bytes, const EmbedStep *step) {
  uint8_t *out = address(context, step->output);
  const uint8_t *in = address(context, step->input);
  int32_t inner = step->rank - 1, length = step->dims[inner];
  int32_t rows = 1, chunks = (length - 1) / MOVE_CHUNK + 1;
  for (int32_t axis = 0; axis < inner; axis++) rows *= step->dims[axis];
  Range own = share(context, rows * chunks);
  for (int32_t unit = own.begin; unit < own.end; unit++) {
    int32_t row = unit / chunks, begin = unit % chunks * MOVE_CHUNK, from = 0;
    for (int32_t axis = inner - 1, rest = row, size = step->placed[inner]; axis >= 0 && from >= 0; axis--) {
      int32_t place = placed(step, axis, rest % step->dims[axis]);
      from = place < 0 ? -1 : from + place * size;
      rest /= step->dims[axis];
      size *= step->placed[axis];
    }
    embed_row(bytes, step, out, row * length, in, from, begin, min_int(length, begin + MOVE_CHUNK));
  }
}

static void kernel_embed(const Context *context, const EmbedStep *step) {
  if (step->element_bytes == 4) {
    embed(context, 4, step);
  } else {
    embed(context, 1, step);
  }
}
