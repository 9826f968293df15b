/*
 * The geometry of a convolution and of its input gradient, which is a convolution as well: of the upstream gradient,
 * with windows one step apart. Where the forward stride is s, target positions fall into s phases along each axis, and
 * each phase meets only every s-th element of the kernel (or so: it depends on the dilation).
 *
 * Target position p belongs to window (p + shift) / phases, in phase (p + shift) % phases. Tap t of window g is source
 * position stride · g + origin + t.
 */
#ifndef FOVEA_WINDOWS_H
#define FOVEA_WINDOWS_H

#include "halo.h"

typedef struct {
  HaloAxis source;
  int32_t target; /* size */
  int32_t phases, shift;
  int32_t kernel, step; /* elements, and how far apart they are on the padded input: the dilation */
  int32_t last_tap;     /* of a gradient: its taps run backwards from there */
  int32_t gradient;
} Axis;

/* Elements of the kernel that one phase meets: first_element + i · element_step reads tap first_tap + i · tap_step. */
typedef struct {
  int32_t count;
  int32_t first_element, element_step;
  int32_t first_tap, tap_step;
} Taps;

INLINE Axis convolution_axis(int32_t source, int32_t target, int32_t kernel, int32_t stride, int32_t padding,
                             int32_t dilation) {
  HaloAxis halo = halo_axis(source, stride, -padding, (kernel - 1) * dilation + 1);
  return (Axis){halo, target, 1, 0, kernel, dilation, 0, 0};
}

INLINE Axis gradient_axis(int32_t source, int32_t target, int32_t kernel, int32_t stride, int32_t padding,
                          int32_t dilation) {
  int32_t last = (kernel - 1) * dilation / stride;
  return (Axis){halo_axis(source, 1, -last, last + 1), target, stride, padding, kernel, dilation, last, 1};
}

INLINE int32_t greatest_common_divisor(int32_t a, int32_t b) {
  while (b != 0) {
    int32_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static Taps phase_taps(const Axis *axis, int32_t phase) {
  if (!axis->gradient) return (Taps){axis->kernel, 0, 1, 0, axis->step};
  int32_t common = greatest_common_divisor(axis->step, axis->phases), period = axis->phases / common;
  int32_t first = 0;
  while (first < period && first * axis->step % axis->phases != phase) first++;
  if (first == period || first >= axis->kernel) return (Taps){0};
  int32_t tap = axis->last_tap - (first * axis->step - phase) / axis->phases;
  return (Taps){(axis->kernel - 1 - first) / period + 1, first, period, tap, -axis->step / common};
}

/* The window of the first target position at or after `position` that is in `phase`. */
INLINE int32_t first_window(const Axis *axis, int32_t phase, int32_t position) {
  return ceil_div(max_int(position + axis->shift - phase, 0), axis->phases);
}

INLINE int32_t target_position(const Axis *axis, int32_t phase, int32_t window) {
  return axis->phases * window + phase - axis->shift;
}

/* The taps of a window that lie on the source: a contiguous range, since they are in order. */
INLINE Range inner_taps(const Axis *axis, const Taps *taps, int32_t window) {
  int32_t base = axis->source.stride * window + axis->source.origin + taps->first_tap;
  Range range = {0, taps->count};
  while (range.begin < range.end) {
    int32_t at = base + range.begin * taps->tap_step;
    if (at >= 0 && at < axis->source.size) break;
    range.begin++;
  }
  while (range.end > range.begin) {
    int32_t at = base + (range.end - 1) * taps->tap_step;
    if (at >= 0 && at < axis->source.size) break;
    range.end--;
  }
  return range;
}

#endif
