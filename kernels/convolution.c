/*
 * Convolution and its input gradient. A unit of work is a band of rows of one image and, where lanes are target
 * channels, a group of panels of them; then weights have been packed by a step of their own. A thread keeps what its
 * windows read, and weights that it packs itself, from one unit to the next.
 * src/backends/cpu/kernels/convolution.ts chooses what leaves fewer lanes empty.
 */
#include "convolution_folded.h"
#include "convolution_pixels.h"

typedef struct {
  Convolution plan;
  Folded folded;
  Band band;
  int32_t panels, panel_groups;
  int32_t packed, filled; /* the group whose weights have been packed, and the band that has been filled */
} ConvolutionWork;

static ConvolutionWork open_convolution(const Context *context, const ConvolutionStep *step) {
  ConvolutionWork work = {.plan = plan_convolution(context, step), .packed = -1, .filled = -1};
  work.panels = count_panels(step->target_channels);
  work.panel_groups = step->lanes_are_pixels ? 1 : ceil_div(work.panels, step->panel_group);
  make_tables(&work.plan);
  if (step->folded_columns > 0) work.folded = plan_folded(context, &work.plan);
  return work;
}

static void convolve_units(const Context *context, ConvolutionWork *work, Range range) {
  Convolution *c = &work->plan;
  const ConvolutionStep *step = c->step;
  const float *source = floats(context, step->source), *weight = floats(context, step->weight);
  float *output = floats(context, step->output);
  int32_t bands = step->batch * step->bands;
  for (int32_t u = range.begin; u < range.end; u++) {
    int32_t windows = u / work->panel_groups, index = u % work->panel_groups, group = windows / bands;
    Range part = {part_begin(work->panels, work->panel_groups, index),
                  part_begin(work->panels, work->panel_groups, index + 1)};
    if (group != work->packed) {
      if (step->lanes_are_pixels) {
        pack_channels(c, weight, group);
      } else if (step->folded_columns > 0) {
        pack_folded_panels(c, &work->folded, weight, group);
      }
      work->packed = group;
    }
    if (windows != work->filled) {
      work->band = make_band(c, source, group, windows % bands / step->bands, windows % step->bands);
      work->filled = windows;
    }
    if (step->lanes_are_pixels) {
      convolve_by_pixels(context, c, &work->band, output);
    } else if (step->folded_columns > 0) {
      convolve_folded(context, c, &work->folded, &work->band, output);
    } else {
      convolve_by_channels(context, c, &work->band, part, weight + group * packed_weights(c), output);
    }
  }
}

static void kernel_convolution(const Context *context, const ConvolutionStep *step) {
  int32_t panel_groups = step->lanes_are_pixels ? 1 : ceil_div(count_panels(step->target_channels), step->panel_group);
  int32_t units = step->groups * panel_groups * step->batch * step->bands;
  Range range = first_share(context, units);
  if (range.begin == range.end) return;
  ConvolutionWork work = open_convolution(context, step);
  for (; range.begin < range.end; range = next_share(context, units)) convolve_units(context, &work, range);
}

/* Images begin … end-1, of a convolution without groups. Behind them somebody else may be writing. */
static void convolve_images(const Context *context, const ConvolutionStep *step, Range images) {
  ConvolutionStep own = *step;
  own.batch = images.end;
  ConvolutionWork work = open_convolution(context, &own);
  int32_t per_image = work.panel_groups * step->bands;
  convolve_units(context, &work, (Range){images.begin * per_image, images.end * per_image});
}

/* A unit of work is a panel, and the block of source channels that it takes its terms from. */
static void kernel_convolution_weights(const Context *context, const ConvolutionWeightsStep *step) {
  ConvolutionStep sizes = {.scratch = step->scratch, .scratch_floats = step->scratch_floats, .groups = step->groups,
                           .source_channels = step->source_channels, .target_channels = step->target_channels,
                           .gradient = step->gradient, .interleaved = step->interleaved, .channel_block = step->channel_block};
  for (int32_t i = 0; i < 2; i++) {
    sizes.kernel[i] = step->kernel[i];
    sizes.stride[i] = step->stride[i];
    sizes.dilation[i] = step->dilation[i];
  }
  Convolution c = plan_convolution(context, &sizes);
  int32_t panels = count_panels(step->target_channels), units = step->groups * panels * c.blocks;
  Range range = first_share(context, units);
  if (range.begin == range.end) return;
  make_tables(&c);
  const float *weight = floats(context, step->weight);
  float *output = floats(context, step->output);
  for (; range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t block = u % c.blocks, group = u / c.blocks / panels;
      Panel panel = get_panel(step->target_channels, u / c.blocks % panels);
      float *target = output + group * packed_weights(&c) + (ptrdiff_t)panel.first * VW * c.depth;
      pack_block(&c, weight, group, panel, block,
                 target + (ptrdiff_t)block_channel(&c, block) * c.taps * panel.count * VW);
    }
  }
}
