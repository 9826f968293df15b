/*
 * The weight gradient of 3×3 convolutions of stride 1 by Winograd's algorithm F(3×3, m×m): for each tile of m×m upstream
 * gradients n×n products for each pair of channels, where the definition has 9 m².
 *
 * A unit of work is a block of input channels, one of output channels, and a part of the strips (rows of tiles of one
 * image); each part has its own result, and sumPartials adds them. Sums run over tiles, chunk by chunk; lanes are output
 * channels.
 */
#include "convolution_channels.h"
#include "winograd_tiles.h"


/* Channels first … first+count-1 of a group, and how many vectors hold them. */
typedef struct {
  int32_t first, count, width;
} ChannelRange;

INLINE ChannelRange channel_range(int32_t channels, int32_t blocks, int32_t index) {
  int32_t vectors = ceil_div(channels, VW), first = part_begin(vectors, blocks, index) * VW;
  int32_t end = part_begin(vectors, blocks, index + 1) * VW;
  return (ChannelRange){first, min_int(end, channels) - first, end - first};
}

typedef struct {
  const WinogradGradientStep *step;
  int32_t m, positions;
  float *input, *upstream, *products, *strip, *stage, *block;
  int32_t *offsets;
} WinogradGradient;

/* One tile of an operand: neighbours `pixel` floats apart and rows `pitch`; results `distance`. */
NOINLINE void transform_tile(const WinogradGradient *w, int32_t is_input, const float *tile, ptrdiff_t pixel,
                             ptrdiff_t pitch, float *to, ptrdiff_t distance) {
  if (is_input) {
    transform_source_tile(w->m + 2, tile, pixel, pitch, to, distance);
  } else if (w->m == 4) {
    transform_upstream_tile(6, tile, pixel, pitch, to, distance);
  } else {
    transform_upstream_tile(4, tile, pixel, pitch, to, distance);
  }
}

/*
 * Transforms one operand for strips first … last-1: position · distance + place of the tile · width + channel. `data` are the planes of
 * `channels` channels of a group, of images `image_stride` apart.
 */
static void transform_operand(const WinogradGradient *w, int32_t is_input, const float *data, const float *end,
                              ptrdiff_t image_stride, const ChannelRange *range, int32_t first, int32_t last,
                              const TileOrder *order, float *to, ptrdiff_t distance) {
  const WinogradGradientStep *step = w->step;
  const int32_t *size = is_input ? step->input_size : step->upstream_size;
  int32_t m = w->m, tiles = step->tiles[1], rows = is_input ? m + 2 : m, columns = tiles * m + (is_input ? 2 : 0);
  ptrdiff_t plane = (ptrdiff_t)size[0] * size[1];
  for (int32_t s = first; s < last; s++) {
    const float *image = data + s / step->tiles[0] * image_stride;
    int32_t y = s % step->tiles[0] * m - (is_input ? step->padding[0] : 0), x = is_input ? -step->padding[1] : 0;
    StripTiles places = strip_tiles(order, s);
    for (int32_t channel = 0; channel < range->count; channel += VW) {
      fill_strip(size, image + channel * plane, end, min_int(range->count - channel, VW), y, x, rows, columns, w->strip);
      if (is_input) {
        extend_source(extended_rows(order, &places), w->strip, columns * VW, columns, VW, VW);
        extend_source(extended_columns(order, tiles - 1), w->strip + (ptrdiff_t)(tiles - 1) * m * VW, VW, rows, columns * VW,
                      VW);
      }
      for (int32_t t = 0; t < tiles; t++) {
        float *target = to + (ptrdiff_t)tile_place(order, &places, t) * range->width + channel;
        transform_tile(w, is_input, w->strip + (ptrdiff_t)t * m * VW, VW, columns * VW, target, distance);
      }
    }
  }
}

/* The same for channels that lie side by side from `data` on, `pixel` floats from one pixel to the next. */
static void transform_operand_last(const WinogradGradient *w, int32_t is_input, const float *data, ptrdiff_t pixel,
                                   const ChannelRange *range, int32_t first, int32_t last, const TileOrder *order,
                                   float *to, ptrdiff_t distance) {
  const WinogradGradientStep *step = w->step;
  const int32_t *size = is_input ? step->input_size : step->upstream_size;
  int32_t m = w->m, side = is_input ? m + 2 : m;
  for (int32_t s = first; s < last; s++) {
    const float *image = data + (ptrdiff_t)(s / step->tiles[0]) * size[0] * size[1] * pixel;
    int32_t y = s % step->tiles[0] * m - (is_input ? step->padding[0] : 0);
    StripTiles places = strip_tiles(order, s);
    int32_t wanted = is_input ? extended_rows(order, &places) : MAX_TILE;
    for (int32_t t = 0; t < step->tiles[1]; t++) {
      int32_t x = t * m - (is_input ? step->padding[1] : 0);
      fetch_tile(size, image, pixel, range->count, y + side, x, m, 0);
      TileLast tile = tile_last(size, image, pixel, range->count, y, x, side, wanted,
                                is_input ? extended_columns(order, t) : MAX_TILE, w->strip);
      float *target = to + (ptrdiff_t)tile_place(order, &places, t) * range->width;
      for (int32_t c = 0; c < range->count; c += VW) {
        transform_tile(w, is_input, tile.first + c, tile.pixel, tile.row, target + c, distance);
      }
    }
  }
}

/* Adds the products of a chunk's tiles: position · (inputs · outputs) + input channel · outputs + output channel. */
static void add_products(const WinogradGradient *w, const ChannelRange *in, const ChannelRange *out,
                         const TileOrder *order, int32_t add) {
  int32_t vectors = out->width / VW, panels = ceil_div(vectors, PANEL_VECTORS);
  for (int32_t k = 0; k < order->all; k++) w->offsets[k] = k * in->width;
  for (int32_t position = 0; position < w->positions; position++) {
    Range places = tiles_at(order, position);
    int32_t tiles = places.end - places.begin;
    const float *input = w->input + position * w->step->input_distance + (ptrdiff_t)places.begin * in->width;
    const float *upstream = w->upstream + position * w->step->upstream_distance + (ptrdiff_t)places.begin * out->width;
    float *products = w->products + (ptrdiff_t)position * w->step->product_distance;
    for (int32_t p = 0; p < panels; p++) {
      int32_t first = part_begin(vectors, panels, p), count = part_begin(vectors, panels, p + 1) - first;
      int32_t parts = ceil_div(in->count, broadcast_rows[count - 1]), channel = 0;
      Parts cuts = cut(in->count, parts);
      for (int32_t part = 0; part < parts; part++) {
        int32_t rows = next_part(&cuts);
        const float *x[MAX_ROWS];
        float *to[MAX_ROWS];
        for (int32_t i = 0; i < rows; i++, channel++) {
          x[i] = input + channel;
          to[i] = products + (ptrdiff_t)channel * out->width + first * VW;
        }
        broadcast_tiles[count - 1][rows - 1](x, (Terms){w->offsets, tiles, in->width}, tiles, upstream + first * VW,
                                             out->width, count, to, add, nothing_ahead(upstream));
      }
    }
  }
}

/* Writes the gradients of all kernels between two ranges of channels; without an output, for the epilogue only. */
static void store_gradients(const Context *context, const WinogradGradient *w, int32_t group, const ChannelRange *in,
                            const ChannelRange *out, float *output) {
  const WinogradGradientStep *step = w->step;
  const ElementwiseStep *epilogue = EPILOGUE(context, step->epilogue);
  Context own = *context;
  uint8_t *place;
  if (output == NULL) own.locals = &place;
  int32_t row = step->input_channels * 9, length = in->count * 9;
  for (int32_t lane = 0; lane < out->count; lane += VW) {
    const float *products = w->products + lane;
    for (int32_t i = 0; i < in->count; i++, products += out->width) {
      if (w->m == 4) {
        transform_gradient_tile(6, products, step->product_distance, w->stage + (ptrdiff_t)i * 9 * VW);
      } else {
        transform_gradient_tile(4, products, step->product_distance, w->stage + (ptrdiff_t)i * 9 * VW);
      }
    }
    int32_t lanes = min_int(out->count - lane, VW);
    int32_t begin = (group * step->output_channels + out->first + lane) * row + in->first * 9;
    store_columns(w->stage, 1, lanes, length, output == NULL ? w->block : output + begin, output == NULL ? length : row);
    for (int32_t i = 0; i < lanes && epilogue != NULL; i++, begin += row) {
      if (output == NULL) place = place_of_first(w->block + i * length, begin);
      elementwise_range(&own, epilogue, begin, begin + length);
    }
  }
}

static void kernel_winograd_gradient(const Context *context, const WinogradGradientStep *step) {
  const float *input = floats(context, step->input), *upstream = floats(context, step->upstream);
  float *output = step->output.slot == LOCAL_SLOT ? NULL : floats(context, step->output);
  float *memory = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  WinogradGradient w = {step, step->tile, (step->tile + 2) * (step->tile + 2), memory, memory + step->upstream_at,
                        memory + step->products_at, memory + step->strip_at, memory + step->stage_at,
                        memory + step->block_at, (int32_t *)(memory + step->offsets_at)};
  ptrdiff_t input_pixel = step->groups * step->input_channels, upstream_pixel = step->groups * step->output_channels;
  ptrdiff_t input_plane = (ptrdiff_t)step->input_size[0] * step->input_size[1];
  ptrdiff_t upstream_plane = (ptrdiff_t)step->upstream_size[0] * step->upstream_size[1];
  ptrdiff_t input_image = input_pixel * input_plane;
  ptrdiff_t upstream_image = upstream_pixel * upstream_plane;
  const float *input_end = input + step->batch * input_image, *upstream_end = upstream + step->batch * upstream_image;
  int32_t strips = step->batch * step->tiles[0];
  int32_t units = step->parts * step->groups * step->output_blocks * step->input_blocks;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t outer = u / step->input_blocks, part = outer / step->output_blocks / step->groups;
      int32_t group = outer / step->output_blocks % step->groups;
      ChannelRange in = channel_range(step->input_channels, step->input_blocks, u % step->input_blocks);
      ChannelRange out = channel_range(step->output_channels, step->output_blocks, outer % step->output_blocks);
      const float *x = input + (group * step->input_channels + in.first) * (step->input_last ? 1 : input_plane);
      const float *g =
        upstream + (group * step->output_channels + out.first) * (step->upstream_last ? 1 : upstream_plane);
      int32_t begin = part_begin(strips, step->parts, part), end = part_begin(strips, step->parts, part + 1);
      int32_t chunks = ceil_div(end - begin, step->chunk_strips);
      for (int32_t i = 0; i < chunks; i++) {
        int32_t first = begin + part_begin(end - begin, chunks, i), last = begin + part_begin(end - begin, chunks, i + 1);
        TileOrder order = order_tiles(w.m + 2, step->upstream_size, step->tiles, first, last);
        if (step->input_last) {
          transform_operand_last(&w, 1, x, input_pixel, &in, first, last, &order, w.input, step->input_distance);
        } else {
          transform_operand(&w, 1, x, input_end, input_image, &in, first, last, &order, w.input, step->input_distance);
        }
        if (step->upstream_last) {
          transform_operand_last(&w, 0, g, upstream_pixel, &out, first, last, &order, w.upstream, step->upstream_distance);
        } else {
          transform_operand(&w, 0, g, upstream_end, upstream_image, &out, first, last, &order, w.upstream,
                            step->upstream_distance);
        }
        add_products(&w, &in, &out, &order, i > 0);
      }
      float *to = output == NULL ? NULL : output + (ptrdiff_t)part * step->partial_size;
      store_gradients(context, &w, group, &in, &out, to);
    }
  }
}
