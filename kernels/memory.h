/*
 * A device's memory: blocks at multiples of 64 bytes, sorted into size classes and kept for reuse, so that a training
 * loop that has found its rhythm asks the system for nothing.
 */
#ifndef FOVEA_MEMORY_H
#define FOVEA_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#ifndef __wasm__
#include <pthread.h>
#endif

/* Eight classes for each doubling of the size, up to 2^46 bytes. */
#define SIZE_CLASSES 320

typedef struct FreeBlock FreeBlock;

typedef struct {
  FreeBlock *free[SIZE_CLASSES];
  uint8_t *chunk, *chunk_end; /* small blocks are cut from here */
  FreeBlock *chunks;          /* all chunks, to give them back in the end */
  uint64_t clock;             /* counts blocks that became free */
  uint64_t limit;             /* bytes that may be held at once */
  uint64_t held;              /* bytes of pages that were taken and not given back */
  uint64_t in_use;
  uint64_t peak, earlier_peak; /* of in_use, in this and the previous period */
  uint32_t period;
  /* Kept by system_take and system_give. */
  uint64_t reserved, system_allocations;
#ifndef __wasm__
  pthread_mutex_t mutex; /* uploads allocate on the caller's thread */
#endif
} Memory;

typedef struct {
  uint64_t in_use, reserved, system_allocations;
} MemoryCounts;

static void memory_open(Memory *memory, uint64_t limit);
/* At least `bytes` uninitialised bytes, or NULL. */
static void *memory_allocate(Memory *memory, uint64_t bytes);
/* Takes back a block of `bytes`, as they were asked for. */
static void memory_free(Memory *memory, void *block, uint64_t bytes);
/* The same for the arena: rounded up to pages only, and given back to the system at once. */
static void *memory_allocate_pages(Memory *memory, uint64_t bytes);
static void memory_free_pages(Memory *memory, void *block, uint64_t bytes);
static MemoryCounts memory_counts(Memory *memory);
/* Gives everything back that is not in use. */
static void memory_close(Memory *memory);

/* Whole pages, or NULL; and back. Where they come from is system.c's affair natively, and wasm.c's. */
static void *system_take(Memory *memory, uint64_t bytes);
static void system_give(Memory *memory, void *block, uint64_t bytes);
/* Memory that is about to be filled once from elsewhere, and has been: what pages it should have. */
static void system_fill(void *block, uint64_t bytes, int32_t done);

#endif
