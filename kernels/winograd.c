/*
 * 3×3 and 5×5 convolution of stride 1, and its input gradient, by Winograd's algorithm: tiles of m×m target pixels cost n×n
 * products for each pair of channels, where the sums of the definition cost 9 m² or 25 m².
 *
 * With a stride, pixels and weights that lie as many apart become a channel of their own, a phase (of an 11×11 kernel with
 * a stride of four sixteen, with kernels of 3×3): what is left is a convolution of stride 1 with more channels.
 *
 * A strip is a row of tiles of one image. A unit of work is a chunk of strips and a group of vectors of target channels;
 * a thread keeps the chunk's transformed input from one unit to the next. For each of the n×n positions the products are
 * a matrix product of tiles × source channels and source × target channels; lanes are target channels.
 */
#include "pooling.h"
#include "winograd_tiles.h"
#include "winograd_weights.h"

/*
 * Terms of a product that are summed in registers; sums of such blocks are added in order. Where nothing can be fetched ahead, short
 * ones let all tiles read weights before more of them come from memory.
 */
#ifdef __wasm__
#define WINOGRAD_DEPTH 64
#else
#define WINOGRAD_DEPTH 256
#endif

typedef struct {
  const WinogradStep *step;
  int32_t m, points, positions; /* side of a tile; points along it; their square */
  int32_t source_width; /* source channels in whole vectors */
  int32_t strips;       /* of a batch of images */
  ptrdiff_t source_plane, target_plane;
  ptrdiff_t weight_distance, input_distance, product_distance; /* from one position to the next */
  float *input, *products, *haloed, *stage, *factors, *packed, *block;
} Winograd;

/* Strips first … end-1 of a group. */
typedef struct {
  int32_t group, first, end;
  TileOrder order;
} Chunk;

/* Panels first … end-1, and their vectors. */
typedef struct {
  int32_t first, end;
  Panel vectors;
} PanelGroup;

static Winograd plan_winograd(const Context *context, const WinogradStep *step) {
  Winograd w = {.step = step, .m = step->tile, .points = step->tile + step->kernel - 1};
  w.positions = w.points * w.points;
  w.source_width = ceil_div(step->source_channels, VW) * VW;
  w.strips = step->batch * step->tiles[0];
  w.source_plane = (ptrdiff_t)step->source_size[0] * step->source_size[1];
  w.target_plane = (ptrdiff_t)step->target_size[0] * step->target_size[1];
  w.weight_distance = (ptrdiff_t)ceil_div(step->target_channels, VW) * VW * step->source_channels;
  w.input_distance = step->input_distance;
  w.product_distance = step->product_distance;
  float *memory = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  w.input = memory;
  w.products = memory + step->products_at;
  w.haloed = memory + step->halo_at;
  w.stage = memory + step->stage_at;
  w.factors = memory + step->factors_at;
  w.packed = memory + step->packed_at;
  w.block = memory + step->block_at;
  return w;
}

/*
 * `rows` rows of `columns` pixels of up to VW channels, from (y, x) of a plane on, as vectors of channels; zeros beyond its
 * borders.
 */
static void fill_strip(const int32_t *size, const float *source, const float *end, int32_t lanes, int32_t y, int32_t x,
                       int32_t rows, int32_t columns, float *to) {
  ptrdiff_t plane = (ptrdiff_t)size[0] * size[1];
  int32_t before = min_int(max_int(-x, 0), columns), first = max_int(x, 0);
  int32_t inside = max_int(min_int(size[1] - first, columns - before), 0);
  for (int32_t i = 0; i < rows; i++, y++, to += columns * VW) {
    if (y < 0 || y >= size[0]) {
      fill_loose(to, columns * VW, (vf){});
      continue;
    }
    fill_loose(to, before * VW, (vf){});
    pack_columns(source + (ptrdiff_t)y * size[1] + first, plane, lanes, inside, end, to + before * VW, 1, NULL);
    fill_loose(to + (before + inside) * VW, (columns - before - inside) * VW, (vf){});
  }
}

/* One tile of the source. */
NOINLINE void transform_source_tile(int32_t points, const float *from, ptrdiff_t pixel, ptrdiff_t pitch, float *to,
                                    ptrdiff_t distance) {
  if (points == 7) {
    transform_input_tile(7, from, pixel, pitch, to, distance);
  } else if (points == 6) {
    transform_input_tile(6, from, pixel, pitch, to, distance);
  } else {
    transform_input_tile(4, from, pixel, pitch, to, distance);
  }
}

/* One tile of the target. */
NOINLINE void transform_target_tile(const Winograd *w, const float *from, float *to, ptrdiff_t pixel, ptrdiff_t pitch) {
  if (w->points == 7) {
    transform_output_tile(7, from, w->product_distance, to, pixel, pitch);
  } else if (w->points == 6) {
    transform_output_tile(6, from, w->product_distance, to, pixel, pitch);
  } else {
    transform_output_tile(4, from, w->product_distance, to, pixel, pitch);
  }
}

/* Transformed input: position · input_distance + place of the tile · source_width + channel. */
static void transform_input(const Winograd *w, const float *source, const Chunk *chunk) {
  const WinogradStep *step = w->step;
  int32_t channels = step->source_channels, tiles = step->tiles[1];
  int32_t columns = tiles * w->m + step->kernel - 1;
  const float *end = source + (ptrdiff_t)step->batch * step->groups * channels * w->source_plane;
  for (int32_t s = chunk->first; s < chunk->end; s++) {
    int32_t image = s / step->tiles[0], strip = s % step->tiles[0];
    const float *from = source + ((ptrdiff_t)image * step->groups + chunk->group) * channels * w->source_plane;
    StripTiles places = strip_tiles(&chunk->order, s);
    int32_t last = tiles - 1;
    for (int32_t channel = 0; channel < channels; channel += VW) {
      fill_strip(step->source_size, from + channel * w->source_plane, end, min_int(channels - channel, VW),
                 strip * w->m - step->padding[0], -step->padding[1], w->points, columns, w->haloed);
      extend_source(extended_rows(&chunk->order, &places), w->haloed, columns * VW, columns, VW, VW);
      extend_source(extended_columns(&chunk->order, last), w->haloed + (ptrdiff_t)last * w->m * VW, VW, w->points,
                    columns * VW, VW);
      for (int32_t t = 0; t < tiles; t++) {
        const float *tile = w->haloed + (ptrdiff_t)t * w->m * VW;
        float *to = w->input + (ptrdiff_t)tile_place(&chunk->order, &places, t) * w->source_width + channel;
        transform_source_tile(w->points, tile, VW, columns * VW, to, w->input_distance);
      }
    }
  }
}

/* Floats of a row, `stride` of them to each of `columns` places `distance` apart; row[x] is the first. */
INLINE void deal_row(int32_t stride, const float *row, int32_t x, int32_t width, int32_t columns, float *to,
                     ptrdiff_t distance) {
  for (int32_t j = 0; j < columns; j++, x += stride, to += distance) {
    if (stride == 4 && x >= 0 && x + 4 <= width) {
      __builtin_memcpy(to, row + x, 4 * sizeof(float));
      continue;
    }
    int32_t end = min_int(stride, width - x);
    for (int32_t k = max_int(-x, 0); k < end; k++) to[k] = row[x + k];
  }
}

/*
 * What a strip's tiles read, where the stride is more than 1: row, column, and phase in the order channel, row, column of the
 * stride. `strip` counts from the image's first.
 */
static void fill_phases(const Winograd *w, const float *image, int32_t strip, int32_t columns, float *to) {
  const WinogradStep *step = w->step;
  int32_t stride = step->stride, height = step->source_size[0], width = step->source_size[1], left = -step->padding[1];
  int32_t channels = step->source_channels / (stride * stride);
  fill_loose(to, w->points * columns * w->source_width, (vf){});
  for (int32_t i = 0; i < w->points * stride; i++) {
    int32_t y = strip * w->m * stride + i - step->padding[0];
    if (y < 0 || y >= height) continue;
    for (int32_t c = 0; c < channels; c++) {
      const float *row = image + c * w->source_plane + (ptrdiff_t)y * width;
      float *out = to + (ptrdiff_t)(i / stride) * columns * w->source_width + (c * stride + i % stride) * stride;
      deal_row(stride, row, left, width, columns, out, w->source_width);
    }
  }
}

static void transform_phases(const Winograd *w, const float *source, const Chunk *chunk) {
  const WinogradStep *step = w->step;
  int32_t tiles = step->tiles[1], last = tiles - 1, columns = tiles * w->m + step->kernel - 1, width = w->source_width;
  int32_t channels = step->source_channels / (step->stride * step->stride);
  for (int32_t s = chunk->first; s < chunk->end; s++) {
    int32_t image = s / step->tiles[0] * step->groups + chunk->group;
    StripTiles places = strip_tiles(&chunk->order, s);
    fill_phases(w, source + (ptrdiff_t)image * channels * w->source_plane, s % step->tiles[0], columns, w->haloed);
    extend_source(extended_rows(&chunk->order, &places), w->haloed, columns * width, columns, width, width);
    extend_source(extended_columns(&chunk->order, last), w->haloed + (ptrdiff_t)last * w->m * width, width, w->points,
                  columns * width, width);
    for (int32_t t = 0; t < tiles; t++) {
      float *to = w->input + (ptrdiff_t)tile_place(&chunk->order, &places, t) * width;
      for (int32_t c = 0; c < width; c += VW) {
        const float *tile = w->haloed + (ptrdiff_t)t * w->m * width + c;
        transform_source_tile(w->points, tile, width, columns * width, to + c, w->input_distance);
      }
    }
  }
}

/* Transformed weights of a panel. */
INLINE const float *panel_factors(const Winograd *w, const float *weights, int32_t position, int32_t p) {
  ptrdiff_t vectors = (ptrdiff_t)get_panel(w->step->target_channels, p).first * w->step->source_channels;
  return weights + position * w->weight_distance + vectors * VW;
}

/*
 * Products of one position and `count` source channels from `first` on with a panel's factors: place of the tile · width of the
 * group + lane. `next` are the factors after them.
 */
INLINE void multiply_panel(const Winograd *w, const PanelGroup *group, Panel panel, int32_t position, int32_t first,
                           int32_t count, const float *factors, const float *next, Range places) {
  int32_t width = group->vectors.count * VW, tiles = places.end - places.begin;
  const float *input = w->input + position * w->input_distance + (ptrdiff_t)places.begin * w->source_width + first;
  float *out = w->products + position * w->product_distance + (ptrdiff_t)places.begin * width +
               (panel.first - group->vectors.first) * VW;
  int32_t parts = ceil_div(tiles, broadcast_rows[panel.count - 1]);
  AheadPanel ahead = fetch_ahead(factors, next, panel.count * VW, parts);
  Parts cuts = cut(tiles, parts);
  for (int32_t part = 0; part < parts; part++) {
    int32_t rows = next_part(&cuts);
    multiply_rows(rows, panel.count, input, w->source_width, count, factors, out, width, first > 0,
                  tile_ahead(&ahead, part, count));
    input += (ptrdiff_t)rows * w->source_width;
    out += (ptrdiff_t)rows * width;
  }
}

/* The tiles that have products at a position; those of others become zero. */
static Range tiles_to_multiply(const Winograd *w, const PanelGroup *group, const TileOrder *order, int32_t position) {
  Range places = tiles_at(order, position);
  int32_t width = group->vectors.count * VW;
  float *products = w->products + position * w->product_distance;
  fill_loose(products, places.begin * width, (vf){});
  fill_loose(products + (ptrdiff_t)places.end * width, (order->all - places.end) * width, (vf){});
  return places;
}

/* Products: position · product_distance + place of the tile · width of the group + lane. Weights are read in the order in which they lie. */
static void multiply_positions(const Winograd *w, const float *weights, const PanelGroup *group, const TileOrder *order) {
  int32_t depth = w->step->source_channels;
  for (int32_t position = 0; position < w->positions; position++) {
    Range places = tiles_to_multiply(w, group, order, position);
    if (places.begin == places.end) continue;
    const float *factors = panel_factors(w, weights, position, group->first);
    const float *later = panel_factors(w, weights, min_int(position + 1, w->positions - 1), group->first);
    for (int32_t p = group->first; p < group->end; p++) {
      Panel panel = get_panel(w->step->target_channels, p);
      for (int32_t first = 0; first < depth; first += WINOGRAD_DEPTH) {
        int32_t count = min_int(depth - first, WINOGRAD_DEPTH), is_last = p + 1 == group->end && first + count == depth;
        const float *next = factors + (ptrdiff_t)count * panel.count * VW;
        multiply_panel(w, group, panel, position, first, count, factors, is_last ? later : next, places);
        factors = next;
      }
    }
  }
}

/*
 * The same, with weights that are transformed a block of source channels at a time, just before they are used: they never
 * leave the caches.
 */
static void multiply_raw(const Winograd *w, const RawWeights *raw, int32_t of, const PanelGroup *group,
                         const TileOrder *order) {
  Panel panel = group->vectors;
  int32_t depth = w->step->source_channels, width = panel.count * VW;
  for (int32_t first = 0; first < depth; first += WINOGRAD_DEPTH) {
    int32_t count = min_int(depth - first, WINOGRAD_DEPTH);
    /* Positions that are a multiple of a page apart would push each other out of the cache. */
    ptrdiff_t distance = (ptrdiff_t)count * width + 16;
    for (int32_t source = 0; source < count; source += PACKED_KERNELS) {
      transform_kernels(raw, of, panel, first + source, min_int(count - source, PACKED_KERNELS), w->packed,
                        w->factors + source * width, distance);
    }
    for (int32_t position = 0; position < w->positions; position++) {
      const float *factors = w->factors + position * distance;
      Range places = first == 0 ? tiles_to_multiply(w, group, order, position) : tiles_at(order, position);
      if (places.begin < places.end) multiply_panel(w, group, panel, position, first, count, factors, factors, places);
    }
  }
}

/* Elementwise work on `lanes` channels from `channel` on, over the rows of a chunk: those of one image at a time. */
static void finish_chunk(const Context *context, const Winograd *w, const Chunk *chunk, int32_t channel, int32_t lanes) {
  const WinogradStep *step = w->step;
  const ElementwiseStep *epilogue = EPILOGUE(context, step->epilogue);
  int32_t strips = step->tiles[0];
  for (int32_t s = chunk->first, next; s < chunk->end && epilogue != NULL; s = next) {
    int32_t image = s / strips, y = s % strips * w->m;
    next = min_int(chunk->end, (image + 1) * strips);
    int32_t rows = min_int((next - image * strips) * w->m, step->target_size[0]) - y;
    int32_t index = (image * step->groups + chunk->group) * step->target_channels + channel;
    int32_t begin = index * (int32_t)w->target_plane + y * step->target_size[1];
    for (int32_t i = 0; i < lanes; i++, begin += (int32_t)w->target_plane) {
      elementwise_range(context, epilogue, begin, begin + rows * step->target_size[1]);
    }
  }
}

/* Writes the target channels of `vectors` for a chunk. */
static void transform_output(const Context *context, const Winograd *w, const Chunk *chunk, Panel vectors,
                             float *output) {
  const WinogradStep *step = w->step;
  int32_t tiles = step->tiles[1], m = w->m, width = step->target_size[1], columns = tiles * m;
  for (int32_t v = 0; v < vectors.count; v++) {
    int32_t channel = (vectors.first + v) * VW, lanes = min_int(step->target_channels - channel, VW);
    for (int32_t s = chunk->first; s < chunk->end; s++) {
      int32_t image = s / step->tiles[0], y = s % step->tiles[0] * m;
      StripTiles places = strip_tiles(&chunk->order, s);
      for (int32_t t = 0; t < tiles; t++) {
        const float *from = w->products + ((ptrdiff_t)tile_place(&chunk->order, &places, t) * vectors.count + v) * VW;
        float *to = w->stage + (ptrdiff_t)t * m * VW;
        transform_target_tile(w, from, to, VW, (ptrdiff_t)columns * VW);
      }
      int32_t index = (image * step->groups + chunk->group) * step->target_channels + channel;
      float *to = output + index * w->target_plane + (ptrdiff_t)y * width;
      for (int32_t i = 0; i < min_int(step->target_size[0] - y, m); i++, to += width) {
        store_columns(w->stage + (ptrdiff_t)i * columns * VW, 1, lanes, width, to, w->target_plane);
      }
    }
    finish_chunk(context, w, chunk, channel, lanes);
  }
}

/*
 * Has the second-level cache fetch side × side pixels from (y, x) on, to be read or written later. Those of the tile below come
 * early enough, and below an image's last row lies the next image.
 */
INLINE void fetch_tile(const int32_t *size, const float *image, ptrdiff_t pixel, int32_t channels, int32_t y, int32_t x,
                       int32_t side, const int is_written) {
#ifdef __wasm__
  (void)size, (void)image, (void)pixel, (void)channels, (void)y, (void)x, (void)side, (void)is_written;
#else
  const float *from = image + ((ptrdiff_t)y * size[1] + x) * pixel;
  for (int32_t i = 0; i < side; i++, from += size[1] * pixel) {
    for (int32_t j = 0; j < side; j++) {
      for (int32_t c = 0; c < channels; c += 16) {
        const float *line = from + j * pixel + c;
        if (is_written) __builtin_prefetch(line, 1, 2);
        else __builtin_prefetch(line, 0, 2);
      }
    }
  }
#endif
}

/* A tile's first channel, and distances of neighbours in a row and of rows. */
typedef struct {
  const float *first;
  ptrdiff_t pixel, row;
} TileLast;

/* Copied pixels lie so much further apart than they are long: not at distances that a cache maps to few of its sets. */
#define TILE_GAP 16
/* Distances whose multiples do. */
#define TILE_CROWDED 256

/*
 * `side` × `side` pixels of `channels` channels that lie side by side, `pixel` floats from one pixel to the next, from (y, x) of
 * an image on: where they lie or, if they overhang the borders, copied with zeros beyond them. They are extended
 * (extend_source()) where `rows` or `columns` are not MAX_TILE.
 */
static TileLast tile_last(const int32_t *size, const float *image, ptrdiff_t pixel, int32_t channels, int32_t y, int32_t x,
                          int32_t side, int32_t rows, int32_t columns, float *copy) {
  int32_t height = size[0], width = size[1];
  const float *from = image + ((ptrdiff_t)y * width + x) * pixel;
  int32_t within = y >= 0 && x >= 0 && y + side <= height && x + side <= width;
  if (within && rows == MAX_TILE && columns == MAX_TILE && pixel % TILE_CROWDED != 0) return (TileLast){from, pixel, width * pixel};
  float *to = copy;
  ptrdiff_t distance = channels + TILE_GAP;
  for (int32_t i = 0; i < side; i++, from += width * pixel) {
    for (int32_t j = 0; j < side; j++, to += distance) {
      if (y + i < 0 || x + j < 0 || y + i >= height || x + j >= width) {
        fill_loose(to, channels, (vf){});
      } else {
        copy_floats(to, from + j * pixel, channels);
      }
    }
  }
  extend_source(rows, copy, side * distance, side, distance, channels);
  extend_source(columns, copy, distance, side, side * distance, channels);
  return (TileLast){copy, distance, side * distance};
}

/*
 * The same where channels lie side by side: tile after tile, all channels of each. Tiles that overhang the borders are
 * copied first.
 */
static void transform_input_last(const Winograd *w, const float *source, const Chunk *chunk) {
  const WinogradStep *step = w->step;
  int32_t channels = step->source_channels, tiles = step->tiles[1];
  ptrdiff_t pixel = (ptrdiff_t)step->groups * channels;
  const TileOrder *order = &chunk->order;
  for (int32_t s = chunk->first; s < chunk->end; s++) {
    int32_t image = s / step->tiles[0], y = s % step->tiles[0] * w->m - step->padding[0];
    const float *plane = source + image * w->source_plane * pixel + chunk->group * channels;
    StripTiles places = strip_tiles(order, s);
    for (int32_t t = 0; t < tiles; t++) {
      int32_t x = t * w->m - step->padding[1];
      fetch_tile(step->source_size, plane, pixel, channels, y + w->points, x, w->m, 0);
      TileLast tile = tile_last(step->source_size, plane, pixel, channels, y, x, w->points, extended_rows(order, &places),
                                extended_columns(order, t), w->haloed);
      float *to = w->input + (ptrdiff_t)tile_place(order, &places, t) * channels;
      for (int32_t c = 0; c < channels; c += VW) {
        transform_source_tile(w->points, tile.first + c, tile.pixel, tile.row, to + c, w->input_distance);
      }
    }
  }
}

/*
 * Of the strip of an image that begins with row `y`, `rows` rows that lie at `from`, the largest of each 2 × 2 pixels: `lanes` channels
 * from `channel` of all on.
 */
static void pool_strip(const WinogradStep *step, const float *from, int32_t image, int32_t y, int32_t rows,
                       int32_t channel, int32_t lanes, float *output) {
  int32_t height = step->target_size[0] / 2, width = step->target_size[1] / 2;
  ptrdiff_t pixel = (ptrdiff_t)step->groups * step->target_channels, row = step->target_size[1] * pixel;
  for (int32_t i = 0; i < rows / 2; i++) {
    const float *x = from + 2 * i * row;
    float *to = output + (((ptrdiff_t)image * height + y / 2 + i) * width) * pixel + channel;
    for (int32_t j = 0; j < width; j++, x += 2 * pixel, to += pixel) {
      for (int32_t c = 0; c < lanes; c += VW) store(to + c, largest_of_four(x + c, row, pixel));
    }
  }
}

static void transform_output_last(const Context *context, const Winograd *w, const Chunk *chunk, Panel vectors,
                                  float *output) {
  const WinogradStep *step = w->step;
  int32_t tiles = step->tiles[1], m = w->m, lanes = vectors.count * VW;
  int32_t height = step->target_size[0], width = step->target_size[1], pixel = step->groups * step->target_channels;
  int32_t channel = chunk->group * step->target_channels + vectors.first * VW;
  Context own = *context;
  uint8_t *place;
  if (step->pooled) own.locals = &place;
  for (int32_t s = chunk->first; s < chunk->end; s++) {
    int32_t image = s / step->tiles[0], y = s % step->tiles[0] * m, rows = min_int(height - y, m);
    int32_t begin = (image * height + y) * width * pixel + channel;
    if (step->pooled) place = place_of_first(w->block, begin);
    float *first = step->pooled ? w->block : output + begin;
    StripTiles places = strip_tiles(&chunk->order, s);
    for (int32_t t = 0; t < tiles; t++) {
      const float *from = w->products + (ptrdiff_t)tile_place(&chunk->order, &places, t) * lanes;
      int32_t columns = min_int(width - t * m, m);
      float *target = first + (ptrdiff_t)t * m * pixel;
      int32_t whole = rows == m && columns == m;
      if (!step->pooled) fetch_tile(step->target_size, first, pixel, lanes, m, t * m, m, 1);
      float *to = whole ? target : w->stage;
      ptrdiff_t next = whole ? pixel : lanes, next_row = whole ? (ptrdiff_t)width * pixel : m * lanes;
      for (int32_t c = 0; c < lanes; c += VW) {
        transform_target_tile(w, from + c, to + c, next, next_row);
      }
      for (int32_t i = 0; !whole && i < rows * columns; i++) {
        int32_t row = i / columns, column = i % columns;
        copy_floats(target + ((ptrdiff_t)row * width + column) * pixel, to + row * next_row + column * next, lanes);
      }
    }
    elementwise_region(&own, EPILOGUE(context, step->epilogue), (Region){begin, rows * width, lanes, pixel});
    if (step->pooled) pool_strip(step, w->block, image, y, rows, channel, lanes, output);
  }
}

static void kernel_winograd(const Context *context, const WinogradStep *step) {
  Winograd w = plan_winograd(context, step);
  const float *source = floats(context, step->source), *weights = floats(context, step->weights);
  float *output = floats(context, step->output);
  int32_t panels = count_panels(step->target_channels);
  int32_t panel_groups = ceil_div(panels, step->panel_group), chunks = step->chunks;
  int32_t units = step->groups * chunks * panel_groups;
  RawWeights raw = {weights, weights + (ptrdiff_t)step->groups * step->source_channels * step->target_channels * step->kernel * step->kernel,
                    step->source_channels, step->target_channels, step->gradient, w.m, step->kernel, 1, step->kernel};
  int32_t transformed = -1;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t operand = u / panel_groups, index = operand % chunks;
      Chunk chunk = {operand / chunks, part_begin(w.strips, chunks, index), part_begin(w.strips, chunks, index + 1), {0}};
      chunk.order = order_tiles(w.points, step->target_size, step->tiles, chunk.first, chunk.end);
      if (operand != transformed) {
        if (step->stride > 1) {
          transform_phases(&w, source, &chunk);
        } else if (step->source_last) {
          transform_input_last(&w, source, &chunk);
        } else {
          transform_input(&w, source, &chunk);
        }
        transformed = operand;
      }
      PanelGroup group = {part_begin(panels, panel_groups, u % panel_groups),
                          part_begin(panels, panel_groups, u % panel_groups + 1), {0, 0}};
      group.vectors = join_panels(step->target_channels, group.first, group.end - group.first);
      if (step->raw) {
        multiply_raw(&w, &raw, chunk.group, &group, &chunk.order);
      } else {
        multiply_positions(&w, weights + (ptrdiff_t)chunk.group * w.positions * w.weight_distance, &group, &chunk.order);
      }
      if (step->target_last) {
        transform_output_last(context, &w, &chunk, group.vectors, output);
      } else {
        transform_output(context, &w, &chunk, group.vectors, output);
      }
    }
  }
}
