/*
 * Random numbers as a pure function of seed, draw and element: Philox4x32-10, the same bits as src/core/philox.ts.
 * Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 *
 * A lane computes one block of four words, which belong to four neighbouring elements.
 */
#include "fovea.h"
#include "vector_math.h"

/* Elements that a thread takes at once; whole vectors of blocks for every vector width. */
#define RANDOM_UNIT 1024

typedef uint64_t v_wide __attribute__((vector_size(4 * VW)));

INLINE vu splat_word(uint32_t x) { return (vu)splat_int((int32_t)x); }

/* Both halves of the products of words with one number. */
INLINE void multiply_words(vu a, uint32_t by, vu *high, vu *low) {
#if defined(__SSE2__)
  vu m = splat_word(by);
#if VW == 16
  v_wide even = (v_wide)_mm512_mul_epu32((__m512i)a, (__m512i)m);
  v_wide odd = (v_wide)_mm512_mul_epu32((__m512i)((v_wide)a >> 32), (__m512i)m);
#elif VW == 8
  v_wide even = (v_wide)_mm256_mul_epu32((__m256i)a, (__m256i)m);
  v_wide odd = (v_wide)_mm256_mul_epu32((__m256i)((v_wide)a >> 32), (__m256i)m);
#else
  v_wide even = (v_wide)_mm_mul_epu32((__m128i)a, (__m128i)m);
  v_wide odd = (v_wide)_mm_mul_epu32((__m128i)((v_wide)a >> 32), (__m128i)m);
#endif
  v_wide lower = (v_wide){} + 0xffffffffu;
  *high = (vu)((even >> 32) | (odd & ~lower));
  *low = (vu)((even & lower) | (odd << 32));
#elif defined(__aarch64__)
  uint32x4_t m = vdupq_n_u32(by);
  uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32((uint32x4_t)a), vget_low_u32(m)));
  uint32x4_t second = vreinterpretq_u32_u64(vmull_high_u32((uint32x4_t)a, m));
  *high = (vu)vuzp2q_u32(first, second);
  *low = (vu)vuzp1q_u32(first, second);
#elif defined(__wasm_simd128__)
  /* Of a number that it knows Clang would make slow products of 64 bits: it must look as if it came from memory. */
  const uint32_t factors[4] = {by, by, by, by}, *hidden = factors;
  __asm__ volatile("" : "+r"(hidden) : : "memory");
  v128_t m = wasm_v128_load(hidden);
  v128_t first = wasm_u64x2_extmul_low_u32x4((v128_t)a, m);
  v128_t second = wasm_u64x2_extmul_high_u32x4((v128_t)a, m);
  *high = (vu)wasm_i32x4_shuffle(first, second, 1, 3, 5, 7);
  *low = (vu)wasm_i32x4_shuffle(first, second, 0, 2, 4, 6);
#else
  for (int lane = 0; lane < VW; lane++) (*high)[lane] = (uint32_t)((uint64_t)a[lane] * by >> 32);
  *low = a * splat_word(by);
#endif
}

/* Seed and draw, as they stand in the input tensor. */
typedef struct {
  uint32_t seed[2], draw[2];
} Draw;

/* The words of the blocks with these numbers. */
INLINE void philox(const Draw *draw, vu blocks, vu words[4]) {
  vu c0 = blocks, c1 = splat_word(0), c2 = splat_word(draw->draw[0]), c3 = splat_word(draw->draw[1]);
  uint32_t k0 = draw->seed[0], k1 = draw->seed[1];
  for (int round = 0; round < 10; round++) {
    vu high0, low0, high1, low1;
    multiply_words(c0, 0xd2511f53u, &high0, &low0);
    multiply_words(c2, 0xcd9e8d57u, &high1, &low1);
    c0 = high1 ^ c1 ^ splat_word(k0);
    c1 = low1;
    c2 = high0 ^ c3 ^ splat_word(k1);
    c3 = low0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/* In [0, 1), from the upper 24 bits. */
INLINE vf unit_of(vu word) { return int_to_float((vi)(word >> 8)) * splat(5.9604644775390625e-8f); }

/* Box & Muller (1958): two independent normal numbers from two words. */
INLINE void normal_pair(vu a, vu b, vf *first, vf *second) {
  vf radius = sqrt_(splat(-2.0f) * log_(splat(1.0f) - unit_of(a)));
  /* The angle in quarter turns, exactly reduced to half a quarter. */
  vf quarters = unit_of(b) * splat(4.0f);
  vf sum = quarters + splat(ROUNDING);
  vf r = (quarters - (sum - splat(ROUNDING))) * splat(1.57079633f);
  vi q = rounded_bits(sum);
  *first = radius * cosine_of_reduced(r, q);
  *second = radius * sine_of_reduced(r, q);
}

/* Shuffles within every four lanes: 0 … 3 name those of a, 4 … 7 those of b. */
#define QUAD_LANE(e, q) (4 * (q) + ((e) & 3) + ((e) >> 2) * VW)
#define QUAD(e0, e1, e2, e3, q) QUAD_LANE(e0, q), QUAD_LANE(e1, q), QUAD_LANE(e2, q), QUAD_LANE(e3, q)
#if VW == 16
#define SHUFFLE_QUADS(a, b, ...) \
  __builtin_shufflevector(a, b, QUAD(__VA_ARGS__, 0), QUAD(__VA_ARGS__, 1), QUAD(__VA_ARGS__, 2), QUAD(__VA_ARGS__, 3))
#elif VW == 8
#define SHUFFLE_QUADS(a, b, ...) __builtin_shufflevector(a, b, QUAD(__VA_ARGS__, 0), QUAD(__VA_ARGS__, 1))
#else
#define SHUFFLE_QUADS(a, b, ...) __builtin_shufflevector(a, b, QUAD(__VA_ARGS__, 0))
#endif

/* Stores one number of each kind for each lane: four to a block, in the order of block_numbers(). */
INLINE void store_blocks(float *out, const vf numbers[4]) {
  vf low01 = SHUFFLE_QUADS(numbers[0], numbers[1], 0, 4, 1, 5), low23 = SHUFFLE_QUADS(numbers[2], numbers[3], 0, 4, 1, 5);
  vf high01 = SHUFFLE_QUADS(numbers[0], numbers[1], 2, 6, 3, 7), high23 = SHUFFLE_QUADS(numbers[2], numbers[3], 2, 6, 3, 7);
  store(out, SHUFFLE_QUADS(low01, low23, 0, 1, 4, 5));
  store(out + VW, SHUFFLE_QUADS(low01, low23, 2, 3, 6, 7));
  store(out + 2 * VW, SHUFFLE_QUADS(high01, high23, 0, 1, 4, 5));
  store(out + 3 * VW, SHUFFLE_QUADS(high01, high23, 2, 3, 6, 7));
}

/* Which block each lane computes, so that shuffles within four lanes put them in order. */
INLINE vu block_numbers(void) {
  int32_t numbers[VW];
  for (int32_t lane = 0; lane < VW; lane++) numbers[lane] = lane % 4 * (VW / 4) + lane / 4;
  return (vu)load_int(numbers);
}

INLINE void random_range(const int normal, const Draw *draw, float *out, int32_t begin, int32_t end) {
  vu numbers = block_numbers();
  for (int32_t i = begin; i < end; i += 4 * VW) {
    vu words[4];
    vf results[4];
    philox(draw, numbers + splat_word((uint32_t)i / 4), words);
    if (normal) {
      normal_pair(words[0], words[1], results + 0, results + 1);
      normal_pair(words[2], words[3], results + 2, results + 3);
    } else {
      for (int k = 0; k < 4; k++) results[k] = unit_of(words[k]);
    }
    if (end - i >= 4 * VW) {
      store_blocks(out + i, results);
    } else {
      float last[4 * VW];
      store_blocks(last, results);
      __builtin_memcpy(out + i, last, (size_t)(end - i) * 4);
    }
  }
}

static void kernel_random(const Context *context, const RandomStep *step) {
  Draw draw;
  __builtin_memcpy(&draw, address(context, step->draw), sizeof draw);
  int32_t count = step->count, units = count / RANDOM_UNIT + (count % RANDOM_UNIT > 0);
  Range own = share(context, units);
  const ElementwiseStep *epilogue = EPILOGUE(context, step->epilogue);
  float block[RANDOM_UNIT + VW] = {0};
  uint8_t *place = NULL;
  Context local = *context;
  int32_t is_local = step->output.slot == LOCAL_SLOT;
  if (is_local) local.locals = &place;
  for (int32_t unit = own.begin; unit < own.end; unit++) {
    int32_t begin = unit * RANDOM_UNIT, end = unit + 1 == units ? count : begin + RANDOM_UNIT;
    if (is_local) place = place_of_first(block, begin);
    float *out = floats(&local, step->output);
    if (step->normal) {
      random_range(1, &draw, out, begin, end);
    } else {
      random_range(0, &draw, out, begin, end);
    }
    elementwise_range(&local, epilogue, begin, end);
  }
}
