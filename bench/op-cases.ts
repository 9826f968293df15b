/** What `bench:ops` times: calls of ops with the shapes of their inputs, each as in torch_ops.py. */

import type { Shape, Tensor } from "fovea";
import * as fovea from "fovea";

const pictures: Shape = [16, 32, 56, 56];
const sounds: Shape = [32, 64, 1024];
const films: Shape = [4, 16, 16, 28, 28];
const features: Shape = [4096, 512];
const kernels: Shape = [32, 32, 3, 3];
const perChannel: readonly Shape[] = [pictures, [32], [32]];

/** The shapes of the inputs, and what is done with them. */
export type Case = readonly [shapes: readonly Shape[], call: (...inputs: Tensor[]) => Tensor];

const classes = (count: number, ...shape: number[]) => {
  const length = shape.reduce((a, b) => a * b, 1);
  return fovea.tensor(
    Int32Array.from({ length }, (_, i) => i % count),
    shape,
  );
};
const probabilities = (...shape: number[]) => {
  const length = shape.reduce((a, b) => a * b, 1);
  return fovea.tensor(
    Float32Array.from({ length }, (_, i) => ((i % 7) + 1) / 8),
    shape,
  );
};

function normalized(layer: fovea.nn.BatchNorm1d | fovea.nn.BatchNorm2d, x: Tensor, weight: Tensor, bias: Tensor) {
  const shape = [-1, ...x.shape.slice(2).map(() => 1)];
  return fovea.add(fovea.mul(layer(x), weight.reshape(shape)), bias.reshape(shape)) as Tensor;
}

/** Activations and others with one picture as input. */
const ofPictures = {
  maxPool2d: (x) => fovea.maxPool2d(x, 3, { stride: 2, padding: 1 }),
  "maxPool2d dilated": (x) => fovea.maxPool2d(x, 3, { dilation: 2 }),
  minPool2d: (x) => fovea.minPool2d(x, 2),
  maxUnpool2d: (x) => {
    const { values, indices } = fovea.maxPool2dWithIndices(x, 2);
    return fovea.maxUnpool2d(values, indices, [56, 56]);
  },
  avgPool2d: (x) => fovea.avgPool2d(x, 2),
  "avgPool2d overlapping": (x) => fovea.avgPool2d(x, 3, { stride: 1, padding: 1 }),
  lpPool2d: (x) => fovea.lpPool2d(x, 2),
  "lpPool2d p 3": (x) => fovea.lpPool2d(x, 2, { p: 3 }),
  stochasticPool2d: (x) => fovea.stochasticPool2d(x, 2),
  "stochasticPool2d mean": (x) => fovea.stochasticPool2d(x, 2, { training: false }),
  globalAvgPool: (x) => fovea.globalAvgPool(x),
  globalMaxPool: (x) => fovea.globalMaxPool(x),
  adaptiveAvgPool2d: (x) => fovea.adaptiveAvgPool2d(x, 5),
  "adaptiveAvgPool2d 13": (x) => fovea.adaptiveAvgPool2d(x, 13),
  adaptiveMaxPool2d: (x) => fovea.adaptiveMaxPool2d(x, 5),
  "adaptiveMaxPool2d 13": (x) => fovea.adaptiveMaxPool2d(x, 13),
  maxout: (x) => fovea.maxout(x, 2),
  crossChannelAvgPool: (x) => fovea.crossChannelAvgPool(x, 2),
  "upsample nearest": (x) => fovea.upsample(x, { scale: 2 }),
  "upsample nearest 1.5": (x) => fovea.upsample(x, { scale: 1.5 }),
  "upsample linear": (x) => fovea.upsample(x, { scale: 2, mode: "linear" }),
  "upsample corners": (x) => fovea.upsample(x, { scale: 2, mode: "linear", alignCorners: true }),
  bedOfNails: (x) => fovea.bedOfNails(x, 2),
  pixelShuffle: (x) => fovea.pixelShuffle(x, 2),
  pixelUnshuffle: (x) => fovea.pixelUnshuffle(x, 2),
  instanceNorm: (x) => fovea.instanceNorm(x),
  localResponseNorm: (x) => fovea.localResponseNorm(x, 5),
  "localResponseNorm in": (x) => fovea.localResponseNorm(x, 5, { region: "within" }),
  relu: (x) => fovea.relu(x),
  leakyRelu: (x) => fovea.leakyRelu(x),
  elu: (x) => fovea.elu(x),
  selu: (x) => fovea.selu(x),
  gelu: (x) => fovea.gelu(x),
  "gelu tanh": (x) => fovea.gelu(x, { approximate: "tanh" }),
  silu: (x) => fovea.silu(x),
  mish: (x) => fovea.mish(x),
  softplus: (x) => fovea.softplus(x),
  sigmoid: (x) => fovea.sigmoid(x),
  logSigmoid: (x) => fovea.logSigmoid(x),
  tanh: (x) => fovea.tanh(x),
  softsign: (x) => fovea.softsign(x),
  hardtanh: (x) => fovea.hardtanh(x),
  relu6: (x) => fovea.relu6(x),
  hardsigmoid: (x) => fovea.hardsigmoid(x),
  hardswish: (x) => fovea.hardswish(x),
  hardshrink: (x) => fovea.hardshrink(x),
  softshrink: (x) => fovea.softshrink(x),
  dropout: (x) => fovea.dropout(x),
  featureDropout: (x) => fovea.featureDropout(x),
  "softmax channels": (x) => fovea.softmax(x, 1),
  "crossEntropy places": (x) => {
    const weight = probabilities(32);
    return fovea.crossEntropy(x, classes(32, 16, 56, 56), { weight, ignoreIndex: 0 });
  },
  diceLoss: (x) => fovea.diceLoss(fovea.sigmoid(x), probabilities(...pictures)),
  unfold: (x) => fovea.unfold(x, 3),
  pad: (x) =>
    fovea.pad(x, [
      [2, 2],
      [2, 2],
    ]),
  "pad reflect": (x) =>
    fovea.pad(
      x,
      [
        [2, 2],
        [2, 2],
      ],
      "reflect",
    ),
  "pad replicate": (x) =>
    fovea.pad(
      x,
      [
        [2, 2],
        [2, 2],
      ],
      "replicate",
    ),
  "pad circular": (x) =>
    fovea.pad(
      x,
      [
        [2, 2],
        [2, 2],
      ],
      "circular",
    ),
  flip: (x) => fovea.flip(x, [2, 3]),
  roll: (x) => fovea.roll(x, 5),
  rot90: (x) => fovea.rot90(x),
  permute: (x) => fovea.permute(x, [0, 2, 3, 1]),
  repeat: (x) => fovea.repeat(x, [1, 2, 1, 1]),
  "mean of places": (x) => fovea.mean(x, [2, 3]),
  "max of channels": (x) => fovea.max(x, 1),
} satisfies Record<string, (x: Tensor) => Tensor>;

/** Those with rows of features as input. */
const ofFeatures = {
  softmax: (x) => fovea.softmax(x),
  logSoftmax: (x) => fovea.logSoftmax(x),
  crossEntropy: (x) => fovea.crossEntropy(x, classes(512, 4096), { labelSmoothing: 0.1 }),
  nllLoss: (x) => fovea.nllLoss(x, classes(512, 4096)),
  multiMarginLoss: (x) => fovea.multiMarginLoss(x, classes(512, 4096)),
  klDivLoss: (x) => fovea.klDivLoss(x, probabilities(...features)),
  binaryCrossEntropy: (x) => fovea.binaryCrossEntropy(fovea.sigmoid(x), probabilities(...features)),
  "binaryCrossEntropy of logits": (x) => fovea.binaryCrossEntropyWithLogits(x, probabilities(...features)),
  "sum of rows": (x) => fovea.sum(x, 1),
  "sum of columns": (x) => fovea.sum(x, 0),
  variance: (x) => fovea.variance(x, 1),
  std: (x) => fovea.std(x, 0),
  max: (x) => fovea.max(x, 1),
  cumsum: (x) => fovea.cumsum(x),
  "cumsum down": (x) => fovea.cumsum(x, 0),
  topk: (x) => fovea.topk(x, 5).values,
  "topk 50": (x) => fovea.topk(x, 50).values,
  sort: (x) => fovea.sort(x).values,
  quantile: (x) => fovea.quantile(x, 0.3, 1),
  norm: (x) => fovea.norm(x, 1),
  prod: (x) => fovea.prod(x, 1),
  logSumExp: (x) => fovea.logSumExp(x, 1),
  take: (x) => fovea.take(x, classes(4096, 4096)),
  takeAlongAxis: (x) => fovea.takeAlongAxis(x, classes(512, 4096, 64), 1),
  split: (x) => fovea.split(x, 256, 1)[1],
} satisfies Record<string, (x: Tensor) => Tensor>;

const withInput = (shape: Shape, calls: Readonly<Record<string, (x: Tensor) => Tensor>>): Record<string, Case> =>
  Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, [[shape], call]]));

export const cases: Readonly<Record<string, Case>> = {
  conv1d: [[sounds, [64, 64, 9]], (x, w) => fovea.conv1d(x, w, null, { padding: 4 })],
  conv2d: [[pictures, kernels], (x, w) => fovea.conv2d(x, w, null, { padding: 1 })],
  "conv2d 1×1": [[pictures, [64, 32, 1, 1]], (x, w) => fovea.conv2d(x, w, null)],
  "conv2d depthwise": [[pictures, [32, 1, 3, 3]], (x, w) => fovea.conv2d(x, w, null, { padding: 1, groups: 32 })],
  "conv2d groups": [[pictures, [32, 8, 3, 3]], (x, w) => fovea.conv2d(x, w, null, { padding: 1, groups: 4 })],
  "conv2d stride 2": [[pictures, [64, 32, 3, 3]], (x, w) => fovea.conv2d(x, w, null, { padding: 1, stride: 2 })],
  "conv2d dilated": [[pictures, kernels], (x, w) => fovea.conv2d(x, w, null, { padding: 2, dilation: 2 })],
  "conv2d same": [[pictures, [32, 32, 4, 4]], (x, w) => fovea.conv2d(x, w, null, { padding: "same" })],
  "conv2d reflect": [[pictures, kernels], (x, w) => fovea.conv2d(x, w, null, { padding: 1, paddingMode: "reflect" })],
  "conv2d circular": [[pictures, kernels], (x, w) => fovea.conv2d(x, w, null, { padding: 1, paddingMode: "circular" })],
  trueConvolution: [[pictures, kernels], (x, w) => fovea.trueConvolution(x, w, null, { padding: 1 })],
  conv3d: [[films, [16, 16, 3, 3, 3]], (x, w) => fovea.conv3d(x, w, null, { padding: 1 })],
  "conv3d stride 2": [[films, [16, 16, 3, 3, 3]], (x, w) => fovea.conv3d(x, w, null, { padding: 1, stride: 2 })],
  convTranspose1d: [[sounds, [64, 32, 4]], (x, w) => fovea.convTranspose1d(x, w, null, { stride: 2, padding: 1 })],
  convTranspose2d: [[pictures, [32, 16, 4, 4]], (x, w) => fovea.convTranspose2d(x, w, null, { stride: 2, padding: 1 })],
  "convTranspose2d dilated": [
    [pictures, [32, 16, 3, 3]],
    (x, w) => fovea.convTranspose2d(x, w, null, { stride: 2, dilation: 2, outputPadding: 1 }),
  ],
  convTranspose3d: [[films, [16, 8, 2, 2, 2]], (x, w) => fovea.convTranspose3d(x, w, null, { stride: 2 })],
  locallyConnected2d: [
    [
      [16, 16, 28, 28],
      [26 * 26, 16, 16 * 9],
    ],
    (x, w) => fovea.locallyConnected2d(x, w, null, 3),
  ],
  maxPool1d: [[sounds], (x) => fovea.maxPool1d(x, 2)],
  maxPool3d: [[films], (x) => fovea.maxPool3d(x, 2)],
  maxUnpool3d: [
    [films],
    (x) => {
      const { values, indices } = fovea.maxPool3dWithIndices(x, 2);
      return fovea.maxUnpool3d(values, indices, [16, 28, 28]);
    },
  ],
  minPool3d: [[films], (x) => fovea.minPool3d(x, 2)],
  lpPool3d: [[films], (x) => fovea.lpPool3d(x, 2)],
  avgPool1d: [[sounds], (x) => fovea.avgPool1d(x, 2)],
  avgPool3d: [[films], (x) => fovea.avgPool3d(x, 2)],
  lpPool1d: [[sounds], (x) => fovea.lpPool1d(x, 2)],
  adaptiveAvgPool1d: [[sounds], (x) => fovea.adaptiveAvgPool1d(x, 100)],
  adaptiveAvgPool3d: [[films], (x) => fovea.adaptiveAvgPool3d(x, 5)],
  adaptiveMaxPool3d: [[films], (x) => fovea.adaptiveMaxPool3d(x, 5)],
  "upsample linear 1-D": [[sounds], (x) => fovea.upsample(x, { scale: 2, mode: "linear" })],
  "upsample linear 3-D": [[films], (x) => fovea.upsample(x, { scale: 2, mode: "linear" })],
  batchNorm1d: [
    [features, [512], [512]],
    (x, w, b) => normalized(new fovea.nn.BatchNorm1d(512, { affine: false }), x, w, b),
  ],
  batchNorm2d: [perChannel, (x, w, b) => normalized(new fovea.nn.BatchNorm2d(32, { affine: false }), x, w, b)],
  layerNorm: [[features, [512], [512]], (x, weight, bias) => fovea.layerNorm(x, [512], { weight, bias })],
  groupNorm: [perChannel, (x, weight, bias) => fovea.groupNorm(x, 8, { weight, bias })],
  "instanceNorm affine": [perChannel, (x, weight, bias) => fovea.instanceNorm(x, { weight, bias })],
  prelu: [[pictures, [32]], (x, w) => fovea.prelu(x, w)],
  ...withInput(pictures, ofPictures),
  ...withInput(features, ofFeatures),
  mseLoss: [[features, features], (x, y) => fovea.mseLoss(x, y)],
  l1Loss: [[features, features], (x, y) => fovea.l1Loss(x, y)],
  huberLoss: [[features, features], (x, y) => fovea.huberLoss(x, y)],
  smoothL1Loss: [[features, features], (x, y) => fovea.smoothL1Loss(x, y)],
  linear: [[features, [256, 512]], (x, w) => fovea.linear(x, w)],
  "matmul batched": [
    [
      [32, 128, 64],
      [32, 64, 128],
    ],
    (x, y) => fovea.matmul(x, y),
  ],
  concat: [[features, features], (x, y) => fovea.concat([x, y], 1)],
  stack: [[features, features], (x, y) => fovea.stack([x, y], 1)],
  where: [[features, features], (x, y) => fovea.where(fovea.greater(x, y), x, y) as Tensor],
};
