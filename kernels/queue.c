/* The driver thread and its team (queue.h). */
#include "queue.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#if !defined(__linux__) || defined(FOVEA_NO_FUTEX)
pthread_mutex_t fovea_sleep_mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t fovea_sleep_condition = PTHREAD_COND_INITIALIZER;
#endif

/*
 * How long to look before going to sleep. Between programs: as long as being woken takes, then, leaving the core to whoever wants
 * it, as long as JavaScript mostly needs to ask for the next one; a core that sleeps in a virtual machine is slow to wake. Between
 * the steps of one for long, because whoever sleeps there makes the others wait for his waking at the next meeting, until all do.
 */
#define ROUND_NANOSECONDS 10000
#define YIELD_NANOSECONDS 200000
#define BARRIER_NANOSECONDS 200000
/*
 * What the owner carries out himself while the driver has nothing to do: programs of which a run took less than this, and reads of
 * no more bytes. To wake the driver and to be woken takes 0.05 to 0.1 ms, more where processors are shared; for longer than
 * this nobody should have to wait who could be answering others.
 */
#define SHORT_NANOSECONDS 1000000
#define SHORT_BYTES (1 << 20)
#define THREAD_STACK_BYTES ((size_t)1 << 20)

typedef struct {
  Queue *queue;
  pthread_t thread;
  int32_t number;
} Helper;

struct Queue {
  Engine engine;
  pthread_t driver;
  Helper *helpers;
  int32_t helper_count;
  Signal arrivals;
  Patience patience;
  int64_t submitted;
  int64_t posted;  /* commands for the driver */
  int64_t carried; /* of these, how many he has carried out; written by him alone */
  int32_t brisk;   /* whether the last program's run was short */
  int32_t core;    /* the only one that he runs on, or -1 */
  int32_t abandoned;
  int32_t joined;
  pthread_mutex_t mutex; /* of all below */
  Command *waiting, **waiting_end;
  Command *done, **done_end;
  int32_t notified;
  void (*notify)(void *owner);
  void *owner;
};

static int32_t cores(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

/* Looks at a word in a second; 0 where threads share cores, so that looking keeps others from working. */
static int64_t measure_looks(int32_t threads) {
  if (threads > cores()) return 0;
  int64_t shortest = INT64_MAX;
  for (int32_t attempt = 0; attempt < 4; attempt++) {
    int64_t start = clock_nanoseconds();
    for (int32_t i = 0; i < 200; i++) PAUSE();
    int64_t taken = clock_nanoseconds() - start;
    if (taken < shortest) shortest = taken;
  }
  return INT64_C(200) * 1000000000 / (shortest + 200);
}

static int32_t spins_of(int64_t looks, int32_t duration) { return (int32_t)(looks * duration / 1000000000); }

static void queue_hand_back(Queue *queue, Command *command) {
  pthread_mutex_lock(&queue->mutex);
  command->next = NULL;
  *queue->done_end = command;
  queue->done_end = &command->next;
  int32_t notify = !queue->notified;
  queue->notified = 1;
  pthread_mutex_unlock(&queue->mutex);
  if (notify) queue->notify(queue->owner);
}

static void stop(Queue *queue) {
  signal_set(&queue->engine.team.round, ROUND_CLOSING);
  for (int32_t i = 0; i < queue->helper_count; i++) pthread_join(queue->helpers[i].thread, NULL);
  free(queue->helpers);
  queue->helpers = NULL;
  queue->helper_count = 0;
  engine_close(&queue->engine);
}

static void submit(Queue *queue, Command *command) {
  Engine *engine = &queue->engine;
  int64_t start = clock_nanoseconds();
  engine_submit(engine, command->index, (const uint32_t *)(command->payload + align_to_8(command->scalar_bytes)),
                command->count, command->payload, command->sequence, &command->outcome);
  if (command->outcome.code != 0) return;
  int64_t taken = clock_nanoseconds() - start;
  Entry *program = &engine->entries[command->index];
  if (program->nanoseconds == 0 || taken < program->nanoseconds) program->nanoseconds = taken;
  queue->brisk = program->nanoseconds < SHORT_NANOSECONDS;
}

static void carry_out(Queue *queue, Command *command) {
  Engine *engine = &queue->engine;
  switch (command->kind) {
    case COMMAND_ALLOCATE:
      engine_adopt(engine, command->index, memory_allocate(&engine->memory, command->bytes), command->bytes, 0);
      break;
    case COMMAND_ADOPT:
      engine_adopt(engine, command->index, command->block, command->bytes, 1);
      break;
    case COMMAND_LOAD:
      engine_load(engine, command->index, &command->program);
      break;
    case COMMAND_FREE:
      engine_free(engine, command->index);
      break;
    case COMMAND_SUBMIT:
      submit(queue, command);
      break;
    case COMMAND_WRITE: {
      uint8_t *data = engine_write(engine, command->index, command->offset, command->bytes, &command->outcome);
      if (data != NULL && command->bytes > 0) __builtin_memcpy(data, command->target, (size_t)command->bytes);
      break;
    }
    case COMMAND_READ: {
      const uint8_t *data = engine_read(engine, command->index, command->bytes, &command->outcome);
      if (data != NULL && command->bytes > 0) __builtin_memcpy(command->target, data, (size_t)command->bytes);
      break;
    }
    case COMMAND_MEMORY:
      engine_memory_use(engine, command->target);
      break;
    case COMMAND_CLOSE:
      stop(queue);
      break;
  }
}

static Command *take_waiting(Queue *queue) {
  pthread_mutex_lock(&queue->mutex);
  Command *command = queue->waiting;
  if (command != NULL) {
    queue->waiting = command->next;
    if (queue->waiting == NULL) queue->waiting_end = &queue->waiting;
  }
  pthread_mutex_unlock(&queue->mutex);
  return command;
}

/* Of commands that nobody waits for any more, only the memory they brought along matters. */
static void drop(Queue *queue, Command *command) {
  if (command->kind == COMMAND_ADOPT || command->kind == COMMAND_LOAD) carry_out(queue, command);
  free(command);
}

static void *drive(void *argument) {
  Queue *queue = argument;
  for (;;) {
    int32_t seen = signal_value(&queue->arrivals);
    int32_t abandoned = __atomic_load_n(&queue->abandoned, __ATOMIC_ACQUIRE);
    Command *command = take_waiting(queue);
    if (abandoned) {
      if (command == NULL) break;
      drop(queue, command);
      continue;
    }
    if (command == NULL) {
      signal_wait(&queue->arrivals, seen, &queue->patience);
      continue;
    }
    CommandKind kind = command->kind;
    carry_out(queue, command);
    __atomic_store_n(&queue->carried, queue->carried + 1, __ATOMIC_RELEASE);
    if (kind >= COMMAND_SUBMIT) queue_hand_back(queue, command);
    else free(command);
    if (kind == COMMAND_CLOSE) return NULL;
  }
  stop(queue);
  return NULL;
}

static void *help(void *argument) {
  Helper *helper = argument;
  helper->queue->engine.kernels->serve(&helper->queue->engine.team, helper->number);
  return NULL;
}

/* All signals are left to the threads of JavaScript. */
static int start_thread(pthread_t *thread, void *(*body)(void *), void *argument) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
  int error = pthread_create(thread, &attributes, body, argument);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

/*
 * Where a team has a thread for each core, each stays on a core of its own: schedulers like to put a thread that is woken onto
 * the core of the one that wakes it, and then one waits for the other.
 */
static void keep_apart(Queue *queue) {
#ifdef __linux__
  cpu_set_t all;
  int32_t threads = queue->helper_count + 1;
  if (threads == 1 || sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) != threads) return;
  int core = -1;
  for (int32_t i = 0; i < threads; i++) {
    do core++;
    while (!CPU_ISSET(core, &all));
    if (i == 0) queue->core = core;
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(core, &own);
    pthread_setaffinity_np(i == 0 ? queue->driver : queue->helpers[i - 1].thread, sizeof own, &own);
  }
#else
  (void)queue;
#endif
}

static Queue *queue_open(const KernelTable *kernels, int32_t threads, uint64_t memory_limit,
                         void (*notify)(void *owner), void *owner) {
  Queue *queue = NULL;
  if (posix_memalign((void **)&queue, 64, sizeof *queue) != 0) return NULL;
  *queue = (Queue){.notify = notify, .owner = owner, .core = -1};
  pthread_mutex_init(&queue->mutex, NULL);
  queue->waiting_end = &queue->waiting;
  queue->done_end = &queue->done;
  engine_open(&queue->engine, kernels, memory_limit, threads);
  int64_t looks = measure_looks(threads);
  queue->patience.spins = spins_of(looks, ROUND_NANOSECONDS);
  queue->patience.yield_nanoseconds = looks > 0 ? YIELD_NANOSECONDS : 0;
  queue->engine.team.between_rounds = queue->patience;
  queue->engine.team.at_barrier.spins = spins_of(looks, BARRIER_NANOSECONDS);
  queue->helpers = calloc((size_t)threads, sizeof(Helper));
  int error = queue->helpers == NULL;
  while (!error && queue->helper_count < threads - 1) {
    Helper *helper = &queue->helpers[queue->helper_count];
    *helper = (Helper){.queue = queue, .number = queue->helper_count + 1};
    error = start_thread(&helper->thread, help, helper);
    if (!error) queue->helper_count++;
  }
  if (!error) error = start_thread(&queue->driver, drive, queue);
  if (!error) {
    keep_apart(queue);
    return queue;
  }
  stop(queue);
  queue->joined = 1;
  queue_destroy(queue);
  return NULL;
}

static Command *queue_command(CommandKind kind, uint32_t index, uint64_t payload_bytes) {
  Command *command = NULL;
  if (posix_memalign((void **)&command, 64, sizeof *command + (size_t)payload_bytes) != 0) return NULL;
  *command = (Command){.kind = kind, .index = index};
  return command;
}

static uint8_t *queue_allocate(Queue *queue, uint64_t bytes) { return memory_allocate(&queue->engine.memory, bytes); }

static void queue_post(Queue *queue, Command *command) {
  if (command->kind == COMMAND_SUBMIT) command->sequence = queue->submitted++;
  queue->posted++;
  command->next = NULL;
  pthread_mutex_lock(&queue->mutex);
  *queue->waiting_end = command;
  queue->waiting_end = &command->next;
  pthread_mutex_unlock(&queue->mutex);
  signal_set(&queue->arrivals, (int32_t)((uint32_t)signal_value(&queue->arrivals) + 1u));
}

static int32_t is_short(const Queue *queue, const Command *command) {
  switch (command->kind) {
    case COMMAND_WRITE:
    case COMMAND_CLOSE:
      return 0;
    case COMMAND_READ:
      return command->bytes <= SHORT_BYTES;
    case COMMAND_SUBMIT: {
      const Engine *engine = &queue->engine;
      if (command->index >= engine->capacity) return 0;
      int64_t taken = engine->entries[command->index].nanoseconds;
      return taken > 0 && taken < SHORT_NANOSECONDS;
    }
    default: /* What comes before a long program wakes the driver for it in time. */
      return queue->brisk;
  }
}

/* Where each thread of the team has a core of its own, whoever stands in for the driver must not run on another's. */
static void come_to_core(int32_t core) {
#ifdef __linux__
  cpu_set_t before, own;
  if (core < 0 || sched_getcpu() == core || sched_getaffinity(0, sizeof before, &before) != 0) return;
  CPU_ZERO(&own);
  CPU_SET(core, &own);
  if (sched_setaffinity(0, sizeof own, &own) == 0) sched_setaffinity(0, sizeof before, &before);
#else
  (void)core;
#endif
}

static int32_t queue_carry_out(Queue *queue, Command *command) {
  if (__atomic_load_n(&queue->carried, __ATOMIC_ACQUIRE) != queue->posted || !is_short(queue, command)) return 0;
  if (command->kind == COMMAND_SUBMIT) {
    command->sequence = queue->submitted++;
    come_to_core(queue->core);
  }
  carry_out(queue, command);
  return 1;
}

static Command *queue_take_done(Queue *queue) {
  pthread_mutex_lock(&queue->mutex);
  Command *list = queue->done;
  queue->done = NULL;
  queue->done_end = &queue->done;
  queue->notified = 0;
  pthread_mutex_unlock(&queue->mutex);
  return list;
}

static void queue_abort(Queue *queue) {
  __atomic_store_n(&queue->engine.cancel_before, queue->submitted, __ATOMIC_RELEASE);
}

static void queue_join(Queue *queue, int32_t abandon) {
  if (queue->joined) return;
  queue->joined = 1;
  if (abandon) {
    __atomic_store_n(&queue->engine.cancel_before, INT64_MAX, __ATOMIC_RELEASE);
    __atomic_store_n(&queue->abandoned, 1, __ATOMIC_RELEASE);
    signal_set(&queue->arrivals, (int32_t)((uint32_t)signal_value(&queue->arrivals) + 1u));
  }
  pthread_join(queue->driver, NULL);
}

static void free_list(Command *command) {
  while (command != NULL) {
    Command *next = command->next;
    free(command);
    command = next;
  }
}

static void queue_destroy(Queue *queue) {
  free_list(queue->waiting);
  free_list(queue->done);
  pthread_mutex_destroy(&queue->mutex);
  free(queue);
}
