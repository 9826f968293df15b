/** Normalization: values brought to a common scale, from the ops it is made of. */

import { ArgumentError, ShapeError } from "../core/errors.js";
import { formatShape, type Shape, sameShape, sizeOf } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { composite } from "./composites.js";
import { add, div, mul, pow } from "./elementwise/arithmetic.js";
import { avgPool2d } from "./pooling/pool.js";
import { pad } from "./shape/pad.js";
import { reshape } from "./shape/reshape.js";
import { standardize } from "./standardize.js";
import { asFloats, type TensorLike } from "./tensors.js";

export interface NormalizationOptions {
  /** Learned scale; see each function for its shape. Default: none. */
  readonly weight?: TensorLike | null | undefined;
  /** Learned shift, in the weight's shape. Default: none. */
  readonly bias?: TensorLike | null | undefined;
  /** Added to the variance before its root. Default 1e-5. */
  readonly eps?: number | undefined;
}

/** x · weight + bias, both brought into `shape` to broadcast. */
function scaleAndShift(
  op: string,
  x: Tensor,
  { weight, bias }: NormalizationOptions,
  own: Shape,
  shape: Shape,
): Tensor {
  const fitting = (name: string, values: TensorLike) => {
    const tensor = asFloats(op, values);
    if (!sameShape(tensor.shape, own))
      throw new ShapeError(`${op}: the ${name} is ${formatShape(tensor.shape)}. Expected ${formatShape(own)}.`);
    return reshape(tensor, shape);
  };
  const scaled = weight == null ? x : mul(x, fitting("weight", weight));
  return bias == null ? scaled : add(scaled, fitting("bias", bias));
}

/** Weight and bias as tensors, undefined where there is none. */
function learned(op: string, { weight, bias }: NormalizationOptions): readonly (Tensor | undefined)[] {
  return [weight, bias].map((each) => (each == null ? undefined : asFloats(op, each)));
}

/**
 * Brings each sample to mean 0 and variance 1 over its last axes (Ba et al. 2016).
 *
 * @param normalizedShape lengths of those axes, which weight and bias have too
 * @example layerNorm(features, [256])
 */
export function layerNorm<S extends Shape>(
  x: TensorLike<S>,
  normalizedShape: Shape,
  options: NormalizationOptions = {},
): Tensor<S> {
  const input: Tensor = asFloats("layerNorm", x);
  const lead = input.rank - normalizedShape.length;
  if (normalizedShape.length === 0 || lead < 0 || !sameShape(input.shape.slice(lead), normalizedShape)) {
    throw new ShapeError(
      `layerNorm: the input is ${formatShape(input.shape)}. Expected …×${formatShape(normalizedShape)}: its last axes are normalized.`,
    );
  }
  const axes = normalizedShape.map((_, i) => lead + i);
  const epsilon = options.eps ?? 1e-5;
  const standard = standardize(input, axes, epsilon).result;
  const result = scaleAndShift("layerNorm", standard, options, normalizedShape, normalizedShape) as Tensor<S>;
  const inputs = [input, ...learned("layerNorm", options)];
  return composite({ name: "layerNorm", inputs, params: { axis: lead, epsilon } }, result);
}

/** 1×C×1×…, to broadcast with N×C×…. */
function perChannel(channels: number, rank: number): Shape {
  return [1, channels, ...Array.from({ length: rank - 2 }, () => 1)];
}

/**
 * Brings groups of neighbouring channels of each sample to mean 0 and variance 1 (Wu & He 2018).
 *
 * @param x N×C×…; weight and bias have C elements
 * @param groups must divide C
 */
export function groupNorm<S extends Shape>(
  x: TensorLike<S>,
  groups: number,
  options: NormalizationOptions = {},
): Tensor<S> {
  const input: Tensor = asFloats("groupNorm", x);
  const [samples, channels] = input.shape;
  if (input.rank < 2)
    throw new ShapeError(`groupNorm: the input is ${formatShape(input.shape)}. Expected N×C×…, samples of channels.`);
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new ArgumentError(
      `groupNorm: ${groups} groups do not divide the ${channels} channels of ${formatShape(input.shape)} evenly. Expected an integer that divides ${channels}.`,
    );
  }
  const grouped = reshape(input, [samples, groups, input.size / Math.max(1, samples * groups)]);
  const standard = reshape(standardize(grouped, [2], options.eps ?? 1e-5).result, input.shape);
  const shape = perChannel(channels, input.rank);
  return scaleAndShift("groupNorm", standard, options, [channels], shape) as Tensor<S>;
}

/**
 * Brings each channel of each sample to mean 0 and variance 1 over its places (Ulyanov et al. 2016).
 *
 * @param x N×C×…, with at least one axis of places; weight and bias have C elements
 */
export function instanceNorm<S extends Shape>(x: TensorLike<S>, options: NormalizationOptions = {}): Tensor<S> {
  const input: Tensor = asFloats("instanceNorm", x);
  const [samples, channels, ...places] = input.shape;
  const count = places.reduce((product, length) => product * length, 1);
  if (input.rank < 3 || count < 2) {
    throw new ShapeError(
      `instanceNorm: the input is ${formatShape(input.shape)}. Expected N×C×… with more than one place, whose variance is not 0.`,
    );
  }
  const epsilon = options.eps ?? 1e-5;
  const grouped = reshape(input, [samples, channels, count]);
  const standard = reshape(standardize(grouped, [2], epsilon).result, input.shape);
  const shape = perChannel(channels, input.rank);
  const result = scaleAndShift("instanceNorm", standard, options, [channels], shape) as Tensor<S>;
  const inputs = [input, ...learned("instanceNorm", options)];
  return composite({ name: "instanceNorm", inputs, params: { epsilon } }, result);
}

export interface LocalResponseNormOptions {
  /** Strength; divided by the number of values in a neighbourhood, as in PyTorch. Default 1e-4. */
  readonly alpha?: number | undefined;
  /** Default 0.75. */
  readonly beta?: number | undefined;
  /** Default 1; AlexNet's paper has 2. */
  readonly k?: number | undefined;
  /** Neighbours across channels at the same place (AlexNet), or `size`×`size` places within a channel. Default `across`. */
  readonly region?: "across" | "within" | undefined;
}

/**
 * x / (k + alpha/n · Σ x²)^beta, where the sum goes over n neighbours: active neurons inhibit those beside them
 * (Krizhevsky et al. 2012, whose alpha is not divided by n). Beyond the border there are zeros.
 *
 * @param x N×C×… (across channels), N×C×H×W (within)
 * @param size how many neighbouring channels, or the side of the square of places
 * @example localResponseNorm(maps, 5, { k: 2 })
 */
export function localResponseNorm<S extends Shape>(
  x: TensorLike<S>,
  size: number,
  { alpha = 1e-4, beta = 0.75, k = 1, region = "across" }: LocalResponseNormOptions = {},
): Tensor<S> {
  const op = "localResponseNorm";
  const input: Tensor = asFloats(op, x);
  if (!Number.isInteger(size) || size < 1)
    throw new ArgumentError(`${op}: the size is ${size}. Expected an integer of 1 or more.`);
  if (region !== "across" && region !== "within")
    throw new ArgumentError(`${op}: the region is ${JSON.stringify(region)}. Expected "across" or "within".`);
  if (region === "within" ? input.rank !== 4 : input.rank < 2) {
    const expected = region === "within" ? "N×C×H×W" : "N×C×…";
    throw new ShapeError(`${op}: the input is ${formatShape(input.shape)}. Expected ${expected}.`);
  }
  const squares = mul(input, input);
  const border = [Math.floor(size / 2), Math.floor((size - 1) / 2)] as const;
  const means =
    region === "within"
      ? avgPool2d(pad(squares, [border, border]), size, { stride: 1 })
      : meansAcross(squares, size, border);
  const result = div(input, pow(add(mul(means, alpha), k), beta)) as Tensor<S>;
  if (region === "within") return result;
  return composite({ name: "localResponseNorm", inputs: [input], params: { size, alpha, beta, k } }, result);
}

/** Means over `size` neighbouring channels: windows on a picture whose rows are the channels. */
function meansAcross(x: Tensor, size: number, border: readonly [number, number]): Tensor {
  const [samples, channels, ...places] = x.shape;
  const rows = reshape(x, [samples, 1, channels, sizeOf(places)]);
  return reshape(avgPool2d(pad(rows, [border, [0, 0]]), [size, 1], { stride: 1 }), x.shape);
}
