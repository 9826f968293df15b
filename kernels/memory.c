/* The allocator of memory.h. Below it lie system_take and system_give: pages natively, linear memory in WebAssembly. */
#include "memory.h"

#define PAGE 4096u
#define LARGE 65536u  /* blocks of at least this size come from the system one by one */
#define CHUNK 1048576u
#define SLACK (64u << 20)
#define PERIOD 1024u
#define MOST ((uint64_t)1 << 46) /* what the size classes reach */

struct FreeBlock {
  FreeBlock *next;
  uint64_t freed_at;
};

#ifdef __wasm__
#define LOCK(memory) ((void)(memory))
#define UNLOCK(memory) ((void)(memory))
#else
#define LOCK(memory) pthread_mutex_lock(&(memory)->mutex)
#define UNLOCK(memory) pthread_mutex_unlock(&(memory)->mutex)
#endif

/* Under the address sanitizer, free blocks and the bytes behind a block's end must not be touched. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as GCC says it */
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define SEAL(block, from, to) __asan_poison_memory_region((uint8_t *)(block) + (from), (size_t)((to) - (from)))
#define UNSEAL(block, bytes) __asan_unpoison_memory_region((block), (size_t)(bytes))
#else
#define SEAL(block, from, to) ((void)0)
#define UNSEAL(block, bytes) ((void)0)
#endif

typedef struct {
  uint32_t index;
  uint64_t bytes; /* that every block of the class has */
} SizeClass;

static SizeClass size_class(uint64_t bytes) {
  if (bytes <= 512) {
    uint32_t index = bytes == 0 ? 0 : (uint32_t)((bytes - 1) / 64);
    return (SizeClass){index, (index + 1) * 64u};
  }
  uint32_t shift = 60u - (uint32_t)__builtin_clzll(bytes - 1);
  uint64_t steps = ((bytes - 1) >> shift) + 1; /* 9 … 16 */
  return (SizeClass){8 + (shift - 6) * 8 + (uint32_t)(steps - 9), steps << shift};
}

static uint64_t memory_round_up(uint64_t bytes, uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

static void memory_open(Memory *memory, uint64_t limit) {
  *memory = (Memory){.limit = limit < MOST ? limit : MOST};
#ifndef __wasm__
  pthread_mutex_init(&memory->mutex, NULL);
#endif
}

static void memory_give_back(Memory *memory, void *block, uint64_t bytes) {
  memory->held -= bytes;
  UNSEAL(block, bytes);
  system_give(memory, block, bytes);
}

/* Gives large blocks back, those first that have waited longest, until at most `keep` bytes are held. */
static void memory_trim(Memory *memory, uint64_t keep) {
  while (memory->held > keep) {
    FreeBlock **oldest = NULL;
    uint64_t bytes = 0;
    for (uint64_t size = LARGE; size_class(size).index < SIZE_CLASSES; size++) {
      SizeClass class = size_class(size);
      size = class.bytes;
      for (FreeBlock **at = &memory->free[class.index]; *at != NULL; at = &(*at)->next) {
        if (oldest == NULL || (*at)->freed_at < (*oldest)->freed_at) {
          oldest = at;
          bytes = class.bytes;
        }
      }
    }
    if (oldest == NULL) return;
    FreeBlock *block = *oldest;
    *oldest = block->next;
    memory_give_back(memory, block, bytes);
  }
}

static void *memory_take(Memory *memory, uint64_t bytes) {
  if (bytes > memory->limit) return NULL;
  if (memory->held + bytes > memory->limit) memory_trim(memory, memory->limit - bytes);
  if (memory->held + bytes > memory->limit) return NULL;
  void *block = system_take(memory, bytes);
  if (block == NULL) {
    memory_trim(memory, 0);
    block = system_take(memory, bytes);
  }
  if (block != NULL) memory->held += bytes;
  return block;
}

static void *memory_cut(Memory *memory, uint64_t bytes) {
  if ((uint64_t)(memory->chunk_end - memory->chunk) < bytes) {
    uint8_t *chunk = memory_take(memory, CHUNK);
    if (chunk == NULL) return NULL;
    ((FreeBlock *)chunk)->next = memory->chunks;
    memory->chunks = (FreeBlock *)chunk;
    memory->chunk = chunk + 64;
    memory->chunk_end = chunk + CHUNK;
  }
  uint8_t *block = memory->chunk;
  memory->chunk += bytes;
  return block;
}

static void memory_count(Memory *memory, uint64_t bytes) {
  memory->in_use += bytes;
  if (memory->in_use > memory->peak) memory->peak = memory->in_use;
  if (++memory->period < PERIOD) return;
  memory->period = 0;
  memory->earlier_peak = memory->peak;
  memory->peak = memory->in_use;
}

static void *memory_allocate(Memory *memory, uint64_t bytes) {
  if (bytes > memory->limit) return NULL;
  SizeClass class = size_class(bytes);
  LOCK(memory);
  void *block = memory->free[class.index];
  if (block != NULL) {
    UNSEAL(block, class.bytes);
    memory->free[class.index] = ((FreeBlock *)block)->next;
  } else {
    block = class.bytes < LARGE ? memory_cut(memory, class.bytes) : memory_take(memory, class.bytes);
  }
  if (block != NULL) {
    memory_count(memory, class.bytes);
    SEAL(block, bytes, class.bytes);
  }
  UNLOCK(memory);
  return block;
}

static void memory_free(Memory *memory, void *block, uint64_t bytes) {
  SizeClass class = size_class(bytes);
  LOCK(memory);
  UNSEAL(block, class.bytes);
  FreeBlock *freed = block;
  *freed = (FreeBlock){memory->free[class.index], ++memory->clock};
  memory->free[class.index] = freed;
  SEAL(block, sizeof *freed, class.bytes);
  memory->in_use -= class.bytes;
  /* Twice what was lately needed at once leaves room for any mixture of sizes that a loop goes through. */
  uint64_t peak = memory->peak > memory->earlier_peak ? memory->peak : memory->earlier_peak;
  if (class.bytes >= LARGE) memory_trim(memory, 2 * peak + SLACK);
  UNLOCK(memory);
}

static void *memory_allocate_pages(Memory *memory, uint64_t bytes) {
  if (bytes > memory->limit) return NULL;
  bytes = memory_round_up(bytes, PAGE);
  LOCK(memory);
  void *block = memory_take(memory, bytes);
  if (block != NULL) memory_count(memory, bytes);
  UNLOCK(memory);
  return block;
}

static void memory_free_pages(Memory *memory, void *block, uint64_t bytes) {
  bytes = memory_round_up(bytes, PAGE);
  LOCK(memory);
  memory->in_use -= bytes;
  memory_give_back(memory, block, bytes);
  UNLOCK(memory);
}

static MemoryCounts memory_counts(Memory *memory) {
  LOCK(memory);
  MemoryCounts counts = {memory->in_use, memory->reserved, memory->system_allocations};
  UNLOCK(memory);
  return counts;
}

static void memory_close(Memory *memory) {
  memory_trim(memory, 0);
  while (memory->chunks != NULL) {
    FreeBlock *chunk = memory->chunks;
    memory->chunks = chunk->next;
    memory_give_back(memory, chunk, CHUNK);
  }
#ifndef __wasm__
  pthread_mutex_destroy(&memory->mutex);
#endif
}
