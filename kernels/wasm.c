/*
 * The engine as a WebAssembly module: pages of the linear memory, and the functions that the worker calls
 * (src/backends/wasm/worker.ts). Sizes arrive as numbers of JavaScript, because they may be too large for this memory.
 */
#include "engine.h"

/* A function `export_name` that JavaScript knows as `name`. */
#define EXPORT(type, name) __attribute__((export_name(#name))) type export_##name

/* One instance of the module is the engine; the others, one for each further thread, only know their team. */
static Engine engine;
static Outcome outcome;

extern uint8_t __heap_base;
#define STACK_BYTES (256u << 10)

/* Free ranges of pages, by address. Neighbours are joined, so that what was freed in pieces serves large blocks too. */
typedef struct FreeRange {
  struct FreeRange *next;
  uint32_t bytes;
} FreeRange;

static FreeRange *free_ranges;

static uint32_t range_end(const FreeRange *range) { return (uint32_t)(uintptr_t)range + range->bytes; }

static void add_range(uint32_t address, uint32_t bytes) {
  FreeRange **at = &free_ranges, *before = NULL;
  while (*at != NULL && (uint32_t)(uintptr_t)*at < address) {
    before = *at;
    at = &before->next;
  }
  FreeRange *after = *at;
  FreeRange *range = (FreeRange *)(uintptr_t)address;
  *range = (FreeRange){after, bytes};
  *at = range;
  if (after != NULL && range_end(range) == (uint32_t)(uintptr_t)after) {
    range->next = after->next;
    range->bytes += after->bytes;
  }
  if (before != NULL && range_end(before) == address) {
    before->next = range->next;
    before->bytes += range->bytes;
  }
}

/* Enlarges the linear memory so that a range of `bytes` lies at its end. */
static int32_t grow_linear_memory(Memory *memory, uint32_t bytes) {
  FreeRange *last = free_ranges;
  while (last != NULL && last->next != NULL) last = last->next;
  uint64_t end = (uint64_t)__builtin_wasm_memory_size(0) << 16;
  uint32_t have = last != NULL && (uint64_t)(uintptr_t)last + last->bytes == end ? last->bytes : 0;
  uint32_t pages = (bytes - have + 65535u) >> 16;
  uint32_t generous = pages < 64 ? 64 : pages;
  if (__builtin_wasm_memory_grow(0, generous) == (size_t)-1) {
    generous = pages;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) return 0;
  }
  memory->system_allocations++;
  uint64_t added = (uint64_t)generous << 16;
  memory->reserved += added;
  /* The very last page of 4 GiB is left out: addresses behind it would wrap around. */
  if (end + added == (uint64_t)1 << 32) added -= 65536;
  if (added > 0) add_range((uint32_t)end, (uint32_t)added);
  return 1;
}

static void *find_range(uint32_t bytes) {
  FreeRange **best = NULL;
  for (FreeRange **at = &free_ranges; *at != NULL; at = &(*at)->next) {
    if ((*at)->bytes >= bytes && (best == NULL || (*at)->bytes < (*best)->bytes)) best = at;
  }
  if (best == NULL) return NULL;
  FreeRange *range = *best;
  if (range->bytes == bytes) {
    *best = range->next;
  } else {
    FreeRange *rest = (FreeRange *)((uint8_t *)range + bytes);
    *rest = (FreeRange){range->next, range->bytes - bytes};
    *best = rest;
  }
  return range;
}

static void *system_take(Memory *memory, uint64_t bytes) {
  if (bytes >= (uint64_t)0xfff00000u) return NULL;
  void *block = find_range((uint32_t)bytes);
  if (block == NULL && grow_linear_memory(memory, (uint32_t)bytes)) block = find_range((uint32_t)bytes);
  return block;
}

static void system_give(Memory *memory, void *block, uint64_t bytes) {
  (void)memory;
  add_range((uint32_t)(uintptr_t)block, (uint32_t)bytes);
}

static void system_fill(void *block, uint64_t bytes, int32_t done) { (void)block, (void)bytes, (void)done; }

/* Where the stack of a further thread begins, behind the kernels' own data: it grows downwards. */
static uint32_t stack_top(int32_t thread) {
  return (((uint32_t)(uintptr_t)&__heap_base + 4095u) & ~4095u) + (uint32_t)thread * STACK_BYTES;
}

EXPORT(void, open)(int32_t threads, double memory_limit) {
  uint32_t start = stack_top(threads - 1);
  uint32_t end = (uint32_t)__builtin_wasm_memory_size(0) << 16;
  engine_open(&engine, &kernel_table, (uint64_t)memory_limit, threads);
  /* Some ten microseconds between programs, two hundred between the steps of one (see queue.c). */
  engine.team.between_rounds.spins = threads > 1 ? 16000 : 0;
  engine.team.at_barrier.spins = threads > 1 ? 250000 : 0;
  engine.memory.reserved = end;
  if (end > start) add_range(start, end - start);
  /* The list of entries and other small blocks come first, so that they do not part the large ones. */
  engine_entry(&engine, 0);
}

EXPORT(uint32_t, stackTop)(int32_t thread) { return stack_top(thread); }
EXPORT(void, serve)(int32_t thread) { serve_team(&engine.team, thread); }
EXPORT(int64_t *, cancelBefore)(void) { return &engine.cancel_before; }
EXPORT(Outcome *, outcome)(void) { return &outcome; }

/* Memory that an entry shall have, to be filled before `adopt`; 0 if there is none. */
EXPORT(uint8_t *, allocate)(double bytes) { return memory_allocate(&engine.memory, (uint64_t)bytes); }
EXPORT(void, release)(uint8_t *block, double bytes) { memory_free(&engine.memory, block, (uint64_t)bytes); }
EXPORT(void, adopt)(uint32_t index, uint8_t *block, double bytes, int32_t written) {
  engine_adopt(&engine, index, block, (uint64_t)bytes, written);
}

/* A program: `prepare` gives the block to copy it to, and `flagsAt` where in it the flags belong; then comes `load`. */
static LoadedProgram loading;
EXPORT(uint8_t *, prepare)(double bytes, uint32_t slots, double flag_bytes, double arena_bytes, int32_t alone) {
  loading = (LoadedProgram){NULL, (uint64_t)bytes, (uint64_t)flag_bytes, slots, (uint64_t)arena_bytes, alone};
  return loading.block = memory_allocate(&engine.memory, program_bytes(&loading));
}
EXPORT(uint8_t *, flagsAt)(void) { return loading.block + flags_offset(&loading); }
EXPORT(void, load)(uint32_t index) { engine_load(&engine, index, &loading); }

EXPORT(void, free)(uint32_t index) { engine_free(&engine, index); }
EXPORT(uint8_t *, write)(uint32_t index, double offset, double bytes) {
  return engine_write(&engine, index, (uint64_t)offset, (uint64_t)bytes, &outcome);
}
EXPORT(const uint8_t *, read)(uint32_t index, double bytes) {
  return engine_read(&engine, index, (uint64_t)bytes, &outcome);
}
EXPORT(int32_t, submit)(uint32_t index, const uint32_t *bindings, uint32_t count, uint8_t *scalars, double sequence) {
  engine_submit(&engine, index, bindings, count, scalars, (int64_t)sequence, &outcome);
  return outcome.code;
}
EXPORT(double *, memoryUse)(void) {
  static double use[5];
  engine_memory_use(&engine, use);
  return use;
}
