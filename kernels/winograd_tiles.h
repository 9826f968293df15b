/*
 * Tiles of Winograd's algorithms, and what those that overhang the target's lower or right border save. A tile of m rows is made of
 * products at m + 2 points for kernels of three rows; one of which only e rows are wanted needs e + 2. Rows of the source
 * below the wanted ones can hold anything: they are chosen so that transformed values at all further points are zero
 * (extend_source()). 14 rows, in tiles of four, then need 6 + 6 + 6 + 4 points instead of 24. With seven points such
 * tiles do without ∞ only, for which nothing needs to be chosen.
 *
 * A chunk's tiles are in an order that puts all tiles with products at a point next to each other: those that overhang the
 * lower border only, those that overhang none, the right one only, both.
 */
#ifndef FOVEA_WINOGRAD_TILES_H
#define FOVEA_WINOGRAD_TILES_H

#include "winograd_transforms.h"

typedef struct {
  int32_t points;                  /* of a tile, along an axis */
  int32_t rows, columns;           /* of tiles, of an image */
  int32_t low_rows, right_columns; /* rows, columns of the target in tiles at those borders */
  int32_t low_points, right_points;
  int32_t is_low, is_right;        /* whether these are fewer than those of others */
  int32_t strip;                   /* the chunk's first */
  int32_t low, whole, right, all;  /* tiles that overhang the lower border only, none, the right one only; all of the chunk */
} TileOrder;

/* Of strips first … end-1, rows of `tiles` of images one after the other. */
INLINE TileOrder order_tiles(int32_t points, const int32_t *target_size, const int32_t *tiles, int32_t first, int32_t end) {
  TileOrder o = {.points = points, .rows = tiles[0], .columns = tiles[1], .strip = first};
  int32_t m = TILE_OF(points);
  o.low_rows = target_size[0] - (tiles[0] - 1) * m;
  o.right_columns = target_size[1] - (tiles[1] - 1) * m;
  o.is_low = o.low_rows < m;
  o.is_right = o.right_columns < m;
  o.low_points = points == 7 ? 6 : o.low_rows + 2;
  o.right_points = points == 7 ? 6 : o.right_columns + 2;
  int32_t strips = end - first, low = o.is_low ? end / o.rows - first / o.rows : 0, inner = o.columns - o.is_right;
  o.low = low * inner;
  o.whole = (strips - low) * inner;
  o.right = o.is_right ? strips - low : 0;
  o.all = strips * o.columns;
  return o;
}

/* Places of a strip's tiles: of the first, which the others follow, and of the last. */
typedef struct {
  int32_t first, last;
  int32_t is_low;
} StripTiles;

INLINE StripTiles strip_tiles(const TileOrder *o, int32_t strip) {
  int32_t is_low = o->is_low && strip % o->rows == o->rows - 1, inner = o->columns - o->is_right;
  int32_t low = o->is_low ? strip / o->rows - o->strip / o->rows : 0, whole = strip - o->strip - low;
  StripTiles s = {is_low ? low * inner : o->low + whole * inner, 0, is_low};
  s.last = o->is_right ? o->low + o->whole + (is_low ? o->right + low : whole) : s.first + o->columns - 1;
  return s;
}

INLINE int32_t tile_place(const TileOrder *o, const StripTiles *s, int32_t tile) {
  return tile == o->columns - 1 ? s->last : s->first + tile;
}

/* The tiles that have products at a position, a pair of points. */
INLINE Range tiles_at(const TileOrder *o, int32_t position) {
  int32_t y = position / o->points, x = position % o->points;
  int32_t without_low = o->is_low && y >= o->low_points, without_right = o->is_right && x >= o->right_points;
  int32_t end = without_right ? o->low + o->whole : without_low ? o->low + o->whole + o->right : o->all;
  return (Range){without_low ? o->low : 0, end};
}

/* Rows, and columns, wanted of a tile of the source that is to be extended; MAX_TILE where nothing is to be done. */
INLINE int32_t extended_rows(const TileOrder *o, const StripTiles *s) {
  return o->points == 6 && s->is_low ? o->low_rows : MAX_TILE;
}
INLINE int32_t extended_columns(const TileOrder *o, int32_t tile) {
  return o->points == 6 && tile == o->columns - 1 ? o->right_columns : MAX_TILE;
}

/*
 * `count` lines of a tile's six pixels, of which those for `wanted` results are given: others become what makes transformed
 * values at all points but the first wanted + 2 zero (only what is at ∞ comes of the last one, which nothing reads then).
 * Pixels are `next` floats apart and lines `line`; lanes are `channels` channels, in whole vectors.
 */
static void extend_source(int32_t wanted, float *pixels, ptrdiff_t next, int32_t count, ptrdiff_t line, int32_t channels) {
  if (wanted > 2) return;
  for (int32_t i = 0; i < count; i++, pixels += line) {
    for (int32_t c = 0; c < channels; c += VW) {
      float *d = pixels + c;
      vf odd = splat(SQUARE_A) * load(d + next), even = splat(SQUARE_A) * load(d + 2 * next);
      if (wanted == 1) {
        store(d + 3 * next, odd);
        store(d + 4 * next, even);
      } else {
        store(d + 4 * next, fma_(load(d + 3 * next) - odd, splat(POINT_B), even));
      }
    }
  }
}

#endif
