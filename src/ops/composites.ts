/**
 * Operations that have a name of their own elsewhere (in ONNX files, in drawings) but consist of several ops here. Whoever
 * wants to know asks while a model is being recorded; otherwise nothing is kept.
 */

import type { AnyTensor } from "../graph/tensor.js";

/** Windows along one to three axes. */
export interface WindowForm {
  readonly stride: readonly number[];
  /** [before, after] of each axis. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

export interface PoolForm extends WindowForm {
  readonly kernel: readonly number[];
}

interface Forms {
  /** x, weight, bias */
  convolution: WindowForm & { readonly groups: number };
  /** x, weight, bias; `size` of the result */
  transposedConvolution: WindowForm & { readonly groups: number; readonly size: readonly number[] };
  /** x, weight, bias */
  linear: object;
  maxPool: PoolForm;
  /** `countPadding` counts the padding, but never what a last window overhangs. */
  averagePool: PoolForm & { readonly countPadding: boolean };
  mean: { readonly axes: readonly number[]; readonly keepdim: boolean };
  /** x, mean, variance, weight, bias */
  batchNorm: { readonly epsilon: number };
  /** x, weight, bias, over all axes from `axis` on */
  layerNorm: { readonly axis: number; readonly epsilon: number };
  /** x, weight, bias */
  instanceNorm: { readonly epsilon: number };
  localResponseNorm: {
    readonly size: number;
    readonly alpha: number;
    readonly beta: number;
    readonly k: number;
  };
  softmax: { readonly axis: number };
  logSoftmax: { readonly axis: number };
  leakyRelu: { readonly slope: number };
  /** x, slopes that broadcast */
  prelu: object;
  elu: { readonly alpha: number };
  selu: object;
  softplus: object;
  hardsigmoid: object;
  hardswish: object;
  clip: { readonly low: number; readonly high: number };
  upsample: {
    readonly mode: "nearest" | "linear";
    readonly alignCorners: boolean;
    /** As the caller gave it; undefined where the caller gave a size. */
    readonly scales: readonly number[] | undefined;
  };
  pixelShuffle: { readonly factor: number };
}

/** What a tensor is as one operation: its inputs in the order above, undefined where one was left out. */
export type Composite = {
  [Name in keyof Forms]: {
    readonly name: Name;
    readonly inputs: readonly (AnyTensor | undefined)[];
    readonly params: Forms[Name];
  };
}[keyof Forms];

export type CompositeOf<Name extends keyof Forms> = Extract<Composite, { readonly name: Name }>;

let current: Map<AnyTensor, Composite> | undefined;

/** Says what `result` is, if anybody wants to know. */
export function composite<T extends AnyTensor>(form: Composite, result: T): T {
  current?.set(result, form);
  return result;
}

/** Runs `record` and tells which of the tensors made in it are composites. */
export function withComposites<T>(record: () => T): {
  readonly result: T;
  readonly composites: ReadonlyMap<AnyTensor, Composite>;
} {
  const outer = current;
  const composites = new Map<AnyTensor, Composite>();
  current = composites;
  try {
    return { result: record(), composites };
  } finally {
    current = outer;
  }
}
