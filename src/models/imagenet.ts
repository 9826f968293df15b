/** What networks for ImageNet's 1,000 classes declare, as torchvision's weights expect it. */

import type { Tensor } from "../graph/tensor.js";
import { tensor } from "../ops/create.js";
import { add, mul } from "../ops/elementwise/arithmetic.js";
import type { TensorLike } from "../ops/tensors.js";
import type { Normalization } from "./registry.js";

export const imagenet = {
  inputShape: [3, 224, 224],
  numClasses: 1000,
  normalization: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  resizing: { resize: 256, crop: 224, interpolation: "bilinear" },
  classes: "imagenet",
} as const;

/** 0 … 1 to −1 … 1, as the Inceptions were trained. */
export const symmetricNormalization = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const satisfies Normalization;

/** Pictures that were normalized by ImageNet's means and deviations, N×3×H×W, normalized to −1 … 1 instead. */
export function toSymmetric(x: TensorLike): Tensor {
  const { mean, std } = imagenet.normalization;
  const perChannel = (values: readonly number[]) =>
    tensor(Float32Array.from(values), [1, values.length, 1, 1], { device: x.device });
  const scaled = mul(x, perChannel(std.map((deviation) => deviation / 0.5)));
  return add(scaled, perChannel(mean.map((middle) => (middle - 0.5) / 0.5))) as Tensor;
}
