/** For each op how its output's positions read those of its inputs, axis by axis: what receptive fields follow from. */

import { partOf, type Resampling, type Weighted, weightedRuns } from "../core/resampling.js";
import type { Shape } from "../core/shape.js";
import type { AnyTensor } from "../graph/tensor.js";
import type { Conv2dParams } from "../ops/convolution/geometry.js";
import type { Pool2dParams } from "../ops/pooling/geometry.js";
import type { KernelOpName, kernelOps } from "../ops/primitives.js";
import type { ReadingRule, Reads } from "./fields.js";

/**
 * What becomes of an input's axis: every output position reads all of it, or it is that axis of the output, position for
 * position unless `reads` says otherwise.
 */
export type AxisRule = "all" | { readonly axis: number; readonly reads?: Reads };

/** A call of an op. */
export interface Call<Inputs extends string, Params> {
  readonly inputs: Readonly<Record<Inputs, AnyTensor>>;
  readonly params: Params;
  readonly output: Shape;
}

/** For each input a rule for each of its axes; inputs that do not matter are left out. */
export type Rule<Inputs extends string, Params> = (call: Call<Inputs, Params>) => {
  readonly [Input in Inputs]?: readonly AxisRule[];
};

type RuleOf<Name extends KernelOpName> = Rule<
  Extract<keyof Parameters<(typeof kernelOps)[Name]>[0], string>,
  Parameters<(typeof kernelOps)[Name]>[1]
>;

/** Position for position. */
const same = (shape: Shape): AxisRule[] => shape.map((_, axis) => ({ axis }));

/** Everything from everywhere. */
const all = (shape: Shape): AxisRule[] => shape.map(() => "all");

/** Aligned at the right, as broadcasting does. */
export function broadcast(shape: Shape, output: Shape): AxisRule[] {
  const lead = output.length - shape.length;
  return shape.map((length, axis) => (length === 1 && output[lead + axis] !== 1 ? "all" : { axis: lead + axis }));
}

interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Of the border before the axis. */
  readonly padding: number;
}

/** Windows that slide: of convolution and pooling. */
export function slidingReads({ kernel, stride, dilation, padding }: Window): Reads {
  return {
    rule: { period: 1, advance: stride },
    at: (q) => Array.from({ length: kernel }, (_, k) => q * stride - padding + k * dilation),
  };
}

/** The same windows, written to: of transposed convolution. */
export function spreadingReads({ kernel, stride, dilation, padding }: Window): Reads {
  return {
    rule: { period: stride, advance: 1 },
    at: (q) => Array.from({ length: kernel }, (_, k) => (q + padding - k * dilation) / stride).filter(Number.isInteger),
  };
}

/** The windows along height (0) and width (1). */
function windowsOf(
  { stride, dilation, padding }: Pick<Conv2dParams, "stride" | "dilation" | "padding">,
  kernel: readonly number[],
): readonly [Window, Window] {
  const along = (axis: 0 | 1): Window => {
    return { kernel: kernel[axis], stride: stride[axis], dilation: dilation[axis], padding: padding[2 * axis] };
  };
  return [along(0), along(1)];
}

const pooling = (params: Pool2dParams): AxisRule[] => {
  const [rows, columns] = windowsOf(params, params.kernel).map(slidingReads);
  return [{ axis: 0 }, { axis: 1 }, { axis: 2, reads: rows }, { axis: 3, reads: columns }];
};

/** Averages of windows; where one covers a whole axis that is global pooling, which adapts to whatever size comes. */
const averaging = (params: Pool2dParams, input: Shape, output: Shape): AxisRule[] => {
  return pooling(params).map((rule, axis) => {
    const [before, after] = params.padding.slice(2 * axis - 4);
    const isWhole = axis >= 2 && output[axis] === 1 && before + after === 0 && params.kernel[axis - 2] === input[axis];
    return isWhole ? "all" : rule;
  });
};

const reducing = (input: Shape, axes: readonly number[], keepdim: boolean): AxisRule[] => {
  const gone = (axis: number) => (keepdim ? 0 : axes.filter((each) => each < axis).length);
  return input.map((_, axis) => (axes.includes(axis) ? "all" : { axis: axis - gone(axis) }));
};

/** The factor of a matrix product whose rows, or columns, become the product's. */
const factor = (shape: Shape, output: Shape, kept: number, becomes: number): AxisRule[] => {
  const lead = output.length - 2;
  return shape.map((length, axis) => {
    if (axis < shape.length - 2) return length === output[0] ? { axis: 0 } : "all";
    return axis === shape.length - 2 + kept ? { axis: lead + becomes } : "all";
  });
};

/** Values put back to where pooling took them from: each comes from a window that it lies in. */
export const unpooling = (params: Pool2dParams): AxisRule[] => {
  const [rows, columns] = windowsOf(params, params.kernel).map(spreadingReads);
  return [{ axis: 0 }, { axis: 1 }, { axis: 2, reads: rows }, { axis: 3, reads: columns }];
};

/** Places in a plane that only running tells. */
const anywhere = (shape: Shape): AxisRule[] => [{ axis: 0 }, { axis: 1 }, ...all(shape.slice(2))];

/** Even parts of planes, of sizes that adapt to whatever comes. */
const parts = (input: Shape, counts: readonly number[]): AxisRule[] =>
  input.map((length, axis) => {
    if (axis < 2) return { axis };
    const count = counts[axis - 2];
    if (count === 1) return "all";
    return { axis, reads: { rule: undefined, at: (q) => range(...partOf(q, length, count)) } };
  });

/** Sums of neighbours. */
const resampling = (axis: number, runs: readonly Weighted[], length: number): AxisRule => {
  if (runs.length === 1 && runs[0].weights.length === length) return "all";
  const ends = runs.map(({ begin, weights }) => begin + weights.length - 1);
  const first = repetition(
    runs.map(({ begin }) => begin),
    length,
  );
  const last = repetition(ends, length);
  const at = (q: number) => range(runs[q].begin, ends[q] + 1);
  if (first?.at === undefined || last?.at === undefined || first.period !== last.period)
    return { axis, reads: { rule: undefined, at } };
  const [lowest, highest] = [first.at, last.at];
  return { axis, reads: { rule: { ...first, at: (q) => range(lowest(q)[0], highest(q)[0] + 1) }, at } };
};

/** begin … end − 1 */
const range = (begin: number, end: number): number[] => Array.from({ length: end - begin }, (_, i) => begin + i);

/** Positions by index; the indices are known where they were given as numbers. */
const taking = (input: AnyTensor, indices: AnyTensor, axis: number): AxisRule[] => {
  const { origin } = indices;
  const more = indices.rank - 1;
  return input.shape.map((length, each) => {
    if (each !== axis) return { axis: each < axis ? each : each + more };
    if (origin.kind !== "data" || more !== 0) return "all";
    const list = Array.from(origin.data);
    return { axis, reads: { rule: repetition(list, length), at: (q) => [list[q]] } };
  });
};

/**
 * The rule by which indices go on, if they do: every `period` of them `advance` further. Those at the ends of the axis say
 * nothing, for enlargements stop there.
 */
export function repetition(indices: readonly number[], length: number): ReadingRule | undefined {
  const inside = (q: number) => indices[q] > 0 && indices[q] < length - 1;
  const begin = indices.findIndex((_, q) => inside(q));
  if (begin < 0) return undefined;
  for (let period = 1; period <= Math.min(64, (indices.length - begin) / 2); period++) {
    const advance = indices[begin + period] - indices[begin];
    const repeats = indices.every((index, q) => {
      return !inside(q) || !inside(q + period) || indices[q + period] === index + advance;
    });
    if (!repeats || advance <= 0) continue;
    const at = (q: number) => {
      const turns = Math.floor((q - begin) / period);
      return [indices[q - turns * period] + turns * advance];
    };
    return { period, advance, at };
  }
  return undefined;
}

/** Each input's part of the output's axis; the pattern is that of the part which makes up more than half, if there is one. */
const joining = (inputs: Readonly<Record<string, AnyTensor>>, along: number, output: Shape) => {
  const parts = Object.values(inputs);
  const hasMain = parts.some(({ shape }) => 2 * shape[along] > output[along]);
  let start = 0;
  const rules: Record<string, AxisRule[]> = {};
  for (const [name, { shape }] of Object.entries(inputs)) {
    const offset = start;
    start += shape[along];
    const isMain = 2 * shape[along] > output[along];
    const rule: Reads["rule"] = isMain ? { period: 1, advance: 1 } : hasMain ? "silent" : undefined;
    rules[name] = shape.map((_, axis) => {
      return axis === along ? { axis, reads: { rule, at: (q: number) => [q - offset] } } : { axis };
    });
  }
  return rules;
};

/** Of ops with a kernel of their own; the others are elementwise, or only rename. */
export const readingRules: { readonly [Name in KernelOpName]: RuleOf<Name> } = {
  conv2d: ({ inputs: { weight }, params }) => {
    const [rows, columns] = windowsOf(params, weight.shape.slice(2)).map(slidingReads);
    return {
      input: [{ axis: 0 }, "all", { axis: 2, reads: rows }, { axis: 3, reads: columns }],
      weight: all(weight.shape),
    };
  },
  conv2dInputGradient: ({ inputs: { weight }, params }) => {
    const [rows, columns] = windowsOf(params, weight.shape.slice(2)).map(spreadingReads);
    return {
      upstream: [{ axis: 0 }, "all", { axis: 2, reads: rows }, { axis: 3, reads: columns }],
      weight: all(weight.shape),
    };
  },
  conv2dWeightGradient: ({ inputs: { upstream, input } }) => ({
    upstream: all(upstream.shape),
    input: all(input.shape),
  }),
  matmul: ({ inputs: { a, b }, params: { transposeA, transposeB }, output }) => ({
    a: factor(a.shape, output, transposeA ? 1 : 0, 0),
    b: factor(b.shape, output, transposeB ? 0 : 1, 1),
  }),
  maxPool2d: ({ params }) => ({ input: pooling(params) }),
  maxPool2dIndices: ({ params }) => ({ input: pooling(params) }),
  averagePool2d: ({ inputs: { input }, params, output }) => ({ input: averaging(params, input.shape, output) }),
  averagePool2dGradient: ({ params }) => ({ upstream: unpooling(params) }),
  adaptiveMaxPool2d: ({ inputs: { input }, params: { size } }) => ({ input: parts(input.shape, size) }),
  adaptiveMaxPool2dIndices: ({ inputs: { input }, params: { size } }) => ({ input: parts(input.shape, size) }),
  resample: ({ inputs: { input }, params: { rows, columns, transposed } }) => {
    const along = (axis: number, how: Resampling | null): AxisRule => {
      return how === null ? { axis } : resampling(axis, weightedRuns(how, transposed), input.shape[axis]);
    };
    return { input: [{ axis: 0 }, { axis: 1 }, along(2, rows), along(3, columns)] };
  },
  scatterPlane: ({ inputs: { values, indices } }) => ({
    values: anywhere(values.shape),
    indices: anywhere(indices.shape),
  }),
  gatherPlane: ({ inputs: { input, indices } }) => ({ input: anywhere(input.shape), indices: same(indices.shape) }),
  sum: ({ inputs: { input }, params: { axes, keepdim } }) => ({ input: reducing(input.shape, axes, keepdim) }),
  max: ({ inputs: { input }, params: { axes, keepdim } }) => ({ input: reducing(input.shape, axes, keepdim) }),
  min: ({ inputs: { input }, params: { axes, keepdim } }) => ({ input: reducing(input.shape, axes, keepdim) }),
  argMax: ({ inputs: { input }, params: { axis, keepdim } }) => ({ input: reducing(input.shape, [axis], keepdim) }),
  argMin: ({ inputs: { input }, params: { axis, keepdim } }) => ({ input: reducing(input.shape, [axis], keepdim) }),
  argSort: ({ inputs: { input }, params: { axis } }) => ({
    input: same(input.shape).map((rule, each) => (each === axis ? "all" : rule)),
  }),
  permute: ({ inputs: { input }, params: { axes } }) => ({
    input: input.shape.map((_, axis) => ({ axis: axes.indexOf(axis) })),
  }),
  expand: ({ inputs: { input }, output }) => ({ input: broadcast(input.shape, output) }),
  slice: ({ inputs: { input }, params: { begin, step } }) => ({
    input: input.shape.map((_, axis) => {
      const rule = { period: 1, advance: step[axis] };
      return { axis, reads: { rule, at: (q) => [begin[axis] + q * step[axis]] } };
    }),
  }),
  embed: ({ inputs: { input }, params: { begin, step } }) => ({
    input: input.shape.map((_, axis) => {
      const rule = { period: Math.abs(step[axis]), advance: Math.sign(step[axis]) };
      return { axis, reads: { rule, at: (q) => [(q - begin[axis]) / step[axis]].filter(Number.isInteger) } };
    }),
  }),
  concat: ({ inputs, params: { axis }, output }) => joining(inputs, axis, output),
  takeAlongAxis: ({ inputs: { input, indices }, params: { axis } }) => ({
    input: same(input.shape).map((rule, each) => (each === axis ? "all" : rule)),
    indices: same(indices.shape),
  }),
  scatterAlongAxis: ({ inputs: { upstream }, params: { axis } }) => {
    const rules = same(upstream.shape).map((rule, each): AxisRule => (each === axis ? "all" : rule));
    return { upstream: rules, indices: rules };
  },
  take: ({ inputs: { input, indices }, params: { axis } }) => ({
    input: taking(input, indices, axis),
    indices: indices.shape.map((_, each) => ({ axis: axis + each })),
  }),
  scatterTake: ({ inputs: { upstream, indices }, params: { axis } }) => ({
    upstream: upstream.shape.map((_, each) => {
      if (each < axis) return { axis: each };
      return each < axis + indices.rank ? "all" : { axis: each - indices.rank + 1 };
    }),
    indices: all(indices.shape),
  }),
  oneHot: ({ inputs: { indices } }) => ({ indices: same(indices.shape) }),
  iota: () => ({}),
  uniform: () => ({}),
  normal: () => ({}),
};
