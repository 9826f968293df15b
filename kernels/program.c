/*
 * The machine: checks encoded programs and walks them with a team of threads. Every thread visits every step, does its
 * share and meets the others; the last to arrive decides for all whether to go on, so nobody is left waiting.
 */
#include "team.h"

#define PROGRAM_MAGIC_NUMBER 0x50564f46u /* FOVP */

#define TRAMPOLINE(name, Type) \
  static void step_##name(const Context *context, const void *step) { kernel_##name(context, step); }
FOR_EACH_STEP(TRAMPOLINE)

#define TABLE_ROW(name, Type) {step_##name, sizeof(Type)},
static const struct {
  Kernel kernel;
  uint32_t bytes;
} step_table[] = {FOR_EACH_STEP(TABLE_ROW)};

_Static_assert(sizeof step_table / sizeof *step_table == STEP_COUNT, "one kernel for each step");

static void report(const Context *context, int32_t code, int32_t element, int32_t value, int32_t limit) {
  Status *status = context->status;
  while (__atomic_exchange_n(&status->lock, 1, __ATOMIC_ACQUIRE)) PAUSE();
  if (status->code == 0 || context->step < status->step ||
      (context->step == status->step && element < status->element)) {
    status->code = code;
    status->step = context->step;
    status->element = element;
    status->value = value;
    status->limit = limit;
  }
  __atomic_store_n(&status->lock, 0, __ATOMIC_RELEASE);
}

static int32_t check_program(const uint8_t *program, uint64_t bytes, uint32_t slots, uint64_t flag_bytes) {
  const ProgramHeader *header = (const ProgramHeader *)program;
  if (bytes < sizeof *header) return PROGRAM_TRUNCATED;
  if (header->magic != PROGRAM_MAGIC_NUMBER) return PROGRAM_MAGIC;
  if (header->schema_hash != FOVEA_SCHEMA_HASH) return PROGRAM_SCHEMA;
  if (header->bytes != bytes) return PROGRAM_TRUNCATED;
  if (header->slots != slots || slots < 2) return PROGRAM_SLOTS;
  if (flag_bytes != (uint64_t)slots + header->steps.count) return PROGRAM_SLOTS;
  if (header->commit_start > header->steps.count) return PROGRAM_STEP;
  if (header->steps.offset % 4 != 0 ||
      header->steps.offset + (uint64_t)header->steps.count * sizeof(StepEntry) > bytes) {
    return PROGRAM_STEP;
  }
  const StepEntry *entries = (const StepEntry *)(program + header->steps.offset);
  for (uint32_t i = 0; i < header->steps.count; i++) {
    if (entries[i].kernel >= STEP_COUNT || entries[i].offset % 4 != 0) return PROGRAM_STEP;
    if ((uint64_t)entries[i].offset + step_table[entries[i].kernel].bytes > bytes) return PROGRAM_STEP;
  }
  return 0;
}

/* What a thread knows by heart: after the last meeting, thread 0 may already prepare the next program. */
typedef struct {
  uint32_t steps, commit_start;
  int32_t members;
} Outline;

static Outline outline_of(const Team *team) {
  const ProgramHeader *header = (const ProgramHeader *)team->program;
  return (Outline){header->steps.count, header->commit_start, team->members};
}

/* Whether to stop before step `next`. Once writing state has begun nothing stops a program any more. */
static int32_t decide(Team *team, Outline outline, uint32_t next) {
  if (next > outline.commit_start) return 0;
  if (team->status.code != 0) return 1;
  if (next == outline.steps) return 0;
  if (__atomic_load_n(team->cancel_before, __ATOMIC_ACQUIRE) <= team->sequence) return 0;
  team->cancelled = 1;
  return 1;
}

/* Waits until all members are here; returns whether to stop before step `next`. */
static int32_t meet(Team *team, Outline outline, uint32_t next) {
  if (outline.members == 1) return decide(team, outline, next);
  int32_t seen = signal_value(&team->barrier);
  if (__atomic_add_fetch(&team->arrived, 1, __ATOMIC_ACQ_REL) < outline.members) {
    return signal_wait(&team->barrier, seen, &team->at_barrier) & 1;
  }
  __atomic_store_n(&team->arrived, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&team->late_pieces, 0, __ATOMIC_RELAXED);
  int32_t stop = decide(team, outline, next);
  signal_set(&team->barrier, (int32_t)((((uint32_t)seen & ~1u) + 2u) | (uint32_t)stop));
  return stop;
}

/* Thread 0 does small steps that follow each other without meeting anybody in between. */
static int32_t goes_on_alone(const uint8_t *small, Outline outline, uint32_t step) {
  uint32_t next = step + 1;
  return small[step] && next < outline.steps && next != outline.commit_start && small[next];
}

static void walk_program(Team *team, int32_t thread) {
  Outline outline = outline_of(team);
  Context shared = {
      .program = team->program,
      .slots = team->slots,
      .status = &team->status,
      .late_pieces = &team->late_pieces,
      .thread = thread,
      .threads = outline.members,
  };
  Context alone = shared;
  alone.threads = 1;
  const StepEntry *entries = RECORDS(&shared, StepEntry, ((const ProgramHeader *)team->program)->steps);
  const uint8_t *small = team->small;
  for (uint32_t i = 0; i < outline.steps; i++) {
    Context *context = small[i] ? &alone : &shared;
    context->step = (int32_t)i;
    /* A small step may follow a failed one without a meeting. */
    if (!small[i] || (thread == 0 && (i >= outline.commit_start || team->status.code == 0))) {
      step_table[entries[i].kernel].kernel(context, context->program + entries[i].offset);
    }
    if (!goes_on_alone(small, outline, i) && meet(team, outline, i + 1)) return;
  }
}

static void run_program(Team *team) {
  Outline outline = outline_of(team);
  team->status = (Status){0};
  team->cancelled = 0;
  if (outline.steps == 0 || decide(team, outline, 0)) return;
  if (outline.members > 1) signal_set(&team->round, (signal_value(&team->round) + 1) & INT32_MAX);
  walk_program(team, 0);
}

static void serve_team(Team *team, int32_t thread) {
  int32_t seen = 0;
  while ((seen = signal_wait(&team->round, seen, &team->between_rounds)) != ROUND_CLOSING) walk_program(team, thread);
}

#ifdef FOVEA_TABLE
#define TABLE_LINKAGE __attribute__((visibility("hidden"))) const
#else
#define FOVEA_TABLE kernel_table
#define FOVEA_ISA "wasm"
#define TABLE_LINKAGE static const
#endif

TABLE_LINKAGE KernelTable FOVEA_TABLE = {FOVEA_ISA, VW, FOVEA_SCHEMA_HASH, check_program, run_program, serve_team};
