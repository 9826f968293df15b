/*
 * Matrix products. Columns of the output are lanes: B is packed into panels, A is read where it lies.
 *
 * A unit of work is a block of rows × columns; a thread packs the columns of B that its units need and keeps them from
 * one unit to the next, unless all have been packed by a step of their own. Long sums are cut into blocks of
 * MATMUL_DEPTH, whose sums are added to the output in order.
 */
#include "panels.h"

#define MATMUL_DEPTH 256
/* Terms at a time where B is read in place: rows of it that lie far apart are read in long pieces. */
#define MATMUL_DIRECT_DEPTH 32

/* How B is read: packed; where it lies, for few rows of A; along its rows, for few rows of A or of Bᵀ; or packed before. */
enum { MATMUL_PACKED, MATMUL_DIRECT, MATMUL_DOTS, MATMUL_PREPARED };

/* One unit: output rows row … row+rows-1 and columns column … column+columns-1. */
typedef struct {
  const float *a, *b;
  float *out;         /* row `row`, column `column` of the output */
  ptrdiff_t out_stride; /* between its rows */
  int32_t row, rows, column, columns;
} MatmulUnit;

/* Working memory of one thread. */
typedef struct {
  float *panels;    /* of a block of columns, over step->depth_block terms */
  float *stage;     /* sums of a panel that sticks out of the output */
  float *terms;     /* a block of a transposed A, whose own rows lie far apart */
  int32_t *offsets; /* of successive terms in A */
  int32_t distance; /* from one to the next */
} MatmulScratch;

/* A block of columns is cut into panels of nearly equal width. */
INLINE int32_t panel_count(int32_t vectors) { return ceil_div(vectors, PANEL_VECTORS); }

static void pack_terms(const MatmulStep *step, const MatmulUnit *unit, int32_t first, int32_t count, float *panels) {
  int32_t vectors = ceil_div(unit->columns, VW), parts = panel_count(vectors);
  const float *end = unit->b + (ptrdiff_t)step->depth * step->columns;
  for (int32_t p = 0; p < parts; p++) {
    int32_t from = part_begin(vectors, parts, p), size = part_begin(vectors, parts, p + 1) - from;
    int32_t column = unit->column + from * VW, lanes = min_int(unit->columns - from * VW, size * VW);
    float *panel = step->method == MATMUL_DIRECT ? panels : panels + (ptrdiff_t)from * VW * count;
    if (step->transpose_b) {
      pack_columns(unit->b + (ptrdiff_t)column * step->depth + first, step->depth, lanes, count, end, panel, size,
                   NULL);
    } else if (step->method == MATMUL_PACKED || lanes < size * VW) {
      pack_rows(unit->b + (ptrdiff_t)first * step->columns + column, step->columns, lanes, count, panel, size);
    }
  }
}

/* Adds terms first … first+count-1, packed `packed` terms after the beginning of panels of `length` terms. */
static void multiply_terms(const MatmulStep *step, const MatmulUnit *unit, const MatmulScratch *scratch,
                           const float *panels, int32_t first, int32_t count, int32_t packed, int32_t length) {
  int32_t vectors = ceil_div(unit->columns, VW), parts = panel_count(vectors);
  ptrdiff_t row_stride = step->transpose_a ? 1 : step->depth;
  const float *a = unit->a + unit->row * row_stride + (ptrdiff_t)first * (step->transpose_a ? step->rows : 1);
  if (step->pack_a) {
    float *to = scratch->terms;
    for (int32_t k = 0; k < count; k++, to += step->row_block) {
      copy_floats(to, a + (ptrdiff_t)k * step->rows, unit->rows);
    }
    a = scratch->terms;
  }
  for (int32_t p = 0; p < parts; p++) {
    int32_t from = part_begin(vectors, parts, p), size = part_begin(vectors, parts, p + 1) - from;
    int32_t column = unit->column + from * VW, staged = unit->columns - from * VW < size * VW;
    const float *panel = panels + (ptrdiff_t)packed * size * VW;
    if (step->method != MATMUL_DIRECT) panel += (ptrdiff_t)from * VW * length;
    ptrdiff_t panel_stride = size * VW, out_stride = unit->out_stride;
    float *out = unit->out + from * VW;
    if (step->method == MATMUL_DIRECT && !staged) {
      panel = unit->b + (ptrdiff_t)first * step->columns + column;
      panel_stride = step->columns;
    }
    if (staged) {
      out = scratch->stage;
      out_stride = size * VW;
    }
    Terms terms = {scratch->offsets, count, scratch->distance};
    int32_t tiles = ceil_div(unit->rows, broadcast_rows[size - 1]);
    for (int32_t t = 0; t < tiles; t++) {
      int32_t row = part_begin(unit->rows, tiles, t), rows = part_begin(unit->rows, tiles, t + 1) - row;
      const float *x[MAX_ROWS];
      float *target[MAX_ROWS];
      for (int32_t i = 0; i < rows; i++) {
        x[i] = a + (row + i) * row_stride;
        target[i] = out + (row + i) * out_stride;
      }
      broadcast_tiles[size - 1][rows - 1](x, terms, count, panel, panel_stride, size, target, first > 0,
                                          nothing_ahead(panel));
    }
    if (staged && first + count == step->depth) {
      float *to = unit->out + from * VW;
      int32_t lanes = unit->columns - from * VW;
      for (int32_t i = 0; i < unit->rows; i++) {
        for (int32_t j = 0; j < lanes; j++) to[i * unit->out_stride + j] = scratch->stage[i * out_stride + j];
      }
    }
  }
}

static void multiply_packed(const MatmulStep *step, const MatmulUnit *unit, const MatmulScratch *scratch,
                            int32_t is_packed) {
  int32_t first = 0, most = step->method == MATMUL_DIRECT ? MATMUL_DIRECT_DEPTH : MATMUL_DEPTH;
  int32_t is_prepared = step->method == MATMUL_PREPARED;
  const float *panels = is_prepared ? unit->b + (ptrdiff_t)unit->column * step->depth : scratch->panels;
  do {
    int32_t length = min_int(step->depth - first, step->depth_block);
    if (!is_prepared && (!is_packed || length < step->depth)) pack_terms(step, unit, first, length, scratch->panels);
    int32_t done = 0;
    do {
      int32_t count = min_int(length - done, most);
      multiply_terms(step, unit, scratch, panels, first + done, count, done, length);
      done += count;
    } while (done < length);
    first += length;
  } while (first < step->depth);
}

/* Rows of A times rows of B, both along memory; what is left of them after whole vectors is padded with zeros. */
static void multiply_dots(const MatmulStep *step, const MatmulUnit *unit) {
  int32_t whole = step->depth & -VW, rest = step->depth - whole;
  int32_t row_tiles = ceil_div(unit->rows, DOT_ROWS);
  for (int32_t t = 0; t < row_tiles; t++) {
    int32_t row = part_begin(unit->rows, row_tiles, t), rows = part_begin(unit->rows, row_tiles, t + 1) - row;
    const float *a[MAX_LANE_ROWS], *a_rest[MAX_LANE_ROWS];
    float padded[MAX_LANE_ROWS + MAX_DOT_VECTORS][VW], sums[MAX_LANE_ROWS * 4 * VW];
    for (int32_t i = 0; i < rows; i++) {
      a[i] = unit->a + (ptrdiff_t)(unit->row + row + i) * step->depth;
      a_rest[i] = padded[i];
      store(padded[i], load_part(a[i] + whole, rest));
    }
    for (int32_t column = 0, columns; column < unit->columns; column += columns) {
      int32_t is_line = rows == 1 && unit->columns - column >= DOT_LINE;
      columns = is_line ? DOT_LINE : min_int(unit->columns - column, lane_vectors[rows - 1]);
      const float *b[MAX_DOT_VECTORS], *b_rest[MAX_DOT_VECTORS];
      for (int32_t j = 0; j < columns; j++) {
        b[j] = unit->b + (ptrdiff_t)(unit->column + column + j) * step->depth;
        b_rest[j] = padded[MAX_LANE_ROWS + j];
        store(padded[MAX_LANE_ROWS + j], load_part(b[j] + whole, rest));
      }
      DotTile tile = is_line ? dot_line : dot_tiles[columns - 1][rows - 1];
      tile(a, b, whole, 1, 0, 0, sums, columns * VW, 0);
      if (rest > 0) tile(a_rest, b_rest, VW, 1, 0, 0, sums, columns * VW, 1);
      for (int32_t i = 0; i < rows; i++) {
        float *out = unit->out + (row + i) * unit->out_stride + column;
        for (int32_t j = 0; j < columns; j++) out[j] = sum_lanes(sums + (i * columns + j) * VW);
      }
    }
  }
}

/* The epilogue for a unit, whose first element is number `first` of the output. */
static void finish_unit(const Context *context, const MatmulStep *step, const MatmulUnit *unit, int32_t first) {
  const ElementwiseStep *epilogue = EPILOGUE(context, step->epilogue);
  Context own = *context;
  uint8_t *place;
  int32_t is_local = step->output.slot == LOCAL_SLOT;
  if (is_local) own.locals = &place;
  int32_t is_whole = unit->columns == step->columns;
  int32_t pieces = is_whole ? 1 : unit->rows, length = is_whole ? unit->rows * unit->columns : unit->columns;
  for (int32_t i = 0; i < pieces; i++, first += step->columns) {
    if (is_local) place = place_of_first(unit->out + i * unit->out_stride, first);
    elementwise_range(&own, epilogue, first, first + length);
  }
}

static void kernel_matmul(const Context *context, const MatmulStep *step) {
  const float *a = floats(context, step->a), *b = floats(context, step->b);
  int32_t is_local = step->output.slot == LOCAL_SLOT;
  float *output = is_local ? NULL : floats(context, step->output);
  float *memory = floats(context, step->scratch) + (ptrdiff_t)context->thread * step->scratch_floats;
  MatmulScratch scratch = {memory, memory + step->stage_at, memory + step->terms_at,
                           (int32_t *)(memory + step->offsets_at),
                           step->pack_a ? step->row_block : step->transpose_a ? step->rows : 1};
  for (int32_t k = 0; k < min_int(step->depth, MATMUL_DEPTH); k++) scratch.offsets[k] = k * scratch.distance;
  int32_t row_blocks = ceil_div(step->rows, step->row_block);
  int32_t column_blocks = ceil_div(step->columns, step->column_block);
  int32_t units = column_blocks * step->batch * row_blocks;
  int32_t packed = -1;
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      int32_t matrix = u / row_blocks, batch = matrix % step->batch, block = matrix / step->batch;
      MatmulUnit unit = {.a = a + (ptrdiff_t)batch * step->batch_stride_a,
                         .b = b + (ptrdiff_t)batch * step->batch_stride_b};
      unit.row = part_begin(step->rows, row_blocks, u % row_blocks);
      unit.rows = part_begin(step->rows, row_blocks, u % row_blocks + 1) - unit.row;
      unit.column = block * step->column_block;
      unit.columns = min_int(step->columns - unit.column, step->column_block);
      int32_t first = (batch * step->rows + unit.row) * step->columns + unit.column;
      unit.out = is_local ? memory + step->block_at : output + first;
      unit.out_stride = is_local ? unit.columns : step->columns;
      if (step->method == MATMUL_DOTS) {
        multiply_dots(step, &unit);
      } else {
        int32_t operand = step->batch_stride_b == 0 ? block * step->batch : matrix;
        multiply_packed(step, &unit, &scratch, operand == packed);
        packed = operand;
      }
      finish_unit(context, step, &unit, first);
    }
  }
}

/* Packs B for MATMUL_PREPARED, whole sums at a time. A unit of work is a block of columns. */
static void kernel_matmul_weights(const Context *context, const MatmulWeightsStep *step) {
  MatmulStep sizes = {.columns = step->columns, .depth = step->depth, .transpose_b = step->transpose_b,
                      .method = MATMUL_PACKED};
  float *output = floats(context, step->output);
  int32_t units = ceil_div(step->columns, step->column_block);
  for (Range range = first_share(context, units); range.begin < range.end; range = next_share(context, units)) {
    for (int32_t u = range.begin; u < range.end; u++) {
      MatmulUnit unit = {.b = floats(context, step->b), .column = u * step->column_block};
      unit.columns = min_int(step->columns - unit.column, step->column_block);
      pack_terms(&sizes, &unit, 0, step->depth, output + (ptrdiff_t)unit.column * step->depth);
    }
  }
}
