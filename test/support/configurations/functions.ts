/** Random settings of functions that are made of ops. */

import type { SampleInput } from "../../../src/graph/op.js";
import type { AnyTensor, Tensor } from "../../../src/graph/tensor.js";
import * as fovea from "../../../src/index.js";
import { type DrawCall, perAxis, positive } from "./call.js";
import { type Draw, floats } from "./draw.js";
import { windowedFunctions } from "./function-windows.js";

const functions = { ...fovea };

/** N×C×places, one to three axes of these. */
function maps(draw: Draw, channelCount = draw.between(1, 6)): number[] {
  const axes = draw.between(1, 3);
  return [draw.batch(), channelCount, ...perAxis(axes, () => draw.between(1, [9, 5, 4][axes - 1]))];
}

const resizing: Readonly<Record<string, DrawCall>> = {
  upsample(draw) {
    const shape = maps(draw);
    const places = shape.length - 2;
    const mode = draw.pick(["nearest", "linear"] as const);
    const by = draw.oneIn(2)
      ? { size: perAxis(places, () => draw.between(1, 9)) }
      : { scale: perAxis(places, (axis) => draw.pick([1, 1.5, 2, 3, shape[axis + 2] > 2 ? 0.5 : 2])) };
    const options = { ...by, mode, alignCorners: mode === "linear" && draw.oneIn(2) };
    draw.trait(mode, true);
    draw.trait("corners stay", options.alignCorners);
    return { inputs: [floats(shape)], settings: options, call: (x) => fovea.upsample(x, options) };
  },
  bedOfNails(draw) {
    const shape = maps(draw);
    const factors = shape.slice(2).map(() => draw.between(1, 3));
    return { inputs: [floats(shape)], settings: factors, call: (x) => fovea.bedOfNails(x, factors) };
  },
  pixelShuffle(draw) {
    const factor = draw.between(1, 3);
    const shape = [draw.batch(), draw.between(1, 3) * factor ** 2, draw.between(1, 5), draw.between(1, 5)];
    return { inputs: [floats(shape)], settings: factor, call: (x) => fovea.pixelShuffle(x, factor) };
  },
  pixelUnshuffle(draw) {
    const factor = draw.between(1, 3);
    const shape = [draw.batch(), draw.between(1, 3), draw.between(1, 4) * factor, draw.between(1, 4) * factor];
    return { inputs: [floats(shape)], settings: factor, call: (x) => fovea.pixelUnshuffle(x, factor) };
  },
  globalAvgPool: (draw) => ({ inputs: [floats(maps(draw))], settings: {}, call: (x) => fovea.globalAvgPool(x) }),
  globalMaxPool: (draw) => ({ inputs: [floats(maps(draw))], settings: {}, call: (x) => fovea.globalMaxPool(x) }),
  "maxout, crossChannelAvgPool"(draw) {
    const pieces = draw.between(1, 4);
    const shape = maps(draw, pieces * draw.between(1, 3));
    const call = (x: Tensor) => [fovea.maxout(x, pieces), fovea.crossChannelAvgPool(x, pieces)];
    return { inputs: [floats(shape)], settings: pieces, call };
  },
};

const normalization: Readonly<Record<string, DrawCall>> = {
  layerNorm(draw) {
    const shape = [draw.batch(), ...perAxis(draw.between(1, 3), () => draw.between(2, 7))];
    const own = shape.slice(draw.between(1, shape.length - 1));
    const call = (x: Tensor, weight: Tensor, bias: Tensor) => fovea.layerNorm(x, own, { weight, bias });
    return { inputs: [floats(shape), floats(own), floats(own)], settings: own, call };
  },
  groupNorm(draw) {
    const groups = draw.between(1, 3);
    const count = groups * draw.between(1, 3);
    const shape = [...maps(draw, count), draw.between(2, 4)];
    const call = (x: Tensor, weight: Tensor, bias: Tensor) => fovea.groupNorm(x, groups, { weight, bias });
    return { inputs: [floats(shape), floats([count]), floats([count])], settings: groups, call };
  },
  instanceNorm(draw) {
    const shape = [...maps(draw), draw.between(2, 4)];
    const own = floats([shape[1]]);
    const call = (x: Tensor, weight: Tensor, bias: Tensor) => fovea.instanceNorm(x, { weight, bias, eps: 1e-3 });
    return { inputs: [floats(shape), own, own], settings: {}, call };
  },
  localResponseNorm(draw) {
    const shape = [draw.batch(), draw.between(1, 9), draw.between(1, 5), draw.between(1, 5)];
    const size = draw.between(1, 5);
    const region = draw.pick(["across", "within"] as const);
    const options = { alpha: draw.pick([1e-4, 0.5]), beta: draw.pick([0.5, 0.75]), k: draw.pick([1, 2]), region };
    draw.trait(region, true);
    return {
      inputs: [floats(shape)],
      settings: { size, ...options },
      call: (x) => fovea.localResponseNorm(x, size, options),
    };
  },
  "softmax, logSoftmax"(draw) {
    const shape = draw.shape(1, 4, { empty: false });
    const axis = draw.integer(shape.length);
    draw.trait("last axis", axis === shape.length - 1);
    return {
      inputs: [floats(shape)],
      settings: axis,
      call: (x) => [fovea.softmax(x, axis), fovea.logSoftmax(x, axis)],
    };
  },
};

/** A shape, and some of its axes. */
function reduced(draw: Draw) {
  const shape = draw.shape(1, 4, { longest: 7, empty: false });
  const axes = shape.map((_, axis) => axis).filter(() => draw.oneIn(2));
  const axis = axes.length === 0 ? undefined : axes;
  const options = { keepdim: draw.oneIn(2) };
  draw.trait("all axes", axis === undefined);
  draw.trait("keepdim", options.keepdim);
  return { shape, axis, options };
}

function reduction(
  call: (x: Tensor, axis: readonly number[] | undefined, options: { keepdim: boolean }) => Tensor,
  values = floats,
): DrawCall {
  return (draw) => {
    const { shape, axis, options } = reduced(draw);
    return { inputs: [values(shape)], settings: { axis, ...options }, call: (x) => call(x, axis, options) };
  };
}

/** A function along one axis. */
function along(call: (x: Tensor, axis: number, draw: number) => readonly AnyTensor[] | AnyTensor): DrawCall {
  return (draw) => {
    const shape = draw.shape(1, 4, { longest: 7, empty: false });
    const axis = draw.integer(shape.length);
    if (draw.oneIn(3)) shape[axis] = draw.between(1, 90);
    const choice = draw.integer(1000);
    draw.trait("long", shape[axis] > 17);
    return { inputs: [floats(shape)], settings: { axis, choice }, call: (x) => call(x, axis, choice) };
  };
}

const arrays: Readonly<Record<string, DrawCall>> = {
  mean: reduction((x, axis, options) => fovea.mean(x, axis, options)),
  variance: reduction((x, axis, options) => fovea.variance(x, axis, { ...options, correction: 0 })),
  std: reduction((x, axis, options) => fovea.std(x.add(0.1) as Tensor, axis, { ...options, correction: 0 })),
  prod: reduction((x, axis, options) => fovea.prod(x, axis, options)),
  norm: reduction((x, axis, options) => fovea.norm(x, axis, options), positive),
  logSumExp: reduction((x, axis, options) => fovea.logSumExp(x, axis, options)),
  median: reduction((x, axis, options) => fovea.median(x, axis, options)),
  quantile: reduction((x, axis, options) => fovea.quantile(x, 0.37, axis, options)),
  cumsum: along((x, axis) => fovea.cumsum(x, axis)),
  sort: along((x, axis, choice) => {
    const { values, indices } = fovea.sort(x, axis, { descending: choice % 2 === 0 });
    return [values, indices];
  }),
  topk: along((x, axis, choice) => {
    const { values, indices } = fovea.topk(x, 1 + (choice % x.shape[axis]), axis);
    return [values, indices];
  }),
  roll: along((x, axis, choice) => fovea.roll(x, choice - 500, axis)),
  split: along((x, axis, choice) => fovea.split(x, 1 + (choice % 9), axis)),
  "concat, stack": along((x, axis) => [fovea.concat([x, x], axis), fovea.stack([x, x, x], axis)]),
  rot90(draw) {
    const shape = [...draw.shape(0, 2, { longest: 4 }), draw.length(7), draw.length(7)];
    const quarters = draw.between(-3, 4);
    return { inputs: [floats(shape)], settings: quarters, call: (x) => fovea.rot90(x, quarters) };
  },
  repeat(draw) {
    const shape = draw.shape(1, 3, { longest: 4 });
    const times = shape.map(() => draw.between(0, 3));
    return { inputs: [floats(shape)], settings: times, call: (x) => fovea.repeat(x, times) };
  },
  pad(draw) {
    const shape = draw.shape(1, 4, { longest: 5, empty: false });
    const mode = draw.pick([0, 0.5, "reflect", "replicate", "circular"] as const);
    const most = (length: number) => (mode === "reflect" ? length - 1 : mode === "circular" ? length : 3);
    const widths = shape.map((length) => [draw.between(0, most(length)), draw.between(0, most(length))] as const);
    draw.trait(String(mode), true);
    return { inputs: [floats(shape)], settings: { widths, mode }, call: (x) => fovea.pad(x, widths, mode) };
  },
  matmul(draw) {
    const [rows, inner, columns] = [draw.length(7), draw.length(7), draw.length(7)];
    const batch = draw.shape(0, 2, { longest: 3 });
    const shared = batch.map((length) => (draw.oneIn(3) ? 1 : length)).slice(draw.between(0, batch.length));
    draw.trait("batch shared", shared.join() !== batch.join());
    return {
      inputs: [floats([...batch, rows, inner]), floats([...shared, inner, columns])],
      settings: {},
      call: (a, b) => fovea.matmul(a, b),
    };
  },
  linear(draw) {
    const [features, out] = [draw.length(), draw.length()];
    const lead = draw.shape(0, 3, { longest: 4 });
    return {
      inputs: [floats([...lead, features]), floats([out, features]), floats([out])],
      settings: {},
      call: (x, w, b) => fovea.linear(x, w, b),
    };
  },
};

const reductions = ["none", "mean", "sum"] as const;

/** Scores of classes at places, and labels. */
function scored(draw: Draw) {
  const classes = draw.between(2, 6);
  const places = draw.shape(0, 2, { longest: 4, empty: false });
  const samples = draw.between(1, 5);
  const reduction = draw.pick(reductions);
  draw.trait(reduction, true);
  draw.trait("per place", places.length > 0);
  const labels: SampleInput = { shape: [samples, ...places], dtype: "int32", below: classes };
  return { scores: floats([samples, classes, ...places]), labels, weight: positive([classes]), reduction };
}

/** A loss of two tensors of one shape. */
function pairLoss(
  call: (a: Tensor, b: Tensor, reduction: "none" | "mean" | "sum") => Tensor,
  values = floats,
): DrawCall {
  return (draw) => {
    const shape = [draw.between(1, 4), ...draw.shape(2, 3, { longest: 5, empty: false })];
    const reduction = draw.pick(reductions);
    draw.trait(reduction, true);
    return { inputs: [floats(shape), values(shape)], settings: reduction, call: (a, b) => call(a, b, reduction) };
  };
}

const { sigmoid } = fovea;

const losses: Readonly<Record<string, DrawCall>> = {
  crossEntropy(draw) {
    const { scores, labels, weight, reduction } = scored(draw);
    const options = { labelSmoothing: draw.pick([0, 0.2]), ignoreIndex: draw.oneIn(2) ? 0 : undefined, reduction };
    draw.trait("smoothing", options.labelSmoothing > 0);
    draw.trait("ignored", options.ignoreIndex !== undefined);
    const call = (x: Tensor, y: AnyTensor, w: Tensor) =>
      // One sample more that counts: were all ignored, their mean would be 0 / 0.
      fovea.crossEntropy(x, y as Tensor<readonly number[], "int32">, {
        ...options,
        weight: w,
        ...(reduction === "mean" && { ignoreIndex: undefined }),
      });
    return { inputs: [scores, labels, weight], settings: options, call };
  },
  nllLoss(draw) {
    const { scores, labels, weight, reduction } = scored(draw);
    const call = (x: Tensor, y: AnyTensor, w: Tensor) =>
      fovea.nllLoss(x, y as Tensor<readonly number[], "int32">, { weight: w, reduction });
    return { inputs: [scores, labels, weight], settings: reduction, call };
  },
  multiMarginLoss(draw) {
    const { scores, labels, weight, reduction } = scored(draw);
    const [samples, classes] = scores.shape;
    const options = { p: draw.pick([1, 2] as const), margin: draw.pick([0.5, 1]), reduction };
    const call = (x: Tensor, y: AnyTensor, w: Tensor) =>
      fovea.multiMarginLoss(x, y as Tensor<readonly number[], "int32">, { ...options, weight: w });
    return { inputs: [floats([samples, classes]), { ...labels, shape: [samples] }, weight], settings: options, call };
  },
  mseLoss: pairLoss((a, b, reduction) => fovea.mseLoss(a, b, { reduction })),
  l1Loss: pairLoss((a, b, reduction) => fovea.l1Loss(a, b, { reduction })),
  huberLoss: pairLoss((a, b, reduction) => fovea.huberLoss(a, b, { reduction, delta: 0.6 })),
  smoothL1Loss: pairLoss((a, b, reduction) => fovea.smoothL1Loss(a, b, { reduction, beta: 0.6 })),
  hingeLoss: pairLoss((a, b, reduction) => fovea.hingeLoss(a, b, { reduction, squared: true })),
  diceLoss: pairLoss((a, b, reduction) => fovea.diceLoss(sigmoid(a), sigmoid(b), { reduction })),
  klDivLoss: pairLoss((a, b, reduction) => fovea.klDivLoss(fovea.logSoftmax(a, 1), b, { reduction }), positive),
  binaryCrossEntropy: pairLoss((a, b, reduction) => fovea.binaryCrossEntropy(sigmoid(a), sigmoid(b), { reduction })),
  binaryCrossEntropyWithLogits: pairLoss((a, b, reduction) =>
    fovea.binaryCrossEntropyWithLogits(a, sigmoid(b), { reduction, positiveWeight: 2 }),
  ),
};

/** Activations of any shape. */
const activations: Readonly<Record<string, DrawCall>> = Object.fromEntries(
  (
    [
      "leakyRelu",
      "elu",
      "selu",
      "gelu",
      "silu",
      "softplus",
      "logSigmoid",
      "mish",
      "softsign",
      "hardtanh",
      "relu6",
      "hardsigmoid",
      "hardswish",
      "hardshrink",
      "softshrink",
    ] as const
  ).map((name): [string, DrawCall] => [
    name,
    (draw) => ({
      inputs: [{ shape: draw.shape(0, 4), dtype: "float32", range: [-6, 6] }],
      settings: {},
      call: (x) => functions[name](x),
    }),
  ]),
);

/** Functions by name, each with a way to draw a call. */
export const functionConfigurations: Readonly<Record<string, DrawCall>> = {
  ...windowedFunctions,
  ...resizing,
  ...normalization,
  ...arrays,
  ...losses,
  ...activations,
};
