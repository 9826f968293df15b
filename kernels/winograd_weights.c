/* Weights of Winograd's algorithm, transformed (winograd.c). */
#include "convolution_channels.h"
#include "winograd_transforms.h"

/* Source channels whose kernels are packed together. */
#define PACKED_KERNELS 16

/*
 * Transformed weights of some panels of target channels: group, position, panel, source channel, lane. A unit of work is
 * a panel and a block of source channels. For an input gradient, kernels are turned around and their channels change
 * places.
 */
static void kernel_winograd_weights(const Context *context, const WinogradWeightsStep *step) {
  const float *weight = floats(context, step->weight);
  float *output = floats(context, step->output);
  float *packed = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  int32_t sources = step->source_channels, targets = step->target_channels, positions = (step->tile + 2) * (step->tile + 2);
  int32_t panels = step->panels, blocks = ceil_div(sources, PACKED_KERNELS);
  Panel slice = join_panels(targets, step->first_panel, panels);
  ptrdiff_t distance = (ptrdiff_t)slice.count * VW * sources;
  const float *end = weight + (ptrdiff_t)step->groups * sources * targets * 9;
  int32_t units = step->groups * panels * blocks;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t group = u / blocks / panels, source = u % blocks * PACKED_KERNELS;
      int32_t count = min_int(sources - source, PACKED_KERNELS);
      Panel panel = get_panel(targets, step->first_panel + u / blocks % panels);
      int32_t first = panel.first * VW, width = panel.count * VW, lanes = min_int(targets - first, width);
      const float *from = weight + (ptrdiff_t)group * sources * targets * 9;
      if (step->gradient) {
        for (int32_t i = 0; i < count; i++) {
          pack_columns(from + ((ptrdiff_t)(source + i) * targets + first) * 9, 9, lanes, 9, end,
                       packed + (ptrdiff_t)i * 9 * width, panel.count, NULL);
        }
      } else {
        pack_columns(from + ((ptrdiff_t)first * sources + source) * 9, (ptrdiff_t)sources * 9, lanes, count * 9, end,
                     packed, panel.count, NULL);
      }
      float *to = output + group * positions * distance + (ptrdiff_t)(first - slice.first * VW) * sources +
                  (ptrdiff_t)source * width;
      for (int32_t i = 0; i < count * panel.count; i++, to += VW) {
        const float *kernel = packed + (ptrdiff_t)(i / panel.count) * 9 * width + i % panel.count * VW;
        if (step->gradient) kernel += 8 * width;
        ptrdiff_t next = step->gradient ? -width : width;
        if (step->tile == 4) {
          transform_weight_tile(4, kernel, next, to, distance);
        } else {
          transform_weight_tile(2, kernel, next, to, distance);
        }
      }
    }
  }
}
