/*
 * What a device does, one call at a time and in queue order: memory behind numbered entries, loaded programs, one arena
 * for all of them, and submissions. The native queue calls it on its driver thread, WebAssembly from its worker.
 */
#ifndef FOVEA_ENGINE_H
#define FOVEA_ENGINE_H

#include "memory.h"
#include "team.h"

/* How a call ended: 0, a kernel's code, or one of these. Known to src/backends/cpu/outcome.ts. */
enum {
  OUTCOME_CANCELLED = -1,
  OUTCOME_OUT_OF_MEMORY = -2,   /* detail: bytes asked for, bytes in use, bytes there may be */
  OUTCOME_PROGRAM_REFUSED = -3, /* detail: PROGRAM_… */
  OUTCOME_UNDEFINED = -4,       /* detail: slot of the binding, 0 for a read */
  OUTCOME_BAD_CALL = -5,        /* an entry that is not there, or too small */
  OUTCOME_NO_ARENA = -6,        /* detail as for OUT_OF_MEMORY */
};

typedef struct {
  int32_t code;
  double detail[4]; /* a kernel's: step, element, value, limit */
} Outcome;

/* What a program does with a binding. Known to src/backends/cpu/slots.ts. */
enum {
  SLOT_READS = 1,   /* its contents from before */
  SLOT_WRITES = 2,  /* before the commit: undefined if the program fails */
  SLOT_COMMITS = 4, /* writes it from the commit on */
};

typedef struct {
  uint8_t *data;        /* NULL: nothing here, or `failure` says why */
  uint64_t bytes;       /* of the memory, or of the encoded program */
  int32_t failure;      /* an outcome's code */
  double detail[4];     /* of the failure */
  uint8_t is_program;
  uint8_t undefined;    /* never written, or a failed program should have */
  uint8_t alone;        /* too small a program to wake other threads for */
  uint32_t slots;
  uint64_t arena_bytes;
  int64_t nanoseconds;  /* of the program's fastest run; 0 before one is known */
} Entry;

/* A program on its way to an entry: `bytes` of it, one flag for each slot (SLOT_…) and one for each step (whether it
   is small: Team), and room for the addresses of the slots. */
typedef struct {
  uint8_t *block; /* program_bytes of them, or NULL */
  uint64_t bytes, flag_bytes;
  uint32_t slots;
  uint64_t arena_bytes;
  int32_t alone;
} LoadedProgram;

typedef struct {
  const KernelTable *kernels;
  Memory memory;
  Team team;
  Entry *entries;
  uint32_t capacity;
  uint8_t *arena;
  uint64_t arena_bytes;
  uint64_t live;
  uint64_t submissions;
  int64_t cancel_before;
} Engine;

static void engine_open(Engine *engine, const KernelTable *kernels, uint64_t memory_limit, int32_t threads);
/* The threads must have ended. */
static void engine_close(Engine *engine);

/*
 * Puts a block of `bytes` from the engine's memory behind an entry; NULL when there was none to be had. What has not
 * been written cannot be read.
 */
static void engine_adopt(Engine *engine, uint32_t index, uint8_t *block, uint64_t bytes, int32_t written);
static void engine_load(Engine *engine, uint32_t index, const LoadedProgram *program);
/* Size of a loaded program's block, and where in it the flags begin. */
static uint64_t program_bytes(const LoadedProgram *program);
static uint64_t flags_offset(const LoadedProgram *program);
static void engine_free(Engine *engine, uint32_t index);
/*
 * Where `bytes` bytes from `offset` on belong in an entry's memory, else NULL and why. Whoever asks writes them at once:
 * from the end on the memory counts as written.
 */
static uint8_t *engine_write(Engine *engine, uint32_t index, uint64_t offset, uint64_t bytes, Outcome *outcome);
/* Address of an entry's memory if it has these bytes to read, else NULL and why. */
static const uint8_t *engine_read(Engine *engine, uint32_t index, uint64_t bytes, Outcome *outcome);
static void engine_submit(Engine *engine, uint32_t index, const uint32_t *bindings, uint32_t count,
                          uint8_t *scalars, int64_t sequence, Outcome *outcome);
/* live, arena, reserved, system allocations, submissions. */
static void engine_memory_use(Engine *engine, double use[5]);

#endif
