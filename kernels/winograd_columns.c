/*
 * Convolution with kernels of four or five rows by Winograd's algorithm along columns only, F(4, 5): eight products stand
 * for twenty. Rows of the source are transformed eight at a time, four apart; what is left of the kernel is one row, whose
 * products are those of a direct convolution whose lanes are target channels; results are transformed back.
 *
 * With a stride, rows of the source and of the kernel are dealt out by their remainder under it: each of these phases is a
 * convolution of stride 1, and all are summed before results are transformed, as channels are. Seven rows and a stride of
 * two make phases of four and of three rows.
 *
 * The points are 0, ±1, ±2, ±1/2 and infinity, which kernels of fewer than five rows have no weight at: seven products then
 * stand for sixteen. A unit of work is a band of strips, four rows of one image each, and a group of panels of target
 * channels.
 */
#include "convolution_channels.h"
#include "winograd_transforms.h"

/* Rows of a strip of the target, and of what it is computed from. */
#define STRIP_ROWS 4
#define STRIP_POINTS 8
/* Terms whose weights stay in the first-level cache. */
#define STRIP_TERMS 512

typedef struct {
  const WinogradColumnsStep *step;
  Halo halo;
  int32_t channels; /* source channels · phases */
  int32_t terms;    /* of a product: channels · columns of the kernel */
  int32_t together; /* those that lie side by side */
  int32_t strips;
  ptrdiff_t source_plane, target_plane;
  ptrdiff_t source_pixel, target_pixel; /* distance of neighbouring pixels */
  float *source; /* transformed: point, strip, phase, and channel and column in the order of the source */
  float *haloed, *products, *stage;
  int32_t *offsets; /* of each term from its window */
} WinogradColumns;

/* Strips first … first+count-1 of an image, `rows` rows of the target. */
typedef struct {
  int32_t group, image, first, count, rows;
} StripBand;

static WinogradColumns plan_winograd_columns(const Context *context, const WinogradColumnsStep *step) {
  WinogradColumns w = {.step = step, .channels = step->source_channels * step->stride[0]};
  w.terms = w.channels * step->columns;
  w.strips = ceil_div(step->target_size[0], STRIP_ROWS);
  HaloAxis y = halo_axis(step->source_size[0], 1, -step->padding[0], STRIP_ROWS + 1);
  HaloAxis x = halo_axis(step->source_size[1], 1, -step->padding[1], step->columns);
  w.halo = (Halo){y, x, 0, step->pitch};
  w.source_plane = (ptrdiff_t)step->source_size[0] * step->source_size[1];
  w.target_plane = (ptrdiff_t)step->target_size[0] * step->target_size[1];
  w.source = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  w.haloed = w.source + step->halo_at;
  w.products = w.source + step->products_at;
  w.stage = w.source + step->stage_at;
  w.offsets = (int32_t *)(w.source + step->offsets_at);
  w.source_pixel = step->source_last ? step->groups * step->source_channels : 1;
  w.target_pixel = step->target_last ? step->groups * step->target_channels : 1;
  /* Terms of a phase, or of a channel, lie side by side. */
  w.together = step->columns * (step->source_last ? step->source_channels : 1);
  ptrdiff_t distance = step->pitch * (step->source_last ? step->source_channels : 1);
  for (int32_t i = 0; i < w.terms; i++) w.offsets[i] = i / w.together * distance + i % w.together;
  return w;
}

/* One vector of eight rows. */
NOINLINE void transform_rows(const float *const *rows, ptrdiff_t at, float *out, ptrdiff_t distance, int32_t points) {
  vf d[STRIP_POINTS], t[STRIP_POINTS];
  UNROLL for (int i = 0; i < STRIP_POINTS; i++) d[i] = load(rows[i] + at);
  transform_input_axis(STRIP_POINTS, d, t);
  UNROLL for (int i = 0; i < STRIP_POINTS - 1; i++) store(out + i * distance, t[i]);
  if (points == STRIP_POINTS) store(out + (STRIP_POINTS - 1) * distance, t[STRIP_POINTS - 1]);
}

/* Lanes are neighbouring pixels. Planes without a border are read where they lie, unless that ends too early. */
static void transform_planes(const WinogradColumns *w, const float *source, const StripBand *band) {
  const WinogradColumnsStep *step = w->step;
  int32_t channels = step->source_channels, pitch = step->pitch, stride = step->stride[0];
  int32_t height = step->source_size[0], width = step->source_size[1];
  int32_t first = STRIP_ROWS * stride * band->first, is_haloed = step->padding[0] > 0 || step->padding[1] > 0;
  Halo halo = w->halo;
  halo.rows = (STRIP_ROWS * band->count + STRIP_POINTS - STRIP_ROWS) * stride;
  const float *end = source + (ptrdiff_t)step->batch * step->groups * channels * w->source_plane;
  source += ((ptrdiff_t)band->image * step->groups + band->group) * channels * w->source_plane;
  for (int32_t c = 0; c < channels; c++, source += w->source_plane) {
    int32_t in_place = !is_haloed && end - source >= w->source_plane + pitch;
    if (in_place) {
      fill_loose(w->haloed, pitch, (vf){});
    } else {
      fill_halo(&halo, source, end, first, 0, 0, 1, w->haloed);
    }
    for (int32_t part = 0; part < band->count * stride; part++) {
      int32_t s = part / stride, phase = part % stride;
      const float *rows[STRIP_POINTS];
      for (int32_t i = 0; i < STRIP_POINTS; i++) {
        int32_t y = (s * STRIP_ROWS + i) * stride + phase;
        if (in_place) {
          rows[i] = first + y < height ? source + (ptrdiff_t)(first + y) * width : w->haloed;
        } else {
          rows[i] = w->haloed + (ptrdiff_t)y * pitch;
        }
      }
      float *to = w->source + ((ptrdiff_t)part * channels + c) * pitch;
      for (int32_t x = 0; x < pitch; x += VW) transform_rows(rows, x, to + x, step->source_distance, step->points);
    }
  }
}

/* Lanes are channels, which are whole vectors. */
static void transform_pixels(const WinogradColumns *w, const float *source, const StripBand *band) {
  const WinogradColumnsStep *step = w->step;
  int32_t channels = step->source_channels, height = step->source_size[0], width = step->source_size[1];
  int32_t stride = step->stride[0];
  float *zeros = w->haloed, *to = w->source;
  fill(zeros, channels, 0);
  source += band->image * w->source_plane * w->source_pixel + band->group * channels;
  for (int32_t part = 0; part < band->count * stride; part++) {
    int32_t first = (band->first + part / stride) * STRIP_ROWS * stride + part % stride - step->padding[0];
    for (int32_t x = -step->padding[1]; x < step->pitch - step->padding[1]; x++, to += channels) {
      const float *rows[STRIP_POINTS];
      for (int32_t i = 0, y = first; i < STRIP_POINTS; i++, y += stride) {
        int32_t inside = x >= 0 && x < width && y >= 0 && y < height;
        rows[i] = inside ? source + ((ptrdiff_t)y * width + x) * w->source_pixel : zeros;
      }
      for (int32_t c = 0; c < channels; c += VW) transform_rows(rows, c, to + c, step->source_distance, step->points);
    }
  }
}

/* Products of all points with the weights of a panel. */
static void multiply_points(const WinogradColumns *w, const float *weights, int32_t vectors, const StripBand *band) {
  const WinogradColumnsStep *step = w->step;
  int32_t columns = step->target_size[1], pixels = band->count * columns, width = vectors * VW;
  int32_t tiles = ceil_div(pixels, broadcast_rows[vectors - 1]);
  ptrdiff_t window = (step->source_last ? step->source_channels : 1) * step->stride[1];
  ptrdiff_t next_strip = (ptrdiff_t)w->channels * step->pitch - columns * window;
  for (int32_t point = 0; point < step->points; point++) {
    for (int32_t first = 0, terms; first < w->terms; first += terms) {
      int32_t together = min_int(w->together - first % w->together, STRIP_TERMS), column = 0;
      terms = together * min_int((w->terms - first) / together, STRIP_TERMS / together);
      if (together < w->together) terms = together;
      Terms runs = {w->offsets + first, together, 1};
      const float *x = w->source + point * step->source_distance;
      float *out = w->products + point * step->product_distance;
      const float *factors = weights + (ptrdiff_t)first * width;
      AheadPanel ahead = fetch_ahead(factors, factors + (ptrdiff_t)terms * width, width, tiles);
      Parts cuts = cut(pixels, tiles);
      for (int32_t t = 0; t < tiles; t++) {
        int32_t size = next_part(&cuts);
        const float *from[MAX_ROWS];
        float *to[MAX_ROWS];
        for (int32_t i = 0; i < size; i++, x += window, out += width) {
          if (column++ == columns) {
            column = 1;
            x += next_strip;
          }
          from[i] = x;
          to[i] = out;
        }
        broadcast_tiles[vectors - 1][size - 1](from, runs, terms, factors, width, vectors, to, first > 0,
                                               tile_ahead(&ahead, t, terms));
      }
    }
    weights += (ptrdiff_t)w->terms * width;
  }
}

/* One vector of the products of a pixel to its rows of the target, `next` apart. */
INLINE void transform_products(const float *products, ptrdiff_t distance, float *out, ptrdiff_t next, int32_t rows,
                               int32_t points) {
  vf m[STRIP_POINTS] = {};
  UNROLL for (int i = 0; i < STRIP_POINTS - 1; i++) m[i] = load(products + i * distance);
  if (points == STRIP_POINTS) m[STRIP_POINTS - 1] = load(products + (STRIP_POINTS - 1) * distance);
  vf y[STRIP_ROWS];
  transform_output_axis(STRIP_POINTS, m, y);
  UNROLL for (int i = 0; i < STRIP_ROWS; i++) {
    if (i < rows) store(out + i * next, y[i]);
  }
}

/* The rows that one panel makes of a band, to pixels `pixel` apart. */
static void transform_results(const WinogradColumns *w, int32_t vectors, const StripBand *band, float *out,
                              ptrdiff_t pixel) {
  int32_t columns = w->step->target_size[1], width = vectors * VW;
  ptrdiff_t distance = w->step->product_distance, row = columns * pixel;
  const float *from = w->products;
  for (int32_t s = 0; s < band->count; s++) {
    int32_t rows = min_int(band->rows - s * STRIP_ROWS, STRIP_ROWS);
    float *to = out + s * STRIP_ROWS * row;
    for (int32_t x = 0; x < columns; x++, from += width, to += pixel) {
      for (int32_t i = 0; i < width; i += VW) {
        transform_products(from + i, distance, to + i, row, rows, w->step->points);
      }
    }
  }
}

/* Where the first pixel of a band has a channel of its group, in the target. */
INLINE int32_t band_target(const WinogradColumns *w, const StripBand *band, int32_t channel) {
  const WinogradColumnsStep *step = w->step;
  int32_t plane = (int32_t)w->target_plane, at = band->first * STRIP_ROWS * step->target_size[1];
  int32_t channels = band->group * step->target_channels + channel;
  int32_t image = band->image * step->groups * step->target_channels * plane;
  return image + (step->target_last ? at * (int32_t)w->target_pixel + channels : channels * plane + at);
}

/* Writes what one panel makes of a band, with its epilogue, where channels are planes. */
static void write_planes(const Context *context, const WinogradColumns *w, Panel panel, const StripBand *band,
                         float *output) {
  const WinogradColumnsStep *step = w->step;
  int32_t channel = panel.first * VW, lanes = min_int(step->target_channels - channel, panel.count * VW);
  int32_t plane = (int32_t)w->target_plane, count = band->rows * step->target_size[1];
  int32_t begin = band_target(w, band, channel);
  transform_results(w, panel.count, band, w->stage, panel.count * VW);
  store_columns(w->stage, panel.count, lanes, count, output + begin, plane);
  const ElementwiseStep *epilogue = EPILOGUE(context, step->epilogue);
  if (count == plane) {
    elementwise_range(context, epilogue, begin, begin + lanes * plane);
    return;
  }
  for (int32_t i = 0; i < lanes; i++, begin += plane) elementwise_range(context, epilogue, begin, begin + count);
}

INLINE int32_t winograd_columns_panel_groups(const WinogradColumnsStep *step) {
  return ceil_div(count_panels(step->target_channels), step->panel_group);
}

static void convolve_strips(const Context *context, const WinogradColumns *w, Range range) {
  const WinogradColumnsStep *step = w->step;
  const float *source = floats(context, step->source), *weights = floats(context, step->weights);
  float *output = floats(context, step->output);
  int32_t panels = count_panels(step->target_channels), panel_groups = winograd_columns_panel_groups(step);
  ptrdiff_t per_vector = (ptrdiff_t)step->points * w->terms * VW;
  ptrdiff_t per_group = ceil_div(step->target_channels, VW) * per_vector;
  int32_t transformed = -1;
  StripBand band = {0};
  for (int32_t u = range.begin; u < range.end; u++) {
    int32_t windows = u / panel_groups, index = u % panel_groups, part = windows % step->bands;
    if (windows != transformed) {
      int32_t image = windows / step->bands;
      band = (StripBand){image / step->batch, image % step->batch, part_begin(w->strips, step->bands, part), 0, 0};
      band.count = part_begin(w->strips, step->bands, part + 1) - band.first;
      band.rows = min_int(step->target_size[0] - band.first * STRIP_ROWS, band.count * STRIP_ROWS);
      if (step->source_last) {
        transform_pixels(w, source, &band);
      } else {
        transform_planes(w, source, &band);
      }
      transformed = windows;
    }
    int32_t begin = part_begin(panels, panel_groups, index), end = part_begin(panels, panel_groups, index + 1);
    for (int32_t p = begin; p < end; p++) {
      Panel panel = get_panel(step->target_channels, p);
      multiply_points(w, weights + band.group * per_group + panel.first * per_vector, panel.count, &band);
      if (step->target_last) {
        transform_results(w, panel.count, &band, output + band_target(w, &band, panel.first * VW), w->target_pixel);
      } else {
        write_planes(context, w, panel, &band, output);
      }
    }
    if (step->target_last) {
      Panel all = join_panels(step->target_channels, begin, end - begin);
      Region region = {band_target(w, &band, all.first * VW), band.rows * step->target_size[1], all.count * VW,
                       (int32_t)w->target_pixel};
      elementwise_region(context, EPILOGUE(context, step->epilogue), region);
    }
  }
}

static void kernel_winograd_columns(const Context *context, const WinogradColumnsStep *step) {
  int32_t units = step->groups * step->batch * step->bands * winograd_columns_panel_groups(step);
  Range range = first_share(context, units);
  if (range.begin == range.end) return;
  WinogradColumns w = plan_winograd_columns(context, step);
  for (; range.begin < range.end; range = next_share(context, units)) convolve_strips(context, &w, range);
}

/* Images begin … end-1, of a convolution without groups. Behind them somebody else may be writing. */
static void convolve_strips_of_images(const Context *context, const WinogradColumnsStep *step, Range images) {
  WinogradColumnsStep own = *step;
  own.batch = images.end;
  WinogradColumns w = plan_winograd_columns(context, &own);
  int32_t per_image = step->bands * winograd_columns_panel_groups(step);
  convolve_strips(context, &w, (Range){images.begin * per_image, images.end * per_image});
}

/* One vector of up to five rows of a kernel, `next` apart. */
INLINE void transform_kernel_rows(const float *kernel, ptrdiff_t next, int32_t rows, float *out, ptrdiff_t distance,
                                  int32_t points) {
  vf g[STRIP_ROWS + 1], t[STRIP_POINTS];
  UNROLL for (int i = 0; i <= STRIP_ROWS; i++) g[i] = i < rows ? load(kernel + i * next) : (vf){};
  transform_weight_axis(STRIP_POINTS, g, t);
  UNROLL for (int i = 0; i < STRIP_POINTS - 1; i++) store(out + i * distance, t[i]);
  if (points == STRIP_POINTS) store(out + (STRIP_POINTS - 1) * distance, t[STRIP_POINTS - 1]);
}

/*
 * Transformed weights: group, panel, point, then phase, column, source channel where sources have their channels last, or phase,
 * source channel, column, and lane. A unit of work is a panel, a phase and a source channel. For an input gradient, kernels are turned around and their channels change places.
 */
static void kernel_winograd_columns_weights(const Context *context, const WinogradColumnsWeightsStep *step) {
  const float *weight = floats(context, step->weight);
  float *output = floats(context, step->output);
  float *packed = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  int32_t sources = step->source_channels, targets = step->target_channels, columns = step->columns;
  int32_t stride = step->stride, channels = sources * stride;
  int32_t taps = step->rows * columns, panels = count_panels(targets), terms = channels * columns;
  ptrdiff_t group_weights = (ptrdiff_t)sources * targets * taps;
  const float *end = weight + step->groups * group_weights;
  int32_t units = step->groups * panels * channels;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t group = u / channels / panels, channel = u % channels, phase = channel / sources;
      int32_t source = channel % sources, rows = ceil_div(step->rows - phase, stride);
      Panel panel = get_panel(targets, u / channels % panels);
      int32_t first = panel.first * VW, width = panel.count * VW, lanes = min_int(targets - first, width);
      ptrdiff_t index = step->gradient ? (ptrdiff_t)source * targets + first : (ptrdiff_t)first * sources + source;
      pack_columns(weight + group * group_weights + index * taps, (ptrdiff_t)(step->gradient ? 1 : sources) * taps, lanes,
                   taps, end, packed, panel.count, NULL);
      int32_t term = step->source_last ? phase * columns * sources + source : channel * columns;
      float *to = output + step->points * ((ptrdiff_t)group * ceil_div(targets, VW) * VW + first) * terms +
                  (ptrdiff_t)term * width;
      ptrdiff_t next = (ptrdiff_t)columns * stride * width, next_column = (ptrdiff_t)(step->source_last ? sources : 1) * width;
      for (int32_t column = 0; column < columns; column++, to += next_column) {
        const float *kernel = packed + (step->gradient ? taps - 1 - column : phase * columns + column) * width;
        for (int32_t i = 0; i < width; i += VW) {
          transform_kernel_rows(kernel + i, step->gradient ? -next : next, rows, to + i, (ptrdiff_t)terms * width,
                                step->points);
        }
      }
    }
  }
}
