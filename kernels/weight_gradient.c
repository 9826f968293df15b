/*
 * The weight gradient of a convolution: products of the upstream gradient and the input, summed over pixels. Sums over
 * the batch are cut into chunks, by shapes alone; each chunk has its own partial result, and sumPartials adds them.
 *
 * Lanes are output channels, with the upstream gradient packed pixel by pixel and single inputs broadcast; or, for few
 * output channels, pixels, with rows of both multiplied where they lie.
 */
#include "windows.h"

typedef struct {
  const WeightGradientStep *step;
  HaloAxis y, x;
  Halo halo;
  int32_t taps;
  ptrdiff_t plane;        /* distance of channels, where windows read */
  ptrdiff_t image_stride; /* distance of images there */
  ptrdiff_t input_plane, upstream_plane;
  float *upstream; /* packed or with gaps, for one block of pixels */
  float *haloed, *stage;
  int32_t *offsets;   /* of each pixel of the block from its first; where lanes are pixels, of each tap */
  int32_t *positions; /* of each pixel of an image among those of the block */
  int32_t *offsets_x; /* of each column of the kernel from the first */
} WeightGradient;

/* A block of pixels: bands of rows of one image, or several images. Pixels are ordered by row, image and column. */
typedef struct {
  int32_t image, images;
  int32_t first, rows;
} PixelBlock;

static WeightGradient plan_weight_gradient(const Context *context, const WeightGradientStep *step) {
  WeightGradient g = {.step = step, .taps = step->kernel[0] * step->kernel[1]};
  HaloAxis *axes[2] = {&g.y, &g.x};
  for (int32_t i = 0; i < 2; i++) {
    *axes[i] = halo_axis(step->input_size[i], step->stride[i], -step->padding[i],
                         (step->kernel[i] - 1) * step->dilation[i] + 1);
  }
  g.halo = (Halo){g.y, g.x, step->halo_size[0], step->halo_size[1]};
  g.input_plane = (ptrdiff_t)step->input_size[0] * step->input_size[1];
  g.upstream_plane = (ptrdiff_t)step->upstream_size[0] * step->upstream_size[1];
  g.plane = step->haloed ? halo_plane(&g.halo) : g.input_plane;
  g.image_stride = g.plane * (step->haloed ? step->channel_block : step->groups * step->input_channels);
  float *memory = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  g.upstream = memory;
  g.haloed = memory + step->halo_at;
  g.stage = memory + step->stage_at;
  g.offsets = (int32_t *)(memory + step->tables_at);
  g.positions = g.offsets + step->block_pixels;
  g.offsets_x = g.positions + step->block_pixels;
  return g;
}

static int32_t block_count(const WeightGradientStep *step) {
  return ceil_div(step->batch, step->block_images) * step->bands;
}

static PixelBlock pixel_block(const WeightGradientStep *step, int32_t index) {
  PixelBlock b;
  b.image = index / step->bands * step->block_images;
  b.images = min_int(step->block_images, step->batch - b.image);
  b.first = part_begin(step->upstream_size[0], step->bands, index % step->bands);
  b.rows = part_begin(step->upstream_size[0], step->bands, index % step->bands + 1) - b.first;
  return b;
}

static void make_pixel_tables(const WeightGradient *g, const PixelBlock *b) {
  int32_t width = g->step->upstream_size[1], *offset = g->offsets;
  for (int32_t y = 0; y < b->rows; y++) {
    for (int32_t image = 0; image < b->images; image++) {
      int32_t row = (int32_t)(image * g->image_stride) + y * g->halo.columns;
      for (int32_t x = 0; x < width; x++) *offset++ = row + x;
    }
    for (int32_t x = 0; x < width; x++) g->positions[y * width + x] = y * b->images * width + x;
  }
}

static void make_tap_table(const WeightGradient *g) {
  const WeightGradientStep *step = g->step;
  for (int32_t i = 0; i < step->input_channels * g->taps; i++) {
    int32_t y = i % g->taps / step->kernel[1] * step->dilation[0], x = i % step->kernel[1] * step->dilation[1];
    g->offsets[i] = (int32_t)(i / g->taps * g->plane) + halo_offset(&g->halo, y, x);
  }
}

/* Where window (first, 0) of the block's first image reads, in channel `channel` of a group. */
static const float *block_windows(const WeightGradient *g, const float *input, const PixelBlock *b, int32_t group,
                                  int32_t channel, int32_t channels) {
  const WeightGradientStep *step = g->step;
  int32_t all = step->groups * step->input_channels;
  const float *end = input + (ptrdiff_t)step->batch * all * g->input_plane;
  input += ((ptrdiff_t)b->image * all + group * step->input_channels + channel) * g->input_plane;
  if (!step->haloed) {
    return input + (ptrdiff_t)(b->first + g->y.origin) * step->input_size[1] + g->x.origin;
  }
  for (int32_t image = 0; image < b->images; image++) {
    for (int32_t i = 0; i < channels; i++) {
      fill_halo(&g->halo, input + (image * (ptrdiff_t)all + i) * g->input_plane, end, b->first, 0, 0,
                step->lanes_are_pixels, g->haloed + image * g->image_stride + i * g->plane);
    }
  }
  return g->haloed;
}

INLINE const float *upstream_rows(const WeightGradient *g, const float *upstream, const PixelBlock *b, int32_t image,
                                  int32_t group, int32_t channel) {
  ptrdiff_t index = (ptrdiff_t)(b->image + image) * g->step->groups + group;
  return upstream + (index * g->step->output_channels + channel) * g->upstream_plane +
         (ptrdiff_t)b->first * g->step->upstream_size[1];
}

/* Adds a block's products to sums: taps of the channels × lanes of a panel. */
static void add_block(const WeightGradient *g, const PixelBlock *b, const float *windows, int32_t channels,
                      int32_t vectors, float *sums, int32_t add) {
  const WeightGradientStep *step = g->step;
  int32_t columns = step->kernel[1], width = vectors * VW, row_pixels = b->images * step->upstream_size[1];
  for (int32_t ky = 0; ky < step->kernel[0]; ky++) {
    /* Rows of pixels whose windows have this row of the kernel on the input. */
    int32_t tap = ky * step->dilation[0] - step->padding[0], first = 0, end = b->rows;
    while (first < end && (b->first + first) * step->stride[0] + tap < 0) first++;
    while (end > first && (b->first + end - 1) * step->stride[0] + tap >= step->input_size[0]) end--;
    int32_t rows = channels * columns, tiles = ceil_div(rows, broadcast_rows[vectors - 1]);
    const float *row = windows + halo_offset(&g->halo, ky * step->dilation[0], 0);
    float *to = sums + (ptrdiff_t)ky * columns * width;
    const float *panel = g->upstream + (ptrdiff_t)first * row_pixels * width;
    int32_t kx = 0;
    for (int32_t t = 0; t < tiles; t++) {
      int32_t size = part_begin(rows, tiles, t + 1) - part_begin(rows, tiles, t);
      const float *x[MAX_ROWS];
      float *out[MAX_ROWS];
      for (int32_t i = 0; i < size; i++) {
        x[i] = row + g->offsets_x[kx];
        out[i] = to + (ptrdiff_t)kx * width;
        if (++kx == columns) {
          kx = 0;
          row += g->plane;
          to += (ptrdiff_t)g->taps * width;
        }
      }
      broadcast_tiles[vectors - 1][size - 1](x, g->offsets + first * row_pixels, (end - first) * row_pixels,
                                             panel, width, out, add, nothing_ahead(panel));
    }
  }
}

/* Writes the sums of a panel's lanes, which belong to output channels `lane` on of a group, and finishes them. */
static void store_panel(const Context *context, const WeightGradient *g, int32_t group, int32_t lane, int32_t lanes,
                        int32_t vectors, int32_t channel, int32_t channels, const float *sums, float *partial,
                        const ElementwiseStep *epilogue) {
  const WeightGradientStep *step = g->step;
  int32_t depth = step->input_channels * g->taps;
  int32_t at = (group * step->output_channels + lane) * depth + channel * g->taps;
  store_columns(sums, vectors, lanes, channels * g->taps, partial + at, depth);
  if (channels == step->input_channels) {
    elementwise_range(context, epilogue, at, at + lanes * depth);
    return;
  }
  for (int32_t i = 0; i < lanes; i++, at += depth) {
    elementwise_range(context, epilogue, at, at + channels * g->taps);
  }
}

/* One unit: a chunk of blocks, a group of panels of output channels, a block of input channels. */
static void gradient_by_channels(const Context *context, const WeightGradient *g, int32_t unit, float *partials,
                                 const ElementwiseStep *epilogue) {
  const WeightGradientStep *step = g->step;
  const float *upstream = floats(context, step->upstream), *input = floats(context, step->input);
  const float *end = upstream + (ptrdiff_t)step->batch * step->groups * step->output_channels * g->upstream_plane;
  int32_t vectors = ceil_div(step->output_channels, VW), panels = ceil_div(vectors, PANEL_VECTORS);
  int32_t channel_blocks = ceil_div(step->input_channels, step->channel_block);
  int32_t panel_groups = ceil_div(panels, step->panel_group);
  int32_t part = unit % channel_blocks, index = unit / channel_blocks % panel_groups;
  int32_t group = unit / channel_blocks / panel_groups % step->groups;
  int32_t chunk = unit / channel_blocks / panel_groups / step->groups;
  int32_t first_panel = part_begin(panels, panel_groups, index), end_panel = part_begin(panels, panel_groups, index + 1);
  int32_t channel = part_begin(step->input_channels, channel_blocks, part);
  int32_t channels = part_begin(step->input_channels, channel_blocks, part + 1) - channel;
  ptrdiff_t sums = (ptrdiff_t)channels * g->taps * PANEL_VECTORS * VW; /* of a panel */

  int32_t blocks = block_count(step), last = part_begin(blocks, step->chunks, chunk + 1);
  int32_t first = part_begin(blocks, step->chunks, chunk);
  if (first == last) fill(g->stage, (int32_t)sums * (end_panel - first_panel), 0);
  for (int32_t i = first; i < last; i++) {
    PixelBlock b = pixel_block(step, i);
    make_pixel_tables(g, &b);
    const float *windows = block_windows(g, input, &b, group, channel, channels);
    for (int32_t p = first_panel; p < end_panel; p++) {
      int32_t begin = part_begin(vectors, panels, p), count = part_begin(vectors, panels, p + 1) - begin;
      int32_t lanes = min_int(step->output_channels - begin * VW, count * VW);
      for (int32_t image = 0; image < b.images; image++) {
        pack_columns(upstream_rows(g, upstream, &b, image, group, begin * VW), g->upstream_plane, lanes,
                     b.rows * step->upstream_size[1], end,
                     g->upstream + (ptrdiff_t)image * step->upstream_size[1] * count * VW, count,
                     b.images == 1 ? NULL : g->positions);
      }
      add_block(g, &b, windows, channels, count, g->stage + (p - first_panel) * sums, i > first);
    }
  }
  for (int32_t p = first_panel; p < end_panel; p++) {
    int32_t begin = part_begin(vectors, panels, p), count = part_begin(vectors, panels, p + 1) - begin;
    int32_t lanes = min_int(step->output_channels - begin * VW, count * VW);
    store_panel(context, g, group, begin * VW, lanes, count, channel, channels, g->stage + (p - first_panel) * sums,
                partials + (ptrdiff_t)chunk * step->partial_size, epilogue);
  }
}

/* Copies the upstream gradient of a band, with rows `pitch` floats apart and zeros between them, up to `length`. */
static void spread_upstream(const WeightGradient *g, const float *upstream, const float *end, const PixelBlock *b,
                            int32_t group, int32_t pitch, int32_t length) {
  int32_t width = g->step->upstream_size[1];
  for (int32_t o = 0; o < g->step->output_channels; o++) {
    const float *from = upstream_rows(g, upstream, b, 0, group, o);
    float *to = g->upstream + (ptrdiff_t)o * length;
    for (int32_t y = 0; y < b->rows; y++, from += width, to += pitch) {
      if (end - from >= width + VW) {
        copy_loose(to, from, width, 1);
      } else {
        copy_floats(to, from, width);
      }
      fill_loose(to + width, (y < b->rows - 1 ? pitch : length - y * pitch) - width, (vf){});
    }
  }
}

/*
 * One unit: a chunk of blocks (of one image each) and a group. The stage holds a vector for each weight. Rows of windows
 * are walked together, over the gaps between them, unless rounding each up to whole vectors costs less.
 */
static void gradient_by_pixels(const Context *context, const WeightGradient *g, int32_t unit, float *partial,
                               const ElementwiseStep *epilogue) {
  const WeightGradientStep *step = g->step;
  const float *upstream = floats(context, step->upstream), *input = floats(context, step->input);
  const float *end = upstream + (ptrdiff_t)step->batch * step->groups * step->output_channels * g->upstream_plane;
  int32_t width = step->upstream_size[1], rounded = ceil_div(width, VW) * VW, alone = rounded < g->halo.columns;
  int32_t pitch = alone ? rounded : g->halo.columns, in_place = alone && rounded == width;
  int32_t group = unit % step->groups, chunk = unit / step->groups, blocks = block_count(step);
  int32_t depth = step->input_channels * g->taps, outputs = step->output_channels;
  int32_t row_tiles = ceil_div(outputs, DOT_ROWS);
  int32_t first = part_begin(blocks, step->chunks, chunk), last = part_begin(blocks, step->chunks, chunk + 1);
  for (int32_t i = first; i < last; i++) {
    PixelBlock b = pixel_block(step, i);
    int32_t length = ceil_div((b.rows - 1) * pitch + width, VW) * VW, count = alone ? rounded : length;
    const float *windows = block_windows(g, input, &b, group, 0, step->input_channels);
    store(g->haloed + step->input_channels * g->plane, (vf){});
    if (!in_place) spread_upstream(g, upstream, end, &b, group, pitch, length);
    for (int32_t t = 0; t < row_tiles; t++) {
      int32_t o = part_begin(outputs, row_tiles, t), rows = part_begin(outputs, row_tiles, t + 1) - o;
      const float *u[MAX_LANE_ROWS];
      for (int32_t j = 0; j < rows; j++) {
        u[j] = in_place ? upstream_rows(g, upstream, &b, 0, group, o + j) : g->upstream + (ptrdiff_t)(o + j) * length;
      }
      int32_t tiles = ceil_div(depth, lane_vectors[rows - 1]);
      for (int32_t s = 0; s < tiles; s++) {
        int32_t tap = part_begin(depth, tiles, s), size = part_begin(depth, tiles, s + 1) - tap;
        const float *x[4];
        for (int32_t j = 0; j < size; j++) {
          x[j] = windows + g->offsets[tap + j];
        }
        dot_tiles[size - 1][rows - 1](u, x, count, alone ? b.rows : 1, pitch, g->halo.columns,
                                      g->stage + ((ptrdiff_t)o * depth + tap) * VW, (ptrdiff_t)depth * VW, i > first);
      }
    }
  }
  int32_t at = group * outputs * depth;
  float *out = partial + (ptrdiff_t)chunk * step->partial_size + at;
  for (int32_t i = 0; i < outputs * depth; i++) out[i] = first == last ? 0 : sum_lanes(g->stage + (ptrdiff_t)i * VW);
  elementwise_range(context, epilogue, at, at + outputs * depth);
}

static void kernel_weight_gradient(const Context *context, const WeightGradientStep *step) {
  WeightGradient g = plan_weight_gradient(context, step);
  const ElementwiseStep *epilogue = EPILOGUE(context, step->epilogue);
  float *output = floats(context, step->output);
  if (step->lanes_are_pixels) {
    int32_t units = step->chunks * step->groups;
    make_tap_table(&g);
    for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
      for (int32_t u = range.begin; u < range.end; u++) gradient_by_pixels(context, &g, u, output, epilogue);
    }
    return;
  }
  for (int32_t kx = 0; kx < step->kernel[1]; kx++) {
    g.offsets_x[kx] = halo_offset(&g.halo, 0, kx * step->dilation[1]);
  }
  int32_t panels = ceil_div(ceil_div(step->output_channels, VW), PANEL_VECTORS);
  int32_t channel_blocks = ceil_div(step->input_channels, step->channel_block);
  int32_t units = step->chunks * step->groups * ceil_div(panels, step->panel_group) * channel_blocks;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) gradient_by_channels(context, &g, u, output, epilogue);
  }
}

/* Adds partial results in order. */
static void kernel_sum_partials(const Context *context, const SumPartialsStep *step) {
  const float *partials = floats(context, step->partials);
  float *output = floats(context, step->output);
  const ElementwiseStep *epilogue = EPILOGUE(context, step->epilogue);
  Range range = share(context, ceil_div(step->count, 256));
  for (int32_t block = range.begin; block < range.end; block++) {
    int32_t begin = block * 256, count = min_int(step->count - begin, 256);
    copy_floats(output + begin, partials + begin, count);
    for (int32_t p = 1; p < step->parts; p++) {
      const float *from = partials + (ptrdiff_t)p * step->count + begin;
      float *to = output + begin;
      int32_t i = 0;
      for (; i + VW <= count; i += VW) store(to + i, load(to + i) + load(from + i));
      for (; i < count; i++) to[i] += from[i];
    }
    elementwise_range(context, epilogue, begin, begin + count);
  }
}
