/* Transformed weights of Winograd's algorithm: made beforehand (winograd_weights.c) or where they are used (winograd.c). */
#ifndef FOVEA_WINOGRAD_WEIGHTS_H
#define FOVEA_WINOGRAD_WEIGHTS_H

#include "convolution_channels.h"
#include "winograd_transforms.h"

/* Source channels whose kernels are packed together. */
#define PACKED_KERNELS 16

/* Weights as they are given. For an input gradient, kernels are turned around and their channels change places. */
typedef struct {
  const float *weight, *end;
  int32_t sources, targets; /* channels of a group */
  int32_t gradient, points;
} RawWeights;

INLINE int32_t taps_of(const RawWeights *raw) { return KERNEL_OF(raw->points) * KERNEL_OF(raw->points); }

/* Line `i` of the cache of what transform_kernels() reads after this call, one for each of its kernels' vectors. */
INLINE void fetch_kernels(const RawWeights *raw, const float *from, int32_t panel_vectors, int32_t first, int32_t next, int32_t i) {
#ifndef __wasm__
  int32_t taps = taps_of(raw);
  const float *kernels = raw->gradient ? from + ((ptrdiff_t)(next + i / panel_vectors) * raw->targets + first + i % panel_vectors * VW) * taps
                                       : from + ((ptrdiff_t)(first + i) * raw->sources + next) * taps;
  for (int32_t k = 0; k < taps * VW; k += 16) __builtin_prefetch(kernels + k, 0, 2);
#else
  (void)raw, (void)from, (void)panel_vectors, (void)first, (void)next, (void)i;
#endif
}

/*
 * The weights of one panel and of `count` source channels, PACKED_KERNELS at most, from `source` on: source channel · panel +
 * lane, positions `distance` apart. `packed` has room for PACKED_KERNELS kernels of a panel.
 */
static void transform_kernels(const RawWeights *raw, int32_t group, Panel panel, int32_t source, int32_t count, float *packed,
                              float *to, ptrdiff_t distance) {
  int32_t first = panel.first * VW, width = panel.count * VW, lanes = min_int(raw->targets - first, width);
  int32_t taps = taps_of(raw);
  const float *from = raw->weight + (ptrdiff_t)group * raw->sources * raw->targets * taps;
  if (raw->gradient) {
    for (int32_t i = 0; i < count; i++) {
      pack_columns(from + ((ptrdiff_t)(source + i) * raw->targets + first) * taps, taps, lanes, taps, raw->end,
                   packed + (ptrdiff_t)i * taps * width, panel.count, NULL);
    }
  } else {
    pack_columns(from + ((ptrdiff_t)first * raw->sources + source) * taps, (ptrdiff_t)raw->sources * taps, lanes, count * taps,
                 raw->end, packed, panel.count, NULL);
  }
  int32_t fetches = source + 2 * PACKED_KERNELS <= raw->sources;
  for (int32_t i = 0; i < count * panel.count; i++, to += VW) {
    if (fetches) fetch_kernels(raw, from, panel.count, first, source + count, i);
    const float *kernel = packed + (ptrdiff_t)(i / panel.count) * taps * width + i % panel.count * VW;
    if (raw->gradient) kernel += (taps - 1) * width;
    ptrdiff_t next = raw->gradient ? -width : width;
    if (raw->points == 7) {
      transform_weight_tile(7, kernel, next, to, distance);
    } else if (raw->points == 6) {
      transform_weight_tile(6, kernel, next, to, distance);
    } else {
      transform_weight_tile(4, kernel, next, to, distance);
    }
  }
}

#endif
