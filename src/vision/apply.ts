/** A kernel laid over a picture. */

import type { Tensor } from "../graph/tensor.js";
import { type ConvOptions, conv2d } from "../ops/convolution/convolve.js";
import { reshape } from "../ops/shape/reshape.js";
import type { TensorLike } from "../ops/tensors.js";
import { asPicture } from "./pictures.js";

/** Padding is `"same"` unless told, with zeros: `paddingMode: "replicate"` keeps the border from looking like an edge. */
export type KernelOptions = Pick<ConvOptions, "stride" | "padding" | "paddingMode" | "dilation">;

/**
 * Slides a kernel over each channel by itself. This is cross-correlation, as `conv2d`: the kernel is not flipped.
 *
 * @param picture H×W, C×H×W or N×C×H×W
 * @param kernel H×W: one of `vision`, or a tensor of your own
 * @returns the picture's axes; its height and width too, unless `padding` or `stride` say otherwise
 * @example
 * const edges = vision.applyKernel(photo, vision.sobelX(), { paddingMode: "replicate" });
 */
export function applyKernel(picture: TensorLike, kernel: TensorLike, options: KernelOptions = {}): Tensor {
  const x = asPicture("applyKernel", "picture", picture, [2, 3, 4]);
  const weight = asPicture("applyKernel", "kernel", kernel, [2]);
  const [height, width] = x.shape.slice(-2);
  const planes = reshape(x, [-1, 1, height, width]);
  const result = conv2d(planes, reshape(weight, [1, 1, ...weight.shape]), null, { padding: "same", ...options });
  return reshape(result, [...x.shape.slice(0, -2), ...result.shape.slice(2)]);
}
