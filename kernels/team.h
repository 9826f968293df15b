/*
 * The threads that run a program together, and what a build of the kernels for one instruction set offers
 * (program.c). Thread 0 is the one that starts programs; the others wait in `serve`.
 */
#ifndef FOVEA_TEAM_H
#define FOVEA_TEAM_H

#include "fovea.h"
#include "wait.h"

typedef struct {
  /* The program that is being run. Written by thread 0 before the round begins. */
  const uint8_t *program;
  uint8_t *const *slots;
  const uint8_t *small; /* for each step, whether it is too small to share: thread 0 does it alone */
  int64_t sequence; /* number of this submission */
  int32_t members;  /* threads that take part in this round: 1 or all */
  Status status;
  int32_t cancelled; /* whether the program was stopped because somebody cancelled it */

  /* For the team's lifetime. */
  int32_t threads;
  int64_t *cancel_before; /* submissions with a smaller number are cancelled; written by anybody at any time */

  Signal round;   /* counts programs that all threads run; ROUND_CLOSING ends the threads */
  Signal barrier; /* bit 0: whether to stop; the rest counts meetings */
  _Alignas(64) int32_t arrived;
  int32_t late_pieces; /* as in Context; the last to arrive sets it back */
  _Alignas(64) Patience at_barrier;
  _Alignas(64) Patience between_rounds;
} Team;

#define ROUND_CLOSING (-1)

typedef struct {
  const char *name;
  int32_t vector_width;
  uint32_t schema_hash;
  /* 0, or what is wrong with an encoded program (PROGRAM_…). */
  int32_t (*check)(const uint8_t *program, uint64_t bytes, uint32_t slots, uint64_t flag_bytes);
  /* Runs the team's program as thread 0. */
  void (*run)(Team *team);
  /* Takes part in every round until the team is closed. */
  void (*serve)(Team *team, int32_t thread);
} KernelTable;

/* Reasons to refuse a program. Known to src/backends/cpu/errors.ts. */
enum { PROGRAM_TRUNCATED = 1, PROGRAM_MAGIC, PROGRAM_SCHEMA, PROGRAM_SLOTS, PROGRAM_STEP };

#endif
