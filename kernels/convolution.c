/*
 * Convolution and its input gradient. A unit of work is a band of rows of one image and, where lanes are target
 * channels, a group of panels of them; a thread keeps the weights that it has packed, and what its windows read, from one
 * unit to the next. src/backends/cpu/kernels/convolution.ts chooses what leaves fewer lanes empty.
 */
#include "convolution_folded.h"
#include "convolution_pixels.h"

static void kernel_convolution(const Context *context, const ConvolutionStep *step) {
  Convolution c = plan_convolution(context, step);
  const float *source = floats(context, step->source), *weight = floats(context, step->weight);
  float *output = floats(context, step->output);
  int32_t vectors = ceil_div(step->target_channels, VW);
  int32_t panel_groups = step->lanes_are_pixels ? 1 : ceil_div(vectors, step->panel_group);
  int32_t bands = step->batch * step->bands;
  int32_t units = step->groups * panel_groups * bands;
  Range range = first_share(context, units);
  if (range.begin == range.end) return;
  make_tables(&c);
  Folded folded = {0};
  if (step->folded_columns > 0) folded = plan_folded(context, &c);
  int32_t packed = -1, filled = -1;
  Band band = {0};
  for (; range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t operand = u / bands, group = operand / panel_groups, index = operand % panel_groups;
      int32_t first = part_begin(vectors, panel_groups, index);
      Panel panels = {first, part_begin(vectors, panel_groups, index + 1) - first};
      if (operand != packed) {
        if (step->lanes_are_pixels) {
          pack_channels(&c, weight, group);
        } else if (step->folded_columns > 0) {
          pack_folded_panels(&c, &folded, weight, group, panels);
        } else if (!step->packs_blocks) {
          pack_panels(&c, weight, group, panels);
        }
        packed = operand;
      }
      int32_t windows = group * bands + u % bands;
      if (windows != filled) {
        band = make_band(&c, source, group, u % bands / step->bands, u % step->bands);
        filled = windows;
      }
      if (step->lanes_are_pixels) {
        convolve_by_pixels(context, &c, &band, output);
      } else if (step->folded_columns > 0) {
        convolve_folded(context, &c, &folded, &band, panels, output);
      } else {
        convolve_by_channels(context, &c, &band, panels, step->packs_blocks ? weight : NULL, output);
      }
    }
  }
}
