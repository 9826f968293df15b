/* Native memory by the page: what memory.c asks the operating system for. */
#include <sys/mman.h>

#include "memory.h"

#define HUGE_PAGE ((uint64_t)2 << 20)

static void *map(uint64_t bytes) {
  void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  return block == MAP_FAILED ? NULL : block;
}

/* Large blocks start at a multiple of 2 MiB and ask for pages of that size: fewer faults, fewer misses of the TLB. */
static void *map_huge(uint64_t bytes) {
  uint8_t *block = map(bytes + HUGE_PAGE);
  if (block == NULL) return NULL;
  uint64_t before = -(uintptr_t)block % HUGE_PAGE;
  if (before != 0) munmap(block, before);
  if (before != HUGE_PAGE) munmap(block + before + bytes, HUGE_PAGE - before);
#ifdef MADV_HUGEPAGE
  madvise(block + before, bytes, MADV_HUGEPAGE);
#endif
  return block + before;
}

static void *system_take(Memory *memory, uint64_t bytes) {
  void *block = bytes >= 2 * HUGE_PAGE ? map_huge(bytes) : map(bytes);
  if (block == NULL) return NULL;
  memory->reserved += bytes;
  memory->system_allocations++;
  return block;
}

/*
 * A large page is cleared as a whole before the first byte is written, and in a virtual machine it is often one that its
 * host has taken back: filling 528 MB took four times as long. So memory that is only filled gets small pages, and the
 * system may join them later.
 */
static void system_fill(void *block, uint64_t bytes, int32_t done) {
#ifdef MADV_HUGEPAGE
  if (bytes >= 2 * HUGE_PAGE) madvise(block, bytes, done ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#else
  (void)block, (void)bytes, (void)done;
#endif
}

static void system_give(Memory *memory, void *block, uint64_t bytes) {
  munmap(block, bytes);
  memory->reserved -= bytes;
}
