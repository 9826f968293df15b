/**
 * Transposed convolution: the gradient of a convolution with respect to its input, used to go back up. N batch, C input
 * channels, O output channels, G groups.
 */

import { ArgumentError, ShapeError } from "../../core/errors.js";
import { formatShape, type Shape } from "../../core/shape.js";
import type { Tensor } from "../../graph/tensor.js";
import { composite } from "../composites.js";
import { add } from "../elementwise/arithmetic.js";
import { pad } from "../shape/pad.js";
import { permute } from "../shape/permute.js";
import { reshape } from "../shape/reshape.js";
import { embedOp, slice } from "../shape/slice.js";
import { asFloats, type TensorLike } from "../tensors.js";
import { conv2dInputGradientOp } from "./conv2d.js";
import { layoutName, type Padding, perAxis, resolveSides, windowSpan } from "./geometry.js";

export interface ConvTransposeOptions {
  /** Steps between the windows that input elements are spread over. Default 1. */
  readonly stride?: number | readonly number[];
  /** What is cut off the result's border: the padding of the convolution that this reverses. Default 0. */
  readonly padding?: number | readonly number[];
  /** Elements more at the end of each axis: several inputs of a strided convolution give one length. Default 0. */
  readonly outputPadding?: number | readonly number[];
  /** Steps between the elements of a window. Default 1. */
  readonly dilation?: number | readonly number[];
  /** Independent groups of channels. Default 1. */
  readonly groups?: number;
}

interface Settings {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** [before, after, …]; what the result lacks because of it. */
  readonly padding: readonly number[];
  readonly groups: number;
  /** Lengths of the result along the axes that windows slide along. */
  readonly size: readonly number[];
}

/**
 * Spreads each element of `input` over a window of the result, weighted by `weight`, and adds `bias`.
 *
 * @param input N×C×L
 * @param weight C×(O/G)×L
 * @returns N×O×L, (L − 1) · stride − padding + span + outputPadding long
 */
export function convTranspose1d(
  input: TensorLike,
  weight: TensorLike,
  bias?: TensorLike | null,
  options?: ConvTransposeOptions,
): Tensor {
  return convolveTransposed("convTranspose1d", 1, input, weight, bias, options);
}

/**
 * Spreads each element of `input` over a window of the result, weighted by `weight`, and adds `bias`: learned upsampling
 * (Zeiler et al. 2010; Dumoulin & Visin 2016).
 *
 * @param input N×C×H×W
 * @param weight C×(O/G)×H×W
 * @returns N×O×H×W, (H − 1) · stride − padding + span + outputPadding rows, and columns alike
 * @example convTranspose2d(maps, weight, bias, { stride: 2, padding: 1, outputPadding: 1 }) // twice the size
 */
export function convTranspose2d(
  input: TensorLike,
  weight: TensorLike,
  bias?: TensorLike | null,
  options?: ConvTransposeOptions,
): Tensor {
  return convolveTransposed("convTranspose2d", 2, input, weight, bias, options);
}

/**
 * The same in three dimensions.
 *
 * @param input N×C×D×H×W
 * @param weight C×(O/G)×D×H×W
 */
export function convTranspose3d(
  input: TensorLike,
  weight: TensorLike,
  bias?: TensorLike | null,
  options?: ConvTransposeOptions,
): Tensor {
  return convolveTransposed("convTranspose3d", 3, input, weight, bias, options);
}

function convolveTransposed(
  op: string,
  axes: number,
  input: TensorLike,
  weight: TensorLike,
  bias: TensorLike | null | undefined,
  options: ConvTransposeOptions = {},
): Tensor {
  const x: Tensor = asFloats(op, input);
  const w: Tensor = asFloats(op, weight);
  const [groups] = perAxis(op, "groups", options.groups ?? 1, 1, 1);
  checkOperands(op, axes, x.shape, w.shape, groups);
  const settings = resolve(op, x.shape.slice(2), w.shape.slice(2), groups, options);
  const result =
    axes === 2 ? alongTwo(x, w, settings) : axes === 1 ? alongOne(x, w, settings) : alongThree(x, w, settings);
  const form = { name: "transposedConvolution", params: settings } as const;
  if (bias === undefined || bias === null) return composite({ ...form, inputs: [x, w] }, result);
  const b = asFloats(op, bias);
  const out = w.shape[1] * groups;
  if (b.rank !== 1 || b.shape[0] !== out)
    throw new ShapeError(`${op}: the bias is ${formatShape(b.shape)}. Expected ${out}, one for each output channel.`);
  const shifted = add(result, reshape(b, [out, ...settings.size.map(() => 1)])) as Tensor;
  return composite({ ...form, inputs: [x, w, b] }, shifted);
}

function checkOperands(op: string, axes: number, input: Shape, weight: Shape, groups: number): void {
  if (input.length !== axes + 2 || weight.length !== axes + 2) {
    throw new ShapeError(
      `${op}: the input is ${formatShape(input)} and the weight ${formatShape(weight)}. Expected ${layoutName("NC", axes)} and ${layoutName("CO", axes)}. Fix: unsqueeze() a missing axis.`,
    );
  }
  if (weight.slice(2).some((length) => length < 1)) {
    throw new ShapeError(
      `${op}: the kernel is ${weight.slice(2).join("×")}. Expected at least one element along each axis.`,
    );
  }
  if (input[1] !== weight[0]) {
    throw new ShapeError(
      `${op}: the input has ${input[1]} channels, but the weight ${formatShape(weight)} expects ${weight[0]}. Fix: new ${op.replace("conv", "Conv")}(${input[1]}, ${weight[1] * groups}, …).`,
    );
  }
  if (input[1] % groups !== 0)
    throw new ShapeError(
      `${op}: ${groups} groups do not divide ${input[1]} input channels evenly. Fix: groups that divide them.`,
    );
}

function resolve(
  op: string,
  input: readonly number[],
  kernel: readonly number[],
  groups: number,
  options: ConvTransposeOptions,
): Settings {
  const axes = input.length;
  const stride = perAxis(op, "stride", options.stride ?? 1, axes, 1);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, axes, 1);
  const given: Padding = options.padding ?? 0;
  if (typeof given === "string")
    throw new ArgumentError(`${op}: padding is "${given}". Expected numbers: it is cut off, not added.`);
  const padding = resolveSides(op, given, { size: input, kernel, stride, dilation });
  const extra = perAxis(op, "outputPadding", options.outputPadding ?? 0, axes, 0);
  const size = input.map((length, axis) => {
    if (extra[axis] >= Math.max(stride[axis], dilation[axis])) {
      throw new ArgumentError(
        `${op}: outputPadding ${extra[axis]} would add elements that no window reaches. Expected less than the stride (${stride[axis]}) or the dilation (${dilation[axis]}).`,
      );
    }
    const reached = (length - 1) * stride[axis] + windowSpan(kernel[axis], dilation[axis]) + extra[axis];
    return reached - padding[2 * axis] - padding[2 * axis + 1];
  });
  if (size.some((length) => length < 1)) {
    throw new ShapeError(
      `${op}: padding ${padding.join(", ")} cuts off the whole result of ${size.join("×")}. Fix: less padding, or a larger input.`,
    );
  }
  return { stride, dilation, padding, groups, size };
}

/**
 * The gradient op knows no result longer than its windows reach, but for what a stride skips: where more is wanted (an
 * output padding of a dilation's size), zeros follow.
 */
function alongTwo(x: Tensor, w: Tensor, { stride, dilation, padding, groups, size }: Settings): Tensor {
  const reachable = size.map((length, axis) => {
    const [before, after] = [padding[2 * axis], padding[2 * axis + 1]];
    const reached = (x.shape[axis + 2] - 1) * stride[axis] + windowSpan(w.shape[axis + 2], dilation[axis]);
    return Math.min(length, reached - before - after + stride[axis] - 1);
  });
  const result = conv2dInputGradientOp(
    { upstream: x, weight: w },
    {
      input: [x.shape[0], w.shape[1] * groups, ...reachable],
      stride: [stride[0], stride[1]],
      dilation: [dilation[0], dilation[1]],
      padding: [padding[0], padding[1], padding[2], padding[3]],
      groups,
    },
  ) as Tensor;
  return pad(
    result,
    size.map((length, axis) => [0, length - reachable[axis]] as const),
  );
}

/** A picture of one row. */
function alongOne(x: Tensor, w: Tensor, { stride, dilation, padding, groups, size }: Settings): Tensor {
  const flat = (t: Tensor) => reshape(t, [t.shape[0], t.shape[1], 1, t.shape[2]]);
  const result = alongTwo(flat(x), flat(w), {
    stride: [1, ...stride],
    dilation: [1, ...dilation],
    padding: [0, 0, ...padding],
    groups,
    size: [1, ...size],
  });
  return reshape(result, [result.shape[0], result.shape[1], size[0]]);
}

/** For each slice of the weight the pictures that it gives, added at the depths where they belong. */
function alongThree(x: Tensor, w: Tensor, { stride, dilation, padding, groups, size }: Settings): Tensor {
  const [n, channels, positions, rows, columns] = x.shape;
  const [, perGroup, depth, height, width] = w.shape;
  const pictures = reshape(permute(x, [0, 2, 1, 3, 4]), [n * positions, channels, rows, columns]);
  const filters = reshape(w, [channels, perGroup * depth, height, width]);
  const flat = alongTwo(pictures, filters, {
    stride: stride.slice(1),
    dilation: dilation.slice(1),
    padding: padding.slice(2),
    groups,
    size: size.slice(1),
  });
  const spread = permute(reshape(flat, [n, positions, perGroup * groups, depth, size[1], size[2]]), [3, 0, 2, 1, 4, 5]);
  const whole = size[0] + padding[0] + padding[1];
  const shape = [n, perGroup * groups, whole, size[1], size[2]];
  let sum: Tensor | undefined;
  for (let k = 0; k < depth; k++) {
    const piece = reshape(slice(spread, k), [n, perGroup * groups, positions, size[1], size[2]]);
    const begin = [0, 0, k * dilation[0], 0, 0];
    const placed = embedOp({ input: piece }, { shape, begin, step: [1, 1, stride[0], 1, 1], value: 0 }) as Tensor;
    sum = sum === undefined ? placed : add(sum, placed);
  }
  if (sum === undefined) throw new ShapeError(`convTranspose3d: the weight ${formatShape(w.shape)} has no depth.`);
  return slice(sum, null, null, [padding[0], padding[0] + size[0]]);
}
