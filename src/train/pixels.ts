/** From bytes to what a network wants to see. */

import { ArgumentError } from "../core/errors.js";
import type { Shape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import type { Normalization } from "../models/registry.js";
import { full } from "../ops/create.js";
import { mul, sub } from "../ops/elementwise/arithmetic.js";
import { cast } from "../ops/elementwise/select.js";
import { concat } from "../ops/shape/concat.js";
import { reshape } from "../ops/shape/reshape.js";
import type { TensorLike } from "../ops/tensors.js";

/**
 * (pixel / 255 − mean) / std for each channel, computed inside the program that uses it, so that data sets stay bytes.
 *
 * @param images N×C×H×W, 0 … 255
 * @param normalization one number for all channels, or one for each; none only scales to 0 … 1
 */
export function normalizePixels(images: TensorLike<Shape, "uint8">, normalization?: Normalization): Tensor {
  const pixels = cast(images, "float32");
  if (normalization === undefined) return mul(pixels, 1 / 255) as Tensor;
  const { mean, std } = normalization;
  const channels = pixels.shape[1];
  if (mean.length !== std.length || (mean.length !== 1 && mean.length !== channels)) {
    throw new ArgumentError(
      `normalization: ${mean.length} means and ${std.length} deviations for pictures of ${channels} channels. Expected one of each, or ${channels}.`,
    );
  }
  if (std.some((deviation) => !(deviation > 0))) {
    throw new ArgumentError(`normalization: the deviations are ${std.join(", ")}. Expected numbers above 0.`);
  }
  // (p / 255 − m) / s = p · (1 / 255s) − m / s
  const scale = perChannel(std.map((deviation) => 1 / (255 * deviation)));
  const shift = perChannel(mean.map((value, channel) => value / std[channel]));
  return sub(mul(pixels, scale), shift) as Tensor;
}

function perChannel(values: readonly number[]): Tensor | number {
  if (values.length === 1) return values[0];
  return reshape(concat(values.map((value) => full([1], value))), [1, values.length, 1, 1]) as Tensor;
}
