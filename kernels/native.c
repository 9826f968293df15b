/*
 * The Node-API addon: a thin layer between src/backends/native/device.ts and queue.c. The arguments come from that file
 * alone, which has checked them; what is tested here is only that nothing wild can be followed.
 *
 * Replies arrive through a thread-safe function that keeps the process alive only while something is pending. There is
 * no state outside a queue, so it may be loaded in any number of worker threads.
 */
#define NAPI_VERSION 8
#include <node_api.h>

#include <stdlib.h>
#include <string.h>

#include "system.c"

#include "memory.c"

#include "engine.c"

#include "queue.c"

#if defined(__x86_64__)
extern const KernelTable fovea_kernels_sse2, fovea_kernels_avx2, fovea_kernels_avx512;
#else
extern const KernelTable fovea_kernels_neon;
#endif

/* The builds that this processor can run, best first; returns how many. */
static int32_t usable_kernels(const KernelTable *tables[3]) {
  int32_t count = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  int32_t avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
    tables[count++] = &fovea_kernels_avx512;
  }
  if (avx2) tables[count++] = &fovea_kernels_avx2;
  tables[count++] = &fovea_kernels_sse2;
#else
  tables[count++] = &fovea_kernels_neon;
#endif
  return count;
}

/* One device. Everything but the queue itself belongs to the thread of JavaScript. */
typedef struct {
  Queue *queue;
  napi_threadsafe_function replies;
  napi_env env;
  int64_t pending;
  int64_t told;    /* bytes that the garbage collector knows of */
  bool awaited;    /* whether JavaScript has waited for all that it asked for */
  int32_t holders; /* the external value and the thread-safe function */
} Device;

static napi_value fail_call(napi_env env, const char *message) {
  napi_throw_error(env, "FOVEA_DEVICE", message);
  return NULL;
}

#define ARGUMENTS(env, info, n)                                       \
  napi_value arguments[n];                                            \
  size_t argument_count = n;                                          \
  napi_get_cb_info(env, info, &argument_count, arguments, NULL, NULL); \
  if (argument_count < n) return fail_call(env, "too few arguments");

static uint32_t unsigned_of(napi_env env, napi_value value) {
  uint32_t result = 0;
  napi_get_value_uint32(env, value, &result);
  return result;
}

static double number_of(napi_env env, napi_value value) {
  double result = 0;
  napi_get_value_double(env, value, &result);
  return result >= 0 ? result : 0;
}

typedef struct {
  uint8_t *data;
  uint64_t bytes;
} Bytes;

/* The bytes of a Uint8Array or of an ArrayBuffer. */
static Bytes bytes_of(napi_env env, napi_value value) {
  bool is_typed_array = false;
  void *data = NULL;
  size_t length = 0;
  napi_is_typedarray(env, value, &is_typed_array);
  if (is_typed_array) {
    napi_typedarray_type type;
    napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL);
    if (type != napi_uint8_array) length = 0;
  } else {
    napi_get_arraybuffer_info(env, value, &data, &length);
  }
  return (Bytes){data, length};
}

/* The device of a call; NULL and an exception where it has been closed. */
static Device *device_of(napi_env env, napi_value value) {
  void *device = NULL;
  napi_get_value_external(env, value, &device);
  if (device != NULL && ((Device *)device)->queue != NULL) return device;
  fail_call(env, "the device is closed");
  return NULL;
}

static void tell_collector(Device *device, int64_t bytes) {
  int64_t adjusted;
  napi_adjust_external_memory(device->env, bytes - device->told, &adjusted);
  device->told = bytes;
}

static void expect_reply(Device *device) {
  if (device->pending++ == 0) napi_ref_threadsafe_function(device->env, device->replies);
}

/* Hands a command to the driver, unless it has no reply and can be carried out at once. */
static void post(Device *device, Command *command) {
  if (command->kind >= COMMAND_SUBMIT) {
    expect_reply(device);
  } else if (queue_carry_out(device->queue, command)) {
    free(command);
    return;
  }
  queue_post(device->queue, command);
}

/* For what JavaScript waits for: returns whether it went well already, so that no reply comes. */
static bool post_awaited(Device *device, Command *command) {
  if (device->pending > 0 || !queue_carry_out(device->queue, command)) {
    post(device, command);
    return false;
  }
  if (command->outcome.code != 0) {
    expect_reply(device);
    queue_hand_back(device->queue, command);
    return false;
  }
  if (command->owner != NULL) napi_delete_reference(device->env, command->owner);
  free(command);
  return true;
}

static napi_value boolean(napi_env env, bool value) {
  napi_value result;
  napi_get_boolean(env, value, &result);
  return result;
}

/* On the driver thread. */
static void notify(void *owner) {
  napi_call_threadsafe_function(((Device *)owner)->replies, NULL, napi_tsfn_nonblocking);
}

/* When the process or the worker thread ends. */
static void abandon(void *argument) {
  Device *device = argument;
  queue_join(device->queue, 1);
  queue_destroy(device->queue);
  device->queue = NULL;
}

static void close_device(Device *device) {
  queue_join(device->queue, 0);
  queue_destroy(device->queue);
  device->queue = NULL;
  tell_collector(device, 0);
  napi_remove_env_cleanup_hook(device->env, abandon, device);
  napi_release_threadsafe_function(device->replies, napi_tsfn_release);
}

/* Calls back with the number of commands that went well, and how the one after them failed (0 if none did). */
static void call_back(napi_env env, napi_value function, uint32_t successes, const Outcome *outcome) {
  napi_value receiver, arguments[6];
  napi_get_undefined(env, &receiver);
  napi_create_uint32(env, successes, &arguments[0]);
  napi_create_int32(env, outcome->code, &arguments[1]);
  for (int32_t i = 0; i < 4; i++) napi_create_double(env, outcome->detail[i], &arguments[2 + i]);
  napi_call_function(env, receiver, function, 6, arguments, NULL);
}

static void deliver(napi_env env, napi_value function, void *context, void *data) {
  (void)data;
  Device *device = context;
  if (env == NULL || device->queue == NULL) return;
  const Outcome well = {0};
  uint32_t successes = 0;
  Command *command = queue_take_done(device->queue);
  while (command != NULL) {
    Command *next = command->next;
    if (command->owner != NULL) napi_delete_reference(env, command->owner);
    device->awaited = command->kind == COMMAND_READ && device->pending == 1;
    if (command->kind == COMMAND_CLOSE) close_device(device);
    else if (--device->pending == 0) napi_unref_threadsafe_function(env, device->replies);
    if (command->outcome.code == 0) {
      successes++;
    } else {
      call_back(env, function, successes, &command->outcome);
      successes = 0;
    }
    free(command);
    command = next;
  }
  if (successes > 0) call_back(env, function, successes, &well);
}

static void let_go(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  Device *device = data;
  if (--device->holders == 0) free(device);
}

/* isas(): names of the usable instruction sets, best first. */
static napi_value call_isas(napi_env env, napi_callback_info info) {
  (void)info;
  const KernelTable *tables[3];
  int32_t count = usable_kernels(tables);
  napi_value list, name;
  napi_create_array(env, &list);
  for (int32_t i = 0; i < count; i++) {
    napi_create_string_utf8(env, tables[i]->name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, (uint32_t)i, name);
  }
  return list;
}

/* create(isa, threads, memoryLimit, onReplies): an opaque device. */
static napi_value call_create(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 4)
  char isa[16] = "";
  napi_get_value_string_utf8(env, arguments[0], isa, sizeof isa, NULL);
  const KernelTable *tables[3], *kernels = NULL;
  int32_t count = usable_kernels(tables);
  for (int32_t i = 0; i < count; i++) {
    if (strcmp(tables[i]->name, isa) == 0) kernels = tables[i];
  }
  uint32_t threads = unsigned_of(env, arguments[1]);
  if (kernels == NULL || threads < 1 || threads > 1024) return fail_call(env, "no such instruction set or team");

  Device *device = calloc(1, sizeof *device);
  napi_value name, external;
  if (device == NULL) return fail_call(env, "out of memory");
  device->env = env;
  device->holders = 2;
  napi_create_string_utf8(env, "fovea", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, arguments[3], NULL, name, 0, 1, device, let_go, device, deliver,
                                      &device->replies) != napi_ok) {
    free(device);
    return fail_call(env, "cannot create a thread-safe function");
  }
  napi_unref_threadsafe_function(env, device->replies);
  device->queue = queue_open(kernels, (int32_t)threads, (uint64_t)number_of(env, arguments[2]), notify, device);
  if (device->queue == NULL) {
    napi_release_threadsafe_function(device->replies, napi_tsfn_release);
    let_go(env, device, NULL);
    return fail_call(env, "the threads cannot be started");
  }
  napi_add_env_cleanup_hook(env, abandon, device);
  napi_create_external(env, device, let_go, NULL, &external);
  return external;
}

#define COMMAND(command, kind, index, payload)                  \
  Command *command = queue_command((kind), (index), (payload)); \
  if (command == NULL) return fail_call(env, "out of memory");

/* allocate(device, index, bytes) */
static napi_value call_allocate(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 3)
  Device *device = device_of(env, arguments[0]);
  if (device == NULL) return NULL;
  COMMAND(command, COMMAND_ALLOCATE, unsigned_of(env, arguments[1]), 0)
  command->bytes = (uint64_t)number_of(env, arguments[2]);
  post(device, command);
  return NULL;
}

/* upload(device, index, bytes: Uint8Array) */
static napi_value call_upload(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 3)
  Device *device = device_of(env, arguments[0]);
  if (device == NULL) return NULL;
  Bytes source = bytes_of(env, arguments[2]);
  COMMAND(command, COMMAND_ADOPT, unsigned_of(env, arguments[1]), 0)
  command->bytes = source.bytes;
  command->block = queue_allocate(device->queue, source.bytes);
  if (command->block != NULL && source.bytes > 0) memcpy(command->block, source.data, source.bytes);
  post(device, command);
  return NULL;
}

/* load(device, index, program: Uint8Array, slots, flags: Uint8Array, arenaBytes, alone) */
static napi_value call_load(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 7)
  Device *device = device_of(env, arguments[0]);
  if (device == NULL) return NULL;
  Bytes encoded = bytes_of(env, arguments[2]), flags = bytes_of(env, arguments[4]);
  COMMAND(command, COMMAND_LOAD, unsigned_of(env, arguments[1]), 0)
  LoadedProgram *program = &command->program;
  program->bytes = encoded.bytes;
  program->slots = unsigned_of(env, arguments[3]);
  program->flag_bytes = flags.bytes;
  program->arena_bytes = (uint64_t)number_of(env, arguments[5]);
  program->alone = (int32_t)unsigned_of(env, arguments[6]);
  program->block = queue_allocate(device->queue, program_bytes(program));
  if (program->block != NULL) {
    if (encoded.bytes > 0) memcpy(program->block, encoded.data, encoded.bytes);
    if (flags.bytes > 0) memcpy(program->block + flags_offset(program), flags.data, flags.bytes);
  }
  post(device, command);
  return NULL;
}

/* free(device, index) */
static napi_value call_free(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 2)
  Device *device = device_of(env, arguments[0]);
  if (device == NULL) return NULL;
  COMMAND(command, COMMAND_FREE, unsigned_of(env, arguments[1]), 0)
  post(device, command);
  return NULL;
}

/* submit(device, program, bindings: Uint8Array over uint32, scalars: Uint8Array): whether it has been done already */
static napi_value call_submit(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 4)
  Device *device = device_of(env, arguments[0]);
  if (device == NULL) return NULL;
  Bytes bindings = bytes_of(env, arguments[2]), scalars = bytes_of(env, arguments[3]);
  COMMAND(command, COMMAND_SUBMIT, unsigned_of(env, arguments[1]), align_to_8(scalars.bytes) + bindings.bytes)
  command->scalar_bytes = scalars.bytes;
  command->count = (uint32_t)(bindings.bytes / 4);
  if (scalars.bytes > 0) memcpy(command->payload, scalars.data, scalars.bytes);
  if (bindings.bytes > 0) memcpy(command->payload + align_to_8(scalars.bytes), bindings.data, bindings.bytes);
  /* Who has not waited for the one before may have other things to do while this one runs. */
  bool awaited = device->awaited;
  device->awaited = false;
  if (awaited) return boolean(env, post_awaited(device, command));
  post(device, command);
  return boolean(env, false);
}

/*
 * A command over a target, which is kept alive until the reply; until then it is not to be changed or, where it is filled, looked
 * at. NULL and an exception where there is none.
 */
static Command *command_over(napi_env env, CommandKind kind, uint32_t index, napi_value target, double offset) {
  Bytes bytes = bytes_of(env, target);
  Command *command = kind == COMMAND_MEMORY && bytes.bytes < 5 * sizeof(double) ? NULL : queue_command(kind, index, 0);
  if (command == NULL) {
    fail_call(env, "out of memory, or too short an array");
    return NULL;
  }
  command->offset = (uint64_t)offset;
  napi_ref reference = NULL;
  napi_create_reference(env, target, 1, &reference);
  command->owner = reference;
  command->target = bytes.data;
  command->bytes = bytes.bytes;
  return command;
}

/* write(device, index, bytes: Uint8Array, offset) */
static napi_value call_write(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 4)
  Device *device = device_of(env, arguments[0]);
  if (device == NULL) return NULL;
  Command *command =
      command_over(env, COMMAND_WRITE, unsigned_of(env, arguments[1]), arguments[2], number_of(env, arguments[3]));
  if (command != NULL) post(device, command);
  return NULL;
}

/* read(device, index, target: ArrayBuffer): whether it has been done already */
static napi_value call_read(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 3)
  Device *device = device_of(env, arguments[0]);
  if (device == NULL) return NULL;
  Command *command = command_over(env, COMMAND_READ, unsigned_of(env, arguments[1]), arguments[2], 0);
  if (command == NULL) return NULL;
  bool done = post_awaited(device, command);
  if (done) device->awaited = true;
  return boolean(env, done);
}

/* memory(device, target: ArrayBuffer of five float64) */
static napi_value call_memory(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 2)
  Device *device = device_of(env, arguments[0]);
  Command *command = device == NULL ? NULL : command_over(env, COMMAND_MEMORY, 0, arguments[1], 0);
  if (command != NULL) post(device, command);
  return NULL;
}

/* tellCollector(device, bytes): what is held outside the heap of JavaScript, all in all. */
static napi_value call_tell_collector(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 2)
  Device *device = device_of(env, arguments[0]);
  if (device != NULL) tell_collector(device, (int64_t)number_of(env, arguments[1]));
  return NULL;
}

/* abort(device) */
static napi_value call_abort(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 1)
  Device *device = device_of(env, arguments[0]);
  if (device != NULL) queue_abort(device->queue);
  return NULL;
}

/* close(device): the last call. */
static napi_value call_close(napi_env env, napi_callback_info info) {
  ARGUMENTS(env, info, 1)
  Device *device = device_of(env, arguments[0]);
  if (device == NULL) return NULL;
  COMMAND(command, COMMAND_CLOSE, 0, 0)
  post(device, command);
  return NULL;
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback call;
  } calls[] = {
      {"isas", call_isas},     {"create", call_create}, {"allocate", call_allocate}, {"upload", call_upload},
      {"load", call_load},     {"free", call_free},     {"submit", call_submit},     {"write", call_write},
      {"read", call_read},     {"memory", call_memory}, {"abort", call_abort},       {"close", call_close},
      {"tellCollector", call_tell_collector},
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    napi_value function;
    napi_create_function(env, calls[i].name, NAPI_AUTO_LENGTH, calls[i].call, NULL, &function);
    napi_set_named_property(env, exports, calls[i].name, function);
  }
  napi_value hash;
  napi_create_uint32(env, FOVEA_SCHEMA_HASH, &hash);
  napi_set_named_property(env, exports, "schemaHash", hash);
  return exports;
}
