/* Elementwise steps and reductions that are done together, a few rows at a time (src/backends/cpu/blocking.ts). */
#include "fovea.h"

/* As many local buffers as a block may have (blocking.ts). */
#define BLOCKED_LOCALS 64

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
        const void *fields = context->program + entries[i].offset;
        if (entries[i].kernel == STEP_ELEMENTWISE) {
          int32_t size = ((const ElementwiseStep *)fields)->count / rows;
          elementwise_range(&own, fields, begin * size, end * size);
        } else {
          int32_t size = reduced_count(fields) / rows;
          reduce_range(&own, fields, (Range){begin * size, end * size});
        }
      }
    }
  }
}
