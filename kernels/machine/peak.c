/*
 * What a machine can do at most, for bench/machine.ts: multiply-adds between registers, and bytes read from memory, by
 * so many threads at once. Prints both as JSON, in billions a second. A program of its own, no part of the addon.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

typedef float vector __attribute__((vector_size(VECTOR_BYTES), aligned(VECTOR_BYTES)));

enum {
    LANES = VECTOR_BYTES / sizeof(float),
    /* Enough that no multiply-add waits for another, and few enough for the registers. */
    CHAINS = 12,
    /* Short rounds, of which some are undisturbed. */
    MULTIPLY_ROUNDS = 400,
    LOOPS = 250000,
    READ_ROUNDS = 20,
    READ_BYTES = 1 << 27,
};

struct worker {
    pthread_t thread;
    pthread_barrier_t *barrier;
    const vector *memory;
    /* Keeps the compiler from leaving the work out. */
    float result;
    double multiply_seconds;
    double read_seconds;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static float sum_of(vector value)
{
    float sum = 0;
    for (int lane = 0; lane < LANES; lane++)
        sum += value[lane];
    return sum;
}

/* Chains begin with different numbers: equal ones would be computed once. */
static float multiply_add(float factor, float summand)
{
    vector chains[CHAINS] = {{0}}, factors = {0}, summands = {0};
    for (int lane = 0; lane < LANES; lane++) {
        factors[lane] = factor;
        summands[lane] = summand;
        for (int chain = 0; chain < CHAINS; chain++)
            chains[chain][lane] = chain + lane;
    }
    for (long loop = 0; loop < LOOPS; loop++)
        for (int chain = 0; chain < CHAINS; chain++)
            chains[chain] = chains[chain] * factors + summands;
    float sum = 0;
    for (int chain = 0; chain < CHAINS; chain++)
        sum += sum_of(chains[chain]);
    return sum;
}

static float read_all(const vector *memory)
{
    vector sums[8] = {{0}};
    for (size_t i = 0; i < READ_BYTES / sizeof(vector); i += 8)
        for (int chain = 0; chain < 8; chain++)
            sums[chain] += memory[i + chain];
    float sum = 0;
    for (int chain = 0; chain < 8; chain++)
        sum += sum_of(sums[chain]);
    return sum;
}

/* The least time of all rounds. */
static void *work(void *argument)
{
    struct worker *worker = argument;
    worker->multiply_seconds = worker->read_seconds = 1e9;
    for (int round = 0; round < MULTIPLY_ROUNDS + READ_ROUNDS; round++) {
        bool reads = round >= MULTIPLY_ROUNDS;
        double *least = reads ? &worker->read_seconds : &worker->multiply_seconds;
        pthread_barrier_wait(worker->barrier);
        double begun = now();
        worker->result += reads ? read_all(worker->memory) : multiply_add(0.5f, 1);
        double seconds = now() - begun;
        *least = seconds < *least ? seconds : *least;
    }
    return NULL;
}

int main(int count, char **words)
{
    int threads = count > 1 ? atoi(words[1]) : 1;
    if (threads < 1 || threads > 1024)
        return 1;
    struct worker *workers = calloc(threads, sizeof(struct worker));
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, threads);
    for (int i = 0; i < threads; i++) {
        float *memory = aligned_alloc(64, READ_BYTES);
        if (memory == NULL)
            return 1;
        for (size_t at = 0; at < READ_BYTES / sizeof(float); at++)
            memory[at] = 1;
        workers[i].barrier = &barrier;
        workers[i].memory = (const vector *)memory;
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    double multiply_rate = 0, read_rate = 0;
    float result = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        result += workers[i].result;
        multiply_rate += 2.0 * LOOPS * CHAINS * LANES / workers[i].multiply_seconds;
        read_rate += READ_BYTES / workers[i].read_seconds;
    }
    printf("{\"gigaflops\": %.1f, \"gigabytes\": %.1f, \"check\": %g}\n", multiply_rate / 1e9, read_rate / 1e9, result);
    return 0;
}
