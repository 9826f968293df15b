/** Functions whose windows slide over pictures: convolution and pooling. */

import { type Shape, sizeOf } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { type ConvOptions, conv1d, conv2d, conv3d, trueConvolution } from "../../ops/convolution/convolve.js";
import { locallyConnected1d, locallyConnected2d, locallyConnected3d } from "../../ops/convolution/locallyConnected.js";
import {
  type ConvTransposeOptions,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
} from "../../ops/convolution/transpose.js";
import { unfold } from "../../ops/convolution/unfold.js";
import * as adaptive from "../../ops/pooling/adaptive.js";
import { crossChannelAvgPool, maxout } from "../../ops/pooling/crossChannel.js";
import * as pooling from "../../ops/pooling/pool.js";
import * as stochastic from "../../ops/pooling/stochastic.js";
import * as unpooling from "../../ops/pooling/unpool.js";
import { bedOfNails, pixelShuffle, pixelUnshuffle, upsample } from "../../ops/upsampling.js";
import { type CheckCase, check, classes, distinct, within } from "./case.js";

/** `stride 2, padding same`. */
function describe(options: object): string {
  return Object.entries(options)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join("×") : value}`)
    .join(", ");
}

const convolutions = { conv1d, conv2d, conv3d, trueConvolution } as const;
const transposed = { convTranspose1d, convTranspose2d, convTranspose3d } as const;

function convolution(name: keyof typeof convolutions, input: Shape, weight: Shape, options: ConvOptions): CheckCase {
  const fn = (x: Tensor, w: Tensor, b: Tensor) => convolutions[name](x, w, b, options);
  return check(name, fn, [input, weight, [weight[0]]], describe(options));
}

function transpose(
  name: keyof typeof transposed,
  input: Shape,
  weight: Shape,
  options: ConvTransposeOptions,
): CheckCase {
  const fn = (x: Tensor, w: Tensor, b: Tensor) => transposed[name](x, w, b, options);
  return check(name, fn, [input, weight, [weight[1] * (options.groups ?? 1)]], describe(options));
}

const { maxPool1d, maxPool2d, maxPool3d, minPool1d, minPool2d, minPool3d } = pooling;
const { avgPool1d, avgPool2d, avgPool3d, lpPool1d, lpPool2d, lpPool3d } = pooling;
const { maxPool1dWithIndices, maxPool2dWithIndices, maxPool3dWithIndices } = unpooling;
const { maxUnpool1d, maxUnpool2d, maxUnpool3d } = unpooling;
const { stochasticPool1d, stochasticPool2d, stochasticPool3d } = stochastic;
const shapes = [
  [2, 3, 9],
  [2, 2, 6, 5],
  [1, 2, 4, 5, 4],
] as const;

const pools: readonly CheckCase[] = [
  ...[maxPool1d, maxPool2d, maxPool3d].flatMap((pool, i) => [
    check(pool.name, (x: Tensor) => pool(x, 2), [distinct(...shapes[i])]),
    check(
      pool.name,
      (x: Tensor) => pool(x, 3, { stride: 2, padding: 1, ceilMode: true }),
      [distinct(...shapes[i])],
      "stride 2, padding, ceil",
    ),
    check(pool.name, (x: Tensor) => pool(x, 2, { dilation: 2, stride: 1 }), [distinct(...shapes[i])], "dilation 2"),
  ]),
  ...[avgPool1d, avgPool2d, avgPool3d].flatMap((pool, i) => [
    check(pool.name, (x: Tensor) => pool(x, 2), [shapes[i]]),
    check(
      pool.name,
      (x: Tensor) => pool(x, 3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
      [shapes[i]],
      "padding not counted, ceil",
    ),
  ]),
  ...[minPool1d, minPool2d, minPool3d].map((pool, i) =>
    check(pool.name, (x: Tensor) => pool(x, 3, { stride: 2 }), [distinct(...shapes[i])]),
  ),
  ...[lpPool1d, lpPool2d, lpPool3d].flatMap((pool, i) => [
    check(pool.name, (x: Tensor) => pool(x, 2), [within(0.2, 2, ...shapes[i])]),
    check(pool.name, (x: Tensor) => pool(x, 2, { p: 3, stride: 1 }), [within(0.2, 2, ...shapes[i])], "p 3"),
    check(
      pool.name,
      (x: Tensor) => pool(x, 3, { padding: 1, ceilMode: true }),
      [within(0.2, 2, ...shapes[i])],
      "padding, ceil",
    ),
  ]),
  ...[maxPool1dWithIndices, maxPool2dWithIndices, maxPool3dWithIndices].map((pool, i) =>
    check(pool.name, (x: Tensor) => pool(x, 3, { stride: 2, padding: 1 }).values, [distinct(...shapes[i])]),
  ),
  ...[maxUnpool1d, maxUnpool2d, maxUnpool3d].map((unpool, i) => {
    const [size, small] = [[9, 4, 3].slice(0, i + 1), [4, 2, 2].slice(0, i + 1)];
    const fn = (x: Tensor, at: Tensor<Shape, "int32">) => unpool(x, at, size);
    return check(unpool.name, fn, [[2, 3, ...small], classes(sizeOf(size), 2, 3, ...small)]);
  }),
  ...[stochasticPool1d, stochasticPool2d, stochasticPool3d].flatMap((pool, i) => [
    { ...check(pool.name, (x: Tensor) => pool(x, 2), [within(0.1, 2, ...shapes[i])]), draws: true as const },
    check(pool.name, (x: Tensor) => pool(x, 2, { training: false, padding: 1 }), [shapes[i]], "evaluating"),
  ]),
  check("maxout", (x: Tensor) => maxout(x, 3), [distinct(2, 6, 2, 2)]),
  check("crossChannelAvgPool", (x: Tensor) => crossChannelAvgPool(x, 3), [[2, 6, 2, 2]]),
  ...[adaptive.adaptiveAvgPool1d, adaptive.adaptiveAvgPool2d, adaptive.adaptiveAvgPool3d].flatMap((pool, i) => [
    check(pool.name, (x: Tensor) => pool(x, 3), [shapes[i]], "3"),
  ]),
  ...[adaptive.adaptiveMaxPool1d, adaptive.adaptiveMaxPool2d, adaptive.adaptiveMaxPool3d].flatMap((pool, i) => [
    check(pool.name, (x: Tensor) => pool(x, 3), [distinct(...shapes[i])], "3"),
  ]),
  check("globalAvgPool", (x: Tensor) => adaptive.globalAvgPool(x), [[2, 3, 4, 5]]),
  check("globalMaxPool", (x: Tensor) => adaptive.globalMaxPool(x), [distinct(2, 3, 4, 5)]),
];

const upsampling: readonly CheckCase[] = [
  ...shapes.flatMap((shape) =>
    [
      { scale: 2 },
      { scale: 1.5 },
      { scale: 2, mode: "linear" } as const,
      { size: 7, mode: "linear", alignCorners: true } as const,
    ].map((options) =>
      check("upsample", (x: Tensor) => upsample(x, options), [shape], `${shape.length - 2}-D ${describe(options)}`),
    ),
  ),
  check("bedOfNails", (x: Tensor) => bedOfNails(x, 2), [[2, 2, 3, 3]]),
  check("pixelShuffle", (x: Tensor) => pixelShuffle(x, 2), [[2, 8, 2, 3]]),
  check("pixelUnshuffle", (x: Tensor) => pixelUnshuffle(x, 2), [[2, 2, 4, 6]]),
];

export const windowCases: readonly CheckCase[] = [
  convolution("conv1d", [2, 4, 9], [6, 2, 3], { stride: 2, padding: 1, groups: 2 }),
  convolution("conv1d", [2, 3, 8], [2, 3, 2], { dilation: 2, padding: "same", paddingMode: "circular" }),
  convolution("conv2d", [2, 2, 6, 5], [3, 2, 3, 2], {}),
  convolution("conv2d", [1, 4, 7, 7], [4, 2, 3, 3], { stride: [2, 3], padding: [0, 2, 1, 0], dilation: 2, groups: 2 }),
  convolution("conv2d", [2, 3, 5, 5], [3, 1, 3, 3], { groups: 3, padding: "same", paddingMode: "reflect" }),
  convolution("conv2d", [2, 2, 4, 5], [2, 2, 4, 2], { padding: "same", paddingMode: "replicate" }),
  convolution("conv2d", [1, 2, 4, 4], [3, 2, 3, 3], { padding: "full" }),
  convolution("conv3d", [2, 2, 4, 5, 4], [3, 2, 2, 3, 2], { padding: 1 }),
  convolution("conv3d", [1, 4, 5, 5, 5], [2, 2, 2, 2, 2], { stride: 2, dilation: 2, groups: 2 }),
  convolution("trueConvolution", [1, 2, 5, 6], [2, 2, 3, 2], { padding: "same" }),
  transpose("convTranspose1d", [2, 4, 5], [4, 3, 3], { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
  transpose("convTranspose2d", [2, 3, 4, 3], [3, 2, 3, 3], {}),
  transpose("convTranspose2d", [1, 4, 3, 4], [4, 2, 3, 2], { stride: [2, 3], padding: 1, dilation: 2, groups: 2 }),
  transpose("convTranspose2d", [1, 2, 3, 3], [2, 2, 2, 2], { outputPadding: 1, dilation: 3 }),
  transpose("convTranspose3d", [1, 2, 3, 2, 3], [2, 2, 2, 3, 2], { stride: 2, outputPadding: 1 }),
  check("unfold", (x: Tensor) => unfold(x, [3, 2], { stride: 2, padding: 1 }), [[2, 2, 5, 4]]),
  check("locallyConnected1d", (x: Tensor, w: Tensor) => locallyConnected1d(x, w, null, 3, { padding: 1 }), [
    [2, 2, 4],
    [4, 3, 6],
  ]),
  check("locallyConnected2d", (x: Tensor, w: Tensor, b: Tensor) => locallyConnected2d(x, w, b, 2, { stride: 2 }), [
    [2, 2, 4, 6],
    [6, 3, 8],
    [6, 3],
  ]),
  check("locallyConnected3d", (x: Tensor, w: Tensor) => locallyConnected3d(x, w, null, 2, { dilation: [2, 1, 1] }), [
    [1, 2, 3, 2, 3],
    [2, 3, 16],
  ]),
  ...pools,
  ...upsampling,
];
