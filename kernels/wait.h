/*
 * How threads wait for one another: a word that is set by one and watched by others, who spin for a moment and then
 * sleep. Futexes on Linux, memory.atomic.wait32 in WebAssembly, one condition variable elsewhere; nothing at all in
 * WebAssembly without shared memory, where there is only one thread.
 */
#ifndef FOVEA_WAIT_H
#define FOVEA_WAIT_H

#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("isb")
#else
#define PAUSE() ((void)0)
#endif

/* sleep_while: may return early; returns at once if the word no longer has that value. */
#if defined(__wasm__)

#if defined(__wasm_atomics__)
static inline void sleep_while(int32_t *word, int32_t value) { __builtin_wasm_memory_atomic_wait32(word, value, -1); }
static inline void wake_all(int32_t *word) { __builtin_wasm_memory_atomic_notify(word, 0xffffffffu); }
#else
static inline void sleep_while(int32_t *word, int32_t value) { (void)word, (void)value; }
static inline void wake_all(int32_t *word) { (void)word; }
#endif

#elif defined(__linux__) && !defined(FOVEA_NO_FUTEX)

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As in linux/futex.h, which not every system with a compiler has. */
enum { FUTEX_WAIT_HERE = 0 | 128, FUTEX_WAKE_HERE = 1 | 128 };

static inline void sleep_while(int32_t *word, int32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_HERE, value, NULL, NULL, 0);
}
static inline void wake_all(int32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_HERE, INT32_MAX, NULL, NULL, 0); }

#else

#include <pthread.h>

/* Defined in pool.c: one lock for all sleepers, who look at their own word again when they wake. */
extern pthread_mutex_t fovea_sleep_mutex;
extern pthread_cond_t fovea_sleep_condition;

static inline void sleep_while(int32_t *word, int32_t value) {
  pthread_mutex_lock(&fovea_sleep_mutex);
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value) pthread_cond_wait(&fovea_sleep_condition, &fovea_sleep_mutex);
  pthread_mutex_unlock(&fovea_sleep_mutex);
}
static inline void wake_all(int32_t *word) {
  (void)word;
  pthread_mutex_lock(&fovea_sleep_mutex);
  pthread_cond_broadcast(&fovea_sleep_condition);
  pthread_mutex_unlock(&fovea_sleep_mutex);
}

#endif

#ifndef __wasm__
#include <sched.h>
#include <time.h>

static inline int64_t clock_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}
#endif

/* On a cache line of its own, because its watchers read it all the time. */
typedef struct {
  _Alignas(64) int32_t value;
  int32_t sleepers;
} Signal;

static inline int32_t signal_value(Signal *signal) { return __atomic_load_n(&signal->value, __ATOMIC_ACQUIRE); }

/*
 * Publishes `value`. Sequential consistency on both sides: either this sees the sleeper's announcement, or the sleeper,
 * who announces itself first, sees the new value.
 */
static inline void signal_set(Signal *signal, int32_t value) {
  __atomic_store_n(&signal->value, value, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&signal->sleepers, __ATOMIC_SEQ_CST) != 0) wake_all(&signal->value);
}

/*
 * How often to look at a word before going to sleep, and for how long, after that, to look on while anybody else who wants
 * the core may have it. Both are for threads that run at the same time; while they keep failing, because threads share a
 * core or somebody else has the other one, only every 64th wait tries them at length.
 */
typedef struct {
  int32_t spins;
  int32_t yield_nanoseconds;
  int32_t failures; /* in a row */
  uint32_t waits;
} Patience;

static inline int32_t is_patient(Patience *patience) {
  if (__atomic_load_n(&patience->failures, __ATOMIC_RELAXED) < 8) return 1;
  return __atomic_fetch_add(&patience->waits, 1, __ATOMIC_RELAXED) % 64 == 0;
}

/* Looks for a value that is no longer `seen`; returns whether there is one. */
static inline int32_t signal_watch(Signal *signal, int32_t seen, int32_t spins, int32_t nanoseconds) {
  for (int32_t i = 0; i < spins; i++) {
    if (signal_value(signal) != seen) return 1;
    PAUSE();
  }
#ifndef __wasm__
  if (nanoseconds == 0) return 0;
  for (int64_t end = clock_nanoseconds() + nanoseconds; clock_nanoseconds() < end; sched_yield()) {
    if (signal_value(signal) != seen) return 1;
  }
#else
  (void)nanoseconds;
#endif
  return 0;
}

/* Waits until the value is no longer `seen`, and returns the new one. */
static inline int32_t signal_wait(Signal *signal, int32_t seen, Patience *patience) {
  int32_t share = is_patient(patience) ? 1 : 32;
  if (signal_watch(signal, seen, patience->spins / share, patience->yield_nanoseconds / share)) {
    if (__atomic_load_n(&patience->failures, __ATOMIC_RELAXED) != 0) {
      __atomic_store_n(&patience->failures, 0, __ATOMIC_RELAXED);
    }
    return signal_value(signal);
  }
  __atomic_fetch_add(&patience->failures, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&signal->sleepers, 1, __ATOMIC_SEQ_CST);
  int32_t value;
  while ((value = __atomic_load_n(&signal->value, __ATOMIC_SEQ_CST)) == seen) sleep_while(&signal->value, seen);
  __atomic_fetch_sub(&signal->sleepers, 1, __ATOMIC_SEQ_CST);
  return value;
}

#endif
