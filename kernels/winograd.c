/*
 * 3×3 convolution of stride 1, and its input gradient, by Winograd's algorithm: tiles of m×m target pixels cost n×n
 * products for each pair of channels, where the sums of the definition cost 9 m².
 *
 * A strip is a row of tiles of one image. A unit of work is a chunk of strips and a group of vectors of target channels;
 * a thread keeps the chunk's transformed input from one unit to the next. For each of the n×n positions the products are
 * a matrix product of tiles × source channels and source × target channels; lanes are target channels.
 */
#include "convolution_channels.h"
#include "winograd_transforms.h"

/* Terms of a product that are summed in registers; sums of such blocks are added in order. */
#define WINOGRAD_DEPTH 256

typedef struct {
  const WinogradStep *step;
  int32_t m, positions; /* side of a tile; (m + 2)² */
  int32_t source_width; /* source channels in whole vectors */
  int32_t strips;       /* of a batch of images */
  ptrdiff_t source_plane, target_plane;
  ptrdiff_t source_pixel, target_pixel; /* distance of neighbouring pixels */
  ptrdiff_t source_channel, target_channel;
  ptrdiff_t weight_distance, input_distance, product_distance; /* from one position to the next */
  float *input, *products, *haloed, *stage;
  int32_t *offsets; /* 0, 1, 2, … */
} Winograd;

/* Strips first … end-1 of a group. */
typedef struct {
  int32_t group, first, end;
} Chunk;

/* Panels first … end-1, and their vectors. */
typedef struct {
  int32_t first, end;
  Panel vectors;
} PanelGroup;

static Winograd plan_winograd(const Context *context, const WinogradStep *step) {
  Winograd w = {.step = step, .m = step->tile, .positions = (step->tile + 2) * (step->tile + 2)};
  w.source_width = ceil_div(step->source_channels, VW) * VW;
  w.strips = step->batch * step->tiles[0];
  w.source_plane = (ptrdiff_t)step->source_size[0] * step->source_size[1];
  w.target_plane = (ptrdiff_t)step->target_size[0] * step->target_size[1];
  w.source_pixel = step->source_last ? step->groups * step->source_channels : 1;
  w.target_pixel = step->target_last ? step->groups * step->target_channels : 1;
  w.source_channel = step->source_last ? 1 : w.source_plane;
  w.target_channel = step->target_last ? 1 : w.target_plane;
  w.weight_distance = (ptrdiff_t)ceil_div(step->target_channels, VW) * VW * step->source_channels;
  w.input_distance = step->input_distance;
  w.product_distance = step->product_distance;
  float *memory = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  w.input = memory;
  w.products = memory + step->products_at;
  w.haloed = memory + step->halo_at;
  w.stage = memory + step->stage_at;
  w.offsets = (int32_t *)(memory + step->offsets_at);
  return w;
}

/*
 * `rows` rows of `columns` pixels of up to VW channels, from (y, x) of a plane on, as vectors of channels; zeros beyond its
 * borders.
 */
static void fill_strip(const int32_t *size, const float *source, ptrdiff_t pixel, const float *end, int32_t lanes,
                       int32_t y, int32_t x, int32_t rows, int32_t columns, float *to) {
  ptrdiff_t plane = (ptrdiff_t)size[0] * size[1];
  int32_t before = min_int(max_int(-x, 0), columns), first = max_int(x, 0);
  int32_t inside = max_int(min_int(size[1] - first, columns - before), 0);
  for (int32_t i = 0; i < rows; i++, y++, to += columns * VW) {
    if (y < 0 || y >= size[0]) {
      fill_loose(to, columns * VW, (vf){});
      continue;
    }
    fill_loose(to, before * VW, (vf){});
    const float *from = source + ((ptrdiff_t)y * size[1] + first) * pixel;
    if (pixel == 1) {
      pack_columns(from, plane, lanes, inside, end, to + before * VW, 1, NULL);
    } else {
      for (int32_t j = 0; j < inside; j++) store(to + (before + j) * VW, load(from + j * pixel));
    }
    fill_loose(to + (before + inside) * VW, (columns - before - inside) * VW, (vf){});
  }
}

/* Transformed input: position · input_distance + tile · source_width + channel. */
static void transform_input(const Winograd *w, const float *source, const Chunk *chunk) {
  const WinogradStep *step = w->step;
  int32_t channels = step->source_channels, tiles = step->tiles[1];
  int32_t columns = tiles * w->m + 2;
  const float *end = source + (ptrdiff_t)step->batch * step->groups * channels * w->source_plane;
  for (int32_t s = chunk->first; s < chunk->end; s++) {
    int32_t image = s / step->tiles[0], strip = s % step->tiles[0];
    const float *from = source + (ptrdiff_t)image * step->groups * channels * w->source_plane +
                        chunk->group * channels * w->source_channel;
    for (int32_t channel = 0; channel < channels; channel += VW) {
      fill_strip(step->source_size, from + channel * w->source_channel, w->source_pixel, end,
                 min_int(channels - channel, VW), strip * w->m - step->padding[0], -step->padding[1], w->m + 2, columns,
                 w->haloed);
      float *to = w->input + (ptrdiff_t)(s - chunk->first) * tiles * w->source_width + channel;
      for (int32_t t = 0; t < tiles; t++, to += w->source_width) {
        const float *tile = w->haloed + (ptrdiff_t)t * w->m * VW;
        if (w->m == 4) {
          transform_input_tile(4, tile, columns * VW, to, w->input_distance);
        } else {
          transform_input_tile(2, tile, columns * VW, to, w->input_distance);
        }
      }
    }
  }
}

/* Products: position · product_distance + tile · width of the group + lane. */
static void multiply_positions(const Winograd *w, const float *weights, const PanelGroup *group, int32_t tiles) {
  int32_t depth = w->step->source_channels, width = group->vectors.count * VW;
  for (int32_t position = 0; position < w->positions; position++) {
    for (int32_t first = 0; first < depth; first += WINOGRAD_DEPTH) {
      int32_t count = min_int(depth - first, WINOGRAD_DEPTH);
      const float *input = w->input + position * w->input_distance + first;
      for (int32_t p = group->first; p < group->end; p++) {
        Panel panel = get_panel(w->step->target_channels, p);
        const float *factors = weights + position * w->weight_distance + (ptrdiff_t)panel.first * VW * depth +
                               (ptrdiff_t)first * panel.count * VW;
        float *out = w->products + position * w->product_distance + (panel.first - group->vectors.first) * VW;
        int32_t parts = ceil_div(tiles, broadcast_rows[panel.count - 1]);
        for (int32_t part = 0; part < parts; part++) {
          int32_t tile = part_begin(tiles, parts, part), rows = part_begin(tiles, parts, part + 1) - tile;
          const float *x[MAX_ROWS];
          float *to[MAX_ROWS];
          for (int32_t i = 0; i < rows; i++) {
            x[i] = input + (ptrdiff_t)(tile + i) * w->source_width;
            to[i] = out + (ptrdiff_t)(tile + i) * width;
          }
          broadcast_tiles[panel.count - 1][rows - 1](x, w->offsets, count, factors, panel.count * VW, to, first > 0);
        }
      }
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
    int32_t width = step->target_size[1];
    if (step->target_last) {
      int32_t pixel = (int32_t)w->target_pixel, at = (image * step->target_size[0] + y) * width;
      int32_t begin = at * pixel + chunk->group * step->target_channels + channel;
      elementwise_region(context, epilogue, (Region){begin, rows * width, lanes, pixel});
      continue;
    }
    int32_t index = (image * step->groups + chunk->group) * step->target_channels + channel;
    int32_t begin = index * (int32_t)w->target_plane + y * width;
    for (int32_t i = 0; i < lanes; i++, begin += (int32_t)w->target_plane) {
      elementwise_range(context, epilogue, begin, begin + rows * width);
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
      const float *from = w->products + (ptrdiff_t)(s - chunk->first) * tiles * vectors.count * VW + v * VW;
      for (int32_t t = 0; t < tiles; t++, from += vectors.count * VW) {
        float *to = w->stage + (ptrdiff_t)t * m * VW;
        if (m == 4) {
          transform_output_tile(4, from, w->product_distance, to, (ptrdiff_t)columns * VW);
        } else {
          transform_output_tile(2, from, w->product_distance, to, (ptrdiff_t)columns * VW);
        }
      }
      float *to = output + (ptrdiff_t)image * step->groups * step->target_channels * w->target_plane +
                  (chunk->group * step->target_channels + channel) * w->target_channel + y * width * w->target_pixel;
      for (int32_t i = 0; i < min_int(step->target_size[0] - y, m); i++, to += width * w->target_pixel) {
        const float *row = w->stage + (ptrdiff_t)i * columns * VW;
        if (step->target_last) {
          for (int32_t j = 0; j < width; j++) store(to + j * w->target_pixel, load(row + j * VW));
        } else {
          store_columns(row, 1, lanes, width, to, w->target_plane);
        }
      }
    }
    if (!step->target_last) finish_chunk(context, w, chunk, channel, lanes);
  }
  if (step->target_last) finish_chunk(context, w, chunk, vectors.first * VW, vectors.count * VW);
}

static void kernel_winograd(const Context *context, const WinogradStep *step) {
  Winograd w = plan_winograd(context, step);
  const float *source = floats(context, step->source), *weights = floats(context, step->weights);
  float *output = floats(context, step->output);
  int32_t panels = count_panels(step->target_channels);
  int32_t panel_groups = ceil_div(panels, step->panel_group), chunks = ceil_div(w.strips, step->chunk_strips);
  int32_t units = step->groups * chunks * panel_groups;
  for (int32_t i = 0; i < WINOGRAD_DEPTH; i++) w.offsets[i] = i;
  int32_t transformed = -1;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t operand = u / panel_groups, index = operand % chunks;
      Chunk chunk = {operand / chunks, part_begin(w.strips, chunks, index), part_begin(w.strips, chunks, index + 1)};
      if (operand != transformed) transform_input(&w, source, &chunk);
      transformed = operand;
      PanelGroup group = {part_begin(panels, panel_groups, u % panel_groups),
                          part_begin(panels, panel_groups, u % panel_groups + 1), {0, 0}};
      group.vectors = join_panels(step->target_channels, group.first, group.end - group.first);
      const float *factors = weights + (ptrdiff_t)chunk.group * w.positions * w.weight_distance;
      multiply_positions(&w, factors, &group, (chunk.end - chunk.first) * step->tiles[1]);
      transform_output(context, &w, &chunk, group.vectors, output);
    }
  }
}

/* Source channels whose kernels are packed together. */
#define PACKED_KERNELS 16

/*
 * Transformed weights: group, position, panel, source channel, lane. A unit of work is a panel and a block of source
 * channels. For an input gradient, kernels are turned around and their channels change places.
 */
static void kernel_winograd_weights(const Context *context, const WinogradWeightsStep *step) {
  const float *weight = floats(context, step->weight);
  float *output = floats(context, step->output);
  float *packed = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  int32_t sources = step->source_channels, targets = step->target_channels, positions = (step->tile + 2) * (step->tile + 2);
  int32_t panels = count_panels(targets), blocks = ceil_div(sources, PACKED_KERNELS);
  ptrdiff_t distance = (ptrdiff_t)ceil_div(targets, VW) * VW * sources;
  const float *end = weight + (ptrdiff_t)step->groups * sources * targets * 9;
  int32_t units = step->groups * panels * blocks;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t group = u / blocks / panels, source = u % blocks * PACKED_KERNELS;
      int32_t count = min_int(sources - source, PACKED_KERNELS);
      Panel panel = get_panel(targets, u / blocks % panels);
      int32_t first = panel.first * VW, width = panel.count * VW, lanes = min_int(targets - first, width);
      const float *from = weight + (ptrdiff_t)group * sources * targets * 9;
      if (step->gradient) {
        for (int32_t i = 0; i < count; i++) {
          pack_columns(from + ((ptrdiff_t)(source + i) * targets + first) * 9, 9, lanes, 9, end,
                       packed + (ptrdiff_t)i * 9 * width, panel.count, NULL);
        }
      } else {
        pack_columns(from + ((ptrdiff_t)first * sources + source) * 9, (ptrdiff_t)sources * 9, lanes, count * 9, end,
                     packed, panel.count, NULL);
      }
      float *to = output + group * positions * distance + (ptrdiff_t)first * sources + (ptrdiff_t)source * width;
      for (int32_t i = 0; i < count * panel.count; i++, to += VW) {
        const float *kernel = packed + (ptrdiff_t)(i / panel.count) * 9 * width + i % panel.count * VW;
        if (step->gradient) kernel += 8 * width;
        ptrdiff_t next = step->gradient ? -width : width;
        if (step->tile == 4) {
          transform_weight_tile(4, kernel, next, to, distance);
        } else {
          transform_weight_tile(2, kernel, next, to, distance);
        }
      }
    }
  }
}
