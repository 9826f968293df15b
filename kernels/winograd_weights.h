/* Transformed weights of Winograd's algorithm: made beforehand (winograd_weights.c) or where they are used (winograd.c). */
#ifndef FOVEA_WINOGRAD_WEIGHTS_H
#define FOVEA_WINOGRAD_WEIGHTS_H

#include "convolution_channels.h"
#include "winograd_transforms.h"

/* Source channels whose kernels are packed together. */
#define PACKED_KERNELS 16

/*
 * Weights as they are given. For an input gradient, kernels are turned around and their channels change places. With a stride
 * source channels are phases (fill_phases()), `kernel` is the side of their kernels, and `size` that of the given ones.
 */
typedef struct {
  const float *weight, *end;
  int32_t sources, targets; /* channels of a group */
  int32_t gradient, tile, kernel, stride, size;
} RawWeights;

INLINE int32_t taps_of(const RawWeights *raw) { return raw->kernel * raw->kernel; }

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

/* The kernels of `count` phases from `source` on: those weights that meet their pixels, and zeros. */
static void pack_phases(const RawWeights *raw, int32_t group, int32_t first, int32_t lanes, int32_t width, int32_t source,
                        int32_t count, float *packed) {
  int32_t phases = raw->stride * raw->stride, channels = raw->sources / phases;
  for (int32_t i = 0; i < count * raw->kernel * raw->kernel; i++) {
    int32_t tap = i % taps_of(raw), phase = (source + i / taps_of(raw)) % phases, channel = (source + i / taps_of(raw)) / phases;
    int32_t y = tap / raw->kernel * raw->stride + phase / raw->stride, x = tap % raw->kernel * raw->stride + phase % raw->stride;
    const float *from = raw->weight + (((ptrdiff_t)group * raw->targets + first) * channels + channel) * raw->size * raw->size;
    for (int32_t lane = 0; lane < width; lane++, packed++) {
      int32_t is_there = lane < lanes && y < raw->size && x < raw->size;
      *packed = is_there ? from[((ptrdiff_t)lane * channels * raw->size + y) * raw->size + x] : 0;
    }
  }
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
  if (raw->stride > 1) {
    pack_phases(raw, group, first, lanes, width, source, count, packed);
  } else if (raw->gradient) {
    for (int32_t i = 0; i < count; i++) {
      pack_columns(from + ((ptrdiff_t)(source + i) * raw->targets + first) * taps, taps, lanes, taps, raw->end,
                   packed + (ptrdiff_t)i * taps * width, panel.count, NULL);
    }
  } else {
    pack_columns(from + ((ptrdiff_t)first * raw->sources + source) * taps, (ptrdiff_t)raw->sources * taps, lanes, count * taps,
                 raw->end, packed, panel.count, NULL);
  }
  int32_t fetches = raw->stride == 1 && source + 2 * PACKED_KERNELS <= raw->sources;
  for (int32_t i = 0; i < count * panel.count; i++, to += VW) {
    if (fetches) fetch_kernels(raw, from, panel.count, first, source + count, i);
    const float *kernel = packed + (ptrdiff_t)(i / panel.count) * taps * width + i % panel.count * VW;
    if (raw->gradient) kernel += (taps - 1) * width;
    ptrdiff_t next = raw->gradient ? -width : width;
    if (raw->tile == 3) {
      transform_weight_tile(7, kernel, next, to, distance);
    } else if (raw->tile == 4) {
      transform_weight_tile(6, kernel, next, to, distance);
    } else {
      transform_weight_tile(4, kernel, next, to, distance);
    }
  }
}

#endif
