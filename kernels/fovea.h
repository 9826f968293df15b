/*
 * What every kernel sees: vectors, the context of a running program, and how work is shared among threads.
 *
 * The kernels are compiled as one translation unit (all.c) once per instruction set, so everything is static and the
 * vector width is a constant. GCC and Clang; no library functions except memcpy and memset.
 *
 * A kernel is called once per thread with the same step. It writes only its own share of the output, and how it splits
 * a *sum* never depends on the number of threads: the same program gives the same bits with any number of them.
 */
#ifndef FOVEA_H
#define FOVEA_H

#include <stddef.h>
#include <stdint.h>

#include "generated/schema.h"

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#define RESTRICT __restrict__

/* Vectors: VW lanes of float32 or int32, with the arithmetic operators of GCC's vector extensions. */
#if defined(__AVX512F__)
#define VW 16
#elif defined(__AVX2__)
#define VW 8
#else
#define VW 4
#endif

typedef float vf __attribute__((vector_size(4 * VW)));
typedef int32_t vi __attribute__((vector_size(4 * VW)));
typedef uint32_t vu __attribute__((vector_size(4 * VW)));
/* The same at any address that is a multiple of four. */
typedef float vf_any __attribute__((vector_size(4 * VW), aligned(4), may_alias));
typedef int32_t vi_any __attribute__((vector_size(4 * VW), aligned(4), may_alias));

INLINE vf load(const float *p) { return *(const vf_any *)p; }
INLINE void store(float *p, vf v) { *(vf_any *)p = v; }
INLINE vi load_int(const int32_t *p) { return *(const vi_any *)p; }
INLINE void store_int(int32_t *p, vi v) { *(vi_any *)p = v; }
INLINE vf splat(float x) { return x - (vf){}; }
INLINE vi splat_int(int32_t x) { return x - (vi){}; }

/* a * b + c: one rounding where the instruction set has it, two elsewhere (-ffp-contract=off keeps it that way). */
#if defined(__AVX512F__)
#include <immintrin.h>
INLINE vf fma_(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
#elif defined(__FMA__)
#include <immintrin.h>
INLINE vf fma_(vf a, vf b, vf c) { return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
#elif defined(__aarch64__)
#include <arm_neon.h>
INLINE vf fma_(vf a, vf b, vf c) { return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
#elif defined(__wasm_relaxed_simd__)
#include <wasm_simd128.h>
INLINE vf fma_(vf a, vf b, vf c) { return (vf)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c); }
#else
INLINE vf fma_(vf a, vf b, vf c) { return a * b + c; }
#endif

/* mask ? a : b, lane by lane; comparisons of vectors give such masks (0 or -1). */
INLINE vf select_(vi mask, vf a, vf b) {
#if VW == 8
  return (vf)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask);
#elif defined(__wasm_relaxed_simd__)
  return (vf)wasm_i32x4_relaxed_laneselect((v128_t)a, (v128_t)b, (v128_t)mask);
#else
  return (vf)((mask & (vi)a) | (~mask & (vi)b));
#endif
}
INLINE vi select_int(vi mask, vi a, vi b) { return (mask & a) | (~mask & b); }

INLINE int32_t min_int(int32_t a, int32_t b) { return a < b ? a : b; }
INLINE int32_t max_int(int32_t a, int32_t b) { return a > b ? a : b; }
INLINE int32_t ceil_div(int32_t a, int32_t b) { return (a + b - 1) / b; }

/* Data that a kernel cannot use. Codes are known to src/backends/cpu/status.ts. */
enum { FOVEA_INDEX_OUT_OF_RANGE = 1 };

typedef struct {
  int32_t lock;
  int32_t code;    /* 0 while all is well */
  int32_t step;    /* number of the step that reported */
  int32_t element; /* index of the first offending element */
  int32_t value;   /* the value found there */
  int32_t limit;   /* what it had to stay below */
} Status;

typedef struct {
  const uint8_t *program; /* the encoded program: lists and epilogues are byte offsets from here */
  uint8_t *const *slots;  /* base address of the arena (0) and of each binding */
  Status *status;
  uint8_t *const *locals; /* addresses of buffers in LOCAL_SLOT: those of the blocked step that runs this one */
  int32_t *late_pieces; /* pieces of this step that have been given to whoever was free (next_share) */
  int32_t thread;
  int32_t threads;
  int32_t step;
} Context;

typedef void (*Kernel)(const Context *context, const void *step);

/* Reports a data error. Of several in one step the one with the smallest element index is kept. */
static void report(const Context *context, int32_t code, int32_t element, int32_t value, int32_t limit);

INLINE void *address(const Context *context, BufferRef buffer) {
  if (buffer.slot == 0xffffffffu) return NULL;
  if (buffer.slot == LOCAL_SLOT) return context->locals[buffer.offset];
  return context->slots[buffer.slot] + (size_t)buffer.offset * 64;
}

/* Of a buffer whose elements from number `first` on are at `at`: its address, as in `locals`. */
INLINE uint8_t *place_of_first(const float *at, int32_t first) {
  return (uint8_t *)((uintptr_t)at - (uintptr_t)first * sizeof(float));
}

INLINE float *floats(const Context *context, BufferRef buffer) { return (float *)address(context, buffer); }
INLINE int32_t *ints(const Context *context, BufferRef buffer) { return (int32_t *)address(context, buffer); }

/* Records of a list field, and the elementwise step of an epilogue field (NULL for none). */
#define RECORDS(context, type, list) ((const type *)((context)->program + (list).offset))
#define EPILOGUE(context, field) ((field) == 0 ? NULL : (const ElementwiseStep *)((context)->program + (field)))

/* This thread's share of `count` units: an even split into contiguous ranges. */
typedef struct {
  int32_t begin, end;
} Range;

INLINE Range share(const Context *context, int32_t count) {
  int64_t n = count;
  Range r = {(int32_t)(n * context->thread / context->threads), (int32_t)(n * (context->thread + 1) / context->threads)};
  return r;
}

/*
 * For steps of many units: after most of its own share a thread takes small pieces of what is left of all shares, so that
 * nobody waits long for one who was interrupted. Who computes a unit never changes its result.
 *
 *   for (Range r = first_share(context, count); r.begin < r.end; r = next_share(context, count)) …
 */
enum { LATE_PARTS = 16 }; /* the last quarter of a share, in so many pieces */

INLINE int32_t late_begin(const Context *context, Range own) {
  int32_t units = own.end - own.begin;
  return context->threads == 1 || units < 2 ? own.end : own.end - ceil_div(units, 4);
}

INLINE Range first_share(const Context *context, int32_t count) {
  Range own = share(context, count);
  return (Range){own.begin, late_begin(context, own)};
}

INLINE Range next_share(const Context *context, int32_t count) {
  if (context->threads == 1) return (Range){0, 0};
  for (;;) {
    int32_t piece = __atomic_fetch_add(context->late_pieces, 1, __ATOMIC_RELAXED);
    if (piece >= LATE_PARTS * context->threads) return (Range){0, 0};
    Context other = *context;
    other.thread = piece % context->threads;
    Range own = share(&other, count);
    int64_t begin = late_begin(&other, own), units = own.end - begin;
    int32_t part = piece / context->threads;
    Range late = {(int32_t)(begin + units * part / LATE_PARTS), (int32_t)(begin + units * (part + 1) / LATE_PARTS)};
    if (late.begin < late.end) return late;
  }
}

/*
 * Evaluates an elementwise step for the flat output elements begin … end-1 (elementwise.c). As an epilogue it is called
 * by the kernel that has just written those elements, on the thread that did; step may be NULL.
 */
static void elementwise_range(const Context *context, const ElementwiseStep *step, int32_t begin, int32_t end);

/* Rows of `length` elements, whole vectors, that begin `pitch` elements apart. */
typedef struct {
  int32_t begin, rows, length, pitch;
} Region;

/* The same for the elements of a region. */
static void elementwise_region(const Context *context, const ElementwiseStep *step, Region region);

#endif
