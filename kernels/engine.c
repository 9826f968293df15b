/* The calls of engine.h. */
#include "engine.h"

static void engine_open(Engine *engine, const KernelTable *kernels, uint64_t memory_limit, int32_t threads) {
  *engine = (Engine){.kernels = kernels};
  memory_open(&engine->memory, memory_limit);
  engine->team.threads = threads;
  engine->team.cancel_before = &engine->cancel_before;
}

static void engine_fail(Outcome *outcome, int32_t code, double a, double b, double c) {
  *outcome = (Outcome){code, {a, b, c, 0}};
}

static void engine_fail_for_memory(Engine *engine, int32_t code, uint64_t bytes, Outcome *outcome) {
  engine_fail(outcome, code, (double)bytes, (double)memory_counts(&engine->memory).in_use, (double)engine->memory.limit);
}

static void engine_release_arena(Engine *engine) {
  if (engine->arena != NULL) memory_free_pages(&engine->memory, engine->arena, engine->arena_bytes);
  engine->arena = NULL;
  engine->arena_bytes = 0;
}

static void engine_close(Engine *engine) {
  for (uint32_t i = 0; i < engine->capacity; i++) engine_free(engine, i);
  engine_release_arena(engine);
  if (engine->entries != NULL) memory_free(&engine->memory, engine->entries, engine->capacity * sizeof(Entry));
  memory_close(&engine->memory);
}

/* The entry with this number, empty at first; NULL only if there is no memory for a longer list. */
static Entry *engine_entry(Engine *engine, uint32_t index) {
  if (index < engine->capacity) return &engine->entries[index];
  uint32_t capacity = engine->capacity == 0 ? 64 : engine->capacity;
  while (capacity <= index) capacity *= 2;
  Entry *entries = memory_allocate(&engine->memory, capacity * sizeof(Entry));
  if (entries == NULL) return NULL;
  __builtin_memset(entries, 0, capacity * sizeof(Entry));
  if (engine->entries != NULL) {
    __builtin_memcpy(entries, engine->entries, engine->capacity * sizeof(Entry));
    memory_free(&engine->memory, engine->entries, engine->capacity * sizeof(Entry));
  }
  engine->entries = entries;
  engine->capacity = capacity;
  return &entries[index];
}

static void engine_adopt(Engine *engine, uint32_t index, uint8_t *block, uint64_t bytes, int32_t written) {
  Entry *entry = engine_entry(engine, index);
  if (entry == NULL) {
    if (block != NULL) memory_free(&engine->memory, block, bytes);
    return;
  }
  *entry = (Entry){.data = block, .bytes = bytes, .undefined = !written && bytes > 0};
  if (block != NULL) {
    engine->live += bytes;
    return;
  }
  entry->failure = OUTCOME_OUT_OF_MEMORY;
  entry->detail[0] = (double)bytes;
  entry->detail[1] = (double)memory_counts(&engine->memory).in_use;
  entry->detail[2] = (double)engine->memory.limit;
}

/* The arena grows when a program that needs more is loaded; nothing is in it between submissions. */
static int32_t engine_grow_arena(Engine *engine, uint64_t bytes) {
  if (bytes <= engine->arena_bytes) return 1;
  engine_release_arena(engine);
  engine->arena = memory_allocate_pages(&engine->memory, bytes);
  if (engine->arena != NULL) engine->arena_bytes = bytes;
  return engine->arena != NULL;
}

static uint64_t align_to_8(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

/* Addresses of the slots during a submission, then the flags, behind the encoded program. */
static uint64_t slots_offset(uint64_t bytes) { return align_to_8(bytes); }
static uint64_t flags_offset(const LoadedProgram *program) {
  return slots_offset(program->bytes) + program->slots * sizeof(uint8_t *);
}
static uint64_t program_bytes(const LoadedProgram *program) { return flags_offset(program) + program->flag_bytes; }

static void engine_load(Engine *engine, uint32_t index, const LoadedProgram *program) {
  engine_adopt(engine, index, program->block, program_bytes(program), 1);
  Entry *entry = engine_entry(engine, index);
  if (entry == NULL || program->block == NULL) return;
  entry->is_program = 1;
  entry->slots = program->slots;
  entry->arena_bytes = program->arena_bytes;
  entry->alone = program->alone != 0;
  int32_t reason = engine->kernels->check(program->block, program->bytes, program->slots, program->flag_bytes);
  if (reason != 0) {
    entry->failure = OUTCOME_PROGRAM_REFUSED;
    entry->detail[0] = reason;
    return;
  }
  /* Without memory now, the submission tries again and says so. */
  engine_grow_arena(engine, program->arena_bytes);
}

static void engine_free(Engine *engine, uint32_t index) {
  if (index >= engine->capacity) return;
  Entry *entry = &engine->entries[index];
  uint8_t was_program = entry->is_program;
  if (entry->data != NULL) {
    memory_free(&engine->memory, entry->data, entry->bytes);
    engine->live -= entry->bytes;
  }
  *entry = (Entry){0};
  if (!was_program) return;
  uint64_t needed = 0;
  for (uint32_t i = 0; i < engine->capacity; i++) {
    if (engine->entries[i].arena_bytes > needed) needed = engine->entries[i].arena_bytes;
  }
  if (needed < engine->arena_bytes / 2) {
    engine_release_arena(engine);
    engine_grow_arena(engine, needed);
  }
}

/* The entry's memory, if there is some and it can be used. */
static Entry *engine_usable(Engine *engine, uint32_t index, int32_t program, Outcome *outcome) {
  if (index >= engine->capacity) {
    /* Even the list of entries could not grow. */
    engine_fail_for_memory(engine, OUTCOME_OUT_OF_MEMORY, sizeof(Entry), outcome);
    return NULL;
  }
  Entry *entry = &engine->entries[index];
  if (entry->failure != 0) {
    engine_fail(outcome, entry->failure, entry->detail[0], entry->detail[1], entry->detail[2]);
    return NULL;
  }
  if (entry->data != NULL && entry->is_program == program) return entry;
  engine_fail(outcome, OUTCOME_BAD_CALL, index, 0, 0);
  return NULL;
}

static uint8_t *engine_write(Engine *engine, uint32_t index, uint64_t offset, uint64_t bytes, Outcome *outcome) {
  *outcome = (Outcome){0};
  Entry *entry = engine_usable(engine, index, 0, outcome);
  if (entry == NULL) return NULL;
  if (offset > entry->bytes || bytes > entry->bytes - offset) {
    engine_fail(outcome, OUTCOME_BAD_CALL, index, 0, 0);
    return NULL;
  }
  int32_t reaches_end = offset + bytes == entry->bytes;
  if (entry->undefined && (offset == 0 || reaches_end)) system_fill(entry->data, entry->bytes, reaches_end);
  if (reaches_end) entry->undefined = 0;
  return entry->data + offset;
}

static const uint8_t *engine_read(Engine *engine, uint32_t index, uint64_t bytes, Outcome *outcome) {
  *outcome = (Outcome){0};
  Entry *entry = engine_usable(engine, index, 0, outcome);
  if (entry == NULL) return NULL;
  if (entry->undefined) {
    engine_fail(outcome, OUTCOME_UNDEFINED, 0, 0, 0);
    return NULL;
  }
  if (bytes <= entry->bytes) return entry->data;
  engine_fail(outcome, OUTCOME_BAD_CALL, index, 0, 0);
  return NULL;
}

/* Fills in the addresses of the bindings; returns 0 where the program cannot run over them. */
static int32_t engine_bind(Engine *engine, const Entry *program, const uint8_t *flags, uint8_t **slots,
                    const uint32_t *bindings, Outcome *outcome) {
  for (uint32_t slot = 2; slot < program->slots; slot++) {
    Entry *entry = engine_usable(engine, bindings[slot - 2], 0, outcome);
    if (entry == NULL) return 0;
    if (entry->undefined && (flags[slot] & SLOT_READS)) {
      engine_fail(outcome, OUTCOME_UNDEFINED, slot, 0, 0);
      return 0;
    }
    slots[slot] = entry->data;
  }
  if (engine_grow_arena(engine, program->arena_bytes)) return 1;
  engine_fail_for_memory(engine, OUTCOME_NO_ARENA, program->arena_bytes, outcome);
  return 0;
}

static void engine_run(Engine *engine, const Entry *program, uint8_t **slots, const uint8_t *small, int64_t sequence,
                Outcome *outcome) {
  Team *team = &engine->team;
  team->program = program->data;
  team->slots = slots;
  team->small = small;
  team->sequence = sequence;
  team->members = program->alone ? 1 : team->threads;
  engine->kernels->run(team);
  if (team->status.code != 0) {
    *outcome = (Outcome){
        team->status.code,
        {team->status.step, team->status.element, team->status.value, team->status.limit},
    };
  } else if (team->cancelled) {
    engine_fail(outcome, OUTCOME_CANCELLED, 0, 0, 0);
  }
}

static void engine_submit(Engine *engine, uint32_t index, const uint32_t *bindings, uint32_t count,
                          uint8_t *scalars, int64_t sequence, Outcome *outcome) {
  *outcome = (Outcome){0};
  engine->submissions++;
  Entry *program = engine_usable(engine, index, 1, outcome);
  if (program == NULL) return;
  if (count + 2 != program->slots) {
    engine_fail(outcome, OUTCOME_BAD_CALL, index, 0, 0);
    return;
  }
  const ProgramHeader *header = (const ProgramHeader *)program->data;
  uint8_t **slots = (uint8_t **)(program->data + slots_offset(header->bytes));
  const uint8_t *flags = (const uint8_t *)(slots + program->slots);
  if (engine_bind(engine, program, flags, slots, bindings, outcome)) {
    slots[0] = engine->arena;
    slots[1] = scalars;
    engine_run(engine, program, slots, flags + program->slots, sequence, outcome);
  }
  for (uint32_t slot = 2; slot < program->slots; slot++) {
    if (bindings[slot - 2] >= engine->capacity) continue;
    Entry *entry = &engine->entries[bindings[slot - 2]];
    if (outcome->code == 0) {
      if (flags[slot] & (SLOT_WRITES | SLOT_COMMITS)) entry->undefined = 0;
    } else if (flags[slot] & SLOT_WRITES) {
      entry->undefined = 1;
    }
  }
}

static void engine_memory_use(Engine *engine, double use[5]) {
  MemoryCounts counts = memory_counts(&engine->memory);
  use[0] = (double)engine->live;
  use[1] = (double)engine->arena_bytes;
  use[2] = (double)counts.reserved;
  use[3] = (double)counts.system_allocations;
  use[4] = (double)engine->submissions;
}
