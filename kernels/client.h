/*
 * Somebody who posts commands to a native queue and waits for its replies, for the tests of the queue in C (stress.c,
 * replay.c). The queue with all that it needs is compiled into them; the kernels are linked to it.
 */
#ifndef FOVEA_CLIENT_H
#define FOVEA_CLIENT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system.c"

#include "memory.c"

#include "engine.c"

#include "queue.c"

extern const KernelTable fovea_kernels_test;

typedef struct {
  Queue *queue;
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  int32_t notified;
  uint32_t asked; /* how many commands */
} Client;

static void check(int32_t holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "failed: %s\n", what);
  exit(1);
}

static void wake_client(void *owner) {
  Client *client = owner;
  pthread_mutex_lock(&client->mutex);
  client->notified = 1;
  pthread_cond_signal(&client->condition);
  pthread_mutex_unlock(&client->mutex);
}

static void client_post(Client *client, Command *command) { queue_post(client->queue, command); }

/* As JavaScript does: what is short is carried out at once where the driver has nothing to do. */
static void client_ask(Client *client, Command *command) {
  CommandKind kind = command->kind;
  if (!queue_carry_out(client->queue, command)) queue_post(client->queue, command);
  else if (kind >= COMMAND_SUBMIT) queue_hand_back(client->queue, command);
  else free(command);
}

/* Waits for news; the replies that have come, for the caller to free, or NULL if he has them already. */
static Command *client_wait(Client *client) {
  pthread_mutex_lock(&client->mutex);
  while (!client->notified) pthread_cond_wait(&client->condition, &client->mutex);
  client->notified = 0;
  pthread_mutex_unlock(&client->mutex);
  return queue_take_done(client->queue);
}

static void client_open(Client *client, int32_t threads, uint64_t memory_limit) {
  *client = (Client){0};
  pthread_mutex_init(&client->mutex, NULL);
  pthread_cond_init(&client->condition, NULL);
  client->queue = queue_open(&fovea_kernels_test, threads, memory_limit, wake_client, client);
  check(client->queue != NULL, "a queue opens");
}

/* After all replies have come, or with `abandon` at any time. */
static void client_close(Client *client, int32_t abandon) {
  if (!abandon) {
    client_post(client, queue_command(COMMAND_CLOSE, 0, 0));
    Command *closed = NULL;
    while (closed == NULL) closed = client_wait(client);
    free(closed);
  }
  queue_join(client->queue, abandon);
  queue_destroy(client->queue);
  pthread_cond_destroy(&client->condition);
  pthread_mutex_destroy(&client->mutex);
}

#endif
