/** The changes that scripts/mutations.ts makes, one at a time: mistakes that somebody could make in one line. */

export interface Mutation {
  /** What would be wrong. */
  readonly what: string;
  /** Path in the repository. */
  readonly file: string;
  /** Text that occurs exactly once in it, and what it becomes. */
  readonly from: string;
  readonly to: string;
  /**
   * Kernels to build again; none for changes in TypeScript. Those of the addon are quicker to compile; where there is none
   * the ones in WebAssembly stand in.
   */
  readonly build?: "addon" | "wasm";
  /** Tests that should notice, by their path in test/, those first that are likeliest to. */
  readonly tests: readonly string[];
}

const ops = ["ops/conformance", "goldens/ops", "ops/sizes"];

export const mutations: readonly Mutation[] = [
  {
    what: "values prepared once: a later step works in place on them",
    file: "src/graph/program.ts",
    from: "bytes <= mostSettled && written.get(id) === 1;",
    to: "bytes <= mostSettled && written.size > 0;",
    tests: ["graph/prepared"],
  },
  {
    what: "pooling after Winograd's algorithm: windows overlap",
    file: "kernels/winograd.c",
    from: "const float *x = from + 2 * i * row;",
    to: "const float *x = from + i * row;",
    build: "addon",
    tests: ["graph/pooled"],
  },
  {
    what: "convolution: the padding is one too small",
    file: "kernels/windows.h",
    from: "halo_axis(source, stride, -padding, (kernel - 1) * dilation + 1);",
    to: "halo_axis(source, stride, 1 - padding, (kernel - 1) * dilation + 1);",
    build: "addon",
    tests: ops,
  },
  {
    what: "matrix product: a single last term of long dot products is left out",
    file: "kernels/matmul.c",
    from: "if (rest > 0) tile(",
    to: "if (rest > 1) tile(",
    build: "addon",
    tests: ops,
  },
  {
    what: "matrix product: blocks of a long sum replace each other instead of adding up",
    file: "kernels/matmul.c",
    from: "panel_stride, size, target, first > 0,",
    to: "panel_stride, size, target, 0,",
    build: "addon",
    tests: ops,
  },
  {
    what: "average pooling: divided by one too few where all windows are whole",
    file: "kernels/pooling.c",
    from: "float rows = p->uniform ? (float)taps :",
    to: "float rows = p->uniform ? (float)(taps - 1) :",
    build: "addon",
    tests: ops,
  },
  {
    what: "pooling's way back: what overlapping windows pass on replaces what is there",
    file: "kernels/unpooling_last.c",
    from: "store(to, load(to) + select_(hit, value, splat(0)));",
    to: "store(to, select_(hit, value, load(to)));",
    build: "addon",
    tests: ["train/layout"],
  },
  {
    what: "weight gradient: the last partial sum is dropped",
    file: "kernels/weight_gradient.c",
    from: "for (int32_t p = 1; p < step->parts; p++) {",
    to: "for (int32_t p = 1; p < step->parts - 1; p++) {",
    build: "addon",
    tests: ops,
  },
  {
    what: "weight gradient: windows that end on the border count as beyond it",
    file: "kernels/weight_gradient.c",
    from: "+ tap >= step->input_size[0]) end--;",
    to: "+ tap >= step->input_size[0] - 1) end--;",
    build: "addon",
    tests: ops,
  },
  {
    what: "reductions: the lanes left over after whole vectors are off by one",
    file: "kernels/reduce.c",
    from: "lane_numbers() >= splat_int(VW - n % VW);",
    to: "lane_numbers() > splat_int(VW - n % VW);",
    build: "addon",
    tests: ops,
  },
  {
    what: "random numbers: a digit of a constant of Philox is wrong",
    file: "kernels/random.c",
    from: "0xcd9e8d57u",
    to: "0xcd9e8d75u",
    build: "addon",
    tests: ["ops/conformance"],
  },
  {
    what: "logarithm: two digits of a coefficient are exchanged",
    file: "kernels/vector_math.h",
    from: "splat(1.1676998740e-1f)",
    to: "splat(1.1766998740e-1f)",
    build: "addon",
    tests: ["ops/accuracy"],
  },
  {
    what: "threads: one of the late pieces of a step is handed to nobody",
    file: "kernels/fovea.h",
    from: "if (piece >= LATE_PARTS * context->threads) return",
    to: "if (piece >= LATE_PARTS * context->threads - 1) return",
    build: "addon",
    tests: ["determinism"],
  },
  {
    what: "threads: the counter of late pieces is not set back after a step",
    file: "kernels/program.c",
    from: "__atomic_store_n(&team->late_pieces, 0, __ATOMIC_RELAXED);",
    to: "__atomic_store_n(&team->late_pieces, 1, __ATOMIC_RELAXED);",
    build: "addon",
    tests: ["determinism"],
  },
  {
    what: "commit: a program whose last step before it failed writes its states all the same",
    file: "kernels/program.c",
    from: "if (next > outline.commit_start) return 0;",
    to: "if (next >= outline.commit_start) return 0;",
    build: "addon",
    tests: ["graph/states", "backends/contract"],
  },
  {
    what: "WebAssembly: a block is taken from a free range that is too small for it",
    file: "kernels/wasm.c",
    from: "if ((*at)->bytes >= bytes && (best",
    to: "if ((*at)->bytes >= bytes / 2 && (best",
    build: "wasm",
    tests: ["backends/contract"],
  },
  {
    what: "gradient of tanh: 1 - y in place of 1 - y²",
    file: "src/ops/elementwise/operations.ts",
    from: "({ x: () => times(upstream, oneMinus(times(output, output))) })",
    to: "({ x: () => times(upstream, oneMinus(output)) })",
    tests: ["ops/gradients"],
  },
  {
    what: "gradient of a matrix product: one operand is not transposed",
    file: "src/ops/linear/matmul.ts",
    from: "matmulOp({ a: upstream, b: a }, { transposeA: true, transposeB: transposeA })",
    to: "matmulOp({ a: upstream, b: a }, { transposeA: true, transposeB: !transposeA })",
    tests: ["ops/gradients"],
  },
  {
    what: "gradients: what comes back along a second path counts twice, the first not at all",
    file: "src/graph/autodiff.ts",
    from: "sum === undefined ? gradient : add(sum, gradient)",
    to: "sum === undefined ? gradient : add(gradient, gradient)",
    tests: ["graph/states", "goldens/training"],
  },
  {
    what: "gradient of max(a, b): all of it to both where they are equal",
    file: "src/ops/elementwise/operations.ts",
    from: "choose(isEqual(a, b), number(0.5, a), number(0, a))",
    to: "choose(isEqual(a, b), number(1, a), number(0, a))",
    tests: ["graph/states", "ops/gradients"],
  },
  {
    what: "fusion: groups that wait for each other are merged",
    file: "src/graph/fuse.ts",
    from: "dependsThroughOthers(inside, inputs, a.deadline, groupOf)) return",
    to: "dependsThroughOthers(inside, inputs, a.deadline, groupOf) && a.deadline < 0) return",
    tests: ["graph/states", "graph/fuzz"],
  },
  {
    what: "working in place: an input is overwritten that somebody needs later",
    file: "src/graph/schedule.ts",
    from: "lastUse.get(input) === index &&",
    to: "lastUse.get(input) !== index + 1 &&",
    tests: ["graph/states", "graph/fuzz"],
  },
  {
    what: "memory plan: buffers that meet at one step share an address",
    file: "src/graph/plan.ts",
    from: "if (entry.last < first || entry.first > last) continue;",
    to: "if (entry.last <= first || entry.first > last) continue;",
    tests: ["graph/plan", "graph/compile", "graph/fuzz"],
  },
  {
    what: "states: a new value overwrites the old one while the commit still reads it",
    file: "src/graph/commit.ts",
    from: "if (reader === undefined || !committing.has(reader)) return true;",
    to: "if (reader !== unit) return true;",
    tests: ["graph/states", "graph/fuzz", "graph/commit"],
  },
  {
    what: "states: one is written before the last step that may fail",
    file: "src/graph/commit.ts",
    from: "before === undefined ? -1 : lastFailing, ...readers",
    to: "...readers",
    tests: ["graph/states", "graph/commit"],
  },
  {
    what: "states: one is written while a kernel still needs its old value",
    file: "src/graph/commit.ts",
    from: "before === undefined ? -1 : lastFailing, ...readers",
    to: "before === undefined ? -1 : lastFailing",
    tests: ["graph/commit", "graph/fuzz"],
  },
  {
    what: "sorting: of few that are kept, the last is compared the wrong way round",
    file: "kernels/sort.c",
    from: "if (kept == most && word > words[most - 1]) return kept;",
    to: "if (kept == most && word < words[most - 1]) return kept;",
    build: "addon",
    tests: ["ops/conformance", "ops/random-configurations"],
  },
  {
    what: "pooling films with indices: positions of later slices begin too early",
    file: "src/ops/pooling/unpool.ts",
    from: "mul(arange(depth), height * width)",
    to: "mul(arange(depth), height)",
    tests: ["goldens/unpooling"],
  },
  {
    what: "Lp pooling: what the last window lacks is not added as zeros",
    file: "src/ops/pooling/geometry.ts",
    from: "Math.max(after, reach - length - before)",
    to: "Math.max(after, reach - length - before - 1)",
    tests: ["goldens/resizing"],
  },
];
