/** From bytes to what a network wants to see. */

import type { Normalization } from "../core/normalization.js";
import { type Shape, sizeOf } from "../core/shape.js";
import type { ImageBatch } from "../data/batches.js";
import type { FeatureBatch } from "../data/features.js";
import { checkNormalization } from "../data/normalization/apply.js";
import type { Tensor } from "../graph/tensor.js";
import { tensorOver } from "../ops/create.js";
import { mul, sub } from "../ops/elementwise/arithmetic.js";
import { cast } from "../ops/elementwise/select.js";
import { linear } from "../ops/linear/matmul.js";
import { reshape } from "../ops/shape/reshape.js";
import type { TensorLike } from "../ops/tensors.js";

/**
 * (pixel / 255 − mean) / std, and then the matrix where there is one, computed inside the program that uses it, so that
 * data sets stay bytes.
 *
 * @param images N×C×H×W, 0 … 255
 * @param normalization a network's own, or one of `fitNormalization`; none only scales to 0 … 1
 * @returns N×C×H×W; N×K where a matrix makes K values of each picture, fewer than it has
 */
export function normalizePixels(images: TensorLike<Shape, "uint8">, normalization?: Normalization): Tensor {
  const pixels = cast(images, "float32");
  if (normalization === undefined) return mul(pixels, 1 / 255) as Tensor;
  const { shape } = pixels;
  const features = sizeOf(shape.slice(1));
  checkNormalization("normalization", normalization, shape[1], features);
  const { mean, std, matrix } = normalization;
  const perValue = (values: readonly number[]) => {
    if (values.length === 1) return values[0];
    const places = values.length === features ? [1, ...shape.slice(1)] : [1, shape[1], 1, 1];
    return tensorOver(Float32Array.from(values), places, "float32", pixels.device);
  };
  // (p / 255 − m) / s = p · (1 / 255s) − m / s
  const scale = perValue(std.map((deviation) => 1 / (255 * deviation)));
  const shift = perValue(mean.map((value, i) => value / std[i]));
  const scaled = sub(mul(pixels, scale), shift) as Tensor;
  if (matrix === undefined) return scaled;
  const rows = tensorOver(Float32Array.from(matrix.values), [matrix.rows, features], "float32", pixels.device);
  const mixed = linear(reshape(scaled, [shape[0], features]), rows);
  return matrix.rows === features ? reshape(mixed, shape) : mixed;
}

/** What a step is given: pixels, or features that a network has made of them. */
export type Inputs = Tensor<Shape, "uint8"> | Tensor<Shape, "float32">;

/** The pictures or features of a batch. */
export function inputsOf(batch: ImageBatch | FeatureBatch): Inputs {
  return "features" in batch
    ? tensorOver(batch.features, batch.shape, "float32")
    : tensorOver(batch.images, batch.shape, "uint8");
}

/** What a network is given: pixels are normalized, features are as they are. */
export function toNetwork(inputs: Inputs, normalization: Normalization | undefined): Tensor {
  return isFeatures(inputs) ? inputs : normalizePixels(inputs, normalization);
}

function isFeatures(inputs: Inputs): inputs is Tensor {
  return inputs.dtype === "float32";
}
