/* Convolution whose lanes are target channels: packed weights are panels, single pixels are broadcast. */
#ifndef FOVEA_CONVOLUTION_CHANNELS_H
#define FOVEA_CONVOLUTION_CHANNELS_H

#include "convolution.h"

/* Vectors first … first+count-1 of the target channels of a group. */
typedef struct {
  int32_t first, count;
} Panel;

/*
 * The target channels of a group are cut into panels of nearly equal width: countPanels in src/backends/cpu/kernels/panels.ts.
 * A few wide ones are an even number, so that two threads have as much work each.
 */
INLINE int32_t count_panels(int32_t target_channels) {
  int32_t panels = ceil_div(ceil_div(target_channels, VW), PANEL_VECTORS);
  return VW == 16 && panels > 1 && panels < 8 ? panels + panels % 2 : panels;
}

/* Panels first … first+count-1 taken together. */
INLINE Panel join_panels(int32_t target_channels, int32_t first, int32_t count) {
  int32_t vectors = ceil_div(target_channels, VW), panels = count_panels(target_channels);
  int32_t begin = part_begin(vectors, panels, first);
  return (Panel){begin, part_begin(vectors, panels, first + count) - begin};
}

INLINE Panel get_panel(int32_t target_channels, int32_t index) { return join_panels(target_channels, index, 1); }

/* Floats of the packed weights of a group. */
INLINE ptrdiff_t packed_weights(const Convolution *c) {
  return (ptrdiff_t)ceil_div(c->step->target_channels, VW) * VW * c->depth;
}

/* Packs what one panel takes from a block of source channels, as if it were the panel's first. */
static void pack_block(const Convolution *c, const float *weight, int32_t group, Panel panel, int32_t block,
                       float *target) {
  const ConvolutionStep *step = c->step;
  int32_t channels = step->source_channels, targets = step->target_channels, first = panel.first * VW;
  int32_t lanes = min_int(targets - first, panel.count * VW);
  int32_t channel = block_channel(c, block), end_channel = block_channel(c, block + 1);
  const float *end = weight + (ptrdiff_t)step->groups * channels * targets * c->taps;
  weight += (ptrdiff_t)group * channels * targets * c->taps;
  target -= (ptrdiff_t)channel * c->taps * panel.count * VW;
  if (!step->gradient) {
    pack_columns(weight + (ptrdiff_t)first * c->depth + channel * c->taps, c->depth, lanes,
                 (end_channel - channel) * c->taps, end, target, panel.count, c->positions + channel * c->taps);
    return;
  }
  for (int32_t i = channel; i < end_channel; i++) {
    const float *from = weight + ((ptrdiff_t)i * targets + first) * c->taps;
    if (c->taps == 1) {
      pack_rows(from, targets, lanes, 1, target + (ptrdiff_t)c->positions[i] * panel.count * VW, panel.count);
    } else {
      pack_columns(from, c->taps, lanes, c->taps, end, target, panel.count, c->positions + i * c->taps);
    }
  }
}

typedef struct {
  Panel panel;
  const float *weights; /* of term 0 */
  int32_t block;
  float *out; /* of the band's first pixel */
  ptrdiff_t pixel; /* distance of pixels there */
} PanelBlock;

static void convolve_run_by_channels(const Convolution *c, const Band *band, const Run *run, const void *operand) {
  const PanelBlock *b = operand;
  int32_t vectors = b->panel.count, pixels = run->rows * run->columns;
  int32_t tiles = ceil_div(pixels, broadcast_rows[vectors - 1]), column = 0, width = vectors * VW;
  const float *weights = b->weights + (ptrdiff_t)run->first_term * width;
  AheadPanel ahead = fetch_ahead(weights, weights + (ptrdiff_t)run->terms * width, width, tiles);
  Terms terms = {c->offsets + run->first_term, run->together, run->step};
  const float *x = run_source(c, band, run);
  float *out = b->out + run_target(c, band, run) * b->pixel;
  ptrdiff_t next = c->x.phases * b->pixel;
  ptrdiff_t next_row = c->y.phases * c->x.target * b->pixel - run->columns * next;
  ptrdiff_t next_source = c->window_row - run->columns * c->window;
  Parts cuts = cut(pixels, tiles);
  for (int32_t t = 0; t < tiles; t++) {
    int32_t size = next_part(&cuts);
    const float *from[MAX_ROWS];
    float *to[MAX_ROWS];
    for (int32_t i = 0; i < size; i++) {
      from[i] = x;
      to[i] = out;
      x += c->window;
      out += next;
      if (++column == run->columns) {
        column = 0;
        x += next_source;
        out += next_row;
      }
    }
    broadcast_tiles[vectors - 1][size - 1](from, terms, run->terms, weights, width, vectors, to,
                                           b->block > 0, tile_ahead(&ahead, t, run->terms));
  }
}

/*
 * Panels first … end-1; `weights` are those of the group, packed. Where the target has its channels last, sums go
 * straight there; else to the stage, which holds pixels of the band × lanes of a panel.
 */
static void convolve_by_channels(const Context *context, const Convolution *c, const Band *band, Range panels,
                                 const float *weights, float *output) {
  int32_t last = c->step->target_last;
  for (int32_t p = panels.begin; p < panels.end; p++) {
    Panel panel = get_panel(c->step->target_channels, p);
    int32_t channel = panel.first * VW, lanes = min_int(c->step->target_channels - channel, panel.count * VW);
    float *target = target_channel(c, band, output, channel);
    for (int32_t block = 0; block < c->blocks; block++) {
      PanelBlock b = {panel, weights + (ptrdiff_t)channel * c->depth, block, last ? target : c->stage,
                      last ? c->target_pixel : panel.count * VW};
      for_each_run(c, band, block, convolve_run_by_channels, &b);
    }
    if (last) continue;
    store_columns(c->stage, panel.count, lanes, band->count * c->step->target_size[1], target, c->target_plane);
    finish_band(context, c, band, channel, lanes);
  }
  if (last) {
    Panel all = join_panels(c->step->target_channels, panels.begin, panels.end - panels.begin);
    finish_band(context, c, band, all.first * VW, all.count * VW);
  }
}

#endif
