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
  /* Where windows read, distances of channels, of images, and of windows along a row and from row to row. */
  ptrdiff_t plane, image_stride, window, window_row;
  ptrdiff_t pixel; /* distance of neighbours in a row there */
  ptrdiff_t input_plane, upstream_plane;
  ptrdiff_t input_pixel, upstream_pixel; /* distances of neighbours in a row of the tensors */
  float *upstream; /* packed or with gaps, for one block of pixels */
  float *haloed, *stage, *block;
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
  int32_t channels = step->groups * step->input_channels;
  g.input_pixel = step->input_last ? channels : 1;
  g.upstream_pixel = step->upstream_last ? step->groups * step->output_channels : 1;
  g.plane = step->haloed ? halo_plane(&g.halo) : g.input_plane;
  g.image_stride = g.plane * (step->haloed ? step->channel_block : channels);
  g.pixel = g.window = 1;
  g.window_row = step->halo_size[1];
  if (step->input_last && !step->haloed) {
    g.plane = 1;
    g.pixel = channels;
    g.window = step->stride[1] * g.pixel;
    g.window_row = step->stride[0] * step->halo_size[1] * g.pixel;
  }
  float *memory = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  g.upstream = memory;
  g.haloed = memory + step->halo_at;
  g.stage = memory + step->stage_at;
  g.block = memory + step->block_at;
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

/* From a window to what its tap (y, x) reads. */
INLINE int32_t tap_offset(const WeightGradient *g, int32_t y, int32_t x) {
  if (g->step->haloed) return halo_offset(&g->halo, y, x);
  return (y * g->halo.columns + x) * (int32_t)g->pixel;
}

/* From a block's first channel to another, where windows read. */
INLINE ptrdiff_t channel_offset(const WeightGradient *g, int32_t channel) {
  if (!g->step->slabs) return channel * g->plane;
  return (ptrdiff_t)(channel / VW) * g->step->block_pixels * VW + channel % VW;
}

static void make_pixel_tables(const WeightGradient *g, const PixelBlock *b) {
  int32_t width = g->step->upstream_size[1], *offset = g->offsets;
  for (int32_t y = 0; y < b->rows; y++) {
    for (int32_t image = 0; image < b->images; image++) {
      int32_t row = (int32_t)(image * g->image_stride + y * g->window_row);
      for (int32_t x = 0; x < width; x++, offset++) {
        *offset = g->step->slabs ? (int32_t)(offset - g->offsets) * VW : row + x * (int32_t)g->window;
      }
    }
    for (int32_t x = 0; x < width; x++) g->positions[y * width + x] = y * b->images * width + x;
  }
}

static void make_tap_table(const WeightGradient *g) {
  const WeightGradientStep *step = g->step;
  for (int32_t i = 0; i < step->input_channels * g->taps; i++) {
    int32_t y = i % g->taps / step->kernel[1] * step->dilation[0], x = i % step->kernel[1] * step->dilation[1];
    g->offsets[i] = (int32_t)(i / g->taps * g->plane) + tap_offset(g, y, x);
  }
}

/*
 * Copies what windows of one pixel read of a block: for every vector of channels, `image` on, those of all pixels in order. Sums
 * over pixels that lie all channels apart would keep a cache line busy for every term.
 */
static void fill_slabs(const WeightGradient *g, const float *image, const PixelBlock *b, int32_t channels, float *to) {
  const WeightGradientStep *step = g->step;
  int32_t width = step->upstream_size[1], slab = step->block_pixels * VW;
  ptrdiff_t image_stride = g->input_plane * g->input_pixel;
  for (int32_t y = 0; y < b->rows; y++) {
    int32_t at_y = (b->first + y) * g->y.stride + g->y.origin;
    for (int32_t i = 0; i < b->images; i++, to += width * VW) {
      /* Products leave such rows out. */
      if (at_y < 0 || at_y >= g->y.size) continue;
      const float *from = image + i * image_stride + ((ptrdiff_t)at_y * g->x.size + g->x.origin) * g->input_pixel;
      for (int32_t x = 0; x < width; x++, from += g->window) {
        for (int32_t c = 0; c < channels; c += VW) store(to + (ptrdiff_t)c / VW * slab + x * VW, load(from + c));
      }
    }
  }
}

/* Zeros, and no more than `count` of them. */
INLINE void fill_gaps(float *rows, ptrdiff_t distance, int32_t lanes, int32_t count) {
  for (int32_t i = 0; i < lanes && count > 0; i++) fill(rows + i * distance, count, 0);
}

/* As fill_halo, for `channels` channels that lie side by side from `image` on: one plane for each. */
static void fill_halo_planes(const WeightGradient *g, const float *image, int32_t start_y, int32_t channels, float *to) {
  int32_t columns = g->halo.columns, stride = g->x.stride, vectors = stride * (int32_t)g->input_pixel / VW;
  for (int32_t block = 0; block < g->y.residues * g->x.residues; block++) {
    int32_t x = g->x.origin + block % g->x.residues;
    int32_t before = x < 0 ? min_int(ceil_div(-x, stride), columns) : 0;
    int32_t inside = x + before * stride < g->x.size ? (g->x.size - 1 - x) / stride + 1 - before : 0;
    if (inside > columns - before) inside = columns - before;
    for (int32_t j = 0; j < g->halo.rows; j++, to += columns) {
      int32_t y = g->y.stride * (start_y + j) + g->y.origin + block / g->x.residues;
      if (y < 0 || y >= g->y.size) {
        if (g->step->lanes_are_pixels) fill_gaps(to, g->plane, channels, columns);
        continue;
      }
      const float *from = image + ((ptrdiff_t)y * g->x.size + x + before * stride) * g->input_pixel;
      fill_gaps(to, g->plane, channels, before);
      store_columns(from, vectors, channels, inside, to + before, g->plane);
      fill_gaps(to + before + inside, g->plane, channels, columns - before - inside);
    }
  }
}

/* Where window (first, 0) of the block's first image reads, in channel `channel` of a group. */
static const float *block_windows(const WeightGradient *g, const float *input, const PixelBlock *b, int32_t group,
                                  int32_t channel, int32_t channels) {
  const WeightGradientStep *step = g->step;
  int32_t all = step->groups * step->input_channels;
  const float *end = input + (ptrdiff_t)step->batch * all * g->input_plane;
  input += (ptrdiff_t)b->image * all * g->input_plane;
  input += (group * step->input_channels + channel) * (step->input_last ? 1 : g->input_plane);
  if (step->slabs) {
    fill_slabs(g, input, b, channels, g->haloed);
    return g->haloed;
  }
  if (!step->haloed) {
    int32_t y = b->first * g->y.stride + g->y.origin;
    return input + ((ptrdiff_t)y * step->input_size[1] + g->x.origin) * g->pixel;
  }
  for (int32_t image = 0; image < b->images; image++, input += all * g->input_plane) {
    float *to = g->haloed + image * g->image_stride;
    if (step->input_last) {
      fill_halo_planes(g, input, b->first, channels, to);
      continue;
    }
    for (int32_t i = 0; i < channels; i++) {
      fill_halo(&g->halo, input + i * g->input_plane, end, b->first, 0, 0, step->lanes_are_pixels, to + i * g->plane);
    }
  }
  return g->haloed;
}

INLINE const float *upstream_rows(const WeightGradient *g, const float *upstream, const PixelBlock *b, int32_t image,
                                  int32_t group, int32_t channel) {
  const WeightGradientStep *step = g->step;
  ptrdiff_t index = (ptrdiff_t)(b->image + image) * step->groups * step->output_channels * g->upstream_plane;
  ptrdiff_t distance = step->upstream_last ? 1 : g->upstream_plane;
  return upstream + index + (group * step->output_channels + channel) * distance +
         (ptrdiff_t)b->first * step->upstream_size[1] * g->upstream_pixel;
}

/* Packs the upstream gradient of a block of pixels, of `lanes` channels from `channel` on in `vectors` vectors. */
static void pack_upstream(const WeightGradient *g, const float *upstream, const PixelBlock *b, int32_t group,
                          int32_t channel, int32_t lanes, int32_t vectors) {
  const WeightGradientStep *step = g->step;
  int32_t width = step->upstream_size[1];
  const float *end = upstream + (ptrdiff_t)step->batch * step->groups * step->output_channels * g->upstream_plane;
  for (int32_t image = 0; image < b->images; image++) {
    const float *from = upstream_rows(g, upstream, b, image, group, channel);
    float *to = g->upstream + (ptrdiff_t)image * width * vectors * VW;
    if (!step->upstream_last) {
      pack_columns(from, g->upstream_plane, lanes, b->rows * width, end, to, vectors, b->images == 1 ? NULL : g->positions);
      continue;
    }
    for (int32_t y = 0; y < b->rows; y++, from += width * g->upstream_pixel, to += (ptrdiff_t)b->images * width * vectors * VW) {
      pack_rows(from, g->upstream_pixel, lanes, width, to, vectors);
    }
  }
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
    const float *row = windows + tap_offset(g, ky * step->dilation[0], 0);
    float *to = sums + (ptrdiff_t)ky * columns * width;
    const float *panel = g->upstream + (ptrdiff_t)first * row_pixels * width;
    int32_t kx = 0, channel = 0, pixels = (end - first) * row_pixels;
    Terms terms = {g->offsets + first * row_pixels, step->upstream_size[1], g->window};
    if (step->slabs) terms = (Terms){terms.offsets, pixels, VW};
    Parts cuts = cut(rows, tiles);
    for (int32_t t = 0; t < tiles; t++) {
      int32_t size = next_part(&cuts);
      const float *x[MAX_ROWS];
      float *out[MAX_ROWS];
      for (int32_t i = 0; i < size; i++) {
        x[i] = row + channel_offset(g, channel) + g->offsets_x[kx];
        out[i] = to + (ptrdiff_t)kx * width;
        if (++kx == columns) {
          kx = 0;
          channel++;
          to += (ptrdiff_t)g->taps * width;
        }
      }
      broadcast_tiles[vectors - 1][size - 1](x, terms, pixels, panel, width, vectors, out, add, nothing_ahead(panel));
    }
  }
}

/*
 * Writes the sums of a panel's lanes, which belong to output channels `lane` on of a group, and finishes them. Without a place
 * for partial results they are for the epilogue only.
 */
static void store_panel(const Context *context, const WeightGradient *g, int32_t group, int32_t lane, int32_t lanes,
                        int32_t vectors, int32_t channel, int32_t channels, const float *sums, float *partial,
                        const ElementwiseStep *epilogue) {
  const WeightGradientStep *step = g->step;
  int32_t depth = step->input_channels * g->taps, length = channels * g->taps, is_local = partial == NULL;
  int32_t at = (group * step->output_channels + lane) * depth + channel * g->taps;
  store_columns(sums, vectors, lanes, length, is_local ? g->block : partial + at, is_local ? length : depth);
  Context own = *context;
  uint8_t *place = place_of_first(g->block, at);
  if (is_local) own.locals = &place;
  int32_t pieces = length == depth ? 1 : lanes;
  for (int32_t i = 0; i < pieces; i++, at += depth) {
    if (i > 0) place = place_of_first(g->block + i * length, at);
    elementwise_range(&own, epilogue, at, at + lanes / pieces * length);
  }
}

/* One unit: a chunk of blocks, a group of panels of output channels, a block of input channels. */
static void gradient_by_channels(const Context *context, const WeightGradient *g, int32_t unit, float *partials,
                                 const ElementwiseStep *epilogue) {
  const WeightGradientStep *step = g->step;
  const float *upstream = floats(context, step->upstream), *input = floats(context, step->input);
  int32_t vectors = ceil_div(step->output_channels, VW), panels = ceil_div(vectors, PANEL_VECTORS);
  int32_t channel_blocks = ceil_div(step->input_channels, step->channel_block);
  int32_t panel_groups = ceil_div(panels, step->panel_group);
  int32_t part = unit % channel_blocks, index = unit / channel_blocks % panel_groups;
  int32_t group = unit / channel_blocks / panel_groups % step->groups;
  int32_t chunk = unit / channel_blocks / panel_groups / step->groups;
  int32_t first_panel = part_begin(panels, panel_groups, index), end_panel = part_begin(panels, panel_groups, index + 1);
  /* Channels that lie side by side are taken apart by whole vectors. */
  int32_t together = step->input_last ? VW : 1, all = step->input_channels / together;
  int32_t channel = part_begin(all, channel_blocks, part) * together;
  int32_t channels = part_begin(all, channel_blocks, part + 1) * together - channel;
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
      pack_upstream(g, upstream, &b, group, begin * VW, lanes, count);
      add_block(g, &b, windows, channels, count, g->stage + (p - first_panel) * sums, i > first);
    }
  }
  for (int32_t p = first_panel; p < end_panel; p++) {
    int32_t begin = part_begin(vectors, panels, p), count = part_begin(vectors, panels, p + 1) - begin;
    int32_t lanes = min_int(step->output_channels - begin * VW, count * VW);
    store_panel(context, g, group, begin * VW, lanes, count, channel, channels, g->stage + (p - first_panel) * sums,
                partials == NULL ? NULL : partials + (ptrdiff_t)chunk * step->partial_size, epilogue);
  }
}

/* Copies the upstream gradient of a band, with rows `pitch` floats apart and zeros between them, up to `length`. */
static void spread_upstream(const WeightGradient *g, const float *upstream, const float *end, const PixelBlock *b,
                            int32_t group, int32_t pitch, int32_t length) {
  int32_t width = g->step->upstream_size[1], outputs = g->step->output_channels;
  if (g->step->upstream_last) {
    const float *from = upstream_rows(g, upstream, b, 0, group, 0);
    float *to = g->upstream;
    for (int32_t y = 0; y < b->rows; y++, from += width * g->upstream_pixel, to += pitch) {
      store_columns(from, (int32_t)g->upstream_pixel / VW, outputs, width, to, length);
      fill_gaps(to + width, length, outputs, (y < b->rows - 1 ? pitch : length - y * pitch) - width);
    }
    return;
  }
  for (int32_t o = 0; o < outputs; o++) {
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
  int32_t pitch = alone ? rounded : g->halo.columns, in_place = alone && rounded == width && !step->upstream_last;
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
  float *output = step->output.slot == LOCAL_SLOT ? NULL : floats(context, step->output);
  if (step->lanes_are_pixels) {
    int32_t units = step->chunks * step->groups;
    make_tap_table(&g);
    for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
      for (int32_t u = range.begin; u < range.end; u++) gradient_by_pixels(context, &g, u, output, epilogue);
    }
    return;
  }
  for (int32_t kx = 0; kx < step->kernel[1]; kx++) {
    g.offsets_x[kx] = tap_offset(&g, 0, kx * step->dilation[1]);
  }
  int32_t panels = ceil_div(ceil_div(step->output_channels, VW), PANEL_VECTORS);
  int32_t channel_blocks = ceil_div(step->input_channels, step->channel_block);
  int32_t units = step->chunks * step->groups * ceil_div(panels, step->panel_group) * channel_blocks;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) gradient_by_channels(context, &g, u, output, epilogue);
  }
}

#define PARTIALS_UNIT 256

/* Adds partial results in order. */
static void kernel_sum_partials(const Context *context, const SumPartialsStep *step) {
  const float *partials = floats(context, step->partials);
  const ElementwiseStep *epilogue = EPILOGUE(context, step->epilogue);
  /* The epilogue may read a vector beyond the last element. */
  float unit[PARTIALS_UNIT + VW] = {0};
  Context own = *context;
  uint8_t *place = NULL;
  int32_t is_local = step->output.slot == LOCAL_SLOT;
  if (is_local) own.locals = &place;
  Range range = share(context, ceil_div(step->count, PARTIALS_UNIT));
  for (int32_t block = range.begin; block < range.end; block++) {
    int32_t begin = block * PARTIALS_UNIT, count = min_int(step->count - begin, PARTIALS_UNIT);
    if (is_local) place = place_of_first(unit, begin);
    float *to = floats(&own, step->output) + begin;
    copy_floats(to, partials + begin, count);
    for (int32_t p = 1; p < step->parts; p++) {
      const float *from = partials + (ptrdiff_t)p * step->count + begin;
      int32_t i = 0;
      for (; i + VW <= count; i += VW) store(to + i, load(to + i) + load(from + i));
      for (; i < count; i++) to[i] += from[i];
    }
    elementwise_range(&own, epilogue, begin, begin + count);
  }
}
