/*
 * A test of the native queue for the thread and address sanitizers (test/backends/sanitizers.test.ts): several queues
 * at once, each with uploads, submissions, reads, cancellations and frees all in flight, against one thread's result.
 *
 *   stress PROGRAM ARENA COUNT THREADS ROUNDS
 *
 * PROGRAM is an encoded program of four slots that makes COUNT floats of slot 3 from as many of slot 2.
 */
#include "client.h"

#define QUEUES 2
#define IN_FLIGHT 8
#define MEMORY_LIMIT ((uint64_t)1 << 30)

static uint8_t *program;
static uint64_t encoded_bytes, arena_bytes;
static uint32_t element_count;
static int32_t thread_count, round_count;

/* In every other round, what is short is carried out by whoever asks for it. */
static void ask(Client *client, Command *command) {
  if (client->asked / (6 * IN_FLIGHT) % 2) client_ask(client, command);
  else client_post(client, command);
  client->asked++;
}

/* Frees `replies` finished commands; returns how many submissions among them ran to their end. */
static int32_t await_replies(Client *client, int32_t replies) {
  int32_t ran = 0;
  while (replies > 0) {
    Command *command = client_wait(client);
    while (command != NULL) {
      Command *next = command->next;
      int32_t code = command->outcome.code;
      check(code == 0 || code == OUTCOME_CANCELLED || code == OUTCOME_UNDEFINED, "an outcome that nothing explains");
      if (command->kind == COMMAND_SUBMIT && code == 0) ran++;
      free(command);
      command = next;
      replies--;
    }
  }
  return ran;
}

static void post_load(Client *client, uint32_t index) {
  Command *load = queue_command(COMMAND_LOAD, index, 0);
  LoadedProgram *loaded = &load->program;
  uint32_t steps = ((const ProgramHeader *)program)->steps.count;
  *loaded = (LoadedProgram){NULL, encoded_bytes, 4 + steps, 4, arena_bytes, 0};
  loaded->block = queue_allocate(client->queue, program_bytes(loaded));
  memcpy(loaded->block, program, encoded_bytes);
  uint8_t *flags = loaded->block + flags_offset(loaded);
  memcpy(flags, (uint8_t[]){0, 0, SLOT_READS, SLOT_WRITES}, 4);
  /* Thread 0 does some steps alone, single ones and several in a row. */
  for (uint32_t i = 0; i < steps; i++) flags[4 + i] = i % 5 == 1 || i % 7 > 4;
  ask(client, load);
}

static void post_upload(Client *client, uint32_t index, int32_t seed) {
  Command *upload = queue_command(COMMAND_ADOPT, index, 0);
  upload->bytes = element_count * 4ull;
  upload->block = queue_allocate(client->queue, upload->bytes);
  for (uint32_t i = 0; i < element_count; i++) ((float *)upload->block)[i] = (float)((i * 7 + (uint32_t)seed) % 31) - 15;
  ask(client, upload);
}

static void post_sized(Client *client, CommandKind kind, uint32_t index, uint64_t bytes, void *target) {
  Command *command = queue_command(kind, index, 0);
  command->bytes = bytes;
  command->target = target;
  ask(client, command);
}

static void post_submit(Client *client, uint32_t load, uint32_t in, uint32_t out) {
  Command *submit = queue_command(COMMAND_SUBMIT, load, 2 * sizeof(uint32_t));
  submit->count = 2;
  memcpy(submit->payload, (uint32_t[]){in, out}, 2 * sizeof(uint32_t));
  ask(client, submit);
}

/* Uploads, runs and reads once; entries from `base` on. */
static void post_round(Client *client, uint32_t base, int32_t seed, float *result) {
  post_upload(client, base, seed);
  post_sized(client, COMMAND_ALLOCATE, base + 1, element_count * 4ull, NULL);
  post_submit(client, 0, base, base + 1);
  post_sized(client, COMMAND_READ, base + 1, element_count * 4ull, result);
  post_sized(client, COMMAND_FREE, base, 0, NULL);
  post_sized(client, COMMAND_FREE, base + 1, 0, NULL);
}

static float *expected;

static void *stress(void *argument) {
  int32_t number = *(int32_t *)argument;
  uint64_t bytes = element_count * 4ull;
  float *results = malloc(bytes * IN_FLIGHT);
  Client client;
  client_open(&client, thread_count, MEMORY_LIMIT);
  post_load(&client, 0);
  for (int32_t round = 0; round < round_count; round++) {
    int32_t cancel = (round + number) % 3 == 2;
    for (uint32_t i = 0; i < IN_FLIGHT; i++) post_round(&client, 1 + 2 * i, (int32_t)i, results + element_count * i);
    if (cancel) queue_abort(client.queue);
    int32_t ran = await_replies(&client, 2 * IN_FLIGHT);
    check(cancel || ran == IN_FLIGHT, "all submissions run");
    if (!cancel) check(memcmp(results, expected, bytes * IN_FLIGHT) == 0, "the same bits with any number of threads");
    if (round % 16 == 15) {
      post_sized(&client, COMMAND_FREE, 0, 0, NULL);
      post_load(&client, 0);
    }
  }
  /* Half of the queues are dropped with work in flight. */
  for (uint32_t i = 0; i < IN_FLIGHT; i++) post_round(&client, 1 + 2 * i, (int32_t)i, results + element_count * i);
  if (number % 2 == 0) await_replies(&client, 2 * IN_FLIGHT);
  client_close(&client, number % 2);
  free(results);
  return NULL;
}

int main(int argc, char **argv) {
  check(argc == 6, "five arguments");
  FILE *file = fopen(argv[1], "rb");
  check(file != NULL, "the program can be opened");
  program = malloc(1 << 20);
  encoded_bytes = fread(program, 1, 1 << 20, file);
  fclose(file);
  arena_bytes = strtoull(argv[2], NULL, 10);
  element_count = (uint32_t)strtoul(argv[3], NULL, 10);
  thread_count = atoi(argv[4]);
  round_count = atoi(argv[5]);

  uint64_t bytes = element_count * 4ull;
  expected = malloc(bytes * IN_FLIGHT);
  Client client;
  client_open(&client, 1, MEMORY_LIMIT);
  post_load(&client, 0);
  for (uint32_t i = 0; i < IN_FLIGHT; i++) post_round(&client, 1 + 2 * i, (int32_t)i, expected + element_count * i);
  check(await_replies(&client, 2 * IN_FLIGHT) == IN_FLIGHT, "one thread runs all");
  client_close(&client, 0);

  pthread_t posters[QUEUES];
  int32_t numbers[QUEUES];
  for (int32_t i = 0; i < QUEUES; i++) {
    numbers[i] = i;
    pthread_create(&posters[i], NULL, stress, &numbers[i]);
  }
  for (int32_t i = 0; i < QUEUES; i++) pthread_join(posters[i], NULL);
  free(expected);
  free(program);
  puts("ok");
  return 0;
}
