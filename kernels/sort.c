/*
 * The order of elements along an axis. Each row becomes words of a key and a place below it, so that all differ: whatever
 * sorts them, equal elements keep their order.
 */
#include "fovea.h"

enum {
  SORT_RUN = 8, /* elements that are sorted by insertion */
  SORT_FEW = 64 /* at most so many are kept while passing */
};

/* A number that grows with the element: NaN is the largest, and both zeros are equal. */
INLINE uint32_t sort_key(const ArgSortStep *step, const int32_t *element) {
  int32_t bits = *element;
  if (step->dtype == FOVEA_FLOAT32) {
    float value;
    __builtin_memcpy(&value, element, sizeof value);
    value += 0.0f;
    __builtin_memcpy(&bits, &value, sizeof bits);
    bits = value != value ? 0x7fffffff : bits ^ (bits >> 31 & 0x7fffffff);
  }
  uint32_t key = (uint32_t)bits ^ 0x80000000u;
  return step->descending ? ~key : key;
}

static void sort_run(uint64_t *words, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    uint64_t word = words[i];
    int64_t at = i;
    for (; at > 0 && words[at - 1] > word; at--) words[at] = words[at - 1];
    words[at] = word;
  }
}

static void merge_runs(const uint64_t *a, const uint64_t *a_end, const uint64_t *b, const uint64_t *b_end,
                       uint64_t *out) {
  while (a < a_end && b < b_end) {
    uint64_t x = *a, y = *b;
    int32_t first = x < y;
    *out++ = first ? x : y;
    a += first;
    b += !first;
  }
  while (a < a_end) *out++ = *a++;
  while (b < b_end) *out++ = *b++;
}

/* Sorts `words`, with as much memory beside them; returns where they are then. */
static uint64_t *sort_words(uint64_t *words, uint64_t *spare, int64_t count) {
  for (int64_t i = 0; i < count; i += SORT_RUN) sort_run(words + i, i + SORT_RUN < count ? SORT_RUN : count - i);
  for (int64_t run = SORT_RUN; run < count; run *= 2) {
    for (int64_t i = 0; i < count; i += 2 * run) {
      int64_t middle = i + run < count ? i + run : count, end = i + 2 * run < count ? i + 2 * run : count;
      merge_runs(words + i, words + middle, words + middle, words + end, spare + i);
    }
    uint64_t *sorted = spare;
    spare = words;
    words = sorted;
  }
  return words;
}

/* Keeps the smallest words, `kept` so far and `most` at the end, in order; returns how many are kept now. */
INLINE int32_t keep_word(uint64_t *words, int32_t kept, int32_t most, uint64_t word) {
  if (kept == most && word > words[most - 1]) return kept;
  int32_t at = kept < most ? kept : most - 1;
  for (; at > 0 && words[at - 1] > word; at--) words[at] = words[at - 1];
  words[at] = word;
  return kept < most ? kept + 1 : most;
}

static void kernel_arg_sort(const Context *context, const ArgSortStep *step) {
  int32_t length = step->length, inner = step->inner, count = step->count;
  if (count == 0) return;
  /* Few of many are picked in passing, most of which are larger than what is kept already. */
  int32_t few = count <= SORT_FEW && count <= length / 4;
  const int32_t *input = ints(context, step->input);
  int32_t *output = ints(context, step->output);
  uint64_t *words = (uint64_t *)address(context, step->scratch) + (size_t)context->thread * 2 * length;
  Range own = share(context, step->outer * inner);
  for (int32_t row = own.begin; row < own.end; row++) {
    size_t first = (size_t)(row / inner) * length * inner + row % inner;
    const uint64_t *sorted = words;
    int32_t kept = 0;
    for (int32_t i = 0; i < length; i++) {
      uint64_t word = (uint64_t)sort_key(step, input + first + (size_t)i * inner) << 32 | (uint32_t)i;
      if (few) {
        kept = keep_word(words, kept, count, word);
      } else {
        words[i] = word;
      }
    }
    if (!few) sorted = sort_words(words, words + length, length);
    size_t to = (size_t)(row / inner) * count * inner + row % inner;
    for (int32_t i = 0; i < count; i++) output[to + (size_t)i * inner] = (int32_t)(uint32_t)sorted[i];
  }
}
