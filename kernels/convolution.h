/*
 * What both ways to convolve share: the plan, the bands of rows that are units of work, and the runs of windows that a
 * band consists of.
 *
 * Sums run over blocks of source channels and, within one, over phases (windows.h), rows of the kernel, channels and
 * columns of the kernel, so that windows over the upper or lower border leave out a beginning or an end of each block.
 */
#ifndef FOVEA_CONVOLUTION_H
#define FOVEA_CONVOLUTION_H

#include "windows.h"

typedef struct {
  const ConvolutionStep *step;
  Axis y, x;
  Halo halo;
  int32_t taps;    /* elements of the kernel */
  int32_t depth;   /* source channels · taps */
  int32_t blocks;  /* of source channels */
  int32_t start_x; /* the first window of a row */
  ptrdiff_t plane; /* distance of channels, where windows read */
  ptrdiff_t window, window_row; /* distance of neighbouring windows in a row, and in a column */
  ptrdiff_t pixel; /* distance of neighbouring pixels, where windows read */
  ptrdiff_t source_pixel, target_pixel; /* in the tensors */
  ptrdiff_t source_plane, target_plane;
  float *weights;     /* packed, for one group of panels or one block of source channels */
  int32_t *offsets;   /* of each term from its window */
  int32_t *positions; /* of element (channel, row, column) of the kernel among the terms */
  float *haloed, *stage;
} Convolution;

/* Rows first … first+count-1 of one image's target, and where their first window reads. */
typedef struct {
  int32_t group, image;
  int32_t first, count;
  int32_t start_y;
  const float *source;
} Band;

/* Windows of one phase that have the same terms: rows of `columns` windows from window (row, column) on. */
typedef struct {
  int32_t row, rows, column, columns;
  int32_t phase_y, phase_x;
  int32_t first_term, terms;
  int32_t together, step; /* terms that are equally far apart, one group after the other, and how far */
} Run;

INLINE int32_t block_channel(const Convolution *c, int32_t block) {
  return part_begin(c->step->source_channels, c->blocks, block);
}

static Convolution plan_convolution(const Context *context, const ConvolutionStep *step) {
  Convolution c = {.step = step, .taps = step->kernel[0] * step->kernel[1]};
  Axis *axes[2] = {&c.y, &c.x};
  for (int32_t i = 0; i < 2; i++) {
    Axis (*make)(int32_t, int32_t, int32_t, int32_t, int32_t, int32_t) =
        step->gradient ? gradient_axis : convolution_axis;
    *axes[i] = make(step->source_size[i], step->target_size[i], step->kernel[i], step->stride[i], step->padding[i],
                    step->dilation[i]);
  }
  c.halo = (Halo){c.y.source, c.x.source, step->halo_size[0], step->halo_size[1]};
  c.depth = step->source_channels * c.taps;
  c.blocks = max_int(ceil_div(step->source_channels, step->channel_block), 1);
  c.start_x = c.x.shift / c.x.phases;
  c.source_plane = (ptrdiff_t)step->source_size[0] * step->source_size[1];
  c.target_plane = (ptrdiff_t)step->target_size[0] * step->target_size[1];
  c.plane = step->haloed ? halo_plane(&c.halo) : c.source_plane;
  c.window = 1;
  c.window_row = c.halo.columns;
  c.source_pixel = step->source_last ? step->groups * step->source_channels : 1;
  c.target_pixel = step->target_last ? step->groups * step->target_channels : 1;
  c.pixel = step->haloed ? 1 : c.source_pixel;
  if (step->interleaved) {
    if (step->haloed) c.pixel = step->source_last ? step->source_channels : ceil_div(step->source_channels, VW) * VW;
    c.plane = 1;
    c.window = c.x.source.stride * c.pixel;
    c.window_row = c.y.source.stride * c.halo.columns * c.pixel;
  }
  float *memory = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  c.weights = memory;
  c.offsets = (int32_t *)(memory + step->tables_at);
  c.positions = c.offsets + c.depth;
  c.haloed = memory + step->halo_at;
  c.stage = memory + step->stage_at;
  return c;
}

/* The terms of one row of a kernel, from tap (y, x) on. Those that follow each other lie side by side, if they can. */
static int32_t make_row_tables(const Convolution *c, int32_t first, int32_t end, int32_t term, int32_t y, int32_t row,
                               Taps tx) {
  int32_t channels = end - first, count = channels * tx.count;
  for (int32_t i = 0; i < count; i++, term++) {
    int32_t channel = first + (c->step->interleaved ? i % channels : i / tx.count);
    int32_t j = c->step->interleaved ? i / channels : i % tx.count, x = tx.first_tap + j * tx.tap_step;
    c->offsets[term] = c->step->interleaved ? (y * c->halo.columns + x) * (int32_t)c->pixel + channel
                                            : (int32_t)(channel * c->plane) + halo_offset(&c->halo, y, x);
    c->positions[channel * c->taps + row + tx.first_element + j * tx.element_step] = term;
  }
  return term;
}

/* The terms of one block of channels; returns the number of the next one. */
static int32_t make_block_tables(const Convolution *c, int32_t first, int32_t end, int32_t term) {
  for (int32_t phase_y = 0; phase_y < c->y.phases; phase_y++) {
    Taps ty = phase_taps(&c->y, phase_y);
    for (int32_t phase_x = 0; phase_x < c->x.phases; phase_x++) {
      Taps tx = phase_taps(&c->x, phase_x);
      for (int32_t i = 0; i < ty.count; i++) {
        int32_t row = (ty.first_element + i * ty.element_step) * c->step->kernel[1];
        term = make_row_tables(c, first, end, term, ty.first_tap + i * ty.tap_step, row, tx);
      }
    }
  }
  return term;
}

static void make_tables(const Convolution *c) {
  int32_t term = 0;
  for (int32_t b = 0; b < c->blocks; b++) {
    term = make_block_tables(c, block_channel(c, b), block_channel(c, b + 1), term);
  }
}

/*
 * Fills an interleaved halo: rows of pixels, each with all its channels, for windows from (start_y, start_x) on. Rows
 * outside the source are left as they are.
 */
static void fill_interleaved(const Convolution *c, const float *source, const float *end, int32_t start_y) {
  int32_t columns = c->halo.columns, width = c->x.source.size;
  int32_t y = c->y.source.stride * start_y + c->y.source.origin, x = c->x.source.stride * c->start_x + c->x.source.origin;
  int32_t before = min_int(max_int(-x, 0), columns), first = max_int(x, 0);
  int32_t inside = max_int(min_int(width - first, columns - before), 0);
  float *to = c->haloed;
  for (int32_t i = 0; i < c->halo.rows; i++, y++, to += columns * c->pixel) {
    /* No window has a tap in rows between its own and the next one's. */
    if (y < 0 || y >= c->y.source.size || i % c->y.source.stride >= c->y.source.residues) continue;
    int32_t pixel = (int32_t)c->pixel;
    float *in = to + before * c->pixel, *after = in + inside * c->pixel;
    const float *from = source + ((ptrdiff_t)y * width + first) * c->source_pixel;
    fill_loose(to, before * pixel, (vf){});
    if (!c->step->source_last) {
      pack_columns(from, c->source_plane, c->step->source_channels, inside, end, in, pixel / VW, NULL);
    } else if (pixel == c->source_pixel) {
      copy_floats(in, from, inside * pixel);
    } else {
      for (int32_t j = 0; j < inside; j++) copy_floats(in + j * c->pixel, from + j * c->source_pixel, pixel);
    }
    fill_loose(after, (columns - before - inside) * pixel, (vf){});
  }
}

static Band make_band(const Convolution *c, const float *source, int32_t group, int32_t image, int32_t index) {
  const ConvolutionStep *step = c->step;
  Band band = {group, image, part_begin(step->target_size[0], step->bands, index), 0, 0, NULL};
  band.count = part_begin(step->target_size[0], step->bands, index + 1) - band.first;
  band.start_y = (band.first + c->y.shift) / c->y.phases;
  const float *end = source + (ptrdiff_t)step->batch * step->groups * step->source_channels * c->source_plane;
  source += (ptrdiff_t)image * step->groups * step->source_channels * c->source_plane;
  source += (ptrdiff_t)group * step->source_channels * (step->source_last ? 1 : c->source_plane);
  if (!step->haloed) {
    int32_t y = c->y.source.stride * band.start_y + c->y.source.origin;
    int32_t x = c->x.source.stride * c->start_x + c->x.source.origin;
    band.source = source + ((ptrdiff_t)y * step->source_size[1] + x) * c->pixel;
    return band;
  }
  band.source = c->haloed;
  if (step->interleaved) {
    fill_interleaved(c, source, end, band.start_y);
    return band;
  }
  for (int32_t i = 0; i < step->source_channels; i++) {
    fill_halo(&c->halo, source + i * c->source_plane, end, band.start_y, c->start_x, 0, 0, c->haloed + i * c->plane);
  }
  return band;
}

/* Where the first window of a run reads. */
INLINE const float *run_source(const Convolution *c, const Band *band, const Run *run) {
  return band->source + (run->row - band->start_y) * c->window_row + (run->column - c->start_x) * c->window;
}

/* Position of the first window's target pixel in the band. */
INLINE int32_t run_target(const Convolution *c, const Band *band, const Run *run) {
  return (target_position(&c->y, run->phase_y, run->row) - band->first) * c->x.target +
         target_position(&c->x, run->phase_x, run->column);
}

INLINE float *target_channel(const Convolution *c, const Band *band, float *output, int32_t channel) {
  ptrdiff_t image = (ptrdiff_t)band->image * c->step->groups * c->step->target_channels * c->target_plane;
  ptrdiff_t index = band->group * c->step->target_channels + channel;
  return output + image + index * (c->step->target_last ? 1 : c->target_plane) +
         (ptrdiff_t)band->first * c->step->target_size[1] * c->target_pixel;
}

typedef void (*RunKernel)(const Convolution *c, const Band *band, const Run *run, const void *operand);

/* Calls `kernel` for all runs of a band, with the terms of one block of channels. */
INLINE void for_each_run(const Convolution *c, const Band *band, int32_t block, RunKernel kernel,
                         const void *operand) {
  int32_t channel = block_channel(c, block), channels = block_channel(c, block + 1) - channel;
  int32_t first_term = channel * c->taps;
  for (int32_t phase_y = 0; phase_y < c->y.phases; phase_y++) {
    Taps ty = phase_taps(&c->y, phase_y);
    int32_t row = first_window(&c->y, phase_y, band->first);
    int32_t end = first_window(&c->y, phase_y, band->first + band->count);
    for (int32_t phase_x = 0; phase_x < c->x.phases; phase_x++) {
      Taps tx = phase_taps(&c->x, phase_x);
      int32_t column = first_window(&c->x, phase_x, 0);
      int32_t columns = first_window(&c->x, phase_x, c->x.target) - column;
      for (int32_t at = row; at < end && columns > 0;) {
        Range taps = inner_taps(&c->y, &ty, at);
        int32_t next = at + 1;
        for (; next < end; next++) {
          Range other = inner_taps(&c->y, &ty, next);
          if (other.begin != taps.begin || other.end != taps.end) break;
        }
        int32_t per_tap = channels * tx.count;
        Run run = {at, next - at, column, columns, phase_y, phase_x, first_term + taps.begin * per_tap,
                   (taps.end - taps.begin) * per_tap, 1, tx.tap_step};
        if (c->step->interleaved) {
          run.together = tx.count == 1 || tx.tap_step * c->pixel == channels ? per_tap : channels;
          run.step = 1;
        } else if (c->x.source.stride == 1) {
          run.together = tx.count;
        }
        kernel(c, band, &run, operand);
        at = next;
      }
      first_term += ty.count * tx.count * channels;
    }
  }
}

/* Epilogue of channels first … first+count-1 of a group, over the rows of a band. */
static void finish_band(const Context *context, const Convolution *c, const Band *band, int32_t first, int32_t count) {
  const ElementwiseStep *epilogue = EPILOGUE(context, c->step->epilogue);
  if (epilogue == NULL) return;
  int32_t width = c->step->target_size[1], plane = (int32_t)c->target_plane;
  if (c->step->target_last) {
    int32_t pixel = (int32_t)c->target_pixel, at = (band->image * c->step->target_size[0] + band->first) * width;
    int32_t begin = at * pixel + band->group * c->step->target_channels + first;
    elementwise_region(context, epilogue, (Region){begin, band->count * width, count, pixel});
    return;
  }
  int32_t channel = (band->image * c->step->groups + band->group) * c->step->target_channels + first;
  if (band->count == c->step->target_size[0]) {
    elementwise_range(context, epilogue, channel * plane, (channel + count) * plane);
    return;
  }
  for (int32_t i = 0; i < count; i++) {
    int32_t begin = (channel + i) * plane + band->first * width;
    elementwise_range(context, epilogue, begin, begin + band->count * width);
  }
}

#endif
