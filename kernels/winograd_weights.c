/* Weights of Winograd's algorithm, transformed before they are used (winograd.c). */
#include "winograd_weights.h"

/* Transformed weights: group, position, panel, source channel, lane. A unit of work is a panel and some source channels. */
static void kernel_winograd_weights(const Context *context, const WinogradWeightsStep *step) {
  float *output = floats(context, step->output);
  float *packed = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  int32_t sources = step->source_channels, targets = step->target_channels, points = step->tile + step->kernel - 1;
  int32_t positions = points * points, taps = step->kernel * step->kernel;
  int32_t panels = count_panels(targets), blocks = ceil_div(sources, PACKED_KERNELS);
  ptrdiff_t distance = (ptrdiff_t)ceil_div(targets, VW) * VW * sources;
  const float *weight = floats(context, step->weight);
  RawWeights raw = {weight, weight + (ptrdiff_t)step->groups * sources * targets * taps, sources, targets, step->gradient,
                    step->tile, step->kernel, step->stride, step->size};
  int32_t units = step->groups * panels * blocks;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t group = u / blocks / panels, source = u % blocks * PACKED_KERNELS;
      Panel panel = get_panel(targets, u / blocks % panels);
      float *to = output + group * positions * distance +
                  ((ptrdiff_t)panel.first * sources + (ptrdiff_t)source * panel.count) * VW;
      transform_kernels(&raw, group, panel, source, min_int(sources - source, PACKED_KERNELS), packed, to, distance);
    }
  }
}
