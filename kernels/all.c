/*
 * Every kernel and the machine that runs them, as one translation unit: compiled once per instruction set natively,
 * with FOVEA_TABLE naming the one symbol it exports, and together with the engine for WebAssembly.
 */
#include "fovea.h"

#include "adaptive_pooling.c"
#include "convolution.c"
#include "elementwise.c"
#include "indexing.c"
#include "matmul.c"
#include "movement.c"
#include "pooling.c"
#include "pooling_last.c"
#include "random.c"
#include "reduce.c"
#include "resample.c"
#include "sort.c"
#include "unpooling.c"
#include "unpooling_last.c"
#include "weight_gradient.c"
#include "winograd.c"
#include "winograd_columns.c"
#include "winograd_gradient.c"
#include "winograd_weights.c"

#include "blocked.c"

#include "program.c"

/* What is around them takes little time, and pages download it. */
#ifdef __wasm__
#pragma clang attribute push(__attribute__((minsize)), apply_to = function)
#include "memory.c"
#include "engine.c"
#include "wasm.c"
#pragma clang attribute pop
#endif
