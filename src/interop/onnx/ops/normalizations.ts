/** Normalization, and dropout. */

import { sameShape, sizeOf } from "../../../core/shape.js";
import type { AnyState, State } from "../../../graph/state.js";
import type { Tensor } from "../../../graph/tensor.js";
import { composite } from "../../../ops/composites.js";
import { full } from "../../../ops/create.js";
import { add, div, mul, sub } from "../../../ops/elementwise/arithmetic.js";
import { less } from "../../../ops/elementwise/comparison.js";
import { sqrt } from "../../../ops/elementwise/functions.js";
import { cast, where } from "../../../ops/elementwise/select.js";
import { groupNorm, instanceNorm, layerNorm, localResponseNorm } from "../../../ops/normalization.js";
import { Generator } from "../../../ops/random/generator.js";
import { uniform } from "../../../ops/random/random.js";
import { mean } from "../../../ops/reduce/mean.js";
import { norm } from "../../../ops/reduce/statistics.js";
import { detach, reshape } from "../../../ops/shape/reshape.js";
import { flip } from "../../../ops/shape/slice.js";
import type { Call } from "../call.js";
import {
  type Definition,
  define,
  float,
  int,
  ints,
  type OpTable,
  type Outputs,
  required,
  type Steps,
} from "../definition.js";
import { type TensorValue, tensorValue } from "../value.js";

/** One number for each channel, to broadcast with N×C×…. */
function perChannel(values: Tensor, x: Tensor): Tensor {
  return reshape(
    values,
    x.shape.map((_, axis) => (axis === 1 ? values.size : 1)),
  );
}

/** Mean and variance over some axes, which stay. */
function statistics(x: Tensor, axes: readonly number[]): { centre: Tensor; spread: Tensor; deviation: Tensor } {
  const centre = mean(x, axes, { keepdim: true });
  const deviation = sub(x, centre) as Tensor;
  return { centre, deviation, spread: mean(mul(deviation, deviation) as Tensor, axes, { keepdim: true }) };
}

interface BatchSettings {
  readonly epsilon: number;
  readonly momentum: number;
  readonly spatial?: number;
}

/** By given statistics, or by the batch's own, which move the given ones. */
function batchNormalized(call: Call, { epsilon, momentum, spatial = 1 }: BatchSettings, byBatch: boolean): Outputs {
  const x = call.float(0);
  const [scale, shift, given, spread] = [1, 2, 3, 4].map((i) => call.float(i));
  // Without `spatial`, each place of a channel has statistics of its own.
  const fit = (values: Tensor) => (spatial === 0 ? reshape(values, [1, ...x.shape.slice(1)]) : perChannel(values, x));
  const normalize = (centre: Tensor, variance: Tensor) => {
    const standard = div(sub(x, fit(centre)), sqrt(add(fit(variance), epsilon) as Tensor)) as Tensor;
    return add(mul(standard, fit(scale)), fit(shift)) as Tensor;
  };
  const follows = call.training && !byBatch;
  if (!byBatch && !follows) {
    // One factor and one summand for each channel, as in `BatchNorm2d`.
    const factor = div(scale, sqrt(add(spread, epsilon))) as Tensor;
    const result = add(mul(x, fit(factor)), fit(sub(shift, mul(given, factor)) as Tensor)) as Tensor;
    if (spatial === 0) return tensorValue(call.type(0), result);
    const inputs = [x, given, spread, scale, shift];
    return tensorValue(call.type(0), composite({ name: "batchNorm", inputs, params: { epsilon } }, result));
  }
  const axes = x.shape.map((_, axis) => axis).filter((axis) => (spatial === 0 ? axis === 0 : axis !== 1));
  const own = statistics(x, axes);
  const [centre, variance] = [reshape(own.centre, given.shape), reshape(own.spread, spread.shape)];
  const blend = (old: Tensor, batch: Tensor) => add(mul(old, momentum), mul(detach(batch), 1 - momentum)) as Tensor;
  if (follows) {
    const count = x.size / Math.max(1, centre.size);
    const unbiased = mul(variance, count / Math.max(1, count - 1)) as Tensor;
    update(call, 3, (old) => blend(old, centre));
    update(call, 4, (old) => blend(old, unbiased));
    return tensorValue(call.type(0), normalize(centre, variance));
  }
  const result = tensorValue(call.type(0), normalize(centre, variance));
  return [result, tensorValue(call.type(3), blend(given, centre)), tensorValue(call.type(4), blend(spread, variance))];
}

/** Gives the state behind an input a new value, if there is one. */
function update(call: Call, index: number, next: (old: Tensor) => Tensor): void {
  const state: AnyState | undefined = call.any(index).state;
  if (state !== undefined && state.dtype === "float32") (state as State).assign(next(call.float(index)));
}

function batchForm(since: number, attributes: NonNullable<Definition["attributes"]>): Definition {
  return define({
    since,
    attributes: { epsilon: float(1e-5), momentum: float(0.9), ...attributes },
    statistics: [3, 4],
    build: (call, settings) => {
      const { training_mode: mode = 0, is_test: isTest = 1 } = settings as Readonly<Record<string, number>>;
      return batchNormalized(call, settings, mode !== 0 || (isTest === 0 && call.node.outputs.length > 1));
    },
  });
}

/** Over the places of each channel; where there is but one, it is its own mean. */
function instanceNormalized(call: Call, { epsilon }: { readonly epsilon: number }): TensorValue {
  const [x, weight, bias] = [call.float(0), call.float(1), call.float(2)];
  if (sizeOf(x.shape.slice(2)) > 1) return tensorValue(call.type(0), instanceNorm(x, { weight, bias, eps: epsilon }));
  return tensorValue(call.type(0), add(mul(sub(x, x), perChannel(weight, x)), perChannel(bias, x)) as Tensor);
}

/** Over the last axes, from `axis` on; gives mean and 1/deviation as well. */
function layerNormalized(call: Call, { axis, epsilon }: { readonly axis: number; readonly epsilon: number }): Outputs {
  const x = call.float(0);
  const first = call.axis(axis, x.rank);
  const [weight, bias] = [call.float(1), call.optionalFloat(2)];
  const normalized = x.shape.slice(first);
  const fits = [weight, bias].every((each) => each === null || sameShape(each.shape, normalized));
  if (fits && first < x.rank && !call.wants(1) && !call.wants(2))
    return tensorValue(call.type(0), layerNorm(x, normalized, { weight, bias, eps: epsilon }));
  const { centre, deviation, spread } = statistics(x, x.shape.map((_, i) => i).slice(first));
  const inverse = div(1, sqrt(add(spread, epsilon) as Tensor)) as Tensor;
  const scaled = mul(mul(deviation, inverse), weight) as Tensor;
  const shifted = bias === null ? scaled : (add(scaled, bias) as Tensor);
  return [tensorValue(call.type(0), shifted), tensorValue("float32", centre), tensorValue("float32", inverse)];
}

function rmsNormalized(
  call: Call,
  { axis, epsilon }: { readonly axis: number; readonly epsilon: number },
): TensorValue {
  const x = call.float(0);
  const axes = x.shape.map((_, i) => i).slice(call.axis(axis, x.rank));
  const root = sqrt(add(mean(mul(x, x) as Tensor, axes, { keepdim: true }), epsilon) as Tensor);
  return tensorValue(call.type(0), mul(div(x, root), call.float(1)) as Tensor);
}

/** Groups of channels. Before opset 21, scale and bias are one number for each group. */
function groupNormalized(
  call: Call,
  { epsilon, num_groups: groups }: { readonly epsilon: number; readonly num_groups: number },
): TensorValue {
  const x = call.float(0);
  const standard = groupNorm(x, groups, { eps: epsilon });
  const spreadOut = (values: Tensor): Tensor => {
    if (call.opset >= 21) return perChannel(values, x);
    const each = x.shape[1] / groups;
    const stretched = mul(reshape(values, [groups, 1]), full([1, each], 1)) as Tensor;
    return perChannel(reshape(stretched, [groups * each]), x);
  };
  return tensorValue(call.type(0), add(mul(standard, spreadOut(call.float(1))), spreadOut(call.float(2))) as Tensor);
}

/** Over neighbouring channels: of an even number, the odd one comes behind, unlike in PyTorch. */
function acrossChannels(x: Tensor, size: number, alpha: number, beta: number, k: number): Tensor {
  const normalize = (values: Tensor) => localResponseNorm(values, size, { alpha, beta, k });
  return size % 2 === 1 ? normalize(x) : flip(normalize(flip(x, 1)), 1);
}

/** Zeros drawn anew with each run, and the mask of what stays. */
function dropped(call: Call, ratio: number, seed: number | undefined, training: boolean): Outputs {
  const x = call.float(0);
  const type = call.type(0);
  const maskType = call.opset >= 10 ? "bool" : type;
  const mask = (flags: Tensor<readonly number[], "bool">) =>
    tensorValue(maskType, maskType === "bool" ? flags : cast(flags, "float32"));
  if (!training || ratio === 0) {
    const all = call.wants(1) ? mask(full(x.shape, 1, { dtype: "bool" })) : undefined;
    return [tensorValue(type, x), all];
  }
  const generator = seed === undefined ? {} : { generator: new Generator(Math.abs(Math.trunc(seed))) };
  const kept = less(uniform(x.shape, 0, 1, generator), 1 - ratio);
  const scaled = mul(x, ratio === 1 ? 0 : 1 / (1 - ratio)) as Tensor;
  return [tensorValue(type, where(kept, scaled, 0) as Tensor), call.wants(1) ? mask(kept) : undefined];
}

function* dropout(call: Call, { seed }: { readonly seed: number | undefined }): Steps<Outputs> {
  const ratio = call.has(1) ? yield* call.number(1) : 0.5;
  const training = call.has(2) && (yield* call.number(2)) !== 0;
  return dropped(call, ratio, seed, training || call.training);
}

/** Σ |x|ᵖ along an axis made 1. */
function lpNormalized(call: Call, { axis, p }: { readonly axis: number; readonly p: number }): TensorValue {
  if (p !== 1 && p !== 2) throw call.error(`p is ${p}. Expected 1 or 2`);
  const x = call.float(0);
  const length = norm(x, call.axis(axis, x.rank), { p, keepdim: true });
  const scale = where(less(0, length), length, 1) as Tensor;
  return tensorValue(call.type(0), div(x, scale) as Tensor);
}

export const normalizations: OpTable = {
  BatchNormalization: [
    batchForm(1, { spatial: int(1), is_test: int(0) }),
    batchForm(7, { spatial: int(1) }),
    batchForm(9, {}),
    batchForm(14, { training_mode: int(0) }),
  ],
  InstanceNormalization: [define({ since: 1, attributes: { epsilon: float(1e-5) }, build: instanceNormalized })],
  LayerNormalization: [
    define({
      since: 17,
      attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
      build: layerNormalized,
    }),
  ],
  RMSNormalization: [
    define({
      since: 23,
      attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
      build: rmsNormalized,
    }),
  ],
  GroupNormalization: [
    define({
      since: 18,
      attributes: { epsilon: float(1e-5), num_groups: required(int()), stash_type: int(1) },
      build: groupNormalized,
    }),
  ],
  LRN: [
    define({
      since: 1,
      attributes: { alpha: float(1e-4), beta: float(0.75), bias: float(1), size: required(int()) },
      build: (call, { alpha, beta, bias, size }) => {
        return tensorValue(call.type(0), acrossChannels(call.float(0), size, alpha, beta, bias));
      },
    }),
  ],
  MeanVarianceNormalization: [
    define({
      since: 9,
      attributes: { axes: ints([0, 2, 3]) },
      build: (call, { axes }) => {
        const x = call.float(0);
        const { deviation, spread } = statistics(x, call.axes(axes, x.rank));
        return tensorValue(call.type(0), div(deviation, add(sqrt(spread), 1e-9)) as Tensor);
      },
    }),
  ],
  LpNormalization: [define({ since: 1, attributes: { axis: int(-1), p: int(2) }, build: lpNormalized })],
  Dropout: [
    define({
      since: 1,
      attributes: { is_test: int(0), ratio: float(0.5) },
      build: (call, { is_test: isTest, ratio }) => dropped(call, ratio, undefined, call.training && isTest === 0),
    }),
    define({
      since: 7,
      attributes: { ratio: float(0.5) },
      build: (call, { ratio }) => dropped(call, ratio, undefined, call.training),
    }),
    define({ since: 12, attributes: { seed: int() }, known: [1, 2], build: dropout }),
  ],
};
