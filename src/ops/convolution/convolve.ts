/**
 * Convolution in one, two and three dimensions, from the two-dimensional op. N batch, C input channels, O output channels,
 * G groups; L, or D, H and W, the lengths of the axes that windows slide along.
 */

import { ShapeError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { composite } from "../composites.js";
import { add } from "../elementwise/arithmetic.js";
import { stack } from "../shape/concat.js";
import { type PaddingMode, pad, padFor } from "../shape/pad.js";
import { permute } from "../shape/permute.js";
import { reshape } from "../shape/reshape.js";
import { flip, type Range, slice } from "../shape/slice.js";
import { asFloats, type TensorLike } from "../tensors.js";
import { adviseOnBorder } from "./advice.js";
import { conv2dOp } from "./conv2d.js";
import { convolvedShape, type Padding, perAxis, resolveSides, type Windows } from "./geometry.js";

export interface ConvOptions {
  /** Steps between windows. Default 1. */
  readonly stride?: number | readonly number[];
  /** What is added around the input. Default 0. */
  readonly padding?: Padding;
  /** What it is filled with: zeros, or the input mirrored, its border repeated, or its other side. Default `zeros`. */
  readonly paddingMode?: "zeros" | PaddingMode;
  /** Steps between the elements of a window. Default 1. */
  readonly dilation?: number | readonly number[];
  /** Independent groups of channels; as many as channels for a depthwise convolution. Default 1. */
  readonly groups?: number;
}

/** The settings of a convolution along `axes` axes, complete and checked. */
interface Settings extends Omit<Windows, "size" | "kernel"> {
  readonly padding: readonly number[];
  readonly groups: number;
}

/**
 * Slides `weight` over `input` and adds `bias`.
 *
 * @param input N×C×L
 * @param weight O×(C/G)×L
 * @param bias O
 * @returns N×O×L, ⌊(L + padding − span) / stride⌋ + 1 long
 * @example conv1d(sounds, weight, bias, { stride: 2 })
 */
export function conv1d(input: TensorLike, weight: TensorLike, bias?: TensorLike | null, options?: ConvOptions): Tensor {
  return convolve("conv1d", 1, input, weight, bias, options);
}

/**
 * Slides `weight` over `input` and adds `bias`. As everywhere in deep learning this is cross-correlation: see
 * `trueConvolution`.
 *
 * @param input N×C×H×W
 * @param weight O×(C/G)×H×W
 * @param bias O
 * @returns N×O×H×W, with ⌊(H + padding − span) / stride⌋ + 1 rows, and columns alike
 * @example conv2d(images, weight, bias, { padding: 2 })
 */
export function conv2d(input: TensorLike, weight: TensorLike, bias?: TensorLike | null, options?: ConvOptions): Tensor {
  return convolve("conv2d", 2, input, weight, bias, options);
}

/**
 * Slides `weight` over `input` and adds `bias`.
 *
 * @param input N×C×D×H×W
 * @param weight O×(C/G)×D×H×W
 * @param bias O
 * @returns N×O×D×H×W
 * @example conv3d(videos, weight, bias, { padding: 1 })
 */
export function conv3d(input: TensorLike, weight: TensorLike, bias?: TensorLike | null, options?: ConvOptions): Tensor {
  return convolve("conv3d", 3, input, weight, bias, options);
}

/**
 * Convolution as mathematics defines it: the weight is flipped along the axes that it slides along, so that an impulse in
 * the input gives a copy of the weight, not a mirrored one. Networks learn their weights and need not care, which is why
 * `conv2d` leaves the flip out; kernels from books on signal processing need it. One to three such axes.
 *
 * @example trueConvolution(picture, kernel, null, { padding: "same" })
 */
export function trueConvolution(
  input: TensorLike,
  weight: TensorLike,
  bias?: TensorLike | null,
  options?: ConvOptions,
): Tensor {
  const w = asFloats("trueConvolution", weight);
  const axes = w.rank - 2;
  if (axes < 1 || axes > 3) {
    throw new ShapeError(
      `trueConvolution: the weight is ${formatShape(w.shape)}. Expected O×C and one to three axes more.`,
    );
  }
  const sliding = Array.from({ length: axes }, (_, axis) => axis + 2);
  return convolve("trueConvolution", axes, input, flip(w, sliding), bias, options);
}

function convolve(
  op: string,
  axes: number,
  input: TensorLike,
  weight: TensorLike,
  bias: TensorLike | null | undefined,
  options: ConvOptions = {},
): Tensor {
  let x: Tensor = asFloats(op, input);
  const w: Tensor = asFloats(op, weight);
  const stride = perAxis(op, "stride", options.stride ?? 1, axes, 1);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, axes, 1);
  const [groups] = perAxis(op, "groups", options.groups ?? 1, 1, 1);
  const windows = { size: x.shape.slice(2), kernel: w.shape.slice(2), stride, dilation };
  let padding = resolveSides(op, options.padding ?? 0, { ...windows, kernel: fitted(windows.kernel, axes) });
  // Before anything is made of them: the errors of the ops below would speak of other shapes.
  const shape = convolvedShape(op, x.shape, w.shape, { stride, padding, dilation, groups });
  adviseOnBorder(op, windows, padding, shape.slice(2), "another stride");
  const { paddingMode = "zeros" } = options;
  if (paddingMode !== "zeros") {
    x = padFor(op, x, pairs(padding), paddingMode);
    padding = padding.map(() => 0);
  }
  const settings = { stride, dilation, padding, groups };
  const result =
    axes === 2 ? alongTwo(x, w, settings) : axes === 1 ? alongOne(x, w, settings) : alongThree(x, w, settings);
  const form = { name: "convolution", params: settings } as const;
  if (bias === undefined || bias === null) return composite({ ...form, inputs: [x, w] }, result);
  const b = asFloats(op, bias);
  if (b.rank !== 1 || b.shape[0] !== shape[1])
    throw new ShapeError(
      `${op}: the bias is ${formatShape(b.shape)}. Expected ${shape[1]}, one for each output channel.`,
    );
  const shifted = add(result, reshape(b, [shape[1], ...stride.map(() => 1)])) as Tensor;
  return composite({ ...form, inputs: [x, w, b] }, shifted);
}

/** A kernel's lengths as far as they are there: that some are missing is said later. */
function fitted(kernel: readonly number[], axes: number): readonly number[] {
  return Array.from({ length: axes }, (_, axis) => kernel[axis] ?? 1);
}

/** [before, after, before, after] as a pair for each axis. */
function pairs(sides: readonly number[]): (readonly [number, number])[] {
  return Array.from({ length: sides.length / 2 }, (_, axis) => [sides[2 * axis], sides[2 * axis + 1]] as const);
}

function alongTwo(x: Tensor, w: Tensor, { stride, dilation, padding, groups }: Settings): Tensor {
  return conv2dOp(
    { input: x, weight: w },
    {
      stride: [stride[0], stride[1]],
      dilation: [dilation[0], dilation[1]],
      padding: [padding[0], padding[1], padding[2], padding[3]],
      groups,
    },
  ) as Tensor;
}

/** A picture of one row. */
function alongOne(x: Tensor, w: Tensor, { stride, dilation, padding, groups }: Settings): Tensor {
  const flat = (t: Tensor) => reshape(t, [t.shape[0], t.shape[1], 1, t.shape[2]]);
  const settings = { stride: [1, ...stride], dilation: [1, ...dilation], padding: [0, 0, ...padding], groups };
  const result = alongTwo(flat(x), flat(w), settings);
  return reshape(result, [result.shape[0], result.shape[1], result.shape[3]]);
}

/**
 * Each position in depth is a picture whose channels are those of all the slices that the window sees there, so that one
 * convolution does the whole work.
 */
function alongThree(x: Tensor, w: Tensor, { stride, dilation, padding, groups }: Settings): Tensor {
  const [n, channels] = x.shape;
  const [out, perGroup, depth, height, width] = w.shape;
  const unfolded = unfoldDepth(
    pad(x, [
      [padding[0], padding[1]],
      [0, 0],
      [0, 0],
    ]),
    depth,
    stride[0],
    dilation[0],
  );
  const positions = unfolded.shape[1];
  const pictures = reshape(unfolded, [n * positions, channels * depth, x.shape[3], x.shape[4]]);
  const filters = reshape(w, [out, perGroup * depth, height, width]);
  const settings = { stride: stride.slice(1), dilation: dilation.slice(1), padding: padding.slice(2), groups };
  const result = alongTwo(pictures, filters, settings);
  const [, , rows, columns] = result.shape;
  return permute(reshape(result, [n, positions, out, rows, columns]), [0, 2, 1, 3, 4]);
}

/** N×C×D×H×W → N×D′×C×depth×H×W: for each position of a window along D the slices that it sees. */
function unfoldDepth(x: Tensor, depth: number, stride: number, dilation: number): Tensor {
  const positions = Math.floor((x.shape[2] - dilation * (depth - 1) - 1) / stride) + 1;
  const seen = Array.from({ length: depth }, (_, k) => {
    const range: Range = [k * dilation, k * dilation + (positions - 1) * stride + 1, stride];
    return slice(x, null, null, range);
  });
  return permute(stack(seen, 2), [0, 3, 1, 2, 4, 5]);
}
