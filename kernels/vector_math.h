/*
 * Elementary functions on vectors, to within 4 units in the last place (mostly 1 to 2; tanh: 6) over all of float32,
 * infinities, NaN and denormals included.
 *
 * Every lane goes through the same operations, so a result depends on nothing but its own argument. Polynomials in the
 * manner of Cephes (S. L. Moshier, netlib.org/cephes).
 */
#ifndef FOVEA_VECTOR_MATH_H
#define FOVEA_VECTOR_MATH_H

#include "fovea.h"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#define FLOAT_INFINITY __builtin_inff()
#define FLOAT_NAN __builtin_nanf("")

INLINE vf int_to_float(vi x) { return __builtin_convertvector(x, vf); }

INLINE vf sqrt_(vf x) {
#if defined(__AVX512F__)
  return (vf)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
  return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
  return (vf)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
  return (vf)vsqrtq_f32((float32x4_t)x);
#elif defined(__wasm_simd128__)
  return (vf)wasm_f32x4_sqrt((v128_t)x);
#else
  for (int lane = 0; lane < VW; lane++) x[lane] = __builtin_sqrtf(x[lane]);
  return x;
#endif
}

INLINE vi sign_bits(vf x) { return (vi)x & splat_int(INT32_MIN); }
INLINE vf absolute_(vf x) { return (vf)((vi)x & splat_int(INT32_MAX)); }
INLINE vf with_sign(vf magnitude, vi sign) { return (vf)((vi)magnitude | sign); }

/* a > b ? a : b, so b where either is NaN. */
INLINE vf larger(vf a, vf b) {
#if defined(__AVX512F__)
  return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
  return (vf)_mm_max_ps((__m128)a, (__m128)b);
#elif defined(__wasm_simd128__)
  return (vf)wasm_f32x4_pmax((v128_t)b, (v128_t)a);
#else
  return select_(a > b, a, b);
#endif
}

/* a < b ? a : b, so b where either is NaN. */
INLINE vf smaller(vf a, vf b) {
#if defined(__AVX512F__)
  return (vf)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (vf)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
  return (vf)_mm_min_ps((__m128)a, (__m128)b);
#elif defined(__wasm_simd128__)
  return (vf)wasm_f32x4_pmin((v128_t)b, (v128_t)a);
#else
  return select_(a < b, a, b);
#endif
}

/* The larger, or NaN if either is NaN. */
INLINE vf maximum_(vf a, vf b) { return select_(a != a, a, larger(a, b)); }
INLINE vf minimum_(vf a, vf b) { return select_(a != a, a, smaller(a, b)); }

/* Towards zero; what int32 cannot hold becomes its nearest value, NaN becomes 0. */
INLINE vi float_to_int(vf x) {
  vi fits = absolute_(x) < splat(2147483648.0f);
  vi limit = select_int(x > splat(0), splat_int(INT32_MAX), splat_int(INT32_MIN)) & (x == x);
  return select_int(fits, __builtin_convertvector(select_(fits, x, splat(0)), vi), limit);
}

/* x / y towards zero; 0 where y is 0. Lanes on which the processor's division would trap are divided by 1. */
INLINE vi quotient_(vi x, vi y) {
  vi by_zero = y == splat_int(0), by_minus_one = y == splat_int(-1);
  vi quotient = x / select_int(by_zero | by_minus_one, splat_int(1), y);
  return select_int(by_minus_one, (vi)(-(vu)x), quotient) & ~by_zero;
}

INLINE vf floor_(vf x) {
  /* From 2^23 on every float is an integer. */
  vi small = absolute_(x) < splat(8388608.0f);
  vf whole = int_to_float(__builtin_convertvector(select_(small, x, splat(0)), vi));
  whole -= (vf)((whole > x) & (vi)splat(1.0f));
  return select_(small, with_sign(whole, sign_bits(x)), x);
}

/* Adding this and taking it away rounds to the nearest integer, which also stands in the low bits of the sum. */
#define ROUNDING 12582912.0f

INLINE vi rounded_bits(vf sum) { return (vi)((vu)sum - (vu)splat(ROUNDING)); }

INLINE vf power_of_two(vi n) { return (vf)((vu)(n + splat_int(127)) << 23); }

/* x * 2^n for n from -252 to 254, in two factors so that the result may overflow or become denormal. */
INLINE vf scale_by_power(vf x, vi n) {
  vi half = n >> 1;
  return x * power_of_two(half) * power_of_two(n - half);
}

/* exp(x) = 2^exponent * (1 + fraction). */
typedef struct {
  vi exponent;
  vf fraction;
} Exponential;

INLINE Exponential split_exponential(vf x) {
  vf sum = fma_(x, splat(1.44269504f), splat(ROUNDING));
  vf n = sum - splat(ROUNDING);
  /* ln 2 in two parts; products with the first, of nine bits, are exact. */
  vf r = fma_(n, splat(-0.693359375f), x);
  r = fma_(n, splat(2.12194440e-4f), r);
  vf p = splat(1.9875691500e-4f);
  p = fma_(p, r, splat(1.3981999507e-3f));
  p = fma_(p, r, splat(8.3334519073e-3f));
  p = fma_(p, r, splat(4.1665795894e-2f));
  p = fma_(p, r, splat(1.6666665459e-1f));
  p = fma_(p, r, splat(5.0000001201e-1f));
  return (Exponential){rounded_bits(sum), fma_(p, r * r, r)};
}

INLINE vf exp_(vf x) {
  x = larger(splat(-104.5f), smaller(splat(89.0f), x));
  Exponential e = split_exponential(x);
  return scale_by_power(e.fraction + splat(1.0f), e.exponent);
}

/* x = mantissa * 2^exponent, mantissa in [sqrt(1/2), sqrt(2)), for positive finite x. */
INLINE vf split_exponent(vf x, vi *exponent) {
  vi denormal = x < splat(1.17549435e-38f);
  vu bits = (vu)select_(denormal, x * splat(33554432.0f), x);
  vi e = (vi)(bits - (vu)splat_int(0x3f3504f3)) >> 23;
  *exponent = e - (denormal & splat_int(25));
  return (vf)(bits - ((vu)e << 23));
}

INLINE vf log_(vf x) {
  vi exponent;
  vf f = split_exponent(x, &exponent) - splat(1.0f);
  vf n = int_to_float(exponent);
  vf z = f * f;
  vf p = splat(7.0376836292e-2f);
  p = fma_(p, f, splat(-1.1514610310e-1f));
  p = fma_(p, f, splat(1.1676998740e-1f));
  p = fma_(p, f, splat(-1.2420140846e-1f));
  p = fma_(p, f, splat(1.4249322787e-1f));
  p = fma_(p, f, splat(-1.6668057665e-1f));
  p = fma_(p, f, splat(2.0000714765e-1f));
  p = fma_(p, f, splat(-2.4999993993e-1f));
  p = fma_(p, f, splat(3.3333331174e-1f));
  p *= f * z;
  p = fma_(n, splat(-2.12194440e-4f), p);
  p = fma_(z, splat(-0.5f), p);
  vf result = fma_(n, splat(0.693359375f), f + p);
  result = select_(x == splat(FLOAT_INFINITY), x, result);
  result = select_(x == splat(0), splat(-FLOAT_INFINITY), result);
  return select_(x >= splat(0), result, splat(FLOAT_NAN));
}

/* exp(x) - 1 without cancellation near 0: with exp(x) = 2^n * (1 + f) it is (2^n - 1) + 2^n * f. */
INLINE vf expm1_(vf x) {
  vi moderate = absolute_(x) < splat(64.0f);
  Exponential e = split_exponential(select_(moderate, x, splat(0)));
  vf scale = power_of_two(e.exponent);
  return select_(moderate, fma_(scale, e.fraction, scale - splat(1.0f)), exp_(x) - splat(1.0f));
}

/* log(1 + x): the logarithm of the rounded sum, corrected by what was rounded away (W. Kahan). */
INLINE vf log1p_(vf x) {
  vf sum = x + splat(1.0f), kept = sum - splat(1.0f);
  vi tiny = kept == splat(0), huge = sum == x;
  vf corrected = log_(sum) * (x / select_(tiny | huge, splat(1.0f), kept));
  return select_(tiny, x, select_(huge | (sum == splat(0)), log_(sum), corrected));
}

/*
 * The error function, 1 - exp(-t * p(t)) of t = |x| up to 4, where it is 1 in float32. The polynomial interpolates
 * -log(erfc(t)) / t at Chebyshev nodes; nothing cancels near 0.
 */
INLINE vf erf_(vf x) {
  vf t = smaller(splat(4.0f), absolute_(x));
  vf p = splat(-1.01397724e-7f);
  p = fma_(p, t, splat(2.55876512e-6f));
  p = fma_(p, t, splat(-2.87435814e-5f));
  p = fma_(p, t, splat(1.88092177e-4f));
  p = fma_(p, t, splat(-7.71879742e-4f));
  p = fma_(p, t, splat(1.82303076e-3f));
  p = fma_(p, t, splat(-2.58150394e-4f));
  p = fma_(p, t, splat(-1.91213861e-2f));
  p = fma_(p, t, splat(1.02773361e-1f));
  p = fma_(p, t, splat(6.3661957e-1f));
  p = fma_(p, t, splat(1.12837923f));
  Exponential e = split_exponential(-t * p);
  vf scale = power_of_two(e.exponent);
  return with_sign(fma_(-scale, e.fraction, splat(1.0f) - scale), sign_bits(x));
}

/*
 * x P(x^2) / Q(x^2), of degree four each: the minimax approximation up to |x| = 8.6, then improved by trial for
 * coefficients and arithmetic of 24 bits. From there on |tanh x| is 1 in float32. Half the time of an exponential; the
 * price is an error of up to 6 units for results near 1.
 */
INLINE vf tanh_(vf x) {
  vf z = smaller(splat(69.5887908f), x * x), square = z * z;
  vf p = fma_(splat(2.11721508e-5f), z, splat(3.52956727e-3f));
  vf q = fma_(splat(3.34134704e-4f), z, splat(2.60060988e-2f));
  p = fma_(fma_(splat(1.41473295e-8f), square, p), square, fma_(splat(0.134095937f), z, splat(1.0f)));
  q = fma_(fma_(splat(8.09801691e-7f), square, q), square, fma_(splat(0.467429191f), z, splat(1.0f)));
  return larger(splat(-1.0f), smaller(splat(1.0f), x * p / q));
}

INLINE vf sigmoid_(vf x) {
  /* The exponential of a negative number never overflows, and keeps small results accurate. */
  vf e = exp_(with_sign(x, splat_int(INT32_MIN)));
  return select_(x < splat(0), e, splat(1.0f)) / (e + splat(1.0f));
}

/* Sine and cosine of r plus q quarter turns, |r| <= pi/4. */
INLINE vf sine_of_reduced(vf r, vi q) {
  vf z = r * r;
  vf s = splat(-1.9515295891e-4f);
  s = fma_(s, z, splat(8.3321608736e-3f));
  s = fma_(s, z, splat(-1.6666654611e-1f));
  s = fma_(s * z, r, r);
  vf c = splat(2.443315711809948e-5f);
  c = fma_(c, z, splat(-1.388731625493765e-3f));
  c = fma_(c, z, splat(4.166664568298827e-2f));
  c = fma_(c * z, z, fma_(z, splat(-0.5f), splat(1.0f)));
  vf v = select_(-(q & splat_int(1)), c, s);
  return (vf)((vi)v ^ (vi)((vu)(q & splat_int(2)) << 30));
}
INLINE vf cosine_of_reduced(vf r, vi q) { return sine_of_reduced(r, (vi)((vu)q + 1)); }

/* Above this, quarter turns are counted exactly, one lane at a time. */
#define LARGE_ANGLE 8192.0f

/*
 * x modulo a quarter turn for any finite |x| >= LARGE_ANGLE (Payne & Hanek 1983): the significand times those 96 bits
 * of 2/pi that matter for the two bits before and the bits behind the point.
 */
NOINLINE float reduce_large_angle(float x, int32_t *quarters) {
  static const uint32_t two_over_pi[] = {0,          0,          0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                         0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561, 0xb7246e3a};
  union {
    float f;
    uint32_t u;
  } bits = {x};
  uint64_t significand = (bits.u & 0x7fffff) | 0x800000;
  /* |x| = significand * 2^(exponent - 150); the first 64 bits of the table are those in front of the point. */
  int32_t position = (int32_t)(bits.u >> 23 & 0xff) - 150 - 2 + 64;
  const uint32_t *words = two_over_pi + position / 32;
  uint64_t window[3];
  for (int i = 0; i < 3; i++) window[i] = (((uint64_t)words[i] << 32 | words[i + 1]) << position % 32) >> 32;
  uint64_t turns = (significand * window[0] << 32) + significand * window[1] + (significand * window[2] >> 32);
  uint64_t nearest = (turns + ((uint64_t)1 << 61)) >> 62;
  float r = (float)((double)(int64_t)(turns - (nearest << 62)) * 3.4061215800865546e-19 /* pi/2 / 2^62 */);
  int32_t q = (int32_t)(nearest & 3);
  *quarters = x < 0 ? -q : q;
  return x < 0 ? -r : r;
}

INLINE int any_lane(vi mask) {
  union {
    vi v;
    uint64_t words[VW / 2];
  } lanes = {mask};
  uint64_t any = 0;
  for (int i = 0; i < VW / 2; i++) any |= lanes.words[i];
  return any != 0;
}

INLINE vf reduce_angle(vf x, vi *quarters) {
  vi large = ~(absolute_(x) < splat(LARGE_ANGLE));
  vf fast = select_(large, splat(0), x);
  vf sum = fma_(fast, splat(0.636619772f), splat(ROUNDING));
  vf n = sum - splat(ROUNDING);
  /* pi/2 in parts of eleven bits: all products but the last are exact, and cancel without loss. */
  vf r = fma_(n, splat(-1.5703125f), fast);
  r = fma_(n, splat(-4.837512969970703e-4f), r);
  r = fma_(n, splat(-7.549533620476723e-8f), r);
  r = fma_(n, splat(-2.563282919e-12f), r);
  r = fma_(n, splat(-6.123233996e-17f), r);
  *quarters = rounded_bits(sum);
  if (__builtin_expect(any_lane(large), 0)) {
    for (int lane = 0; lane < VW; lane++) {
      if (!large[lane]) continue;
      if (x[lane] - x[lane] == 0) {
        int32_t q;
        r[lane] = reduce_large_angle(x[lane], &q);
        (*quarters)[lane] = q;
      } else {
        r[lane] = FLOAT_NAN;
      }
    }
  }
  return r;
}

INLINE vf sin_(vf x) {
  vi q;
  vf r = reduce_angle(x, &q);
  return sine_of_reduced(r, q);
}

INLINE vf cos_(vf x) {
  vi q;
  vf r = reduce_angle(x, &q);
  return cosine_of_reduced(r, q);
}

/* The rounding error of p = a * b, itself a float. */
INLINE vf product_error(vf a, vf b, vf p) {
#if defined(__AVX512F__) || defined(__FMA__) || defined(__aarch64__)
  return fma_(a, b, -p);
#else
  /* Halves of twelve bits (Dekker 1971); relaxed multiply-add promises nothing about rounding. */
  vi high = splat_int((int32_t)0xfffff000u);
  vf ah = (vf)((vi)a & high), bh = (vf)((vi)b & high);
  vf al = a - ah, bl = b - bh;
  return ((ah * bh - p) + ah * bl + al * bh) + al * bl;
#endif
}

/* A sum of two floats, the second the rounding error of the first. */
typedef struct {
  vf high, low;
} Pair;

/* a + b exactly, for |a| >= |b| or a = 0. */
INLINE Pair ordered_sum(vf a, vf b) {
  vf sum = a + b;
  return (Pair){sum, b - (sum - a)};
}

INLINE Pair multiply_pairs(Pair a, Pair b) {
  vf p = a.high * b.high;
  return ordered_sum(p, product_error(a.high, b.high, p) + (a.high * b.low + a.low * b.high));
}

/* log2 of a positive finite number, to about 32 bits. */
INLINE Pair log2_pair(vf x) {
  vi exponent;
  vf m = split_exponent(x, &exponent);
  /* s = (m - 1) / (m + 1); log m = 2 s + 2/3 s^3 + 2/5 s^5 + … */
  vf f = m - splat(1.0f);
  Pair d = ordered_sum(splat(1.0f), m);
  vf quotient = f / d.high;
  vf p = quotient * d.high;
  vf rest = (f - p) - product_error(quotient, d.high, p) - quotient * d.low;
  Pair s = ordered_sum(quotient, rest / d.high);
  Pair z = multiply_pairs(s, s);
  vf t = splat(0.23425461739f);
  t = fma_(t, z.high, splat(0.285468565536f));
  t = fma_(t, z.high, splat(0.400001547727f));
  Pair c = ordered_sum(splat(0.666666686535f), fma_(t, z.high, splat(-1.98682152e-8f)));
  Pair cubic = multiply_pairs(multiply_pairs(z, s), c);
  Pair twice = {s.high * splat(2.0f), s.low * splat(2.0f)};
  Pair log = ordered_sum(twice.high, cubic.high);
  log.low += twice.low + cubic.low;
  Pair log2 = multiply_pairs(log, (Pair){splat(1.44269502f), splat(1.92596299e-8f)});
  Pair result = ordered_sum(int_to_float(exponent), log2.high);
  result.low += log2.low;
  return ordered_sum(result.high, result.low);
}

/* x to the power y, with the special cases of C's pow. */
INLINE vf power_(vf x, vf y) {
  vf infinity = splat(FLOAT_INFINITY), one = splat(1.0f), zero = splat(0);
  vf magnitude = absolute_(x), exponent = absolute_(y);
  vi finite = (magnitude > zero) & (magnitude < infinity);
  Pair log2 = log2_pair(select_(finite, magnitude, one));
  vf limit = select_(magnitude == zero, -infinity, infinity);
  log2.high = select_(finite, log2.high, limit);
  vf p = y * log2.high;
  vf error = product_error(y, log2.high, p) + y * log2.low;
  p = select_(p > splat(200.0f), splat(200.0f), p);
  p = select_(p < splat(-200.0f), splat(-200.0f), p);
  error = select_((absolute_(p) < splat(200.0f)) & finite, error, zero);

  vf sum = p + splat(ROUNDING);
  vf f = (p - (sum - splat(ROUNDING))) + error;
  vf e = splat(1.535336188319500e-4f);
  e = fma_(e, f, splat(1.339887440266574e-3f));
  e = fma_(e, f, splat(9.618437357674640e-3f));
  e = fma_(e, f, splat(5.550332471162809e-2f));
  e = fma_(e, f, splat(2.402264791363012e-1f));
  e = fma_(e, f, splat(6.931472028550421e-1f));
  vf result = scale_by_power(fma_(e, f, one), rounded_bits(sum));
  result = select_(magnitude == one, one, result);

  /* From 2^23 on every float is an integer, from 2^24 on an even one. */
  vi countable = exponent < splat(16777216.0f);
  vi whole = __builtin_convertvector(select_(countable, y, zero), vi);
  vi integer = (int_to_float(whole) == y) | ~countable;
  vi odd = -(whole & splat_int(1)) & integer;
  result = (vf)((vi)result | (sign_bits(x) & odd));
  vi undefined = (x < zero) & ~integer & (magnitude < infinity);
  result = select_(undefined | (x != x) | (y != y), splat(FLOAT_NAN), result);
  return select_((y == zero) | (x == one), one, result);
}

#endif
