/*
 * Does again what a device was asked for while tests ran (test/support/recording.ts), and compares what is read, bit for
 * bit, with what was read then: for the thread sanitizer, which cannot be loaded into Node.
 *
 *   replay TRACE…
 *
 * With as many threads as the device had. Each trace is done three times: as it was, with every step shared by all threads,
 * however small it is, and by somebody who waits for each reply and carries out himself what is short.
 */
#include "client.h"

#define TRACE_MAGIC 0x54564f46u /* FOVT */
#define IN_FLIGHT 64

typedef enum {
  RECORD_ALLOCATE,
  RECORD_UPLOAD,
  RECORD_WRITE,
  RECORD_LOAD,
  RECORD_FREE,
  RECORD_SUBMIT,
  RECORD_READ,
} RecordKind;

/* One call; its bytes follow, filled up to a multiple of eight. */
typedef struct {
  uint32_t kind;
  uint32_t index;
  uint64_t bytes;
  uint64_t numbers[4];
} Record;

typedef struct {
  uint32_t magic;
  int32_t threads;
  uint64_t bytes; /* of the records, which lie behind */
  uint8_t *records;
} Trace;

static int32_t submissions, reads;

static Trace open_trace(const char *path) {
  Trace trace;
  FILE *file = fopen(path, "rb");
  check(file != NULL, "the trace can be opened");
  check(fread(&trace, 8, 1, file) == 1 && trace.magic == TRACE_MAGIC, "the file is a trace");
  fseek(file, 0, SEEK_END);
  trace.bytes = (uint64_t)ftell(file) - 8;
  fseek(file, 8, SEEK_SET);
  trace.records = malloc(trace.bytes);
  check(fread(trace.records, 1, trace.bytes, file) == trace.bytes, "the trace can be read");
  fclose(file);
  return trace;
}

static uint8_t *bytes_of(const Record *record) { return (uint8_t *)(record + 1); }

/* What has come of a submission, a write or a read must be what came of it then. */
static void check_reply(Command *command) {
  const Record *record = command->owner;
  int32_t succeeded = command->outcome.code == 0;
  if (command->kind == COMMAND_SUBMIT) {
    check(succeeded == (int32_t)record->numbers[2], "a submission succeeds or fails as before");
    submissions++;
  } else if (command->kind == COMMAND_READ) {
    check(succeeded == (int32_t)record->numbers[1], "memory can be read as before");
    check(!succeeded || memcmp(command->target, bytes_of(record), record->bytes) == 0, "the same bits are read");
    free(command->target);
    reads++;
  } else {
    check(succeeded, "memory can be written");
  }
}

/* How many replies have come. */
static int32_t take_replies(Client *client) {
  int32_t replies = 0;
  for (Command *command = client_wait(client); command != NULL; replies++) {
    Command *next = command->next;
    check_reply(command);
    free(command);
    command = next;
  }
  return replies;
}

static void fill_program(Client *client, Command *load, const Record *record, int32_t shared) {
  uint64_t encoded = record->numbers[0];
  load->program = (LoadedProgram){
      .bytes = encoded,
      .flag_bytes = record->bytes - encoded,
      .slots = (uint32_t)record->numbers[1],
      .arena_bytes = record->numbers[2],
      .alone = !shared && record->numbers[3],
  };
  load->program.block = queue_allocate(client->queue, program_bytes(&load->program));
  memcpy(load->program.block, bytes_of(record), encoded);
  uint8_t *flags = load->program.block + flags_offset(&load->program);
  memcpy(flags, bytes_of(record) + encoded, load->program.flag_bytes);
  if (shared) memset(flags + load->program.slots, 0, load->program.flag_bytes - load->program.slots);
}

static Command *command_of(Client *client, Record *record, int32_t shared) {
  static const CommandKind kinds[] = {
      COMMAND_ALLOCATE, COMMAND_ADOPT, COMMAND_WRITE, COMMAND_LOAD, COMMAND_FREE, COMMAND_SUBMIT, COMMAND_READ,
  };
  Command *command = queue_command(kinds[record->kind], record->index, record->bytes);
  command->owner = record;
  switch ((RecordKind)record->kind) {
    case RECORD_ALLOCATE:
      command->bytes = record->numbers[0];
      break;
    case RECORD_UPLOAD:
      command->bytes = record->bytes;
      command->block = queue_allocate(client->queue, record->bytes);
      memcpy(command->block, bytes_of(record), record->bytes);
      break;
    case RECORD_WRITE:
      command->bytes = record->bytes;
      command->offset = record->numbers[0];
      command->target = bytes_of(record);
      break;
    case RECORD_LOAD:
      fill_program(client, command, record, shared);
      break;
    case RECORD_FREE:
      break;
    case RECORD_SUBMIT:
      memcpy(command->payload, bytes_of(record), record->bytes);
      command->scalar_bytes = record->numbers[0];
      command->count = (uint32_t)record->numbers[1];
      break;
    case RECORD_READ:
      command->bytes = record->numbers[0];
      command->target = malloc(command->bytes + 1);
      break;
  }
  return command;
}

static void replay(const Trace *trace, int32_t shared, int32_t waits) {
  void (*ask)(Client *client, Command *command) = waits ? client_ask : client_post;
  Client client;
  client_open(&client, trace->threads, (uint64_t)1 << 40);
  int32_t in_flight = 0;
  for (uint64_t at = 0; at < trace->bytes;) {
    Record *record = (Record *)(trace->records + at);
    at += sizeof *record + align_to_8(record->bytes);
    Command *command = command_of(&client, record, shared);
    if (command->kind >= COMMAND_SUBMIT) in_flight++;
    ask(&client, command);
    while (in_flight >= (waits ? 1 : IN_FLIGHT)) in_flight -= take_replies(&client);
  }
  while (in_flight > 0) in_flight -= take_replies(&client);
  client_close(&client, 0);
}

int main(int argc, char **argv) {
  for (int32_t i = 1; i < argc; i++) {
    Trace trace = open_trace(argv[i]);
    submissions = reads = 0;
    replay(&trace, 0, 0);
    replay(&trace, 1, 0);
    replay(&trace, 1, 1);
    printf("%d submissions and %d reads with %d threads\n", submissions, reads, trace.threads);
    free(trace.records);
  }
  return 0;
}
