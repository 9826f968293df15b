/*
 * A native device's queue: commands are posted from the thread that owns it and carried out in order by a driver
 * thread, which is thread 0 of the team, or by the owner where that is sooner. Knows nothing of JavaScript.
 */
#ifndef FOVEA_QUEUE_H
#define FOVEA_QUEUE_H

#include "engine.h"

typedef enum {
  COMMAND_ALLOCATE,
  COMMAND_ADOPT,
  COMMAND_LOAD,
  COMMAND_FREE,
  /* These are handed back by queue_take_done, in order. */
  COMMAND_SUBMIT,
  COMMAND_WRITE,
  COMMAND_READ,
  COMMAND_MEMORY,
  COMMAND_CLOSE,
} CommandKind;

typedef struct Command {
  struct Command *next;
  CommandKind kind;
  uint32_t index; /* of the entry */
  uint64_t bytes;
  uint64_t offset;       /* write: in the entry's memory */
  uint8_t *block;        /* adopt: from queue_allocate */
  LoadedProgram program; /* load: its block too */
  uint32_t count;        /* submit: bindings, which lie behind the scalars */
  uint64_t scalar_bytes;
  int64_t sequence;
  void *target; /* read, memory: where the bytes go; write: where they come from */
  void *owner;  /* whatever the poster wants to remember */
  Outcome outcome;
  _Alignas(64) uint8_t payload[];
} Command;

typedef struct Queue Queue;

/* NULL if the threads cannot be started. `notify` is called on the driver thread when something is done. */
static Queue *queue_open(const KernelTable *kernels, int32_t threads, uint64_t memory_limit,
                         void (*notify)(void *owner), void *owner);
/* A command to be filled in and posted; NULL without memory. */
static Command *queue_command(CommandKind kind, uint32_t index, uint64_t payload_bytes);
static uint8_t *queue_allocate(Queue *queue, uint64_t bytes);
static void queue_post(Queue *queue, Command *command);
/*
 * Carries a command out at once, the caller being thread 0 of the team, instead of having it posted: unless the driver has
 * something to do, or it would take so long that the caller had better do something else. Returns whether it did; then the command is
 * the caller's again.
 */
static int32_t queue_carry_out(Queue *queue, Command *command);
/* Puts what was carried out so among what queue_take_done returns. */
static void queue_hand_back(Queue *queue, Command *command);
/* What has been done since the last call, for the caller to free. */
static Command *queue_take_done(Queue *queue);
/* Cancels all submissions posted so far that have not reached their commit. */
static void queue_abort(Queue *queue);
/* Waits for the threads to end, after COMMAND_CLOSE was done or, with `abandon`, dropping what is left. */
static void queue_join(Queue *queue, int32_t abandon);
static void queue_destroy(Queue *queue);

#endif
