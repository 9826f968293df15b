/*
 * Convolution whose lanes are pixels, in the order of the halo: between rows there are a few that belong to no window.
 * Single weights are broadcast. Source channels make one block.
 */
#ifndef FOVEA_CONVOLUTION_PIXELS_H
#define FOVEA_CONVOLUTION_PIXELS_H

#include "convolution.h"

/* Terms whose sum is kept in registers. */
#define PIXEL_TERMS 4096

/* Channels first … first+count-1 of a group, their packed weights and their output. */
typedef struct {
  int32_t first, count;
  const float *weights;
  float *output;
} ChannelBlock;

/* Where lines of neighbouring windows read, and where their sums go: in whole vectors. */
typedef struct {
  const float *x;
  int32_t lines, count; /* how many of how many windows */
  float *out;
  ptrdiff_t x_pitch, out_pitch, channel_stride;
} Lines;

static void convolve_lines(const Convolution *c, const ChannelBlock *block, const Run *run, const Lines *l) {
  int32_t rows = block->count, vectors = ceil_div(l->count, VW), tiles = ceil_div(vectors, lane_vectors[rows - 1]);
  int32_t done = 0;
  do {
    int32_t first = run->first_term + done, terms = min_int(run->terms - done, PIXEL_TERMS);
    /* From the right, where lines may be too long, to the left, where that is overwritten. */
    for (int32_t t = tiles - 1; t >= 0; t--) {
      int32_t from = part_begin(vectors, tiles, t), size = part_begin(vectors, tiles, t + 1) - from;
      lane_tiles[size - 1][rows - 1](block->weights + (ptrdiff_t)first * rows, l->x + from * VW, c->offsets + first,
                                     terms, l->out + from * VW, l->channel_stride, l->lines, l->x_pitch, l->out_pitch,
                                     done > 0);
    }
    done += terms;
  } while (done < run->terms);
}

/* The same, over a line of the stage for each row of windows, or one for all with the gaps that they have between them. */
static void convolve_staged(const Convolution *c, const ChannelBlock *block, const Run *run, Lines l, int32_t together) {
  int32_t rows = l.lines, pitch = together ? c->halo.columns : ceil_div(l.count, VW) * VW;
  ptrdiff_t stride = c->step->stage_stride;
  Lines staged = {l.x, rows, l.count, c->stage, l.x_pitch, pitch, stride};
  if (together) {
    staged.lines = 1;
    staged.count += (rows - 1) * pitch;
  }
  convolve_lines(c, block, run, &staged);
  for (int32_t i = 0; i < block->count; i++) {
    for (int32_t r = 0; r < rows; r++) {
      const float *from = c->stage + i * stride + (ptrdiff_t)r * pitch;
      float *to = l.out + i * l.channel_stride + r * l.out_pitch;
      if (c->x.phases == 1) {
        copy_floats(to, from, l.count);
      } else {
        for (int32_t j = 0; j < l.count; j++) to[(ptrdiff_t)j * c->x.phases] = from[j];
      }
    }
  }
}

/*
 * Lanes are pixels. Rows of windows are computed together, unless rounding each up to whole vectors costs less. Then
 * what is too much of a row is overwritten by the next ones, and most rows can go straight to where they belong.
 */
static void convolve_run_by_pixels(const Convolution *c, const Band *band, const Run *run, const void *operand) {
  const ChannelBlock *block = operand;
  int32_t pitch = c->halo.columns, width = c->x.target, rounded = ceil_div(run->columns, VW) * VW;
  int32_t target = run_target(c, band, run), straight = 0;
  Lines l = {run_source(c, band, run), run->rows, run->columns,  block->output + target,
             pitch, (ptrdiff_t)c->y.phases * width, c->target_plane};
  if (rounded > pitch) {
    convolve_staged(c, block, run, l, 1);
    return;
  }
  if (c->x.phases == 1 && c->y.phases == 1 && run->terms <= PIXEL_TERMS) {
    straight = min_int(run->rows, max_int(band->count - target / width - ceil_div(rounded, width) + 1, 0));
  }
  if (straight > 0) {
    l.lines = straight;
    convolve_lines(c, block, run, &l);
    l.x += (ptrdiff_t)straight * pitch;
    l.out += straight * l.out_pitch;
    l.lines = run->rows - straight;
  }
  if (l.lines > 0) convolve_staged(c, block, run, l, 0);
}

/* Weights of `count` channels, term by term. */
static void pack_factors(const Convolution *c, const float *weight, int32_t group, int32_t first, int32_t count,
                         float *target) {
  const ConvolutionStep *step = c->step;
  ptrdiff_t channels = step->source_channels, targets = step->target_channels;
  weight += group * channels * targets * c->taps;
  for (int32_t i = 0; i < count; i++) {
    for (int32_t channel = 0; channel < channels; channel++) {
      const float *from =
          weight + (step->gradient ? channel * targets + first + i : (first + i) * channels + channel) * c->taps;
      for (int32_t t = 0; t < c->taps; t++) {
        target[(ptrdiff_t)c->positions[channel * c->taps + t] * count + i] = from[t];
      }
    }
  }
}

static void pack_channels(const Convolution *c, const float *weight, int32_t group) {
  int32_t channels = c->step->target_channels, blocks = ceil_div(channels, LANE_ROWS);
  for (int32_t b = 0; b < blocks; b++) {
    int32_t first = part_begin(channels, blocks, b), count = part_begin(channels, blocks, b + 1) - first;
    pack_factors(c, weight, group, first, count, c->weights + (ptrdiff_t)first * c->depth);
  }
}

static void convolve_by_pixels(const Context *context, const Convolution *c, const Band *band, float *output) {
  int32_t channels = c->step->target_channels, blocks = ceil_div(channels, LANE_ROWS);
  for (int32_t b = 0; b < blocks; b++) {
    int32_t first = part_begin(channels, blocks, b), count = part_begin(channels, blocks, b + 1) - first;
    ChannelBlock block = {first, count, c->weights + (ptrdiff_t)first * c->depth,
                          target_channel(c, band, output, first)};
    for_each_run(c, band, 0, convolve_run_by_pixels, &block);
    finish_band(context, c, band, first, count);
  }
}

#endif
