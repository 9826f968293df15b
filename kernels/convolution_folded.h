/*
 * The input gradient of a convolution over few channels, without the zeros beside its rows: where the kernel is nearly
 * as wide as the image, most products of an ordinary gradient are with those. Lanes are pairs of a target channel and a
 * column of the kernel, so that windows are one column wide; then each target pixel adds up, over the columns of the
 * kernel, the neighbours from which they reach it.
 */
#ifndef FOVEA_CONVOLUTION_FOLDED_H
#define FOVEA_CONVOLUTION_FOLDED_H

#include "convolution_channels.h"

/* Rows of lane sums, with zeros before and after them. */
typedef struct {
  int32_t columns, width;       /* of the kernel; of the true target */
  int32_t margin, pitch;        /* zeros before a row; distance of rows */
  ptrdiff_t lane_stride, plane; /* distance of lanes; of true target planes */
  float *rows;
} Folded;

static Folded plan_folded(const Context *context, const Convolution *c) {
  const ConvolutionStep *step = c->step;
  int32_t reach = (step->folded_columns - 1) * step->dilation[1];
  Folded f = {.columns = step->folded_columns, .width = step->folded_width};
  f.margin = max_int(reach - step->folded_padding, 0);
  f.pitch = step->folded_pitch;
  f.lane_stride = (ptrdiff_t)ceil_div(step->target_size[0], step->bands) * f.pitch;
  f.plane = (ptrdiff_t)step->target_size[0] * f.width;
  f.rows = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats + step->folded_at;
  fill(f.rows, (int32_t)(step->target_channels * f.lane_stride), 0);
  return f;
}

/* Weights of panels whose lanes are (channel, column of the kernel). */
static void pack_folded_panels(const Convolution *c, const Folded *f, const float *weight, int32_t group) {
  int32_t sources = c->step->source_channels, lanes = c->step->target_channels;
  weight += (ptrdiff_t)group * sources * lanes * c->taps;
  for (int32_t p = 0; p < count_panels(c->step->target_channels); p++) {
    Panel panel = get_panel(c->step->target_channels, p);
    int32_t first = panel.first * VW, width = panel.count * VW;
    for (int32_t i = 0; i < sources * c->taps; i++) {
      float *to = c->weights + (ptrdiff_t)first * c->depth + (ptrdiff_t)c->positions[i] * width;
      const float *from = weight + (ptrdiff_t)(i / c->taps) * lanes * c->taps + i % c->taps * f->columns;
      for (int32_t lane = first; lane < first + width; lane++) {
        int32_t channel = lane / f->columns, kx = lane % f->columns;
        to[lane - first] = lane < lanes ? from[channel * c->taps * f->columns + kx] : 0;
      }
    }
  }
}

static void fold_rows(const Convolution *c, const Folded *f, const Band *band, float *output) {
  int32_t channels = c->step->target_channels / f->columns;
  for (int32_t channel = 0; channel < channels; channel++) {
    const float *limit = output + channel * f->plane + (ptrdiff_t)band->count * f->width;
    for (int32_t y = 0; y < band->count; y++) {
      const float *row = f->rows + channel * f->columns * f->lane_stride + (ptrdiff_t)y * f->pitch + f->margin +
                         c->step->folded_padding;
      float *out = output + channel * f->plane + (ptrdiff_t)y * f->width;
      for (int32_t x = 0; x < f->width; x += VW) {
        vf sum = {0};
        for (int32_t kx = 0; kx < f->columns; kx++) {
          sum += load(row + kx * f->lane_stride + x - kx * c->step->dilation[1]);
        }
        /* What is too much of a row is overwritten by the next one. */
        if (limit - (out + x) >= VW) {
          store(out + x, sum);
        } else {
          store_part(out + x, sum, f->width - x);
        }
      }
    }
  }
}

static void convolve_folded(const Context *context, const Convolution *c, const Folded *f, const Band *band,
                            float *output) {
  const ConvolutionStep *step = c->step;
  int32_t width = step->target_size[1];
  for (int32_t p = 0; p < count_panels(c->step->target_channels); p++) {
    Panel panel = get_panel(c->step->target_channels, p);
    int32_t lane = panel.first * VW, lanes = min_int(step->target_channels - lane, panel.count * VW);
    for (int32_t block = 0; block < c->blocks; block++) {
      PanelBlock b = {panel, c->weights + (ptrdiff_t)panel.first * VW * c->depth, block, c->stage, panel.count * VW};
      for_each_run(c, band, block, convolve_run_by_channels, &b);
    }
    for (int32_t y = 0; y < band->count; y++) {
      store_columns(c->stage + (ptrdiff_t)y * width * panel.count * VW, panel.count, lanes, width,
                    f->rows + lane * f->lane_stride + (ptrdiff_t)y * f->pitch + f->margin, f->lane_stride);
    }
  }
  int32_t channels = step->target_channels / f->columns, group = band->image * step->groups + band->group;
  fold_rows(c, f, band, output + group * channels * f->plane + (ptrdiff_t)band->first * f->width);
  const ElementwiseStep *epilogue = EPILOGUE(context, step->epilogue);
  for (int32_t i = 0; i < channels; i++) {
    int32_t begin = (group * channels + i) * (int32_t)f->plane + band->first * f->width;
    elementwise_range(context, epilogue, begin, begin + band->count * f->width);
  }
}

#endif
