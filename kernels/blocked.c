/* Steps that are done together, a few rows at a time (src/backends/cpu/blocking.ts). */
#include "fovea.h"

/* As many local buffers as a block may have (blocking.ts). */
#define BLOCKED_LOCALS 64

/* Does as much of a step as belongs to some of `rows` rows: each kind of step counts in its own units. */
static void run_rows(const Context *context, uint32_t kernel, const void *step, int32_t rows, Range range) {
  int32_t count = kernel == STEP_ELEMENTWISE        ? ((const ElementwiseStep *)step)->count
                  : kernel == STEP_CONVOLUTION      ? ((const ConvolutionStep *)step)->batch
                  : kernel == STEP_WINOGRAD_COLUMNS ? ((const WinogradColumnsStep *)step)->batch
                  : kernel == STEP_POOL             ? ((const PoolStep *)step)->planes
                                                    : reduced_count(step);
  int32_t size = count / rows;
  Range own = {range.begin * size, range.end * size};
  if (kernel == STEP_ELEMENTWISE) {
    elementwise_range(context, step, own.begin, own.end);
  } else if (kernel == STEP_CONVOLUTION) {
    convolve_images(context, step, own);
  } else if (kernel == STEP_WINOGRAD_COLUMNS) {
    convolve_strips_of_images(context, step, own);
  } else if (kernel == STEP_POOL) {
    pool_planes(context, step, own);
  } else {
    /* Behind these rows somebody else may be writing. */
    reduce_range(context, step, ((const ReduceStep *)step)->input_size / rows * range.end, own);
  }
}

static void kernel_blocked(const Context *context, const BlockedStep *step) {
  const StepEntry *entries = RECORDS(context, StepEntry, step->steps);
  const LocalBuffer *locals = RECORDS(context, LocalBuffer, step->locals);
  uint8_t *memory = (uint8_t *)address(context, step->scratch) + (size_t)context->thread * step->scratch_bytes;
  uint8_t *places[BLOCKED_LOCALS];
  Context own = *context;
  own.locals = places;
  int32_t rows = step->rows;
  for (Range part = first_share(context, rows); part.begin < part.end; part = next_share(context, rows)) {
    for (int32_t begin = part.begin; begin < part.end; begin += step->together) {
      int32_t end = min_int(begin + step->together, part.end);
      /* Where row 0 would be. */
      for (uint32_t i = 0; i < step->locals.count; i++) {
        places[i] = (uint8_t *)((uintptr_t)(memory + locals[i].place) - (uintptr_t)begin * (uintptr_t)locals[i].row_bytes);
      }
      for (uint32_t i = 0; i < step->steps.count; i++) {
        run_rows(&own, entries[i].kernel, own.program + entries[i].offset, rows, (Range){begin, end});
      }
    }
  }
}
