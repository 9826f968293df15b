/* The instructions of the elementwise machine, and what they work on. */
#ifndef FOVEA_ELEMENTWISE_INSTRUCTIONS_H
#define FOVEA_ELEMENTWISE_INSTRUCTIONS_H

#include "vector_math.h"

/* `step` is the distance from one vector to the next: VW, or 0 where all elements are one number. */
typedef struct {
  float *lanes;
  int32_t step;
} Register;

/* Two vectors at a time: they share the loop's own work and the constants of polynomials. */
#if defined(__clang__)
#define TWICE _Pragma("clang loop unroll_count(2)")
#else
#define TWICE _Pragma("GCC unroll 2")
#endif

#define LOOP(EXPRESSION, ...) \
  TWICE for (int32_t i = 0; i < n; i += VW) { \
    vf __VA_ARGS__; \
    store(target + i, EXPRESSION); \
  }

#define UNARY(OP, EXPRESSION) \
  case OP: \
    TWICE for (int32_t i = 0; i < n; i += VW, a += sa) { \
      vf x = load(a); \
      store(target + i, EXPRESSION); \
    } \
    return;

/* Loops of their own for vectors with vectors and with a number: one counter instead of four is a third faster. */
#define BINARY(OP, EXPRESSION) \
  case OP: \
    if (sa != 0 && sb != 0) { \
      LOOP(EXPRESSION, x = load(a + i), y = load(b + i)) \
    } else if (sa != 0) { \
      vf number = load(b); \
      LOOP(EXPRESSION, x = load(a + i), y = number) \
    } else { \
      vf x = load(a); \
      for (int32_t i = 0; i < n; i += VW, b += sb) { \
        vf y = load(b); \
        store(target + i, EXPRESSION); \
      } \
    } \
    return;

/* Two instructions in one; the first operand is seldom a number. */
#define PAIR(OP, EXPRESSION) \
  case OP: \
    if (sa == 0) { \
      for (int32_t i = 0; i < n; i += VW, b += sb, c += sc) { \
        vf x = load(a), y = load(b), z = load(c); \
        store(target + i, EXPRESSION); \
      } \
    } else if (sb != 0 && sc != 0) { \
      LOOP(EXPRESSION, x = load(a + i), y = load(b + i), z = load(c + i)) \
    } else if (sb != 0) { \
      vf number = load(c); \
      LOOP(EXPRESSION, x = load(a + i), y = load(b + i), z = number) \
    } else if (sc != 0) { \
      vf number = load(b); \
      LOOP(EXPRESSION, x = load(a + i), y = number, z = load(c + i)) \
    } else { \
      vf first = load(b), second = load(c); \
      LOOP(EXPRESSION, x = load(a + i), y = first, z = second) \
    } \
    return;

#define SELECT(OP, COMPARISON) \
  case OP: \
    TWICE for (int32_t i = 0; i < n; i += VW, a += sa, b += sb, c += sc, d += sd) { \
      vf x = load(a), y = load(b); \
      store(target + i, select_(COMPARISON, load(c), load(d))); \
    } \
    return;

/* The same on int32 lanes. */
#define UNARY_INT(OP, EXPRESSION) UNARY(OP, (vf)(EXPRESSION))
#define BINARY_INT(OP, EXPRESSION) BINARY(OP, (vf)(EXPRESSION))
#define X ((vi)x)
#define Y ((vi)y)

/* One instruction on n elements, a multiple of VW. Registers may coincide but do not otherwise overlap. */
NOINLINE void execute(const Instruction *instruction, const Register *registers, int32_t n) {
  float *target = registers[instruction->target].lanes;
  const float *a = registers[instruction->a].lanes;
  const float *b = registers[instruction->b].lanes;
  const float *c = registers[instruction->c].lanes;
  const float *d = registers[instruction->d].lanes;
  int32_t sa = registers[instruction->a].step;
  int32_t sb = registers[instruction->b].step;
  int32_t sc = registers[instruction->c].step;
  int32_t sd = registers[instruction->d].step;
  vi one = splat_int(1);
  int commutes = instruction->opcode >= OP_MULTIPLY_ADD && instruction->opcode <= OP_ADD_MULTIPLY;
  if (commutes && sa == 0) {
    const float *number = a;
    a = b, sa = sb;
    b = number, sb = 0;
  }
  switch (instruction->opcode) {
    BINARY(OP_ADD, x + y)
    BINARY(OP_SUBTRACT, x - y)
    BINARY(OP_MULTIPLY, x * y)
    BINARY(OP_DIVIDE, x / y)
    BINARY(OP_MAXIMUM, maximum_(x, y))
    BINARY(OP_MINIMUM, minimum_(x, y))
    UNARY(OP_NEGATE, -x)
    UNARY(OP_ABSOLUTE, absolute_(x))
    UNARY(OP_SIGN, select_((x > splat(0)) | (x < splat(0)), with_sign(splat(1.0f), sign_bits(x)), x))
    UNARY(OP_FLOOR, floor_(x))
    UNARY(OP_EXP, exp_(x))
    UNARY(OP_LOG, log_(x))
    UNARY(OP_EXPM1, expm1_(x))
    UNARY(OP_LOG1P, log1p_(x))
    UNARY(OP_ERF, erf_(x))
    UNARY(OP_SQRT, sqrt_(x))
    UNARY(OP_SIN, sin_(x))
    UNARY(OP_COS, cos_(x))
    UNARY(OP_TANH, tanh_(x))
    UNARY(OP_SIGMOID, sigmoid_(x))
    UNARY(OP_RELU, (vf)(X & ~(x < splat(0))))
    BINARY_INT(OP_EQUAL, (x == y) & one)
    BINARY_INT(OP_NOT_EQUAL, (x != y) & one)
    BINARY_INT(OP_LESS, (x < y) & one)
    BINARY_INT(OP_LESS_EQUAL, (x <= y) & one)
    BINARY_INT(OP_ADD_INT, (vu)x + (vu)y)
    BINARY_INT(OP_SUBTRACT_INT, (vu)x - (vu)y)
    BINARY_INT(OP_MULTIPLY_INT, (vu)x * (vu)y)
    BINARY_INT(OP_QUOTIENT_INT, quotient_(X, Y))
    BINARY_INT(OP_MAXIMUM_INT, select_int(X > Y, X, Y))
    BINARY_INT(OP_MINIMUM_INT, select_int(X < Y, X, Y))
    UNARY_INT(OP_NEGATE_INT, -(vu)x)
    UNARY_INT(OP_ABSOLUTE_INT, ((vu)x ^ (vu)(X >> 31)) - (vu)(X >> 31))
    UNARY_INT(OP_SIGN_INT, (X >> 31) | ((X > splat_int(0)) & one))
    BINARY_INT(OP_EQUAL_INT, (X == Y) & one)
    BINARY_INT(OP_NOT_EQUAL_INT, (X != Y) & one)
    BINARY_INT(OP_LESS_INT, (X < Y) & one)
    BINARY_INT(OP_LESS_EQUAL_INT, (X <= Y) & one)
    BINARY_INT(OP_AND, X & Y & one)
    BINARY_INT(OP_OR, (X | Y) & one)
    UNARY_INT(OP_NOT, ~X & one)
    UNARY(OP_INT_TO_FLOAT, int_to_float(X))
    UNARY_INT(OP_FLOAT_TO_INT, float_to_int(x))
    UNARY_INT(OP_FLOAT_TO_BOOL, (x != splat(0)) & one)
    UNARY_INT(OP_TO_UINT8, select_int(X > splat_int(255), splat_int(255), X & ~(X >> 31)))
    UNARY_INT(OP_TO_BOOL, (X != splat_int(0)) & one)
    case OP_POWER:
      for (int32_t i = 0; i < n; i += VW, a += sa, b += sb) store(target + i, power_(load(a), load(b)));
      return;
    PAIR(OP_MULTIPLY_ADD, x * y + z)
    PAIR(OP_MULTIPLY_SUBTRACT, x * y - z)
    PAIR(OP_SUBTRACT_PRODUCT, z - x * y)
    PAIR(OP_MULTIPLY_MULTIPLY, x * y * z)
    PAIR(OP_ADD_MULTIPLY, (x + y) * z)
    PAIR(OP_SUBTRACT_MULTIPLY, (x - y) * z)
    PAIR(OP_CLAMP, maximum_(minimum_(x, y), z))
    SELECT(OP_SELECT_LESS, x < y)
    SELECT(OP_SELECT_LESS_EQUAL, x <= y)
    case OP_SELECT:
    case OP_SELECT_INT:
      TWICE for (int32_t i = 0; i < n; i += VW, a += sa, b += sb, c += sc) {
        store(target + i, select_((vi)load(a) != splat_int(0), load(b), load(c)));
      }
      return;
  }
}

#undef TWICE
#undef LOOP
#undef PAIR
#undef SELECT
#undef UNARY
#undef BINARY
#undef UNARY_INT
#undef BINARY_INT
#undef X
#undef Y

#endif
